//! The terms of a payment and of a refund: what must be the same for a retry to be a retry.
use std::{collections::BTreeMap, fmt};

use jiff::{SignedDuration, Timestamp, civil::DateTime};

use super::{Amount, OrderNumber, Syssn};
use crate::spec::{Field, PayType, fields::DEFAULT_EXPIRY_MINUTES, pay_types::Service};

/// What a payment is for. Two calls with one number must agree in all of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PaymentTerms {
    pub amount: Amount,
    pub pay_type: &'static PayType,
    /// Everything else that is sent, by field, without blanks.
    pub extras: BTreeMap<Field, String>,
}

/// Without the payer's code, which is worth money while it lives.
impl fmt::Debug for PaymentTerms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.extras.iter().filter(|(field, _)| **field != Field::AuthCode);
        f.debug_struct("PaymentTerms")
            .field("amount", &self.amount)
            .field("pay_type", &self.pay_type.code)
            .field("extras", &shown.collect::<BTreeMap<_, _>>())
            .finish()
    }
}

/// What the payer must be shown to pay.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Shown {
    /// Text to draw as a QR code.
    pub qrcode: Option<String>,
    /// Address to open.
    pub pay_url: Option<String>,
    /// A JSON object, as text, for the wallet's SDK.
    pub pay_params: Option<String>,
}

/// What a refund takes back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundTerms {
    /// The payment's number, where we know it.
    pub order: Option<OrderNumber>,
    /// QFPay's number of the payment.
    pub syssn: Syssn,
    pub amount: Amount,
}

/// An order that is to be ended, as QFPay knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ending {
    pub number: OrderNumber,
    /// QFPay's number, where it is known.
    pub syssn: Option<Syssn>,
    pub amount: Amount,
    /// The time that was sent when it was made.
    pub made_at: DateTime,
}

impl RefundTerms {
    /// The names of the terms in which `other` differs, with both values; empty when none does.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        if self.syssn != other.syssn {
            found.push(format!("the payment was {}, now {}", self.syssn, other.syssn));
        }
        if self.amount != other.amount {
            found.push(format!("amount was {}, now {}", self.amount, other.amount));
        }
        found
    }
}

impl PaymentTerms {
    /// Whether it is paid on a checkout page of QFPay's: nothing is sent, and no order exists there
    /// before the payer chooses.
    pub fn on_a_page(&self) -> bool {
        self.pay_type.service == Service::Checkout
    }

    /// Until when the payer can pay, where there is a limit of ours or of QFPay's default; `asked_at`
    /// is when it left, or the page was offered.
    pub fn expires_at(&self, asked_at: Timestamp) -> Option<Timestamp> {
        if !self.pay_type.uses(Field::ExpiredTime) {
            return None;
        }
        let given = self.extras.get(&Field::ExpiredTime);
        let minutes = given.and_then(|it| it.parse().ok()).unwrap_or(DEFAULT_EXPIRY_MINUTES);
        asked_at.checked_add(SignedDuration::from_mins(minutes)).ok()
    }

    /// The names of the terms in which `other` differs, with both values; empty when none does.
    ///
    /// The payer's code is left out: a new one is scanned for each try, and it is never shown.
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let mut found = Vec::new();
        let mut compare = |name: &str, ours: String, theirs: String| {
            if ours != theirs {
                found.push(format!("{name} was {ours}, now {theirs}"));
            }
        };
        compare("amount", self.amount.to_string(), other.amount.to_string());
        compare("pay_type", self.pay_type.code.to_owned(), other.pay_type.code.to_owned());
        let fields: std::collections::BTreeSet<&Field> =
            self.extras.keys().chain(other.extras.keys()).collect();
        for field in fields.into_iter().filter(|field| **field != Field::AuthCode) {
            let say = |terms: &Self| {
                terms.extras.get(field).map_or("not given".to_owned(), |it| format!("`{it}`"))
            };
            compare(field.name(), say(self), say(other));
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Currency;

    #[test]
    fn a_payers_code_is_not_in_debug_output() {
        let extras = BTreeMap::from([
            (Field::AuthCode, "284957201938475610".to_owned()),
            (Field::GoodsName, "tea".to_owned()),
        ]);
        let amount = Amount::from_minor(100, Currency::find("HKD").unwrap()).unwrap();
        let terms = PaymentTerms { amount, pay_type: PayType::find("800208").unwrap(), extras };
        let told = format!("{terms:?}");
        assert!(told.contains("tea") && !told.contains("284957201938475610"), "{told}");
    }
}
