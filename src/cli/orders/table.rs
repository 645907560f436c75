//! The list as a table that fits the terminal; elsewhere it is as wide as what stands in it.
use jiff::tz::TimeZone;

use super::{
    super::style::Style,
    line::{Line, local, status},
};

const GAP: &str = "  ";
const NUMBER: &str = "NUMBER";
const AMOUNT: &str = "AMOUNT";
const MADE: &str = "MADE AT";
const COLUMNS: usize = 7;
const HEAD: [&str; COLUMNS] = [NUMBER, "KIND", "STATUS", AMOUNT, "TYPE", MADE, "SYSSN"];

/// A way to make the table narrower.
enum Step {
    /// Shortens the cells of a column in the middle, to this width at least.
    Shorten(&'static str, usize),
    /// Cuts the cells of a column off.
    Cut(&'static str, usize),
    Omit(&'static str),
}

/// What is done, in this order, until it fits. `orders show` tells all that is left out.
const STEPS: &[Step] = &[
    Step::Shorten(NUMBER, 24),
    Step::Shorten("SYSSN", 16),
    Step::Omit("SYSSN"),
    Step::Shorten(NUMBER, 17),
    // The seconds.
    Step::Cut(MADE, 16),
    Step::Omit("TYPE"),
    Step::Omit("KIND"),
    Step::Shorten(NUMBER, 9),
];

/// A table that is written in pieces; its columns only ever grow.
pub(super) struct Table {
    style: Style,
    room: Option<usize>,
    widths: [usize; COLUMNS],
    /// Whether anything did not fit.
    pub(super) shortened: bool,
    headed: bool,
}

struct Row {
    cells: [String; COLUMNS],
    late: bool,
}

impl Table {
    /// `room` is the width of the terminal, if it is one.
    pub(super) fn new(style: Style, room: Option<usize>) -> Self {
        Self { style, room, widths: HEAD.map(str::len), shortened: false, headed: false }
    }

    /// The next lines.
    pub(super) fn lines(&mut self, lines: &[Line<'_>], zone: &TimeZone) -> String {
        let rows: Vec<Row> = lines.iter().map(|it| row(it, zone)).collect();
        for row in &rows {
            for (width, cell) in self.widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(cell.len());
            }
        }
        let widths = self.room.map_or(self.widths, |room| fitted(self.widths, room));
        let numbers = widths.first().copied().unwrap_or_default();
        self.shortened |=
            rows.iter().any(|it| it.cells.iter().take(1).any(|it| it.len() > numbers));
        let head =
            (!self.headed).then(|| self.style.bold(&written(&HEAD.map(str::to_owned), &widths)));
        self.headed = true;
        let rows = rows.iter().map(|row| {
            let line = written(&row.cells, &widths);
            if row.late { self.style.bad(&line) } else { line }
        });
        let lines: Vec<String> = head.into_iter().chain(rows).collect();
        format!("{}\n", lines.join("\n"))
    }
}

fn row(line: &Line<'_>, zone: &TimeZone) -> Row {
    let entry = line.entry;
    let cells = [
        entry.number().to_string(),
        entry.kind().to_owned(),
        status(entry),
        entry.amount().to_string(),
        line.pay_type.map_or_else(String::new, |it| it.code.to_owned()),
        local(line.made_at, zone),
        entry.syssn().map_or_else(String::new, ToString::to_string),
    ];
    Row { cells, late: entry.late() }
}

/// The widths at which a line is at most `room` wide, as far as that can be; 0 leaves a column out.
fn fitted(full: [usize; COLUMNS], room: usize) -> [usize; COLUMNS] {
    let mut widths = full;
    for step in STEPS {
        let over = total(&widths).saturating_sub(room);
        if over == 0 {
            break;
        }
        let (name, least) = match step {
            Step::Shorten(name, least) | Step::Cut(name, least) => (name, *least),
            Step::Omit(name) => (name, 0),
        };
        let column = widths.iter_mut().zip(HEAD).find(|(_, head)| head == name);
        let Some((width, _)) = column.filter(|(width, _)| **width > least) else { continue };
        *width = match step {
            Step::Shorten(..) => width.saturating_sub(over).max(least),
            Step::Cut(..) | Step::Omit(_) => least,
        };
    }
    // What a later step freed is the number's again.
    let spare = room.saturating_sub(total(&widths));
    if let (Some(width), Some(full)) = (widths.first_mut(), full.first()) {
        *width = width.saturating_add(spare).min(*full);
    }
    widths
}

fn total(widths: &[usize; COLUMNS]) -> usize {
    let shown = widths.iter().filter(|it| **it > 0);
    shown.map(|it| it.saturating_add(GAP.len())).sum::<usize>().saturating_sub(GAP.len())
}

fn written(cells: &[String; COLUMNS], widths: &[usize; COLUMNS]) -> String {
    let shown = cells.iter().zip(HEAD).zip(*widths).filter(|(_, width)| *width > 0);
    let cells = shown.map(|((cell, head), width)| match head {
        AMOUNT => format!("{cell:>width$}"),
        MADE => format!("{:<width$}", cell.get(..width).unwrap_or(cell)),
        _ => format!("{:<width$}", shortened(cell, width)),
    });
    cells.collect::<Vec<_>>().join(GAP).trim_end().to_owned()
}

/// `text` in `width` characters: what is too long loses its middle.
fn shortened(text: &str, width: usize) -> String {
    let long = text.chars().count();
    if long <= width {
        return text.to_owned();
    }
    let kept = width.saturating_sub(1);
    let end = kept / 2;
    let start: String = text.chars().take(kept.saturating_sub(end)).collect();
    let end: String = text.chars().skip(long.saturating_sub(end)).collect();
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::orders::samples::{payment, refund, zone};

    fn table(width: Option<usize>) -> String {
        let mut late = payment("P20261123143005ABCDEFGH", "paid");
        late.late = true;
        let entries = [
            late.into(),
            refund("R20261123150000ABCDEFGH").into(),
            payment(&"x".repeat(128), "partially_refunded").into(),
        ];
        let zone = zone();
        let lines: Vec<Line<'_>> = entries.iter().map(|it| Line::new(it, &zone)).collect();
        let text = Table::new(Style::PLAIN, width).lines(&lines, &zone);
        assert!(width.is_none_or(|it| text.lines().all(|line| line.chars().count() <= it)));
        text
    }

    #[test]
    fn in_a_file_everything_stands_in_full() {
        insta::assert_snapshot!(table(None), @"
        NUMBER                                                                                                                            KIND     STATUS                 AMOUNT  TYPE    MADE AT              SYSSN
        P20261123143005ABCDEFGH                                                                                                           payment  paid LATE           HKD 10.50  800201  2026-11-23 14:30:05  20261123000100020000000001
        R20261123150000ABCDEFGH                                                                                                           refund   refunded             HKD 5.25          2026-11-23 14:30:05  20261123000100020000000002
        xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx  payment  partially_refunded  HKD 10.50  800201  2026-11-23 14:30:05  20261123000100020000000001
        ");
    }

    #[test]
    fn on_a_terminal_it_fits() {
        insta::assert_snapshot!(table(Some(120)), @"
        NUMBER                    KIND     STATUS                 AMOUNT  TYPE    MADE AT              SYSSN
        P20261123143005ABCDEFGH   payment  paid LATE           HKD 10.50  800201  2026-11-23 14:30:05  202611230001…020000000001
        R20261123150000ABCDEFGH   refund   refunded             HKD 5.25          2026-11-23 14:30:05  202611230001…020000000002
        xxxxxxxxxxxx…xxxxxxxxxxx  payment  partially_refunded  HKD 10.50  800201  2026-11-23 14:30:05  202611230001…020000000001
        ");
        insta::assert_snapshot!(table(Some(80)), @"
        NUMBER                  KIND     STATUS                 AMOUNT  MADE AT
        P2026112314…05ABCDEFGH  payment  paid LATE           HKD 10.50  2026-11-23 14:30
        R2026112315…00ABCDEFGH  refund   refunded             HKD 5.25  2026-11-23 14:30
        xxxxxxxxxxx…xxxxxxxxxx  payment  partially_refunded  HKD 10.50  2026-11-23 14:30
        ");
        insta::assert_snapshot!(table(Some(60)), @"
        NUMBER       STATUS                 AMOUNT  MADE AT
        P2026…DEFGH  paid LATE           HKD 10.50  2026-11-23 14:30
        R2026…DEFGH  refunded             HKD 5.25  2026-11-23 14:30
        xxxxx…xxxxx  partially_refunded  HKD 10.50  2026-11-23 14:30
        ");
    }

    #[test]
    fn what_is_too_long_loses_its_middle() {
        assert_eq!(shortened("abcdefgh", 8), "abcdefgh");
        assert_eq!(shortened("abcdefghi", 8), "abcd…ghi");
        assert_eq!(shortened("abc", 1), "…");
        assert_eq!(shortened("abc", 0), "…");
    }
}
