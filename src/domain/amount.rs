//! Amounts: a bounded count of minor units and its currency.
use std::fmt;

use crate::spec::Currency;

/// An amount of money, from 1 to [`Amount::MAX_MINOR`] minor units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    minor: u64,
    currency: &'static Currency,
}

/// Why a number is not an amount, and what to send instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseAmountError {
    #[error(
        "`{given}` is not a whole number of minor units; send digits only, for example {example}"
    )]
    NotWhole { given: String, example: String },
    #[error("`{given}` is not more than zero; send at least 1, for example {example}")]
    NotPositive { given: String, example: String },
    #[error("`{given}` is over {max}, the most QFPay's field holds", max = Amount::MAX_MINOR)]
    TooLarge { given: String },
}

/// Most characters of a wrong amount that are told back.
const MAX_ECHO: usize = 40;

impl Amount {
    /// The most QFPay's `Int(11)` field holds: eleven digits.
    pub const MAX_MINOR: u64 = 99_999_999_999;

    /// Reads a count of minor units: digits, nothing else.
    pub fn parse(text: &str, currency: &'static Currency) -> Result<Self, ParseAmountError> {
        let given: String = text.chars().take(MAX_ECHO).collect();
        let example = || example(currency);
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(ParseAmountError::NotWhole { given, example: example() });
        }
        if text.starts_with('-') || digits.bytes().all(|b| b == b'0') {
            return Err(ParseAmountError::NotPositive { given, example: example() });
        }
        match text.parse() {
            Ok(minor) => Self::from_minor(minor, currency),
            Err(_) => Err(ParseAmountError::TooLarge { given }),
        }
    }

    /// An amount of `minor` units of `currency`.
    pub fn from_minor(minor: u64, currency: &'static Currency) -> Result<Self, ParseAmountError> {
        let given = minor.to_string();
        match minor {
            0 => Err(ParseAmountError::NotPositive { given, example: example(currency) }),
            1..=Self::MAX_MINOR => Ok(Self { minor, currency }),
            _ => Err(ParseAmountError::TooLarge { given }),
        }
    }

    pub fn minor(self) -> u64 {
        self.minor
    }

    pub fn currency(self) -> &'static Currency {
        self.currency
    }

    /// What is left of this amount after `taken` minor units; none when nothing is.
    pub fn less(self, taken: u64) -> Option<Self> {
        let minor = self.minor.checked_sub(taken)?;
        Self::from_minor(minor, self.currency).ok()
    }
}

/// "1050 for HKD 10.50".
fn example(currency: &'static Currency) -> String {
    format!("1050 for {}", written(1050, currency))
}

/// An amount as people write it: `HKD 1,234.50`, `JPY 1,234`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&written(self.minor, self.currency))
    }
}

/// `minor` units of `currency` as people write them; zero is allowed.
pub fn written(minor: u64, currency: &Currency) -> String {
    let per_major = currency.minor_per_major();
    let major = minor.checked_div(per_major).unwrap_or(minor);
    let rest = minor.checked_rem(per_major).unwrap_or(0);
    let major = grouped(major);
    match currency.exponent {
        0 => format!("{} {major}", currency.code),
        _ => format!("{} {major}.{rest:02}", currency.code),
    }
}

/// Digits in groups of three.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|it| std::str::from_utf8(it).ok()).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::spec::CURRENCIES;

    fn hkd() -> &'static Currency {
        Currency::find("HKD").unwrap()
    }

    #[test]
    fn an_amount_reads_as_people_write_it() {
        let say = |minor: u64, code: &str| {
            Amount::from_minor(minor, Currency::find(code).unwrap()).unwrap().to_string()
        };
        assert_eq!(say(1050, "HKD"), "HKD 10.50");
        assert_eq!(say(5, "HKD"), "HKD 0.05");
        assert_eq!(say(123_456_789, "USD"), "USD 1,234,567.89");
        assert_eq!(say(1_050, "JPY"), "JPY 1,050");
    }

    #[test]
    fn what_is_no_amount_is_refused_with_a_right_one() {
        let say = |text: &str| Amount::parse(text, hkd()).unwrap_err().to_string();
        insta::assert_snapshot!(say("10.50"), @"`10.50` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50");
        insta::assert_snapshot!(say(""), @"`` is not a whole number of minor units; send digits only, for example 1050 for HKD 10.50");
        insta::assert_snapshot!(say("0"), @"`0` is not more than zero; send at least 1, for example 1050 for HKD 10.50");
        insta::assert_snapshot!(say("-5"), @"`-5` is not more than zero; send at least 1, for example 1050 for HKD 10.50");
        insta::assert_snapshot!(say("100000000000"), @"`100000000000` is over 99999999999, the most QFPay's field holds");
        insta::assert_snapshot!(say("99999999999999999999999"), @"`99999999999999999999999` is over 99999999999, the most QFPay's field holds");
    }

    proptest! {
        #[test]
        fn every_amount_survives_its_own_digits(minor in 1..=Amount::MAX_MINOR, at in 0..CURRENCIES.len()) {
            let currency = &CURRENCIES[at];
            let amount = Amount::from_minor(minor, currency).unwrap();
            prop_assert_eq!(Amount::parse(&minor.to_string(), currency), Ok(amount));
        }

        #[test]
        fn no_text_makes_the_parser_panic(text in ".{0,40}") {
            let _ = Amount::parse(&text, hkd());
        }
    }
}
