//! The parameters of one request: no blanks, one order.
use std::collections::BTreeMap;

/// Parameters to send, in ascending order of name. A blank value is neither sent nor signed:
/// QFPay signs what it receives, and its newest pages ask to leave blanks out (contract §2.1).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Params(BTreeMap<String, String>);

impl Params {
    /// Adds a parameter, unless its value is blank. The last value of a name wins.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        let value = value.into();
        if !value.is_empty() {
            self.0.insert(name.to_owned(), value);
        }
    }

    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Name and value, in the order they are signed in.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The values as they are sent, for a form encoder.
    pub fn as_map(&self) -> &BTreeMap<String, String> {
        &self.0
    }
}
