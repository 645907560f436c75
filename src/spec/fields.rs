//! The length and character rules of every field we send.
//!
//! Source: contract §1.1–1.4 (<https://sdk.qfapi.com/integration/api-reference/request-format>).
//! Where QFPay's pages disagree, the row says which reading we took.

/// A field of a request that we can send, by its name on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Field {
    OutTradeNo,
    Syssn,
    GoodsName,
    AuthCode,
    ExpiredTime,
    NotifyUrl,
    ReturnUrl,
    FailedUrl,
    PayTag,
    LimitPay,
    RmbTag,
    ExtendInfo,
    SubOpenid,
    Openid,
    SellerId,
    GoodsInfo,
    Udid,
}

/// Which characters a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Chars {
    /// ASCII letters, digits and these.
    Word(&'static str),
    /// Any text but control characters.
    Text,
    /// An `http` or `https` address, ASCII.
    Url,
    /// A JSON object, sent and signed as this very text.
    Json,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number in this range.
    Number(u32, u32),
}

/// The rule of one field.
#[derive(Debug, PartialEq, Eq)]
pub struct FieldRule {
    pub field: Field,
    /// Its name on the wire, and as an argument.
    pub name: &'static str,
    /// Most characters.
    pub max: usize,
    pub chars: Chars,
    /// A right value, shown in refusals.
    pub example: &'static str,
    /// What it is, in a few words.
    pub meaning: &'static str,
}

#[rustfmt::skip]
pub static FIELDS: &[FieldRule] = &[
    // The 2018 reference allows letters, digits and `_ | *`; the current pages state no rule and
    // integrators send hyphens, so a hyphen is allowed too. A comma would read as a list in a query.
    rule(Field::OutTradeNo,   "out_trade_no",  128, Chars::Word("_|*-"), "order_1001", "your own order number"),
    rule(Field::Syssn,        "syssn",         128, Chars::Word(""),     "20261123000200020000000001", "QFPay's transaction number"),
    // 64 in the tables, "at most 20 characters" in the text of the same pages; we take the stricter.
    rule(Field::GoodsName,    "goods_name",     20, Chars::Text,         "Coffee beans", "what is sold"),
    rule(Field::AuthCode,     "auth_code",     128, Chars::Word("-_:/.+="), "284957201938475610", "the payer's payment code"),
    rule(Field::ExpiredTime,  "expired_time",    3, Chars::Number(5, 120), "30", "minutes until the order expires"),
    rule(Field::NotifyUrl,    "notify_url",    256, Chars::Url,          "https://shop.example/qfpay", "where QFPay reports the result"),
    rule(Field::ReturnUrl,    "return_url",    512, Chars::Url,          "https://shop.example/thanks", "where the payer's browser goes after paying"),
    rule(Field::FailedUrl,    "failed_url",    256, Chars::Url,          "https://shop.example/sorry", "where the payer's browser goes when paying failed"),
    rule(Field::PayTag,       "pay_tag",        16, Chars::OneOf(&["ALIPAYHK", "ALIPAYCN"]), "ALIPAYHK", "which Alipay wallet pays"),
    rule(Field::LimitPay,     "limit_pay",       9, Chars::OneOf(&["no_credit"]), "no_credit", "no credit cards; mainland wallets only"),
    rule(Field::RmbTag,       "rmb_tag",         1, Chars::OneOf(&["Y"]), "Y", "WeChat Pay in CNY"),
    rule(Field::ExtendInfo,   "extend_info",  2048, Chars::Json,         r#"{"scene_info":{"h5_info":{"type":"Wap","wap_url":"https://shop.example","wap_name":"Shop"}},"spbill_create_ip":"203.0.113.7"}"#, "details some types need"),
    rule(Field::SubOpenid,    "sub_openid",    128, Chars::Word("-_"),   "oUpF8uMuAJO_M2pxb1Q9zNjWeS6o", "the payer's WeChat openid"),
    rule(Field::Openid,       "openid",         64, Chars::Word("-_"),   "2088802362210279", "the payer's Alipay user id"),
    rule(Field::SellerId,     "seller_id",      64, Chars::Word("-_@."), "2088001159940003", "the seller's Alipay id"),
    rule(Field::GoodsInfo,    "goods_info",    128, Chars::Text,         "2 x coffee beans", "a longer description of what is sold"),
    rule(Field::Udid,         "udid",           40, Chars::Word("-_.:"), "till-3", "the device that takes the payment"),
];

/// Minutes until an order expires when `expired_time` is not given.
pub const DEFAULT_EXPIRY_MINUTES: i64 = 30;

const fn rule(
    field: Field,
    name: &'static str,
    max: usize,
    chars: Chars,
    example: &'static str,
    meaning: &'static str,
) -> FieldRule {
    FieldRule { field, name, max, chars, example, meaning }
}

/// What is wrong with a text for a field, and what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("it is empty; send {meaning}, for example `{example}`", meaning = .0.meaning, example = .0.example)]
    Empty(&'static FieldRule),
    #[error("it has {len} characters; at most {max} are allowed, for example `{example}`", max = .rule.max, example = .rule.example)]
    TooLong { rule: &'static FieldRule, len: usize },
    #[error("it contains {found}; {allowed}, for example `{example}`", allowed = allowed(.rule.chars), example = .rule.example)]
    BadCharacter { rule: &'static FieldRule, found: String },
    #[error("`{given}` is not allowed; {allowed}, for example `{example}`", allowed = allowed(.rule.chars), example = .rule.example)]
    BadValue { rule: &'static FieldRule, given: String },
}

/// The allowed form in words.
fn allowed(chars: Chars) -> String {
    match chars {
        Chars::Word("") => "use ASCII letters and digits only".to_owned(),
        Chars::Word(others) => {
            let others: Vec<String> = others.chars().map(|c| format!("`{c}`")).collect();
            format!("use only ASCII letters, digits and {}", others.join(" "))
        }
        Chars::Text => "use plain text without control characters".to_owned(),
        Chars::Url => "send a full http:// or https:// address in ASCII without spaces".to_owned(),
        Chars::Json => "send one JSON object".to_owned(),
        Chars::OneOf(words) => format!("use {}", words.join(" or ")),
        Chars::Number(min, max) => format!("send a whole number from {min} to {max}"),
    }
}

impl Field {
    /// Its row in [`FIELDS`], which a test holds complete.
    pub fn rule(self) -> &'static FieldRule {
        static UNLISTED: FieldRule = rule(Field::OutTradeNo, "", 0, Chars::Text, "", "");
        FIELDS.iter().find(|it| it.field == self).unwrap_or(&UNLISTED)
    }

    pub fn name(self) -> &'static str {
        self.rule().name
    }

    /// The words it takes, where it takes only some; for schemas.
    pub fn words(self) -> &'static [&'static str] {
        match self.rule().chars {
            Chars::OneOf(words) => words,
            Chars::Word(_) | Chars::Text | Chars::Url | Chars::Json | Chars::Number(..) => &[],
        }
    }

    /// Holds `text` against the rule.
    pub fn check(self, text: &str) -> Result<(), FieldError> {
        let rule = self.rule();
        if text.is_empty() {
            return Err(FieldError::Empty(rule));
        }
        let len = text.chars().count();
        if len > rule.max {
            return Err(FieldError::TooLong { rule, len });
        }
        let refuse = |found: char| {
            let found = found.escape_debug().to_string();
            Err(FieldError::BadCharacter { rule, found: format!("`{found}`") })
        };
        let bad = match rule.chars {
            Chars::Word(others) => {
                text.chars().find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c))
            }
            Chars::Text => text.chars().find(|c| is_unsafe(*c)),
            Chars::Url => text.chars().find(|c| !c.is_ascii_graphic()),
            Chars::Json | Chars::OneOf(_) | Chars::Number(..) => {
                text.chars().find(|c| is_unsafe(*c))
            }
        };
        if let Some(bad) = bad {
            return refuse(bad);
        }
        let fits = match rule.chars {
            Chars::Word(_) | Chars::Text => true,
            Chars::Url => ["http://", "https://"]
                .iter()
                .any(|scheme| text.strip_prefix(scheme).is_some_and(has_host)),
            Chars::Json => matches!(serde_json::from_str(text), Ok(serde_json::Value::Object(_))),
            Chars::OneOf(words) => words.contains(&text),
            Chars::Number(min, max) => {
                text.parse::<u32>().is_ok_and(|number| (min..=max).contains(&number))
            }
        };
        if fits { Ok(()) } else { Err(FieldError::BadValue { rule, given: text.to_owned() }) }
    }
}

fn has_host(rest: &str) -> bool {
    rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '[')
}

/// Control characters, and the format characters that reorder text or hide in it: a person does not
/// see them, and a model reads them.
pub fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tags and more variation selectors: whole sentences are hidden in them.
            | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_takes_its_own_example_and_refuses_one_character_too_many() {
        for rule in FIELDS {
            assert!(std::ptr::eq(rule.field.rule(), rule), "{} stands twice", rule.name);
            assert_eq!(rule.field.check(rule.example), Ok(()), "{}", rule.name);
            let long = "a".repeat(rule.max + 1);
            assert!(rule.field.check(&long).is_err(), "{}", rule.name);
            assert!(rule.field.check("a\u{7}b").is_err(), "{}", rule.name);
        }
    }

    #[test]
    fn refusals_say_what_came_and_what_is_wanted() {
        let say = |field: Field, text: &str| field.check(text).unwrap_err().to_string();
        insta::assert_snapshot!(say(Field::OutTradeNo, "a,b"), @"it contains `,`; use only ASCII letters, digits and `_` `|` `*` `-`, for example `order_1001`");
        insta::assert_snapshot!(say(Field::ExpiredTime, "121"), @"`121` is not allowed; send a whole number from 5 to 120, for example `30`");
        insta::assert_snapshot!(say(Field::GoodsName, "a name of more than twenty"), @"it has 26 characters; at most 20 are allowed, for example `Coffee beans`");
        insta::assert_snapshot!(say(Field::NotifyUrl, "ftp://x"), @"`ftp://x` is not allowed; send a full http:// or https:// address in ASCII without spaces, for example `https://shop.example/qfpay`");
        insta::assert_snapshot!(say(Field::GoodsName, "a\nb"), @r"it contains `\n`; use plain text without control characters, for example `Coffee beans`");
    }
}
