//! What a person is asked before money moves: the terms, and nothing that a model wrote unquoted.
use std::time::Duration;

use super::OrderNumber;

/// No person reads a question and answers it in less: what says yes faster is a machine.
pub const FASTEST: Duration = Duration::from_secs(1);

/// The terms a person says yes or no to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// Of the payment or refund.
    pub number: OrderNumber,
    /// What is shown, in order: a name and a value each. Texts from outside stand in quotes.
    pub lines: Vec<(String, String)>,
    /// The same only for the same terms, those that are not shown included.
    pub digest: String,
}

impl Question {
    /// What it is about, in a list: `take a payment, HKD 10.50`.
    pub fn brief(&self) -> String {
        let values = self.lines.iter().take(2).map(|(_, value)| value.as_str());
        values.collect::<Vec<_>>().join(", ")
    }

    /// One line of text for each term.
    pub fn text(&self) -> String {
        let lines = self.lines.iter().map(|(name, value)| format!("{name}: {value}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}
