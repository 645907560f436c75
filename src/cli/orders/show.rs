//! `orders show`: one entry, what belongs to it, and all that happened.
use std::io::Write as _;

use clap::Args;
use jiff::{Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use super::{
    Desk, Failure, LATE, Out,
    line::{Line, exact, local, status},
};
use crate::{
    cli::{qr, style::Style},
    client::response::cleaned,
    domain::{OrderNumber, PaymentState, Syssn},
    ledger::{Entry, Event, Ledger, LedgerError},
    mcp::Status,
    spec::RespCode,
};

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  qfpay-mcp orders show order_1001
  qfpay-mcp orders show order_1001 --json")]
pub(super) struct Show {
    /// The number of a payment or refund: ours, or QFPay's (syssn)
    number: OrderNumber,
    /// Write one JSON object
    #[arg(long)]
    json: bool,
    /// Draw the QR code of what can still be paid, as at a terminal
    #[arg(long, conflicts_with = "json")]
    qr: bool,
}

/// An entry and all that belongs to it.
struct Story {
    entry: Entry,
    /// A refund's payment.
    payment: Option<Entry>,
    /// A payment's refunds, or the other refunds of a refund's payment; oldest first.
    refunds: Vec<Entry>,
    /// Of all of them, oldest first.
    history: Vec<Event>,
}

pub(super) async fn run(show: &Show, desk: &Desk, out: &mut Out) -> Result<u8, Failure> {
    let ledger = desk.payments.ledger.as_ref();
    let Some(entry) = find(ledger, &show.number).await? else {
        return Err(Failure::NotFound(not_found(&show.number, &desk.place)));
    };
    let story = Story::read(ledger, entry).await?;
    if show.json {
        writeln!(out, "{:#}", story.json(desk.zone()))?;
    } else {
        write!(out, "{}", story.text(desk.zone(), desk.style))?;
        let now = desk.payments.clock.now();
        if show.qr || desk.style.is_terminal() {
            let scanned = story.scanned(now, desk.zone(), desk.style);
            scanned.map_or(Ok(()), |it| writeln!(out, "\n{it}"))?;
        }
    }
    Ok(0)
}

async fn find(ledger: &dyn Ledger, number: &OrderNumber) -> Result<Option<Entry>, LedgerError> {
    if let Some(entry) = ledger.find(number).await? {
        return Ok(Some(entry));
    }
    match number.as_str().parse::<Syssn>() {
        Ok(syssn) => ledger.find_by_syssn(&syssn).await,
        Err(_) => Ok(None),
    }
}

fn not_found(number: &OrderNumber, place: &str) -> String {
    format!(
        "there is no order {number} in this ledger ({place}). Another environment, merchant or \
         ledger may have it: look at the settings; `qfpay-mcp orders` lists what is here. QFPay \
         may know it: qfpay-mcp call query_transaction '{{\"out_trade_no\":\"{number}\"}}'"
    )
}

impl Story {
    async fn read(ledger: &dyn Ledger, entry: Entry) -> Result<Self, LedgerError> {
        let (payment, syssn) = match &entry {
            Entry::Payment(it) => (None, it.syssn.clone()),
            Entry::Refund(it) => {
                let syssn = it.terms.syssn.clone();
                let payment = match &it.terms.order {
                    Some(order) => ledger.find(order).await?,
                    None => ledger.find_by_syssn(&syssn).await?,
                };
                (payment.filter(|it| matches!(it, Entry::Payment(_))), Some(syssn))
            }
        };
        let refunds = match &syssn {
            Some(syssn) => ledger.refunds_of(syssn).await?,
            None => Vec::new(),
        };
        let refunds = refunds.into_iter().map(Entry::Refund);
        let refunds: Vec<Entry> = refunds.filter(|it| it.number() != entry.number()).collect();
        let mut history = Vec::new();
        for it in [&entry].into_iter().chain(&payment).chain(&refunds) {
            history.extend(ledger.history(it.number()).await?);
        }
        history.sort_by_key(|it| it.at);
        Ok(Self { entry, payment, refunds, history })
    }

    fn json(&self, zone: &TimeZone) -> Value {
        let line = |it: &Entry| Line::new(it, zone).json();
        json!({
            "entry": line(&self.entry),
            "payment": self.payment.as_ref().map(line),
            "refunds": self.refunds.iter().map(line).collect::<Vec<_>>(),
            "history": self.history.iter().map(|it| event_json(it, zone)).collect::<Vec<_>>(),
        })
    }

    /// What the payer can still scan.
    fn scanned(&self, now: Timestamp, zone: &TimeZone, style: Style) -> Option<String> {
        let Entry::Payment(payment) = &self.entry else { return None };
        let code = payment.shown.qrcode.as_deref()?;
        let until = payment.terms.expires_at(payment.asked_at());
        if payment.state != PaymentState::Pending || until.is_some_and(|it| it <= now) {
            return None;
        }
        let until = until.map(|it| qr::pay_before(it, now, zone));
        Some(qr::scanned(code, until.as_deref(), style))
    }

    fn text(&self, zone: &TimeZone, style: Style) -> String {
        let line = Line::new(&self.entry, zone);
        let mut lines = vec![style.bold(&format!("{} {}", self.entry.kind(), self.entry.number()))];
        lines
            .extend(facts(&line, zone).iter().map(|(name, value)| format!("  {name:<11} {value}")));
        if self.entry.late() {
            lines.push(format!("  {}", style.bad(LATE)));
        }
        let others = match &self.entry {
            Entry::Payment(_) => "refunds",
            Entry::Refund(_) => "other refunds of it",
        };
        lines.extend(related("payment", self.payment.as_slice(), zone, style));
        lines.extend(related(others, &self.refunds, zone, style));
        lines.extend([String::new(), style.bold("history")]);
        let alone = self.payment.is_none() && self.refunds.is_empty();
        lines.extend(self.history.iter().map(|it| event_text(it, alone, zone, style)));
        format!("{}\n", lines.join("\n"))
    }
}

/// What is known of an entry, in words, without what is not.
fn facts(line: &Line<'_>, zone: &TimeZone) -> Vec<(String, String)> {
    let said = line.respcd.as_ref().map(|code| {
        let plain = RespCode::find(code).map_or("", |it| it.en);
        format!("{code} {}", line.resperr.as_deref().unwrap_or(plain)).trim_end().to_owned()
    });
    let of = line.order.map(|it| format!("payment {it}"));
    let of = of.or_else(|| line.original.map(|it| format!("payment with syssn {it}")));
    let rows = [
        ("status", Some(status(line.entry))),
        ("meaning", Some(meaning(line.entry).to_owned())),
        ("amount", Some(line.entry.amount().to_string())),
        ("of", of),
        ("pay type", line.pay_type.map(|it| format!("{} {}", it.code, it.name))),
        ("syssn", line.entry.syssn().map(ToString::to_string)),
        ("QFPay said", said.or_else(|| line.resperr.clone())),
        ("made", Some(local(line.made_at, zone))),
        ("sent", line.sent_at.map(|it| local(it, zone))),
        ("changed", Some(local(line.changed_at, zone))),
    ];
    let extras = match line.entry {
        Entry::Payment(it) => it.terms.extras.iter().collect(),
        Entry::Refund(_) => Vec::new(),
    };
    let extras = extras.into_iter().map(|(field, value)| (field.name().to_owned(), cleaned(value)));
    let rows = rows.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    rows.chain(extras).collect()
}

fn meaning(entry: &Entry) -> &'static str {
    match entry {
        Entry::Payment(it) => Status::of_payment(it.state).meaning,
        Entry::Refund(it) => Status::of_refund(it.state).meaning,
    }
}

fn related(title: &str, entries: &[Entry], zone: &TimeZone, style: Style) -> Vec<String> {
    let row = |it: &Entry| {
        let made_at = local(it.place().created_at, zone);
        let row = format!("{}  {}  {}  {made_at}", it.number(), status(it), it.amount());
        format!("  {}", if it.late() { style.bad(&row) } else { row })
    };
    let head = (!entries.is_empty()).then(|| [String::new(), style.bold(title)]);
    head.into_iter().flatten().chain(entries.iter().map(row)).collect()
}

/// When, what, of which, from where to where; below, who and what was said.
fn event_text(event: &Event, alone: bool, zone: &TimeZone, style: Style) -> String {
    let moved = match (&event.from, &event.to) {
        (Some(from), Some(to)) if from != to => Some(format!("{from} -> {to}")),
        (None, Some(to)) => Some(format!("-> {to}")),
        (Some(_), Some(_) | None) | (None, None) => None,
    };
    let number = event.number.as_ref().filter(|_| !alone).map(ToString::to_string);
    let what = format!("{:<15}", event.what.word());
    let parts = [Some(local(event.at, zone)), Some(what), number, moved];
    let line = parts.into_iter().flatten().collect::<Vec<_>>().join("  ");
    let said = [&event.respcd, &event.detail].into_iter().flatten().map(|it| cleaned(it));
    let said = said.collect::<Vec<_>>().join(" ");
    let colon = if said.is_empty() { "" } else { ": " };
    let who = style.dim(&who(event));
    format!("  {}\n{:23}{who}{colon}{said}", line.trim_end(), "")
}

/// `create_payment (stdio, claude-code 2.1, alice)`.
pub(in crate::cli) fn who(event: &Event) -> String {
    let through = [Some(&event.transport), event.client.as_ref(), event.principal.as_ref()];
    let through: Vec<String> = through.into_iter().flatten().map(|it| cleaned(it)).collect();
    format!("{} ({})", cleaned(&event.tool), through.join(", "))
}

pub(in crate::cli) fn event_json(event: &Event, zone: &TimeZone) -> Value {
    let clean = |text: &Option<String>| text.as_deref().map(cleaned);
    json!({
        "id": event.id,
        "at": exact(event.at, zone),
        "number": event.number.as_ref().map(OrderNumber::as_str),
        "what": event.what.word(),
        "terms": event.terms,
        "from": event.from,
        "to": event.to,
        "respcd": clean(&event.respcd),
        "detail": clean(&event.detail),
        "tool": cleaned(&event.tool),
        "transport": cleaned(&event.transport),
        "client": clean(&event.client),
        "principal": clean(&event.principal),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        cli::orders::samples::{event, payment, refund, zone},
        ledger::Happening,
    };

    fn story() -> Story {
        let mut paid = payment("A1", "partially_refunded");
        paid.late = true;
        paid.resperr = Some("paid\u{1b}[2J\u{202e}".to_owned());
        let odd = Event { detail: Some("\u{7}bell".to_owned()), ..event("A1", Happening::Learned) };
        let moved = Event { from: Some("pending".to_owned()), to: Some("paid".to_owned()), ..odd };
        Story {
            entry: paid.into(),
            payment: None,
            refunds: vec![refund("R1").into()],
            history: vec![event("A1", Happening::Sent), moved, event("R1", Happening::Sent)],
        }
    }

    #[test]
    fn an_entry_is_told_with_its_refunds_and_its_history() {
        insta::assert_snapshot!(story().text(&zone(), Style::PLAIN), @"
        payment A1
          status      partially_refunded LATE
          meaning     It was paid, and part of the money went back.
          amount      HKD 10.50
          pay type    800201 WeChat Pay QR code
          syssn       20261123000100020000000001
          QFPay said  0000 paid[2J
          made        2026-11-23 14:30:05
          sent        2026-11-23 14:30:05
          changed     2026-11-23 14:30:05
          goods_name  咖啡
          LATE: carried out after it had been taken for failed or closed. Money moved.

        refunds
          R1  refunded  HKD 5.25  2026-11-23 14:30:05

        history
          2026-11-23 14:30:05  sent             A1  -> sent
                               create_payment (stdio, claude-code 2.1, alice)
          2026-11-23 14:30:05  learned          A1  pending -> paid
                               create_payment (stdio, claude-code 2.1, alice): bell
          2026-11-23 14:30:05  sent             R1  -> sent
                               create_payment (stdio, claude-code 2.1, alice)
        ");
    }

    #[test]
    fn a_program_reads_the_same_in_full() {
        let json = story().json(&zone());
        assert_eq!(
            json["entry"].to_string(),
            r#"{"number":"A1","kind":"payment","status":"partially_refunded","late":true,"amount":1050,"currency":"HKD","amount_text":"HKD 10.50","pay_type":"800201","order":null,"original_syssn":null,"syssn":"20261123000100020000000001","respcd":"0000","resperr":"paid[2J","made_at":"2026-11-23T14:30:05.123+08:00","sent_at":"2026-11-23T14:30:05.123+08:00","changed_at":"2026-11-23T14:30:05.123+08:00"}"#
        );
        assert_eq!((&json["payment"], &json["refunds"][0]["order"]), (&Value::Null, &json!("A1")));
        assert_eq!(
            json["history"][1].to_string(),
            r#"{"id":7,"at":"2026-11-23T14:30:05.123+08:00","number":"A1","what":"learned","terms":null,"from":"pending","to":"paid","respcd":null,"detail":"bell","tool":"create_payment","transport":"stdio","client":"claude-code 2.1","principal":"alice"}"#
        );
    }

    #[test]
    fn a_number_that_is_not_there_says_where_it_was_looked_for() {
        let number = "A9".parse().unwrap();
        insta::assert_snapshot!(not_found(&number, "sandbox, merchant m1, in /l.db"), @r#"there is no order A9 in this ledger (sandbox, merchant m1, in /l.db). Another environment, merchant or ledger may have it: look at the settings; `qfpay-mcp orders` lists what is here. QFPay may know it: qfpay-mcp call query_transaction '{"out_trade_no":"A9"}'"#);
    }
}
