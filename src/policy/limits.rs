//! How much, how often: limits by currency on one payment or refund and on a day, and on an hour.
use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::{Action, Rule, Violation};
use crate::domain::{Amount, Budget, Spent, amount};

/// The most by currency, in minor units, and the variable that says so. A currency that is not
/// named is closed: a limit that was forgotten must not mean "no limit".
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caps {
    pub variable: String,
    pub most: BTreeMap<&'static str, u64>,
}

/// The most payments in any hour, and the variable that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rate {
    pub variable: String,
    pub most: u64,
}

/// What is limited in one environment; none: not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    pub payment: Option<Caps>,
    pub payments_per_day: Option<Caps>,
    pub payments_per_hour: Option<Rate>,
    pub refund: Option<Caps>,
    pub refunds_per_day: Option<Caps>,
}

/// The limits of one action.
pub(super) struct Of<'a> {
    pub(super) one: Option<&'a Caps>,
    pub(super) day: Option<&'a Caps>,
    pub(super) hour: Option<&'a Rate>,
}

impl Limits {
    pub(super) fn of(&self, action: Action) -> Of<'_> {
        let (one, day, hour) = match action {
            Action::CreatePayment => {
                (&self.payment, &self.payments_per_day, self.payments_per_hour.as_ref())
            }
            Action::Refund => (&self.refund, &self.refunds_per_day, None),
            Action::QueryTransaction | Action::CancelPayment => (&None, &None, None),
        };
        Of { one: one.as_ref(), day: day.as_ref(), hour }
    }

    /// Whether giving money back is limited.
    pub fn on_refunds(&self) -> bool {
        let of = self.of(Action::Refund);
        of.one.is_some() || of.day.is_some()
    }

    /// What the ledger has to hold while it opens an entry of `amount`; none where nothing is
    /// summed up. `now` is on the merchant's wall clock in `zone`.
    pub fn budget(
        &self,
        action: Action,
        amount: Amount,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Option<Budget> {
        let of = self.of(action);
        if of.day.is_none() && of.hour.is_none() {
            return None;
        }
        let day = now.to_zoned(zone.clone()).start_of_day().map_or(now, |it| it.timestamp());
        let hour = now.checked_sub(SignedDuration::from_hours(1)).unwrap_or(Timestamp::MIN);
        Some(Budget {
            day_start: day,
            most_today: of.day.map(|it| it.of(amount)),
            hour_start: hour,
            most_last_hour: of.hour.map(|it| it.most),
        })
    }

    pub(super) fn decide(&self, action: Action, asked: Amount, spent: Spent) -> Vec<Violation> {
        let of = self.of(action);
        let noun = if action == Action::Refund { "refund" } else { "payment" };
        let code = asked.currency().code;
        let written = |minor| amount::written(minor, asked.currency());
        let mut violations = Vec::new();
        for caps in [of.one, of.day].into_iter().flatten().filter(|it| !it.most.contains_key(code))
        {
            let message = format!(
                "{asked} was asked for, and {} has no limit for {code}, which closes {code}; an \
                 operator can add it",
                caps.variable
            );
            let variable = caps.variable.clone();
            violations.push(Violation {
                rule: Rule::NoLimit,
                field: "currency",
                variable,
                message,
            });
        }
        if let Some((caps, most)) = most(of.one, code).filter(|(_, most)| asked.minor() > *most) {
            let message = format!(
                "{asked} was asked for, and one {noun} may be at most {}; an operator can raise {}",
                written(most),
                caps.variable
            );
            let rule = if action == Action::Refund { Rule::OverRefund } else { Rule::OverPayment };
            let variable = caps.variable.clone();
            violations.push(Violation { rule, field: "amount", variable, message });
        }
        let over = |most: &u64| spent.today_minor.saturating_add(asked.minor()) > *most;
        if let Some((caps, most)) = most(of.day, code).filter(|(_, most)| over(most)) {
            let message = format!(
                "{asked} was asked for, and {} is left today of {} a day for {noun}s; an operator \
                 can raise {}",
                written(most.saturating_sub(spent.today_minor)),
                written(most),
                caps.variable
            );
            let variable = caps.variable.clone();
            violations.push(Violation { rule: Rule::OverDay, field: "amount", variable, message });
        }
        if let Some(rate) = of.hour.filter(|it| spent.last_hour >= it.most) {
            let message = format!(
                "the last hour had {} {noun}s, and an hour may have at most {}; an operator can \
                 raise {}",
                spent.last_hour, rate.most, rate.variable
            );
            let variable = rate.variable.clone();
            violations.push(Violation { rule: Rule::OverHour, field: "-", variable, message });
        }
        violations
    }
}

impl Caps {
    /// The most of the amount's currency; nothing where it is not named.
    fn of(&self, amount: Amount) -> u64 {
        self.most.get(amount.currency().code).copied().unwrap_or(0)
    }
}

fn most<'a>(caps: Option<&'a Caps>, code: &str) -> Option<(&'a Caps, u64)> {
    caps.and_then(|it| Some((it, *it.most.get(code)?)))
}
