//! What was received and what went back on a day, by currency and way to pay.
use std::collections::BTreeMap;

use crate::{
    domain::{Amount, amount},
    ledger::Kind,
    spec::{Currency, PayType},
};

/// Sums of one side. Money is in minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sums {
    /// Payments that were received, those among them whose money went back later.
    pub payments: u64,
    pub paid: u64,
    /// Refunds that were made on the day, and payments that were reversed.
    pub refunds: u64,
    pub refunded: u64,
}

/// One currency and way to pay, on both sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Total {
    pub currency: &'static Currency,
    /// The one that QFPay names, which can be the wallet that was really used; none where neither
    /// side knows it.
    pub pay_type: Option<&'static PayType>,
    pub here: Sums,
    pub there: Sums,
}

/// A side of a [`Total`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Here,
    There,
}

/// Totals that grow.
#[derive(Debug, Default)]
pub(super) struct Totals(BTreeMap<(&'static str, &'static str), Total>);

impl Totals {
    /// Counts money that moved.
    pub(super) fn add(
        &mut self,
        side: Side,
        kind: Kind,
        amount: Amount,
        pay_type: Option<&'static PayType>,
    ) {
        let currency = amount.currency();
        let key = (currency.code, pay_type.map_or("", |it| it.code));
        let (here, there) = (Sums::default(), Sums::default());
        let total = self.0.entry(key).or_insert(Total { currency, pay_type, here, there });
        let sums = match side {
            Side::Here => &mut total.here,
            Side::There => &mut total.there,
        };
        let (count, sum) = match kind {
            Kind::Payment => (&mut sums.payments, &mut sums.paid),
            Kind::Refund => (&mut sums.refunds, &mut sums.refunded),
        };
        *count = count.saturating_add(1);
        *sum = sum.saturating_add(amount.minor());
    }

    pub(super) fn rows(self) -> Vec<Total> {
        self.0.into_values().collect()
    }
}

impl Sums {
    /// What was received less what went back, in minor units.
    pub fn net(self) -> i64 {
        let signed = |minor: u64| i64::try_from(minor).unwrap_or(i64::MAX);
        signed(self.paid).saturating_sub(signed(self.refunded))
    }

    /// The same as people write it: `-HKD 5.00`.
    pub fn net_text(self, currency: &Currency) -> String {
        let net = self.net();
        let sign = if net < 0 { "-" } else { "" };
        format!("{sign}{}", amount::written(net.unsigned_abs(), currency))
    }
}
