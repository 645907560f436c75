//! The comparison itself: entries and records in, differences and totals out.
use std::{collections::BTreeMap, ops::Range};

use jiff::civil::DateTime;

use super::{
    difference::{Difference, What, differ},
    sides::{Ours, Status, Theirs},
    totals::{Side, Total, Totals},
};
use crate::{
    domain::{OrderNumber, Syssn},
    ledger::Kind,
    spec::{Flow, PayType},
};

/// What came of a comparison.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Report {
    /// The worst first.
    pub(super) differences: Vec<Difference>,
    pub(super) totals: Vec<Total>,
    /// How many of each belong to the day.
    pub(super) entries: usize,
    pub(super) records: usize,
}

/// What stands under one number.
#[derive(Default)]
struct Pair<'a> {
    ours: Option<&'a Ours>,
    theirs: Vec<&'a Theirs>,
}

/// What our payments tell about refunds, by QFPay's number.
type Payments<'a> = BTreeMap<&'a Syssn, &'a Ours>;

/// Compares what belongs to `day`, a span of QFPay's time. What QFPay has a record of belongs to the
/// day of that record, as QFPay settles by it; the rest to the day on which it was asked for. Either
/// side may have more than the day.
pub(super) fn compare<'a>(
    ours: impl IntoIterator<Item = &'a Ours>,
    theirs: impl IntoIterator<Item = &'a Theirs>,
    day: &Range<DateTime>,
) -> Report {
    let mut pairs: BTreeMap<(&str, &str, bool), Pair<'a>> = BTreeMap::new();
    let mut payments = Payments::new();
    for it in ours {
        let key = (it.status.kind().word(), it.number.as_str(), true);
        pairs.entry(key).or_default().ours = Some(it);
        if let (Kind::Payment, Some(syssn)) = (it.status.kind(), &it.syssn) {
            payments.insert(syssn, it);
        }
    }
    for it in theirs {
        // A number that cannot be ours is not ours, however it is shown.
        let key = (it.status.kind().word(), it.label.as_str(), it.number.is_some());
        pairs.entry(key).or_default().theirs.push(it);
    }
    let mut totals = Totals::default();
    let mut report = Report::default();
    for pair in pairs.into_values() {
        pair.count(day, &payments, &mut totals, &mut report);
        report.differences.extend(pair.judge(day, &payments));
    }
    report.differences.sort_by(|one, other| one.place().cmp(&other.place()));
    Report { totals: totals.rows(), ..report }
}

fn is_in(day: &Range<DateTime>, theirs: &Theirs) -> bool {
    theirs.made_at.is_none_or(|at| day.contains(&at))
}

impl<'a> Pair<'a> {
    /// The record that tells how it stands: by what became of the money, then of the right amount.
    fn best(&self) -> Option<&'a Theirs> {
        let (ours, records) = (self.ours, self.theirs.iter().copied());
        records.max_by_key(|it| {
            let same_amount = ours.is_some_and(|ours| it.amount == Some(ours.amount));
            let same_trade = ours.is_some_and(|ours| it.syssn.is_some() && it.syssn == ours.syssn);
            (it.status.rank(), same_amount, same_trade)
        })
    }

    fn count(
        &self,
        day: &Range<DateTime>,
        payments: &Payments<'_>,
        totals: &mut Totals,
        report: &mut Report,
    ) {
        let mut add = |side, status: Status, amount, pay_type, reversed| {
            if status.moved() {
                totals.add(side, status.kind(), amount, pay_type);
                if reversed {
                    totals.add(side, Kind::Refund, amount, pay_type);
                }
            }
        };
        for it in self.theirs.iter().filter(|it| is_in(day, it)) {
            report.records = report.records.saturating_add(1);
            if let Some(amount) = it.amount {
                add(Side::There, it.status, amount, it.pay_type, it.reversed);
            }
        }
        let Some(ours) = self.ours else { return };
        let best = self.best();
        if best.map_or_else(|| day.contains(&ours.asked_at), |it| is_in(day, it)) {
            report.entries = report.entries.saturating_add(1);
            let pay_type = best.and_then(|it| it.pay_type).or(ours.paid_by(payments));
            let all_gone = !ours.status.is_held();
            let reversed = all_gone && best.is_some_and(|it| it.reversed);
            add(Side::Here, ours.status, ours.amount, pay_type, reversed);
        }
    }

    fn judge(&self, day: &Range<DateTime>, payments: &Payments<'_>) -> Vec<Difference> {
        let held: Vec<&Theirs> =
            self.theirs.iter().copied().filter(|it| it.status.is_held()).collect();
        // Ours went back, and another of its number is held.
        let beside = self.ours.is_some_and(|ours| {
            let over = ours.status.moved() && !ours.status.is_held() && ours.syssn.is_some();
            over && held.iter().any(|it| it.syssn != ours.syssn)
        });
        let twice = (held.len() > 1 || beside) && held.iter().any(|it| is_in(day, it));
        let twice = if twice { Difference::paid_twice(self.ours, &held) } else { None };
        let rest = match (self.ours, self.best()) {
            (None, _) => self.strangers(day, payments),
            (Some(ours), None) => {
                let sent = ours.status.counts() && !ours.status.awaits();
                let missing = sent && day.contains(&ours.asked_at);
                if missing { vec![Difference::missing_there(ours)] } else { Vec::new() }
            }
            (Some(ours), Some(best)) if is_in(day, best) && !beside => between(ours, best),
            (Some(_), Some(_)) => Vec::new(),
        };
        twice.into_iter().chain(rest).collect()
    }

    /// Records of what our ledger has not.
    fn strangers(&self, day: &Range<DateTime>, payments: &Payments<'_>) -> Vec<Difference> {
        let records = self.theirs.iter().filter(|it| it.status.counts() && is_in(day, it));
        let told = records.map(|it| {
            let payment = it.original.as_ref().and_then(|at| payments.get(at));
            let order: Option<OrderNumber> = payment.map(|it| it.number.clone());
            Difference::missing_here(it, order)
        });
        told.collect()
    }
}

impl Ours {
    /// How it was paid; a refund goes the way of its payment.
    fn paid_by(&self, payments: &Payments<'_>) -> Option<&'static PayType> {
        let payment = || self.original.as_ref().and_then(|it| payments.get(it)?.pay_type);
        self.pay_type.or_else(payment)
    }
}

/// How an entry and the record of it differ.
fn between(ours: &Ours, theirs: &Theirs) -> Vec<Difference> {
    let mut found = Vec::new();
    let mut tell = |what, here, there| {
        found.push(Difference::between(what, (ours, theirs), (here, there)));
    };
    if theirs.amount != Some(ours.amount) {
        let there = theirs.amount.map_or_else(|| "?".to_owned(), |it| it.to_string());
        tell(What::Amount, ours.amount.to_string(), there);
    } else if differ(ours.status, theirs.status) {
        tell(What::Status, ours.status.word().to_owned(), theirs.status.word().to_owned());
    }
    if let (Some(here), Some(there)) = (&ours.original, &theirs.original)
        && here != there
    {
        tell(What::Payment, here.to_string(), there.to_string());
    }
    if let (Some(here), Some(there)) = (ours.pay_type, theirs.pay_type) {
        // Of a payer's code QFPay names the wallet that it turned out to be, and of a checkout page
        // the way that was chosen there.
        if here.code != there.code && !matches!(here.flow, Flow::Cpm | Flow::Card) {
            tell(What::PayType, here.code.to_owned(), there.code.to_owned());
        }
    }
    found
}
