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
    #[arg(long, value_name = "ROW:HASH", value_parser = read)]
    head: Option<(i64, String)>,
}

pub(super) async fn run(verify: &Verify, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    let ledger = &desk.payments.ledger;
    // First: what is written from here on is no fault.
    let counted = ledger.counted().await?;
    let mut check = Check::watching(verify.head.clone());
    while ledger.check(&mut check, PAGE).await? {}
    check.end(counted);
    let rows = check.head().map_or(0, |it| it.rows);
    if counted.before > 0 {
        writeln!(out, "Older than the chain, and only counted: {} rows.", counted.before)?;
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
    if rows == 0 && counted.before == 0 {
        writeln!(out, "Nothing is written yet ({}).", desk.place)?;
        return Ok(0);
    }
    writeln!(out, "All {rows} rows are {} ({}).", desk.style.good("as written"), desk.place)?;
    if let Some(head) = check.head() {
        writeln!(out, "head  {}:{}", head.rows, head.hash)?;
    }
    Ok(0)
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
