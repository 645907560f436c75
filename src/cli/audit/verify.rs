//! `audit verify`: the chain, row by row.
use std::io::Write as _;

use clap::Args;

use super::{Desk, Failure, Out};
use crate::ledger::Check;

/// Rows read from the ledger at once.
const PAGE: u32 = 1000;

#[derive(Debug, Args)]
pub(super) struct Verify {
    /// A head that was noted before, ROW:HASH: that row must still be the same
    #[arg(long, value_name = "ROW:HASH")]
    head: Option<String>,
}

pub(super) async fn run(verify: &Verify, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    let ledger = &desk.payments.ledger;
    let noted = match verify.head.as_deref().map(read).transpose() {
        Ok(noted) => noted,
        Err(problem) => return Err(Failure::NotFound(problem)),
    };
    let mut check = Check::watching(noted);
    while ledger.check(&mut check, PAGE).await? {}
    let (before, loose) = ledger.unchained().await?;
    if loose > 0 {
        check.fault(format!("{} slipped in beside the chain", counted(loose)));
    }
    check.end();
    let rows = check.head().map_or(0, |it| it.rows);
    if before > 0 {
        writeln!(out, "Older than the chain, and not covered by it: {before}.")?;
    }
    for fault in &check.faults {
        writeln!(out, "{} {fault}", desk.style.bad("FOUND"))?;
    }
    let told = u64::try_from(check.faults.len()).unwrap_or(u64::MAX);
    if check.count > told {
        writeln!(out, "and {} more", check.count.saturating_sub(told))?;
    }
    if check.count > 0 {
        writeln!(out, "The audit of {rows} rows is {}.", desk.style.bad("not as it was written"))?;
        return Ok(1);
    }
    writeln!(out, "All {rows} rows are {} ({}).", desk.style.good("as written"), desk.place)?;
    if let Some(head) = check.head() {
        writeln!(out, "head  {}:{}", head.rows, head.hash)?;
    }
    Ok(0)
}

fn counted(rows: u64) -> String {
    if rows == 1 { "1 row was".to_owned() } else { format!("{rows} rows were") }
}

fn read(text: &str) -> Result<(i64, String), String> {
    let read = text.split_once(':').and_then(|(row, hash)| {
        let fits = hash.len() == 64 && hash.bytes().all(|it| it.is_ascii_hexdigit());
        Some((row.parse().ok()?, hash.to_ascii_lowercase())).filter(|_| fits)
    });
    read.ok_or_else(|| {
        format!("`{text}` is no head; give the ROW:HASH that `audit verify` printed")
    })
}
