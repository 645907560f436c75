//! What an agent may do: what is open in production, how much, and where a person is asked.
use std::{collections::BTreeMap, time::Duration};

use super::{Reader, variables as var};
use crate::{
    domain::amount,
    policy::{Action, Allowlist, Caps, Confirm, Limits, Listed, Policy, Rate},
    spec::{Currency, Environment, PayType, currencies},
};

/// Most minor units of a day's limit: what JavaScript still counts exactly.
const MOST: u64 = 9_007_199_254_740_991;

impl Reader<'_> {
    pub(super) fn policy(&mut self, environment: Environment) -> Policy {
        let policy = Policy {
            allowlist: self.allowlist(environment),
            limits: Limits {
                payment: self.caps(environment, var::MAX_AMOUNT),
                payments_per_day: self.caps(environment, var::MAX_AMOUNT_PER_DAY),
                payments_per_hour: self.rate(environment, var::MAX_PAYMENTS_PER_HOUR),
                refund: self.caps(environment, var::MAX_REFUND),
                refunds_per_day: self.caps(environment, var::MAX_REFUND_PER_DAY),
            },
            read_only: self.switch(var::READ_ONLY, false),
            confirm: self.confirm(),
        };
        if environment == Environment::Prod {
            self.demand_limits(&policy);
        }
        policy
    }

    /// In production nothing that moves money is opened without a limit on one and on a day.
    fn demand_limits(&mut self, policy: &Policy) {
        let Limits { payment, payments_per_day, refund, refunds_per_day, .. } = &policy.limits;
        let one_payment = (var::MAX_AMOUNT, payment, "the most for one payment");
        let payments = (var::MAX_AMOUNT_PER_DAY, payments_per_day, "the most for all of a day");
        let one_refund = (var::MAX_REFUND, refund, "the most for one refund");
        let refunds = (var::MAX_REFUND_PER_DAY, refunds_per_day, "the most for all of a day");
        for (action, limits) in [
            (Action::CreatePayment, [one_payment, payments]),
            (Action::Refund, [one_refund, refunds]),
        ] {
            if !policy.allowlist.actions.contains(&action) {
                continue;
            }
            for (name, _, what) in limits.into_iter().filter(|(_, caps, _)| caps.is_none()) {
                let own = super::own_name(Environment::Prod, name);
                self.problems.push(format!(
                    "{own} is not set: {} opens {}, so say {what}, by currency, in minor units, \
                     for example {own}=HKD:500000 ({})",
                    var::PROD_ALLOW,
                    action.name(),
                    Currency::find("HKD").map_or(String::new(), |it| amount::written(500_000, it))
                ));
            }
        }
    }

    fn allowlist(&mut self, environment: Environment) -> Allowlist {
        let names = Action::ALL.map(Action::name).join(", ");
        let actions = self.get(var::PROD_ALLOW).unwrap_or_default();
        let known = |it: &str| Action::find(it).is_some();
        let actions = self.words(var::PROD_ALLOW, &actions, known, &format!("some of {names}"));
        let codes = format!("some of {}", currencies::codes().join(", "));
        let pay_type = |it: &str| PayType::find(it).is_some();
        let currency = |it: &str| Currency::find(it).is_some();
        let six = "six-digit codes such as 800201";
        Allowlist {
            actions: actions.iter().filter_map(|it| Action::find(it)).collect(),
            pay_types: self.listed(environment, var::PAY_TYPES, pay_type, six),
            currencies: self.listed(environment, var::CURRENCIES, currency, &codes),
            mchids: self.listed(environment, var::MCHIDS, |_| true, "merchant ids"),
        }
    }

    /// The only words that are open; none where the variable is not set.
    fn listed(
        &mut self,
        environment: Environment,
        common: &str,
        known: impl Fn(&str) -> bool,
        wanted: &str,
    ) -> Option<Listed> {
        let (variable, value) = self.named(environment, common)?;
        let words = self.words(&variable, &value, known, wanted);
        Some(Listed { variable, words })
    }

    /// The parts of a comma-separated list, which have to be `known`.
    fn words(
        &mut self,
        name: &str,
        value: &str,
        known: impl Fn(&str) -> bool,
        wanted: &str,
    ) -> Vec<String> {
        let words = value.split(',').map(str::trim).filter(|it| !it.is_empty());
        let words: Vec<String> = words.map(str::to_owned).collect();
        for unknown in words.iter().filter(|it| !known(it)) {
            self.problems.push(format!("{name} has `{unknown}`; use {wanted}"));
        }
        words
    }

    /// The value of a variable, its own name first, and the name it stands under.
    fn named(&mut self, environment: Environment, common: &str) -> Option<(String, String)> {
        let own = super::own_name(environment, common);
        for name in [own.as_str(), common] {
            // Set and empty could mean "none" or "all", so it means neither.
            if (self.vars)(name).is_some_and(|it| it.trim().is_empty()) {
                self.problems
                    .push(format!("{name} is set and empty; name what is open, or unset it"));
            }
            if let Some(value) = self.get(name) {
                return Some((name.to_owned(), value));
            }
        }
        None
    }

    /// `HKD:500000,USD:60000`.
    fn caps(&mut self, environment: Environment, common: &str) -> Option<Caps> {
        let (variable, value) = self.named(environment, common)?;
        let mut most = BTreeMap::new();
        for part in value.split(',').map(str::trim) {
            let read = part.split_once(':').and_then(|(code, minor)| {
                let minor = minor.trim().parse().ok().filter(|it| (1..=MOST).contains(it))?;
                Some((Currency::find(code.trim())?.code, minor))
            });
            match read {
                Some((code, minor)) if most.insert(code, minor).is_none() => {}
                Some((code, _)) => self.problems.push(format!("{variable} has {code} twice")),
                None => self.problems.push(format!(
                    "{variable} has `{part}`; write a currency and whole minor units, such as \
                     HKD:500000 for HKD 5,000.00, with commas between"
                )),
            }
        }
        Some(Caps { variable, most })
    }

    fn rate(&mut self, environment: Environment, common: &str) -> Option<Rate> {
        let (variable, value) = self.named(environment, common)?;
        let most = value.parse().ok().filter(|it| (1..=1_000_000).contains(it));
        if most.is_none() {
            let text = format!("{variable} is `{value}`; use a whole number from 1 to 1000000");
            self.problems.push(text);
        }
        most.map(|most| Rate { variable, most })
    }

    fn confirm(&mut self) -> Confirm {
        let Some(given) = self.get(var::CONFIRM) else { return Confirm::default() };
        Confirm::find(&given).unwrap_or_else(|| {
            let words = Confirm::ALL.map(Confirm::word).join(", ");
            self.problems.push(format!("{} is `{given}`; use one of {words}", var::CONFIRM));
            Confirm::default()
        })
    }

    pub(super) fn confirm_time(&mut self) -> Duration {
        Duration::from_secs(self.whole(var::CONFIRM_SECONDS, 300, 5..=3600))
    }
}
