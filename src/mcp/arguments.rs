//! Reading what agents send: loosely in form, strictly in meaning, all problems in one reply.
//!
//! Clients send digits as text, whole floats for integers, null or an empty text for "not given",
//! and extra arguments of their own; none of that is the agent's mistake.
use std::fmt;

use rmcp::model::JsonObject;
use serde_json::Value;

use crate::client::response::cleaned;

/// Arguments that clients add to every tool on their own account.
const CLIENT_NOISE: &[&str] = &["wait_for_previous"];
/// Most unknown arguments that are named.
const MAX_UNKNOWN: usize = 20;
/// Most characters of a wrong value that are told back.
const MAX_ECHO: usize = 60;

/// One argument that is wrong, and how to put it right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) argument: String,
    pub(super) text: String,
}

/// The arguments of one call, and what is wrong with them so far.
#[derive(Debug)]
pub(super) struct Reader {
    given: JsonObject,
    problems: Vec<Problem>,
}

impl Reader {
    /// Takes the arguments of a call; those that `schema` does not know are problems.
    pub(super) fn new(mut given: JsonObject, schema: &JsonObject) -> Self {
        let known: Vec<&str> = schema
            .get("properties")
            .and_then(Value::as_object)
            .map(|it| it.keys().map(String::as_str).collect())
            .unwrap_or_default();
        given.retain(|name, value| {
            let blank = value.is_null() || value.as_str().is_some_and(|it| it.trim().is_empty());
            !blank && !CLIENT_NOISE.contains(&name.as_str())
        });
        let mut reader = Self { given, problems: Vec::new() };
        let unknown = reader.given.keys().filter(|it| !known.contains(&it.as_str()));
        let unknown: Vec<String> = unknown.take(MAX_UNKNOWN).cloned().collect();
        for name in unknown {
            let text = format!("there is no such argument; this tool takes {}", known.join(", "));
            reader.problem(&echo(&name), text);
        }
        reader
    }

    pub(super) fn problem(&mut self, argument: &str, text: impl fmt::Display) {
        self.problems.push(Problem { argument: argument.to_owned(), text: text.to_string() });
    }

    /// A text; numbers are taken as their digits, objects and lists as their JSON.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        Some(match self.given.get(name)? {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => {
                whole(&number.to_string()).unwrap_or_else(|| number.to_string())
            }
            other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                other.to_string()
            }
        })
    }

    /// A whole number as its digits: `10`, `"10"` and `10.0` are the same; what is no whole number
    /// is returned as it came, for its parser to refuse with its own words.
    pub(super) fn digits(&mut self, name: &str) -> Option<String> {
        let text = self.text(name)?;
        Some(whole(&text).unwrap_or_else(|| echo(&text)))
    }

    /// An argument that must be there; `wanted` says what to send.
    pub(super) fn required(
        &mut self,
        name: &str,
        value: Option<String>,
        wanted: &str,
    ) -> Option<String> {
        if value.is_none() {
            self.problem(name, format!("it is missing; send {wanted}"));
        }
        value
    }

    /// Parses a value; on failure notes the problem, so that the reading goes on.
    pub(super) fn parse<T, E: fmt::Display>(
        &mut self,
        name: &str,
        text: Option<String>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        parse(&text?).map_err(|error| self.problem(name, error)).ok()
    }

    /// A whole number in a range.
    pub(super) fn number(&mut self, name: &str, min: u32, max: u32) -> Option<u32> {
        let text = self.digits(name);
        self.parse(name, text, |text| {
            let number = text.parse().ok().filter(|it| (min..=max).contains(it));
            number.ok_or_else(|| format!("`{text}` is not a whole number from {min} to {max}"))
        })
    }

    pub(super) fn problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(super) fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }
}

/// The digits of a whole number that came as a float (`1000.0`, `1e3`); none when it is not whole.
fn whole(text: &str) -> Option<String> {
    let (sign, rest) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    if let Some((digits, zeros)) = rest.split_once('.') {
        let is = |it: &str, test: fn(&u8) -> bool| !it.is_empty() && it.as_bytes().iter().all(test);
        let fits = is(digits, u8::is_ascii_digit) && is(zeros, |b| *b == b'0');
        return fits.then(|| format!("{sign}{digits}"));
    }
    if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()) {
        return Some(text.to_owned());
    }
    let (digits, exponent) = rest.split_once(['e', 'E'])?;
    let zeros: usize = exponent.trim_start_matches('+').parse().ok().filter(|it| *it <= 20)?;
    let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| format!("{sign}{digits}{}", "0".repeat(zeros)))
}

/// A wrong value, as far as it is told back.
pub(super) fn echo(text: &str) -> String {
    let clean = cleaned(text);
    if clean.chars().count() <= MAX_ECHO {
        return clean;
    }
    let mut short: String = clean.chars().take(MAX_ECHO).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn reader(arguments: &Value) -> Reader {
        let schema = json!({"properties": {"amount": {}, "page": {}, "name": {}}});
        let schema = schema.as_object().unwrap();
        Reader::new(arguments.as_object().unwrap().clone(), schema)
    }

    #[test]
    fn a_whole_number_may_come_in_any_form() {
        for it in [json!(1000), json!("1000"), json!(1000.0), json!("1000.0"), json!(" 1000 ")] {
            assert_eq!(reader(&json!({"amount": it})).digits("amount").unwrap(), "1000", "{it}");
        }
        assert_eq!(whole("1e3").as_deref(), Some("1000"));
        assert_eq!(whole("-5.0").as_deref(), Some("-5"));
        for bad in ["10.5", "1.5e1", "e3", ".0", "1.", "", "abc", "1e99"] {
            assert_eq!(whole(bad), None, "{bad}");
        }
        assert_eq!(reader(&json!({"amount": 10.5})).digits("amount").unwrap(), "10.5");
    }

    #[test]
    fn null_and_empty_texts_are_not_given_and_client_noise_is_ignored() {
        let given = json!({"amount": null, "name": "", "page": " ", "wait_for_previous": true});
        let mut reader = reader(&given);
        assert_eq!((reader.text("amount"), reader.text("name")), (None, None));
        assert!(reader.is_clean());
    }

    #[test]
    fn an_unknown_argument_is_named_with_the_known_ones() {
        let problems = reader(&json!({"amout": 1, "confirm": true})).problems();
        let said: Vec<String> =
            problems.iter().map(|it| format!("{}: {}", it.argument, it.text)).collect();
        insta::assert_snapshot!(said.join("\n"), @r"
        amout: there is no such argument; this tool takes amount, page, name
        confirm: there is no such argument; this tool takes amount, page, name
        ");
    }
}
