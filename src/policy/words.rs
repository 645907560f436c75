//! The policy in plain sentences, for the person who has to answer for it.
use super::{Action, Caps, Policy, limits::Of};
use crate::{
    domain::amount,
    spec::{Currency, Environment},
};

impl Policy {
    /// What an agent may do in this environment, a sentence each.
    pub fn sentences(&self, environment: Environment) -> Vec<String> {
        let place = environment.place().replacen('i', "I", 1);
        let mut told: Vec<String> =
            Action::ALL.into_iter().map(|it| self.sentence(&place, it, environment)).collect();
        if self.read_only {
            told.push("QFPAY_READ_ONLY is set: the tools that write are not offered.".to_owned());
        }
        if let Some(merchants) = &self.allowlist.mchids {
            told.push(format!("Only the merchant {} may be used.", listed(&merchants.words, "or")));
        }
        told
    }

    fn sentence(&self, place: &str, action: Action, environment: Environment) -> String {
        let prod = environment == Environment::Prod;
        let closed = (self.read_only && action.writes())
            || (prod && !self.allowlist.actions.contains(&action));
        let what = match action {
            Action::CreatePayment => "create payments",
            Action::QueryTransaction => "look payments up and wait for them",
            Action::Refund => "refund payments",
            Action::CancelPayment => "end orders that are not paid yet",
        };
        if closed {
            return format!("{place} an agent may not {what}.");
        }
        let of = self.limits.of(action);
        let mut said = format!("{place} an agent may {what}");
        if matches!(action, Action::CreatePayment | Action::Refund) {
            said.push_str(&how_much(&of));
        }
        if action != Action::QueryTransaction {
            for (list, word) in
                [(&self.allowlist.pay_types, "by"), (&self.allowlist.currencies, "in")]
            {
                if let Some(list) = list {
                    said = format!("{said}, {word} {}", listed(&list.words, "and"));
                }
            }
        }
        match action {
            Action::CreatePayment | Action::Refund if self.asks(environment) => {
                format!("{said}; each needs a person's yes.")
            }
            Action::CreatePayment | Action::Refund => format!("{said}; nobody is asked."),
            Action::CancelPayment if self.voids(environment) => {
                format!("{said}, and void cards that were paid today; nobody is asked.")
            }
            Action::CancelPayment | Action::QueryTransaction => format!("{said}."),
        }
    }
}

/// ` up to HKD 5,000.00 each, HKD 50,000.00 a day, 20 an hour`.
fn how_much(of: &Of<'_>) -> String {
    let mut parts = Vec::new();
    match of.one {
        Some(caps) => parts.push(format!(" up to {} each", written(caps))),
        None => parts.push(" of any amount".to_owned()),
    }
    match of.day {
        Some(caps) => parts.push(format!("{} a day", written(caps))),
        None => parts.push("without a limit a day".to_owned()),
    }
    if let Some(rate) = of.hour {
        parts.push(format!("{} an hour", rate.most));
    }
    parts.join(", ")
}

fn written(caps: &Caps) -> String {
    let each = caps.most.iter().filter_map(|(code, minor)| {
        Currency::find(code).map(|currency| amount::written(*minor, currency))
    });
    listed(&each.collect::<Vec<_>>(), "or")
}

/// `a, b and c`.
fn listed(words: &[String], before_last: &str) -> String {
    match words {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} {before_last} {last}", first.join(", ")),
    }
}
