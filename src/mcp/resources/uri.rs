//! Which resource an address means.
use percent_encoding::percent_decode_str;
use rmcp::ErrorData;

use super::{FIXED, Fixed, TEMPLATES, not_found};
use crate::{
    domain::OrderNumber,
    spec::{PayType, RespCode},
};

/// Longer than any address here can be.
const MAX_URI: usize = 512;

/// What an address means.
pub(super) enum Wanted {
    Fixed(&'static Fixed),
    RespCode(&'static RespCode),
    PayType(&'static PayType),
    Order(OrderNumber),
}

/// What a template's variable means, or what it should be.
pub(super) type Find = fn(&str) -> Result<Wanted, String>;

impl Wanted {
    pub(super) fn resp_code(code: &str) -> Result<Self, String> {
        RespCode::find(code).map(Self::RespCode).ok_or_else(|| {
            "no QFPay document has this code; qfpay://response-codes lists all. A result with it is \
             unknown: call query_transaction"
                .to_owned()
        })
    }

    pub(super) fn pay_type(code: &str) -> Result<Self, String> {
        let found = PayType::find(code).map(Self::PayType);
        found.ok_or_else(|| "qfpay://pay-types lists the codes".to_owned())
    }

    pub(super) fn order(number: &str) -> Result<Self, String> {
        number.parse().map(Self::Order).map_err(|error| format!("out_trade_no: {error}"))
    }
}

/// Reads an address strictly: letter by letter as it is listed, its variable percent-encoded or not.
pub(super) fn parse(uri: &str) -> Result<Wanted, ErrorData> {
    if let Some(row) = FIXED.iter().find(|it| it.uri == uri) {
        return Ok(Wanted::Fixed(row));
    }
    for template in TEMPLATES {
        if let Some(value) = variable(uri, template.uri) {
            return (template.find)(&value).map_err(|wanted| not_found(uri, &wanted));
        }
    }
    let there = FIXED.iter().map(|it| it.uri).chain(TEMPLATES.iter().map(|it| it.uri));
    let there = there.collect::<Vec<_>>().join(", ");
    Err(not_found(uri, &format!("use one of {there}")))
}

/// The order that an address means, if it means one.
pub(in crate::mcp) fn order_in(uri: &str) -> Result<OrderNumber, ErrorData> {
    match parse(uri)? {
        Wanted::Order(number) => Ok(number),
        Wanted::Fixed(_) | Wanted::RespCode(_) | Wanted::PayType(_) => {
            let text = "only orders change, so only they can be subscribed: \
                        qfpay://orders/{out_trade_no}";
            Err(ErrorData::invalid_params(text, None))
        }
    }
}

/// What stands in the place of a template's variable, in plain characters; none where that is
/// nothing.
fn variable(uri: &str, template: &str) -> Option<String> {
    let (start, _) = template.split_once('{')?;
    let rest = uri.strip_prefix(start).filter(|_| uri.len() <= MAX_URI)?;
    let plain = percent_decode_str(rest).decode_utf8().ok()?;
    Some(plain.into_owned()).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_letter_by_letter() {
        for row in FIXED.iter() {
            assert!(matches!(parse(row.uri), Ok(Wanted::Fixed(it)) if it.uri == row.uri));
        }
        for (uri, number) in [("qfpay://orders/A-1", "A-1"), ("qfpay://orders/a%7Cb%2a", "a|b*")] {
            assert_eq!(order_in(uri).unwrap().as_str(), number);
        }
        for bad in [
            "",
            "qfpay://",
            "qfpay://orders",
            "qfpay://orders/",
            "qfpay://orders/a/b",
            "qfpay://orders/a%ff",
            "qfpay://orders/A1?x=1",
            "QFPAY://orders/A1",
            "qfpay://orders/../pay-types",
            "qfpay://pay-types/",
            "qfpay://pay-types/800201/",
            "file:///etc/passwd",
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
        let long = format!("qfpay://orders/{}", "%41".repeat(200));
        assert!(parse(&long).is_err());
    }

    #[test]
    fn what_is_not_there_is_told_with_what_is() {
        let told = |uri: &str| parse(uri).err().unwrap().message;
        insta::assert_snapshot!(told("qfpay://pay-types/1"), @"there is no resource qfpay://pay-types/1: qfpay://pay-types lists the codes");
        insta::assert_snapshot!(told("qfpay://orders/a,b"), @"there is no resource qfpay://orders/a,b: out_trade_no: it contains `,`; use only ASCII letters, digits and `_` `|` `*` `-`, for example `order_1001`");
        insta::assert_snapshot!(told("qfpay://payments"), @"there is no resource qfpay://payments: use one of qfpay://pay-types, qfpay://currencies, qfpay://response-codes, qfpay://environments, skill://qfpay-payments/SKILL.md, ui://qfpay/payment.html, qfpay://response-codes/{respcd}, qfpay://pay-types/{code}, qfpay://orders/{out_trade_no}");
    }
}
