//! A reconciled day for a person: what came of it, the totals, and what differs.
use std::path::Path;

use crate::{
    cli::style::Style,
    domain::{amount, time},
    payments::reconcile::{Difference, Outcome, Reconciled, Sums, Total},
};

const GAP: &str = "  ";
/// Differences in the table; the file has all.
const IN_TABLE: usize = 50;

pub(super) fn text(done: &Reconciled, place: &str, csv: Option<&Path>, style: Style) -> String {
    let mut parts = vec![opening(done, place, style)];
    if !done.totals.is_empty() {
        parts.push(totals(&done.totals, style));
    }
    if !done.differences.is_empty() {
        parts.push(differences(&done.differences, style));
        parts.push(next(done, csv));
    }
    format!("{}\n", parts.join("\n\n"))
}

fn opening(done: &Reconciled, place: &str, style: Style) -> String {
    let Reconciled { day, entries, records, .. } = done;
    let until = if done.over { "" } else { " until now, since the day is not over" };
    let head = format!("{day}{until} ({place})\n{entries} in our ledger, {records} at QFPay.");
    let count = done.differences.len();
    let came = match done.outcome() {
        Outcome::Agrees => style.good("Everything agrees."),
        Outcome::Differs if count == 1 => style.bad("1 thing differs."),
        Outcome::Differs => style.bad(&format!("{count} things differ.")),
        Outcome::Incomplete => {
            let stopped = if done.stopped { "Stopped: " } else { "Incomplete: " };
            let problem = done.problem.as_deref().unwrap_or_default();
            let rest = "What QFPay lacks is not known, and more can differ. Run it again.";
            style.bad(&format!("{stopped}{problem}. {rest}"))
        }
    };
    format!("{head}\n{came}")
}

/// Each currency and way to pay; where the sides differ, both.
fn totals(totals: &[Total], style: Style) -> String {
    let head = ["CURRENCY", "TYPE", "", "PAYMENTS", "PAID", "REFUNDS", "REFUNDED", "NET"];
    let row = |total: &Total, side: &str, sums: Sums| {
        let money = |minor| amount::written(minor, total.currency);
        [
            total.currency.code.to_owned(),
            total.pay_type.map_or("-", |it| it.code).to_owned(),
            side.to_owned(),
            sums.payments.to_string(),
            money(sums.paid),
            sums.refunds.to_string(),
            money(sums.refunded),
            sums.net_text(total.currency),
        ]
    };
    let rows = totals.iter().flat_map(|it| {
        if it.here == it.there {
            return vec![row(it, "", it.there)];
        }
        vec![row(it, "here", it.here), row(it, "QFPay", it.there)]
    });
    table(head, &rows.collect::<Vec<_>>(), 3..8, style)
}

fn differences(differences: &[Difference], style: Style) -> String {
    let head = ["DIFFERS", "KIND", "NUMBER", "AMOUNT", "HERE", "AT QFPAY", "MADE AT"];
    let side = |it: &Option<String>| it.clone().unwrap_or_else(|| "-".to_owned());
    let row = |it: &Difference| {
        [
            it.what.word().to_owned(),
            it.kind.word().to_owned(),
            it.number.clone(),
            it.amount.map_or_else(|| "?".to_owned(), |it| it.to_string()),
            side(&it.here),
            side(&it.there),
            it.made_at.map_or_else(|| "-".to_owned(), time::format_wire),
        ]
    };
    let rows: Vec<_> = differences.iter().take(IN_TABLE).map(row).collect();
    table(head, &rows, 3..4, style)
}

fn next(done: &Reconciled, csv: Option<&Path>) -> String {
    let mut lines = Vec::new();
    let more = done.differences.len().saturating_sub(IN_TABLE);
    match csv {
        Some(file) => lines.push(format!("All of it is in {}.", file.display())),
        None if more > 0 => lines.push(format!("{more} more: --csv FILE writes all.")),
        None => {}
    }
    if done.differences.iter().any(Difference::may_settle) {
        let how = "To bring our ledger up to date: `qfpay-mcp orders recover` asks about everything \
                   unfinished,\n`qfpay-mcp call query_transaction '{\"out_trade_no\":\"…\"}'` about \
                   one order.";
        lines.push(how.to_owned());
    }
    if done.differences.iter().any(|it| !it.may_settle()) {
        lines.push("For the rest, look in QFPay's portal.".to_owned());
    }
    lines.join("\n")
}

/// Columns as wide as what stands in them; those in `right` are numbers.
fn table<const N: usize>(
    head: [&str; N],
    rows: &[[String; N]],
    right: std::ops::Range<usize>,
    style: Style,
) -> String {
    let widths: [usize; N] = std::array::from_fn(|at| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|it| it.chars().count());
        cells.chain(head.get(at).map(|it| it.len())).max().unwrap_or(0)
    });
    let line = |cells: &[String; N]| {
        let cells = cells.iter().zip(widths).enumerate().map(|(at, (cell, width))| {
            if right.contains(&at) { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
        });
        cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
    };
    let head = style.bold(&line(&head.map(str::to_owned)));
    std::iter::once(head).chain(rows.iter().map(line)).collect::<Vec<_>>().join("\n")
}
