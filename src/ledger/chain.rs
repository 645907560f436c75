//! The chain over the audit: each row has a hash of its own content and of the row before it, so
//! that one that is changed, removed or slipped in later is found.
//!
//! Who can write to the database could compute the whole chain anew; against that a head that was
//! noted elsewhere helps (`audit verify --head`).
use sqlx::{Decode, FromRow, Type};

use crate::domain::digest::digest;

/// The hash of a row behind `before`; PostgreSQL computes the same in its trigger.
pub(super) fn hash(before: Option<&str>, seq: i64, row: &Hashed) -> String {
    let (seq, at_ms) = (seq.to_string(), row.at_ms.to_string());
    digest([
        before,
        Some(seq.as_str()),
        Some(row.environment.as_str()),
        Some(row.merchant.as_str()),
        Some(at_ms.as_str()),
        row.number.as_deref(),
        Some(row.what.as_str()),
        Some(row.tool.as_str()),
        Some(row.transport.as_str()),
        row.client.as_deref(),
        row.principal.as_deref(),
        row.terms.as_deref(),
        row.from_state.as_deref(),
        row.to_state.as_deref(),
        row.respcd.as_deref(),
        row.detail.as_deref(),
    ])
}

/// The last row of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    pub rows: i64,
    pub hash: String,
}

/// Rows of the audit, counted without looking at the chain.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// What there was when the chain began.
    pub at_start: u64,
    /// What is left of that.
    pub before: u64,
    /// Since then; each should hang in the chain.
    pub since: u64,
    /// Of these, what still waited for that when they had been counted.
    pub waiting: u64,
}

/// A check of the chain, row by row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Check {
    head: Option<Head>,
    /// What was found, in words; at most [`Check::MOST`] of it.
    pub faults: Vec<String>,
    /// How much was found.
    pub count: u64,
    /// A row that was noted, and its hash, until it was seen.
    noted: Option<(i64, String)>,
    /// Links whose row of the audit is there.
    linked: u64,
}

impl Check {
    /// Most faults that are told.
    pub const MOST: usize = 20;

    /// A check that a row still has the hash that was noted.
    pub fn watching(noted: Option<(i64, String)>) -> Self {
        Self { noted, ..Self::default() }
    }

    /// There are no more rows; `counted` is what the audit held before the first of them was read,
    /// so that what is written meanwhile is no fault.
    pub fn end(&mut self, counted: Counted) {
        let rows = |n: u64| if n == 1 { "1 row".to_owned() } else { format!("{n} rows") };
        let Counted { at_start, before, since, waiting } = counted;
        let linked = self.linked.saturating_add(waiting);
        if since > linked {
            let loose = rows(since.saturating_sub(linked));
            self.fault(format!("{loose} beside the chain: slipped in, or cut out of it"));
        }
        if before != at_start {
            let (was, now) = (rows(at_start), rows(before));
            self.fault(format!("{now} from before the chain, and there had been {was}"));
        }
        if let Some((row, _)) = self.noted.take() {
            self.fault(format!("row {row}, whose hash was noted, is missing"));
        }
    }

    pub fn head(&self) -> Option<&Head> {
        self.head.as_ref()
    }

    pub fn fault(&mut self, text: String) {
        self.count = self.count.saturating_add(1);
        if self.faults.len() < Self::MOST {
            self.faults.push(text);
        }
    }

    /// The next row, as the store returns it.
    pub(super) fn next(&mut self, row: ChainRow) {
        let expected = self.head.as_ref().map_or(0, |it| it.rows).saturating_add(1);
        if row.seq != expected {
            let last = row.seq.saturating_sub(1);
            let rows = if expected == last {
                format!("row {expected} is")
            } else {
                format!("rows {expected} to {last} are")
            };
            self.fault(format!("{rows} missing from the chain"));
        }
        match row.event {
            None => self.fault(format!("row {} was removed", row.seq)),
            Some(event) => {
                self.linked = self.linked.saturating_add(1);
                // After a gap nothing is known of the row before it.
                let before = self.head.as_ref().filter(|_| row.seq == expected);
                let whole = row.seq == expected;
                let right = hash(before.map(|it| it.hash.as_str()), row.seq, &event);
                if whole && right != row.hash {
                    let number = event.number.as_deref().unwrap_or("no order");
                    self.fault(format!(
                        "row {} ({}, {number}) was changed, or the one before it",
                        row.seq, event.what
                    ));
                }
            }
        }
        if let Some((_, hash)) = self.noted.take_if(|(noted, _)| *noted == row.seq)
            && hash != row.hash
        {
            self.fault(format!("row {} has another hash than was noted", row.seq));
        }
        self.head = Some(Head { rows: row.seq, hash: row.hash });
    }
}

/// What the hash of a row of the audit is over, as it stands in its columns.
#[derive(Debug)]
pub(super) struct Hashed {
    pub(super) environment: String,
    pub(super) merchant: String,
    pub(super) at_ms: i64,
    pub(super) number: Option<String>,
    pub(super) what: String,
    pub(super) tool: String,
    pub(super) transport: String,
    pub(super) client: Option<String>,
    pub(super) principal: Option<String>,
    /// The very text.
    pub(super) terms: Option<String>,
    pub(super) from_state: Option<String>,
    pub(super) to_state: Option<String>,
    pub(super) respcd: Option<String>,
    pub(super) detail: Option<String>,
}

/// A link of the chain as a store returns it, with its row of the audit where that is there.
#[derive(Debug)]
pub(super) struct ChainRow {
    pub(super) seq: i64,
    pub(super) hash: String,
    pub(super) event: Option<Hashed>,
}

impl<'r, R: sqlx::Row> FromRow<'r, R> for ChainRow
where
    &'static str: sqlx::ColumnIndex<R>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Option<i64>: Decode<'r, R::Database> + Type<R::Database>,
    Option<String>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> Result<Self, sqlx::Error> {
        let (seq, hash) = (row.try_get("seq")?, row.try_get("hash")?);
        let Some(at_ms) = row.try_get::<Option<i64>, _>("at_ms")? else {
            return Ok(Self { seq, hash, event: None });
        };
        let event = Hashed {
            environment: row.try_get("environment")?,
            merchant: row.try_get("merchant")?,
            at_ms,
            number: row.try_get("number")?,
            what: row.try_get("what")?,
            tool: row.try_get("tool")?,
            transport: row.try_get("transport")?,
            client: row.try_get("client")?,
            principal: row.try_get("principal")?,
            terms: row.try_get("terms")?,
            from_state: row.try_get("from_state")?,
            to_state: row.try_get("to_state")?,
            respcd: row.try_get("respcd")?,
            detail: row.try_get("detail")?,
        };
        Ok(Self { seq, hash, event: Some(event) })
    }
}
