//! One thing that differs between our ledger and QFPay's records, and how it is told.
use jiff::civil::DateTime;

use super::sides::{Ours, Status, Theirs};
use crate::{
    domain::{Amount, OrderNumber, Syssn, words::words},
    ledger::Kind,
    spec::PayType,
};

words!(
    /// What differs, the worst first.
    What {
        /// Several payments under one number were received, and not given back.
        PaidTwice = "paid_twice",
        /// QFPay has no record of what may have moved money by our ledger.
        MissingThere = "missing_at_qfpay",
        /// Amount or currency.
        Amount = "amount",
        /// How it stands.
        Status = "status",
        /// Which payment a refund is of.
        Payment = "payment",
        /// The way to pay, where QFPay does not choose it.
        PayType = "pay_type",
        /// Our ledger has nothing of what moved money at QFPay, or may have.
        MissingHere = "missing_here",
    }
);

/// Something that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub what: What,
    pub kind: Kind,
    /// As it is shown: it need not be a number of ours.
    pub number: String,
    /// QFPay's number, where either side knows it.
    pub syssn: Option<Syssn>,
    /// A refund's payment, by our number, where our ledger has it.
    pub order: Option<OrderNumber>,
    /// QFPay's, else ours.
    pub amount: Option<Amount>,
    pub pay_type: Option<&'static PayType>,
    /// By QFPay's clock; where it has no record, when it was asked for.
    pub made_at: Option<DateTime>,
    /// What differs, as it is in our ledger and at QFPay; none on the side that has nothing.
    pub here: Option<String>,
    pub there: Option<String>,
}

impl Difference {
    pub(super) fn missing_there(ours: &Ours) -> Self {
        Self {
            what: What::MissingThere,
            kind: ours.status.kind(),
            number: ours.number.to_string(),
            syssn: ours.syssn.clone(),
            order: ours.order.clone(),
            amount: Some(ours.amount),
            pay_type: ours.pay_type,
            made_at: Some(ours.asked_at),
            here: Some(ours.status.word().to_owned()),
            there: None,
        }
    }

    pub(super) fn missing_here(theirs: &Theirs, order: Option<OrderNumber>) -> Self {
        let there = theirs.status.word().to_owned();
        Self { order, there: Some(there), ..Self::of(What::MissingHere, theirs) }
    }

    /// What both have, and differently.
    pub(super) fn between(
        what: What,
        (ours, theirs): (&Ours, &Theirs),
        (here, there): (String, String),
    ) -> Self {
        Self {
            order: ours.order.clone(),
            here: Some(here),
            there: Some(there),
            ..Self::of(what, theirs)
        }
    }

    /// A number under which QFPay received several payments.
    pub(super) fn paid_twice(ours: Option<&Ours>, held: &[&Theirs]) -> Option<Self> {
        let mut held = held.to_vec();
        held.sort_by_key(|it| (it.made_at, it.syssn.as_ref().map(ToString::to_string)));
        let there: Vec<String> = held.iter().map(|it| written(it.amount)).collect();
        let known = ours.and_then(|it| it.syssn.as_ref());
        // The one that is not ours is the one to give back.
        let surplus = held.iter().rev().find(|it| it.syssn.as_ref() != known).or(held.last())?;
        Some(Self {
            here: ours.map(|it| it.amount.to_string()),
            there: Some(there.join(" and ")),
            ..Self::of(What::PaidTwice, surplus)
        })
    }

    fn of(what: What, theirs: &Theirs) -> Self {
        Self {
            what,
            kind: theirs.status.kind(),
            number: theirs.label.clone(),
            syssn: theirs.syssn.clone(),
            order: None,
            amount: theirs.amount,
            pay_type: theirs.pay_type,
            made_at: theirs.made_at,
            here: None,
            there: None,
        }
    }

    /// It in a plain sentence.
    pub fn sentence(&self) -> String {
        let Self { kind, number, .. } = self;
        let (kind, nothing) = (kind.word(), String::new());
        let here = self.here.as_ref().unwrap_or(&nothing);
        let there = self.there.as_ref().unwrap_or(&nothing);
        let amount = written(self.amount);
        let of = match &self.order {
            Some(order) => format!(" of payment {order}"),
            None => String::new(),
        };
        match self.what {
            What::PaidTwice => format!("QFPay received several payments under {number}: {there}."),
            What::MissingThere => format!(
                "The {kind} {number}{of} of {amount} is `{here}` here, and QFPay has no record of it."
            ),
            What::Amount => {
                format!("The {kind} {number}{of} is of {here} here and of {there} at QFPay.")
            }
            What::Status => format!(
                "The {kind} {number}{of} of {amount} is `{here}` here and `{there}` at QFPay."
            ),
            What::Payment => {
                format!("The {kind} {number} is of trade {here} here and of {there} at QFPay.")
            }
            What::PayType => {
                format!("The {kind} {number} is by {here} here and by {there} at QFPay.")
            }
            What::MissingHere => format!(
                "QFPay has the {kind} {number}{of} of {amount} (`{there}`); our ledger has not."
            ),
        }
    }

    /// Whether a query can settle it: QFPay's word is written down on the way.
    pub fn may_settle(&self) -> bool {
        match self.what {
            What::Status | What::MissingThere => true,
            // A refund of our payment that somebody else made: the payment learns of it.
            What::MissingHere => self.order.is_some(),
            What::PaidTwice | What::Amount | What::Payment | What::PayType => false,
        }
    }

    /// The worst first, then by number.
    pub(super) fn place(&self) -> (Option<usize>, &str) {
        (What::ALL.iter().position(|it| *it == self.what), &self.number)
    }
}

fn written(amount: Option<Amount>) -> String {
    amount.map_or_else(|| "an amount that cannot be read".to_owned(), |it| it.to_string())
}

/// Whether two statuses say other things about money. On a checkout page an attempt that failed is
/// no end.
pub(super) fn differ(ours: Status, theirs: Status) -> bool {
    ours != theirs && ((ours.counts() && !ours.awaits()) || theirs.counts())
}
