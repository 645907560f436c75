//! May it be done, and must a person say yes? Settings and facts in, violations out; no clock, no
//! ledger, no network.
//!
//! Production is closed until an operator opens it: `QFPAY_PROD_ALLOW` names what may run there,
//! more variables narrow and limit it. Nothing that an agent sends can change any of it.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]
use crate::{
    domain::{Amount, Spent, words::words},
    spec::{
        Environment,
        endpoints::{Effect, Endpoint},
    },
};

mod confirm;
mod limits;
#[cfg(test)]
mod tests;
mod words;

pub use self::{
    confirm::Confirm,
    limits::{Caps, Limits, Rate},
};

/// What reaches QFPay, by the name of its tool. `wait_for_payment` and `reconcile` only ask, as
/// `query_transaction` does, and are open with it.
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

    /// What a tool of this name does at QFPay; none where it reaches it not at all, or is unknown.
    pub fn of_tool(tool: &str) -> Option<Self> {
        match tool {
            "wait_for_payment" | "reconcile" => Some(Self::QueryTransaction),
            _ => Self::find(tool),
        }
    }

    /// The calls of QFPay's API that it makes.
    pub const fn endpoints(self) -> &'static [Endpoint] {
        match self {
            Self::CreatePayment => &[Endpoint::Payment],
            Self::QueryTransaction => &[Endpoint::Query],
            Self::Refund => &[Endpoint::Query, Endpoint::Refund],
            Self::CancelPayment => &[Endpoint::Query, Endpoint::Reversal, Endpoint::Close],
        }
    }

    /// Whether it can change anything at QFPay: one of its calls does.
    pub fn writes(self) -> bool {
        self.endpoints().iter().any(|it| it.effect() == Effect::Moves)
    }
}

/// The variable that opens production, and the one that closes everything that writes.
pub mod variables {
    pub const ALLOW: &str = "QFPAY_PROD_ALLOW";
    pub const READ_ONLY: &str = "QFPAY_READ_ONLY";
}

/// All that an operator decided about what an agent may do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    pub allowlist: Allowlist,
    /// Of the environment in force.
    pub limits: Limits,
    /// Nothing that writes is offered.
    pub read_only: bool,
    pub confirm: Confirm,
}

/// What an operator opened in the environment in force. Lists that are not set do not narrow.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Allowlist {
    /// In production; nothing there is nothing open. Elsewhere everything is.
    pub actions: Vec<Action>,
    pub pay_types: Option<Listed>,
    pub currencies: Option<Listed>,
    pub mchids: Option<Listed>,
}

/// The only words that are open, and the variable that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    pub variable: String,
    pub words: Vec<String>,
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
    /// How much, and what left already, where money is to move and that is known.
    pub money: Option<(Amount, Spent)>,
}

words!(
    /// What can forbid it, by a word for programs.
    Rule {
        /// Only tools that ask are offered.
        ReadOnly = "read_only",
        /// The tool is not on production's list.
        ToolClosed = "tool_closed",
        /// Nor is the pay type.
        PayTypeClosed = "pay_type_closed",
        /// Nor is the currency.
        CurrencyClosed = "currency_closed",
        /// Nor is the merchant.
        MerchantClosed = "merchant_closed",
        /// There is a limit, and it does not name the currency.
        NoLimit = "no_limit",
        /// More than one payment may be.
        OverPayment = "over_payment",
        /// More than one refund may be.
        OverRefund = "over_refund",
        /// More than is left of the day.
        OverDay = "over_day",
        /// More often than in an hour.
        OverHour = "over_hour",
    }
);

/// One rule that forbids it, and the variable an operator would change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    pub rule: Rule,
    /// The argument that breaks the rule, or `-` where none could keep it.
    pub field: &'static str,
    pub variable: String,
    /// The limit, what was asked, and what is left today, in words.
    pub message: String,
}

impl Policy {
    /// Everything that forbids it; empty means allowed.
    pub fn decide(&self, facts: &Facts<'_>) -> Vec<Violation> {
        let mut violations = Vec::new();
        if self.read_only && facts.action.writes() {
            violations.push(Violation {
                rule: Rule::ReadOnly,
                field: "-",
                variable: variables::READ_ONLY.to_owned(),
                message: format!(
                    "`{}` is switched off, because {} is set; an operator can unset it",
                    facts.action.name(),
                    variables::READ_ONLY
                ),
            });
        }
        violations.extend(self.allowlist.decide(facts));
        if let Some((amount, spent)) = facts.money {
            violations.extend(self.limits.decide(facts.action, amount, spent));
        }
        violations
    }

    /// Whether a person has to say yes to what moves money in this environment.
    pub fn asks(&self, environment: Environment) -> bool {
        self.confirm.asks(environment)
    }

    /// Whether what was paid may be given back by cancelling it (a card's void). That is counted
    /// by no limit and asked of nobody, so it is only where neither is wanted; `refund` is both.
    pub fn voids(&self, environment: Environment) -> bool {
        environment != Environment::Prod && !self.asks(environment) && !self.limits.on_refunds()
    }
}

impl Allowlist {
    fn decide(&self, facts: &Facts<'_>) -> Vec<Violation> {
        let (action, place) = (facts.action.name(), facts.environment.place());
        let mut violations = Vec::new();
        if facts.environment == Environment::Prod && !self.actions.contains(&facts.action) {
            violations.push(Violation {
                rule: Rule::ToolClosed,
                field: "-",
                variable: variables::ALLOW.to_owned(),
                message: format!(
                    "`{action}` is not open {place}; an operator can add `{action}` to {}",
                    variables::ALLOW
                ),
            });
        }
        let mut narrow = |rule, field, what: &str, list: Option<&Listed>, given: Option<&str>| {
            let Some((list, given)) = list.zip(given) else { return };
            if !list.words.iter().any(|it| it == given) {
                let message = format!(
                    "{what} `{given}` is not open {place} (open: {}); an operator can add it to {}",
                    list.words.join(", "),
                    list.variable
                );
                let variable = list.variable.clone();
                violations.push(Violation { rule, field, variable, message });
            }
        };
        let (pay_types, currencies) = (self.pay_types.as_ref(), self.currencies.as_ref());
        narrow(Rule::PayTypeClosed, "pay_type", "pay type", pay_types, facts.pay_type);
        narrow(Rule::CurrencyClosed, "currency", "currency", currencies, facts.currency);
        let mchid = Some(facts.mchid.unwrap_or("(none)"));
        narrow(Rule::MerchantClosed, "-", "merchant", self.mchids.as_ref(), mchid);
        violations
    }
}
