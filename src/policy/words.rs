//! The policy in plain sentences, for the person who has to answer for it.
use super::{Action, Caps, Policy, limits::Of, variables};
use crate::{
    domain::amount,
    spec::{CURRENCIES, Currency, Environment},
};

impl Policy {
    /// What an agent may do in this environment with this merchant, a sentence each.
    pub fn sentences(&self, environment: Environment, mchid: Option<&str>) -> Vec<String> {
        let mut told: Vec<String> =
            Action::ALL.into_iter().map(|it| self.sentence(it, environment, mchid)).collect();
        if self.read_only {
            let name = variables::READ_ONLY;
            told.push(format!("{name} is set: the tools that write are not offered."));
        }
        if let Some(merchants) = &self.allowlist.mchids {
            let other = if self.is_open_for(mchid) { "" } else { ", and this one is another" };
            let only = listed(&merchants.words, "or");
            told.push(format!("Only the merchant {only} may be used{other}."));
        }
        told
    }

    /// Whether there is anything a person would be asked about.
    pub fn asks_about_anything(&self, environment: Environment, mchid: Option<&str>) -> bool {
        let moves = [Action::CreatePayment, Action::Refund];
        self.asks(environment)
            && moves
                .into_iter()
                .any(|it| self.is_open(it, environment, mchid) && !self.currencies(it).is_empty())
    }

    fn is_open_for(&self, mchid: Option<&str>) -> bool {
        let merchants = self.allowlist.mchids.as_ref();
        merchants.is_none_or(|it| it.words.iter().any(|it| Some(it.as_str()) == mchid))
    }

    fn is_open(&self, action: Action, environment: Environment, mchid: Option<&str>) -> bool {
        let prod = environment == Environment::Prod;
        !(self.read_only && action.writes())
            && (!prod || self.allowlist.actions.contains(&action))
            && self.is_open_for(mchid)
    }

    /// The currencies that every list and every limit of it names.
    fn currencies(&self, action: Action) -> Vec<&'static Currency> {
        let of = self.limits.of(action);
        let listed = self.allowlist.currencies.as_ref();
        let named = |caps: Option<&Caps>, code| caps.is_none_or(|it| it.most.contains_key(code));
        let open = CURRENCIES.iter().filter(|it| {
            let code = it.code;
            listed.is_none_or(|list| list.words.iter().any(|it| it == code))
                && named(of.one, code)
                && named(of.day, code)
        });
        open.collect()
    }

    fn sentence(&self, action: Action, environment: Environment, mchid: Option<&str>) -> String {
        let place = environment.place().replacen('i', "I", 1);
        let what = match action {
            Action::CreatePayment => "create payments",
            Action::QueryTransaction => "look payments up and wait for them",
            Action::Refund => "refund payments",
            Action::CancelPayment => "end orders that are not paid yet",
        };
        if !self.is_open(action, environment, mchid) {
            return format!("{place} an agent may not {what}.");
        }
        let mut said = format!("{place} an agent may {what}");
        let moves_money = matches!(action, Action::CreatePayment | Action::Refund);
        let open = self.currencies(action);
        if moves_money {
            if open.is_empty() {
                return format!(
                    "{place} an agent may not {what}: no currency is named by every list and limit."
                );
            }
            said.push_str(&how_much(&self.limits.of(action), &open));
        }
        if action != Action::QueryTransaction {
            if let Some(list) = &self.allowlist.pay_types {
                said = format!("{said}, by {}", listed(&list.words, "and"));
            }
            if self.allowlist.currencies.is_some() {
                let codes: Vec<String> = open.iter().map(|it| it.code.to_owned()).collect();
                said = format!("{said}, in {}", listed(&codes, "and"));
            }
        }
        if moves_money && self.asks(environment) {
            format!("{said}; each needs a person's yes.")
        } else if moves_money {
            format!("{said}; nobody is asked.")
        } else if action == Action::CancelPayment && self.voids(environment) {
            format!("{said}, and void cards that were paid today; nobody is asked.")
        } else {
            format!("{said}.")
        }
    }
}

/// ` up to HKD 5,000.00 each, HKD 50,000.00 a day, 20 an hour`.
fn how_much(of: &Of<'_>, open: &[&'static Currency]) -> String {
    let mut parts = Vec::new();
    match of.one {
        Some(caps) => parts.push(format!(" up to {} each", written(caps, open))),
        None => parts.push(" of any amount".to_owned()),
    }
    match of.day {
        Some(caps) => parts.push(format!("{} a day", written(caps, open))),
        None => parts.push("without a limit a day".to_owned()),
    }
    if let Some(rate) = of.hour {
        parts.push(format!("{} an hour", rate.most));
    }
    parts.join(", ")
}

fn written(caps: &Caps, open: &[&'static Currency]) -> String {
    let each = open.iter().filter_map(|it| Some(amount::written(*caps.most.get(it.code)?, it)));
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
