//! What an agent may do: what is open in production, how much, and where a person is asked.
use std::{collections::BTreeMap, time::Duration};

use super::{Reader, variables as var};
use crate::{
    domain::amount,
    policy::{Action, Allowlist, Caps, Confirm, Limits, Policy, Rate},
    spec::{Currency, Environment, PayType, currencies},
};

/// Most minor units of a day's limit: what JavaScript still counts exactly.
const MOST: u64 = 9_007_199_254_740_991;

impl Reader<'_> {
    pub(super) fn policy(&mut self, environment: Environment) -> Policy {
        let policy = Policy {
            allowlist: self.allowlist(),
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

    fn allowlist(&mut self) -> Allowlist {
        let names = Action::ALL.map(Action::name).join(", ");
        let known = |it: &str| Action::find(it).is_some();
        let actions = self.list_of(var::PROD_ALLOW, known, &format!("some of {names}"));
        Allowlist {
            actions: actions.iter().flatten().filter_map(|it| Action::find(it)).collect(),
            pay_types: self.list_of(
                var::PROD_PAY_TYPES,
                |it| PayType::find(it).is_some(),
                "six-digit codes such as 800201",
            ),
            currencies: self.list_of(
                var::PROD_CURRENCIES,
                |it| Currency::find(it).is_some(),
                &format!("some of {}", currencies::codes().join(", ")),
            ),
            mchids: self.list(var::PROD_MCHIDS),
        }
    }

    /// The value of a variable, its own name first, and the name it stands under.
    fn named(&mut self, environment: Environment, common: &str) -> Option<(String, String)> {
        let own = super::own_name(environment, common);
        for name in [own.as_str(), common] {
            // Set and empty could mean "none" or "no limit", so it means neither.
            if (self.vars)(name).is_some_and(|it| it.trim().is_empty()) {
                self.problems.push(format!("{name} is set and empty; name a limit, or unset it"));
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
