//! The 13 currencies QFPay lists.
//!
//! Source: <https://sdk.qfapi.com/integration/api-reference/currencies>; minor units by ISO 4217.
//! QFPay's pages say "cents" throughout; the Japan edition of 2018 sends 10000 for JPY 10,000, so
//! JPY has no minor unit. IDR and MMK have two decimals by ISO and no coins in use: the documents
//! are silent, so amounts in them carry a warning.

/// A currency a payment can be made in.
#[derive(Debug, PartialEq, Eq)]
pub struct Currency {
    /// ISO 4217 code, upper case.
    pub code: &'static str,
    /// English name.
    pub name: &'static str,
    /// Digits after the decimal point: 2, or 0 for JPY.
    pub exponent: u32,
    /// What a person should check with QFPay before relying on the unit; empty where it is clear.
    pub caution: &'static str,
}

const UNCLEAR: &str = "QFPay does not document whether amounts are in cents; confirm it with QFPay";

#[rustfmt::skip]
pub static CURRENCIES: &[Currency] = &[
    row("AED", "United Arab Emirates dirham", 2, ""),
    row("AUD", "Australian dollar",           2, ""),
    row("CAD", "Canadian dollar",             2, ""),
    row("CNY", "Chinese yuan",                2, ""),
    row("EUR", "Euro",                        2, ""),
    row("HKD", "Hong Kong dollar",            2, ""),
    row("IDR", "Indonesian rupiah",           2, UNCLEAR),
    row("JPY", "Japanese yen",                0, ""),
    row("MMK", "Myanmar kyat",                2, UNCLEAR),
    row("MYR", "Malaysian ringgit",           2, ""),
    row("SGD", "Singapore dollar",            2, ""),
    row("THB", "Thai baht",                   2, ""),
    row("USD", "US dollar",                   2, ""),
];

const fn row(
    code: &'static str,
    name: &'static str,
    exponent: u32,
    caution: &'static str,
) -> Currency {
    Currency { code, name, exponent, caution }
}

impl Currency {
    /// The currency with this ISO code, upper case only.
    pub fn find(code: &str) -> Option<&'static Self> {
        CURRENCIES.iter().find(|it| it.code == code)
    }

    /// How many minor units make one major unit: 100, or 1 for JPY.
    pub const fn minor_per_major(&self) -> u64 {
        10_u64.pow(self.exponent)
    }
}

/// All codes, for messages and schemas.
pub fn codes() -> Vec<&'static str> {
    CURRENCIES.iter().map(|it| it.code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_13_currencies_sorted_by_their_iso_codes() {
        assert_eq!(CURRENCIES.len(), 13);
        assert!(CURRENCIES.is_sorted_by(|a, b| a.code < b.code));
        for it in CURRENCIES {
            assert!(it.code.len() == 3 && it.code.bytes().all(|b| b.is_ascii_uppercase()));
            assert!(!it.name.is_empty());
            assert!(it.exponent == 2 || (it.code == "JPY" && it.exponent == 0), "{}", it.code);
        }
    }
}
