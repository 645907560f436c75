//! `orders recover`: QFPay is asked now about everything unfinished, and what changed is told.
use std::{
    collections::BTreeMap,
    io::{self, IsTerminal as _, Write as _},
    sync::Once,
    time::Duration,
};

use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{
    Desk, Failure, LATE, Out,
    line::{Line, status},
};
use crate::{
    cli::{call::UNKNOWN, complain, demo::INTERRUPTED, style::Style},
    domain::{OrderNumber, PaymentState, RefundState},
    ledger::{Caller, Entry, Ledger, LedgerError, Place},
    payments::{Refused, recover::Progress},
};

/// It could not be asked about everything.
const FAILED: u8 = 1;
/// Entries read from the ledger at once.
const PAGE: u32 = 500;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  qfpay-mcp orders recover
  qfpay-mcp orders recover --json")]
pub(super) struct Recover {
    /// Write the summary as one JSON object
    #[arg(long)]
    json: bool,
}

/// What became of a round.
struct Summary {
    total: usize,
    asked: usize,
    /// Of what was unfinished before: what still is, and what of that is in doubt.
    open: usize,
    in_doubt: usize,
    stopped: bool,
    problem: Option<String>,
    /// Each as it was, and as it is.
    changed: Vec<(&'static str, Entry)>,
}

type Entries = BTreeMap<OrderNumber, Entry>;

pub(super) async fn run(recover: &Recover, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    desk.shutdown.stop_on_signals()?;
    let ledger = desk.payments.ledger.as_ref();
    let unfinished = unfinished(ledger).await?;
    let mut before = unfinished.clone();
    // A refund that was made changes its payment.
    for entry in unfinished.values() {
        if let Some(payment) = payment_of(ledger, entry).await? {
            before.insert(payment.number().clone(), payment);
        }
    }
    let teller = Teller::new();
    let caller = Caller::own("terminal", "orders recover");
    let done = desk.payments.recover(&caller, &|it| teller.tell(it)).await;
    let progress = teller.end();
    let stopped = desk.shutdown.is_stopping() && progress.asked < progress.total;
    let mut summary = Summary {
        total: progress.total,
        asked: progress.asked,
        open: 0,
        in_doubt: 0,
        stopped,
        problem: problem(&done, progress, stopped),
        changed: Vec::new(),
    };
    for (number, was) in &before {
        let Some(is) = ledger.find(number).await? else { continue };
        if unfinished.contains_key(number) {
            summary.count(&is);
        }
        if status(&is) != status(was) {
            summary.changed.push((was.status(), is));
        }
    }
    if recover.json {
        writeln!(out, "{:#}", summary.json(desk))?;
    } else {
        write!(out, "{}", summary.text(desk))?;
    }
    Ok(summary.code())
}

async fn unfinished(ledger: &dyn Ledger) -> Result<Entries, LedgerError> {
    let (mut all, mut after): (Entries, Option<Place>) = (Entries::new(), None);
    loop {
        let page = ledger.unfinished(after.as_ref(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(all) };
        after = Some(last.place());
        all.extend(page.into_iter().map(|it| (it.number().clone(), it)));
    }
}

async fn payment_of(ledger: &dyn Ledger, entry: &Entry) -> Result<Option<Entry>, LedgerError> {
    match entry {
        Entry::Payment(_) => Ok(None),
        Entry::Refund(it) => {
            let found = ledger.find_by_syssn(&it.terms.syssn).await?;
            Ok(found.filter(|it| matches!(it, Entry::Payment(_))))
        }
    }
}

/// Why not everything was asked about, and what to do.
fn problem(done: &Result<Progress, Refused>, progress: Progress, stopped: bool) -> Option<String> {
    match done {
        Ok(_) if stopped || progress.asked == progress.total => None,
        Ok(_) => Some("Another `orders recover` took the work over; see what it says.".to_owned()),
        Err(refused) => {
            let settings = matches!(refused, Refused::QueryRefused { .. } | Refused::Forbidden(_));
            let look = if settings {
                "Look at the settings (app code, key, environment)"
            } else if matches!(refused, Refused::Ledger(_)) {
                "Look at the ledger (its disk, its rights, who locks it)"
            } else {
                "Look at the network"
            };
            Some(format!(
                "{refused}. Nothing was paid or refunded, and what was settled stays settled. \
                 {look}, then run it again."
            ))
        }
    }
}

/// Shows how far it is: a bar where stderr is a terminal, else a line at the start and at the end.
struct Teller {
    bar: Option<ProgressBar>,
    last: std::sync::Mutex<Progress>,
    started: Once,
}

impl Teller {
    fn new() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::new(0);
            let style = "Asking QFPay {wide_bar} {pos}/{len}, {msg} settled, {elapsed}";
            bar.set_style(
                ProgressStyle::with_template(style)
                    .unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        Self { bar, last: std::sync::Mutex::default(), started: Once::new() }
    }

    fn tell(&self, progress: Progress) {
        if let Ok(mut last) = self.last.lock() {
            *last = progress;
        }
        if progress.total == 0 {
            return;
        }
        self.started.call_once(|| match &self.bar {
            Some(bar) => bar.enable_steady_tick(Duration::from_millis(200)),
            None => complain(&format!("Asking QFPay about {} …", entries(progress.total))),
        });
        if let Some(bar) = &self.bar {
            bar.set_length(u64::try_from(progress.total).unwrap_or(u64::MAX));
            bar.set_position(u64::try_from(progress.asked).unwrap_or(u64::MAX));
            bar.set_message(progress.settled.to_string());
        }
    }

    /// How far it came.
    fn end(&self) -> Progress {
        let progress = self.last.lock().map_or_else(|_| Progress::default(), |it| *it);
        match &self.bar {
            Some(bar) => bar.finish_and_clear(),
            None if progress.total > 0 => {
                let Progress { total, asked, settled } = progress;
                complain(&format!("Asked about {asked} of {total}; {settled} settled."));
            }
            None => {}
        }
        progress
    }
}

fn entries(count: usize) -> String {
    match count {
        1 => "1 unfinished entry".to_owned(),
        _ => format!("{count} unfinished entries"),
    }
}

impl Summary {
    fn count(&mut self, entry: &Entry) {
        let (open, doubt) = match entry {
            Entry::Payment(it) => {
                let doubt = matches!(it.state, PaymentState::Sent | PaymentState::InDoubt);
                (it.state.is_open(), doubt)
            }
            Entry::Refund(it) => {
                let doubt = matches!(it.state, RefundState::Sent | RefundState::InDoubt);
                (it.state.is_open(), doubt)
            }
        };
        self.open = self.open.saturating_add(usize::from(open));
        self.in_doubt = self.in_doubt.saturating_add(usize::from(doubt));
    }

    fn settled(&self) -> usize {
        self.total.saturating_sub(self.open)
    }

    fn code(&self) -> u8 {
        match self {
            Self { problem: Some(_), .. } => FAILED,
            Self { stopped: true, .. } => INTERRUPTED,
            Self { in_doubt: 0, .. } => 0,
            Self { .. } => UNKNOWN,
        }
    }

    fn json(&self, desk: &Desk) -> Value {
        let changed = self.changed.iter().map(|(before, entry)| {
            let mut line = Line::new(entry, desk.zone()).json();
            if let Some(fields) = line.as_object_mut() {
                fields.insert("before".to_owned(), json!(before));
            }
            line
        });
        json!({
            "unfinished": self.total,
            "asked": self.asked,
            "settled": self.settled(),
            "still_open": self.open,
            "in_doubt": self.in_doubt,
            "stopped": self.stopped,
            "problem": self.problem,
            "changed": changed.collect::<Vec<_>>(),
        })
    }

    fn text(&self, desk: &Desk) -> String {
        if self.total == 0 && self.problem.is_none() {
            return format!("Nothing is unfinished ({}).\n", desk.place);
        }
        self.told(desk.style)
    }

    fn told(&self, style: Style) -> String {
        let mut lines = Vec::new();
        if self.stopped {
            let kept =
                "Stopped. What was learned by then is written down; run it again for the rest.";
            lines.push(kept.to_owned());
        }
        lines.extend(self.problem.as_deref().map(|it| style.bad(it)));
        lines.push(format!(
            "{} asked about, {} settled, {} still open ({} in doubt).",
            self.asked,
            self.settled(),
            self.open,
            self.in_doubt
        ));
        lines.extend(self.changed.iter().map(|(before, entry)| changed(before, entry, style)));
        if self.changed.iter().any(|(_, entry)| entry.late()) {
            lines.push(style.bad(LATE));
        }
        if self.in_doubt > 0 {
            let doubt = "What is in doubt may have been carried out: never pay or refund it again.\n\
                         Run this again later; `qfpay-mcp orders --status in_doubt,sent` lists it.";
            lines.push(doubt.to_owned());
        }
        format!("{}\n", lines.join("\n"))
    }
}

fn changed(before: &str, entry: &Entry, style: Style) -> String {
    let (kind, number, amount) = (entry.kind(), entry.number(), entry.amount());
    let row = format!("{kind} {number}  {amount}  {before} -> {}", status(entry));
    format!("  {}", if entry.late() { style.bad(&row) } else { row })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::orders::samples::{payment, refund};

    fn summary() -> Summary {
        Summary {
            total: 4,
            asked: 4,
            open: 1,
            in_doubt: 1,
            stopped: false,
            problem: None,
            changed: vec![
                ("in_doubt", payment("A1", "paid").into()),
                ("pending", refund("R1").into()),
            ],
        }
    }

    #[test]
    fn the_summary_tells_what_changed_and_what_is_left() {
        insta::assert_snapshot!(summary().told(Style::PLAIN), @"
        4 asked about, 3 settled, 1 still open (1 in doubt).
          payment A1  HKD 10.50  in_doubt -> paid
          refund R1  HKD 5.25  pending -> refunded
        What is in doubt may have been carried out: never pay or refund it again.
        Run this again later; `qfpay-mcp orders --status in_doubt,sent` lists it.
        ");
    }

    #[test]
    fn what_was_carried_out_late_is_told_loudly() {
        let mut late = payment("A1", "paid");
        late.late = true;
        let changed = vec![("failed", late.into())];
        let told = Summary { open: 0, in_doubt: 0, changed, ..summary() }.told(Style::PLAIN);
        insta::assert_snapshot!(told, @"
        4 asked about, 4 settled, 0 still open (0 in doubt).
          payment A1  HKD 10.50  failed -> paid LATE
        LATE: carried out after it had been taken for failed or closed. Money moved.
        ");
    }

    #[test]
    fn the_exit_code_tells_the_worst() {
        let settled = || Summary { in_doubt: 0, ..summary() };
        assert_eq!(settled().code(), 0);
        assert_eq!(summary().code(), 3);
        assert_eq!(Summary { stopped: true, ..summary() }.code(), 130);
        assert_eq!(Summary { problem: Some(String::new()), ..settled() }.code(), 1);
    }
}
