//! Writing the book: each change is one statement, or one immediate transaction, so that two
//! processes never both succeed.
use sqlx::{Sqlite, SqliteExecutor, Transaction};

use super::{
    Book, BookError, PAID, Trade,
    read::{Filter, select},
};

/// A payment or refund to write down.
#[derive(Debug, Clone)]
pub(crate) struct NewTrade<'a> {
    pub(crate) merchant: &'a str,
    pub(crate) order_type: &'static str,
    pub(crate) out_trade_no: &'a str,
    pub(crate) pay_type: &'a str,
    pub(crate) txamt: i64,
    pub(crate) txcurrcd: &'a str,
    pub(crate) txdtm: &'a str,
    pub(crate) sysdtm: String,
    /// What its syssn begins with: the day and a group.
    pub(crate) syssn_head: String,
    pub(crate) created_ms: i64,
    pub(crate) udid: &'a str,
    pub(crate) goods_name: &'a str,
    pub(crate) return_url: &'a str,
    pub(crate) auth_digest: Option<String>,
    pub(crate) origssn: Option<&'a str>,
    pub(crate) answered: &'a str,
    pub(crate) waiting: &'a str,
    pub(crate) pays_ms: Option<i64>,
    pub(crate) expires_ms: i64,
    pub(crate) settled: Option<&'a str>,
    pub(crate) notify_url: &'a str,
    pub(crate) notify_due_ms: Option<i64>,
}

impl NewTrade<'_> {
    /// The trade as it stands right after it was written down.
    fn written(self, syssn: String) -> Trade {
        let paid_ms = self.pays_ms.filter(|at| *at <= self.created_ms);
        let respcd = self.settled.unwrap_or(if paid_ms.is_some() { PAID } else { self.waiting });
        Trade {
            syssn,
            order_type: self.order_type.to_owned(),
            out_trade_no: self.out_trade_no.to_owned(),
            pay_type: self.pay_type.to_owned(),
            txamt: self.txamt,
            txcurrcd: self.txcurrcd.to_owned(),
            txdtm: self.txdtm.to_owned(),
            respcd: respcd.to_owned(),
            sysdtm: self.sysdtm,
            created_ms: self.created_ms,
            udid: self.udid.to_owned(),
            goods_name: self.goods_name.to_owned(),
            return_url: self.return_url.to_owned(),
            origssn: self.origssn.map(str::to_owned),
            orig_out_trade_no: None,
            answered: self.answered.to_owned(),
            waiting: self.waiting.to_owned(),
            paid_ms,
            cancelled: 0,
            refunded: 0,
            promised: 0,
            notify_url: self.notify_url.to_owned(),
            notify_due_ms: self.notify_due_ms,
            notify_tries: 0,
            notify_note: String::new(),
        }
    }
}

/// The serial is counted over the whole book, so no two trades of any day share a syssn. A number
/// has one trade, or any number of a checkout page's.
const INSERT: &str = "INSERT INTO trades (serial, syssn, merchant, order_type, out_trade_no,
    pay_type, txamt, txcurrcd, txdtm, sysdtm, created_ms, udid, goods_name, return_url,
    auth_digest, origssn, answered, waiting, pays_ms, expires_ms, settled, settled_ms,
    notify_url, notify_due_ms)
SELECT n, printf('%s0002%010d', ?, n), ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?,
    ?, ?
FROM (SELECT COALESCE(MAX(serial), 0) + 1 AS n FROM trades)
WHERE NOT EXISTS (SELECT 1 FROM trades WHERE merchant = ? AND out_trade_no = ?
    AND (answered <> '' OR ? <> ''))
RETURNING syssn";

/// Settles what still waits, and nothing else.
const SETTLE: &str = "UPDATE trades SET settled = ?2, settled_ms = ?1, cancelled = ?3,
    notify_due_ms = CASE WHEN ?2 = '0000' AND notify_url <> '' THEN ?1 END
WHERE syssn = ?4 AND settled IS NULL AND expires_ms > ?1
    AND (pays_ms IS NULL OR pays_ms > ?1 OR pays_ms >= expires_ms)";

/// Claims a delivery: of several processes, one moves the due time on.
const CLAIM: &str = "UPDATE trades SET notify_due_ms = ?1, notify_tries = notify_tries + 1
WHERE syssn = ?2 AND notify_due_ms = ?3 AND notify_tries = ?4";

impl Book {
    /// Writes a trade down; none if its number or the payer's code was used before.
    pub(crate) async fn add(&self, new: NewTrade<'_>) -> Result<Option<Trade>, BookError> {
        insert(&self.writer, new).await
    }

    /// Begins a change that reads before it writes; nobody else writes meanwhile.
    pub(crate) async fn write(&self) -> Result<Writing, BookError> {
        Ok(Writing(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Decides a waiting trade: its respcd and its `cancel`. False if it no longer waits.
    pub(crate) async fn settle(
        &self,
        now_ms: i64,
        syssn: &str,
        respcd: &str,
        cancelled: i64,
    ) -> Result<bool, BookError> {
        let settle = sqlx::query(SETTLE).bind(now_ms).bind(respcd).bind(cancelled).bind(syssn);
        Ok(settle.execute(&self.writer).await?.rows_affected() == 1)
    }

    /// Takes a due notification for this process and sets when it is due again; none: never.
    pub(crate) async fn claim(
        &self,
        trade: &Trade,
        again_ms: Option<i64>,
    ) -> Result<bool, BookError> {
        let claim = sqlx::query(CLAIM)
            .bind(again_ms)
            .bind(&trade.syssn)
            .bind(trade.notify_due_ms)
            .bind(trade.notify_tries);
        Ok(claim.execute(&self.writer).await?.rows_affected() == 1)
    }

    /// Writes down how a delivery went; a `done` one is not tried again.
    pub(crate) async fn note(&self, syssn: &str, note: &str, done: bool) -> Result<(), BookError> {
        let sql = "UPDATE trades SET notify_note = ?1,
            notify_due_ms = CASE WHEN ?2 THEN NULL ELSE notify_due_ms END WHERE syssn = ?3";
        sqlx::query(sql).bind(note).bind(done).bind(syssn).execute(&self.writer).await?;
        Ok(())
    }
}

/// A change under way. Dropped without [`Writing::commit`], nothing happened.
pub(crate) struct Writing(Transaction<'static, Sqlite>);

impl Writing {
    /// The first trade that fits.
    pub(crate) async fn find(
        &mut self,
        now_ms: i64,
        filter: &Filter,
    ) -> Result<Option<Trade>, BookError> {
        Ok(select(&mut *self.0, now_ms, filter).await?.into_iter().next())
    }

    /// As [`Book::add`].
    pub(crate) async fn add(&mut self, new: NewTrade<'_>) -> Result<Option<Trade>, BookError> {
        insert(&mut *self.0, new).await
    }

    /// Marks a paid payment as reversed: its money is back.
    pub(crate) async fn reverse(&mut self, syssn: &str) -> Result<(), BookError> {
        let reverse = sqlx::query("UPDATE trades SET cancelled = 1 WHERE syssn = ?").bind(syssn);
        reverse.execute(&mut *self.0).await?;
        Ok(())
    }

    pub(crate) async fn commit(self) -> Result<(), BookError> {
        Ok(self.0.commit().await?)
    }
}

async fn insert(
    executor: impl SqliteExecutor<'_>,
    new: NewTrade<'_>,
) -> Result<Option<Trade>, BookError> {
    let insert = sqlx::query_scalar::<_, String>(INSERT)
        .bind(&new.syssn_head)
        .bind(new.merchant)
        .bind(new.order_type)
        .bind(new.out_trade_no)
        .bind(new.pay_type)
        .bind(new.txamt)
        .bind(new.txcurrcd)
        .bind(new.txdtm)
        .bind(&new.sysdtm)
        .bind(new.created_ms)
        .bind(new.udid)
        .bind(new.goods_name)
        .bind(new.return_url)
        .bind(&new.auth_digest)
        .bind(new.origssn)
        .bind(new.answered)
        .bind(new.waiting)
        .bind(new.pays_ms)
        .bind(new.expires_ms)
        .bind(new.settled)
        .bind(new.settled.map(|_| new.created_ms))
        .bind(new.notify_url)
        .bind(new.notify_due_ms)
        .bind(new.merchant)
        .bind(new.out_trade_no)
        .bind(new.answered);
    match insert.fetch_optional(executor).await {
        Ok(syssn) => Ok(syssn.map(|it| new.written(it))),
        Err(error) if is_used(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether the unique index of the payer's code refused.
fn is_used(error: &sqlx::Error) -> bool {
    error.as_database_error().is_some_and(sqlx::error::DatabaseError::is_unique_violation)
}
