//! A record as QFPay gave it, as far as it may be told.
use serde_json::{Map, Value};

use super::{Trade, cleaned};

/// Parts of the names of fields that lead to a person, their card or a key: accounts and ids of
/// payers, payment codes, tokens, signatures.
const HIDDEN: &[&str] = &[
    "openid",
    "userid",
    "user_id",
    "auth_code",
    "cardcd",
    "cardno",
    "card_no",
    "outcard",
    "buyer",
    "payer",
    "customer",
    "phone",
    "mobile",
    "email",
    "address",
    "clientip",
    "token",
    "sign",
    "secret",
    "key",
];
/// What stands for a value that is not told.
const MASK: &str = "(hidden)";
/// Most fields of an object, and most items of a list.
const MOST: usize = 48;
/// How deep a record may be nested.
const DEEPEST: u8 = 3;

impl Trade {
    /// The fields under QFPay's names, in its order: texts cleaned and bounded, values that lead to
    /// a person masked.
    pub fn told(&self) -> Map<String, Value> {
        object(&self.fields, DEEPEST)
    }
}

fn object(fields: &Map<String, Value>, deeper: u8) -> Map<String, Value> {
    let hides = |name: &str| {
        let name = name.to_ascii_lowercase();
        HIDDEN.iter().any(|it| name.contains(it))
    };
    let field = |(name, value): (&String, &Value)| {
        let blank = value.is_null() || value.as_str().is_some_and(str::is_empty);
        let told = if hides(name) && !blank { MASK.into() } else { plain(value, deeper) };
        (cleaned(name), told)
    };
    fields.iter().take(MOST).map(field).collect()
}

fn plain(value: &Value, deeper: u8) -> Value {
    match value {
        Value::String(text) => cleaned(text).into(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::Array(_) | Value::Object(_) if deeper == 0 => "…".into(),
        Value::Array(items) => items.iter().take(MOST).map(|it| plain(it, deeper - 1)).collect(),
        Value::Object(fields) => object(fields, deeper - 1).into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nobodys_account_is_told_and_all_else_is_as_it_came() {
        let record = json!({
            "syssn": "20261123000100020000000001", "txamt": "1050", "cancel": 0, "paydtm": null,
            "cardcd": "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "userid": "2565075", "openid": "",
            "errmsg": "paid\u{1b}[2J\u{202e}", "goods_detail": [{"name": "tea", "buyer_id": "2088"}],
        });
        assert_eq!(
            Value::from(object(record.as_object().unwrap(), DEEPEST)),
            json!({
                "syssn": "20261123000100020000000001", "txamt": "1050", "cancel": 0, "paydtm": null,
                "cardcd": "(hidden)", "userid": "(hidden)", "openid": "",
                "errmsg": "paid[2J", "goods_detail": [{"name": "tea", "buyer_id": "(hidden)"}],
            })
        );
    }

    #[test]
    fn a_record_is_bounded_in_every_direction() {
        let deep = (0..50).fold(json!("x".repeat(9999)), |it, _| json!([it]));
        let wide: Map<String, Value> =
            (0..999).map(|it| (it.to_string(), json!("x".repeat(999)))).collect();
        let mut fields = wide;
        fields.insert("0".to_owned(), deep);
        let told = Value::from(object(&fields, DEEPEST)).to_string();
        assert!(told.len() < 20_000, "{} bytes", told.len());
    }
}
