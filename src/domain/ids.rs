//! Order numbers (ours) and transaction numbers (QFPay's).
use std::{fmt, str::FromStr};

use crate::spec::{Field, fields::FieldError};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $field:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = FieldError;

            fn from_str(text: &str) -> Result<Self, FieldError> {
                $field.check(text)?;
                Ok(Self(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// `out_trade_no`: the number of a payment or refund, ours, unique over both for a merchant.
    OrderNumber,
    Field::OutTradeNo
);
id!(
    /// `syssn`: the number QFPay gave a payment or refund.
    Syssn,
    Field::Syssn
);

impl Syssn {
    /// The day QFPay made it on (`YYYYMMDD`), where it has QFPay's usual shape.
    pub fn day(&self) -> Option<jiff::civil::Date> {
        let day = self.0.get(..8)?;
        jiff::civil::Date::strptime("%Y%m%d", day).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_number_is_letters_digits_and_a_few_signs() {
        for good in ["A", "order_1001", "S00012-1", "a|b*c", &"x".repeat(128)] {
            assert_eq!(good.parse::<OrderNumber>().unwrap().as_str(), good);
        }
        for bad in ["", "a b", "a,b", "é", "a\u{202e}b", &"x".repeat(129)] {
            assert!(bad.parse::<OrderNumber>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_syssn_tells_its_day() {
        let syssn: Syssn = "20180112000100020001662134".parse().unwrap();
        assert_eq!(syssn.day(), Some(jiff::civil::date(2018, 1, 12)));
        assert_eq!("99".parse::<Syssn>().unwrap().day(), None);
    }
}
