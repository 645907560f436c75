//! May it be done? Settings and facts in, violations out; no clock, no ledger, no network.
//!
//! Production is closed until an operator opens it: `QFPAY_PROD_ALLOW` names what may run there,
//! three more variables narrow it. Nothing that an agent sends can change any of it.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]
use crate::spec::Environment;

/// What reaches QFPay, by the name of its tool. `wait_for_payment` only asks, as
/// `query_transaction` does, and is open with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Action {
    CreatePayment,
    QueryTransaction,
    Refund,
    CancelPayment,
}

impl Action {
    pub const ALL: [Self; 4] =
        [Self::CreatePayment, Self::QueryTransaction, Self::Refund, Self::CancelPayment];

    /// The tool's name, and the word in `QFPAY_PROD_ALLOW`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::CreatePayment => "create_payment",
            Self::QueryTransaction => "query_transaction",
            Self::Refund => "refund",
            Self::CancelPayment => "cancel_payment",
        }
    }

    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.name() == name)
    }
}

/// The variables that open production.
pub mod variables {
    pub const ALLOW: &str = "QFPAY_PROD_ALLOW";
    pub const PAY_TYPES: &str = "QFPAY_PROD_PAY_TYPES";
    pub const CURRENCIES: &str = "QFPAY_PROD_CURRENCIES";
    pub const MCHIDS: &str = "QFPAY_PROD_MCHIDS";
}

/// What an operator opened in production. Unset lists do not narrow; nothing set allows nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowlist {
    pub actions: Vec<Action>,
    pub pay_types: Option<Vec<String>>,
    pub currencies: Option<Vec<String>>,
    pub mchids: Option<Vec<String>>,
}

/// What is about to be done.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub environment: Environment,
    pub mchid: Option<&'a str>,
    pub action: Action,
    /// The code of a payment's type, or of the payment's that is refunded; none while it is not
    /// known. What cannot be known is a code that no list has.
    pub pay_type: Option<&'a str>,
    pub currency: Option<&'static str>,
}

/// One rule that forbids it, and the variable an operator would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub variable: &'static str,
    pub message: String,
}

/// Everything that forbids it; empty means allowed.
pub fn decide(allowlist: &Allowlist, facts: &Facts<'_>) -> Vec<Violation> {
    if facts.environment != Environment::Prod {
        return Vec::new();
    }
    let action = facts.action.name();
    let mut violations = Vec::new();
    if !allowlist.actions.contains(&facts.action) {
        violations.push(Violation {
            variable: variables::ALLOW,
            message: format!(
                "`{action}` is not open in production; an operator can add `{action}` to {}",
                variables::ALLOW
            ),
        });
    }
    let mut narrow = |variable, list: Option<&Vec<String>>, what: &str, given: Option<&str>| {
        let Some((list, given)) = list.zip(given) else { return };
        if !list.iter().any(|it| it == given) {
            let open = if list.is_empty() { "none".to_owned() } else { list.join(", ") };
            let message = format!(
                "{what} `{given}` is not open in production (open: {open}); an operator can add it to {variable}"
            );
            violations.push(Violation { variable, message });
        }
    };
    narrow(variables::PAY_TYPES, allowlist.pay_types.as_ref(), "pay type", facts.pay_type);
    narrow(variables::CURRENCIES, allowlist.currencies.as_ref(), "currency", facts.currency);
    let mchid = Some(facts.mchid.unwrap_or("(none)"));
    narrow(variables::MCHIDS, allowlist.mchids.as_ref(), "merchant", mchid);
    violations
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Option<Vec<String>> {
        (text != "-").then(|| text.split(',').map(str::to_owned).collect())
    }

    /// One row a case: environment, opened tools, pay types, currencies, merchants ("-" is unset),
    /// then what is done by whom with what => the variables that forbid it.
    fn check(row: &'static str) {
        let (case, wanted) = row.split_once("=>").unwrap();
        let words: Vec<&str> = case.split_whitespace().collect();
        let [environment, tools, pay_types, currencies, mchids, action, mchid, code, currency] =
            words[..]
        else {
            panic!("{row}")
        };
        let allowlist = Allowlist {
            actions: tools.split(',').filter_map(Action::find).collect(),
            pay_types: list(pay_types),
            currencies: list(currencies),
            mchids: list(mchids),
        };
        let facts = Facts {
            environment: Environment::find(environment).unwrap(),
            mchid: (mchid != "-").then_some(mchid),
            action: Action::find(action).unwrap(),
            pay_type: (code != "-").then_some(code),
            currency: (currency != "-").then_some(currency),
        };
        let forbid = decide(&allowlist, &facts);
        let said: Vec<&str> =
            forbid.iter().map(|it| it.variable.trim_start_matches("QFPAY_PROD_")).collect();
        let said = if said.is_empty() { "ok".to_owned() } else { said.join(" ") };
        assert_eq!(said, wanted.trim(), "{row}");
    }

    #[rustfmt::skip]
    #[test]
    fn decisions() {
        check("simulator -              -      -   -     create_payment    m1 800201 HKD => ok");
        check("sandbox   -              -      -   -     refund            m1 800201 HKD => ok");
        check("test      -              -      -   -     create_payment    m1 800201 HKD => ok");
        check("prod      -              -      -   -     create_payment    m1 800201 HKD => ALLOW");
        check("prod      -              -      -   -     query_transaction m1 -      -   => ALLOW");
        check("prod      -              -      -   -     refund            m1 -      -   => ALLOW");
        check("prod      create_payment -      -   -     create_payment    m1 800201 HKD => ok");
        check("prod      create_payment -      -   -     refund            m1 800201 HKD => ALLOW");
        check("prod      create_payment 800201 HKD m1    create_payment    m1 800201 HKD => ok");
        check("prod      create_payment 800101 HKD m1    create_payment    m1 800201 HKD => PAY_TYPES");
        check("prod      create_payment 800201 USD m1    create_payment    m1 800201 HKD => CURRENCIES");
        check("prod      create_payment 800201 HKD m2,m3 create_payment    m1 800201 HKD => MCHIDS");
        check("prod      refund         800201 -   -     refund            m1 unlisted HKD => PAY_TYPES");
        check("prod      create_payment -      -   m2    create_payment    -  800201 HKD => MCHIDS");
        check("prod      refund         800101 USD m2    create_payment    m1 800201 HKD => ALLOW PAY_TYPES CURRENCIES MCHIDS");
    }

    #[test]
    fn a_violation_names_the_variable_and_what_is_open() {
        let allowlist = Allowlist { currencies: list("HKD,USD"), ..Allowlist::default() };
        let facts = Facts {
            environment: Environment::Prod,
            mchid: None,
            action: Action::Refund,
            pay_type: None,
            currency: Some("JPY"),
        };
        let said: Vec<String> =
            decide(&allowlist, &facts).into_iter().map(|it| it.message).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        `refund` is not open in production; an operator can add `refund` to QFPAY_PROD_ALLOW
        currency `JPY` is not open in production (open: HKD, USD); an operator can add it to QFPAY_PROD_CURRENCIES
        ");
    }
}
