//! QFPay's notifications: believed by their signature alone, and read like a query's record.
//!
//! Source: contract §5 (<https://sdk.qfapi.com/integration/common-api/async-notifications>). The
//! signature is that of the raw body, so it is checked before anything is parsed; what was parsed
//! and written anew has another. Only what succeeded is told, and not for ever: an order of which
//! nothing is heard is asked about.
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::{
    Kind, Trade,
    response::{cleaned, text},
    sign::{self, SignType},
};
use crate::domain::OrderNumber;

/// The largest notification that is read.
pub const MAX_BODY: usize = 64 * 1024;

/// Something that QFPay tells of its own accord.
#[derive(Debug, Clone, PartialEq)]
pub struct Notification {
    /// What it is about, in QFPay's word: `payment`, `refund`, `unfreeze`, `cancel`, `close` …
    pub about: String,
    /// What it says of the trade; of a refund's, `syssn` and the number are the refund's own. Its
    /// kind is [`Kind::Other`] where `about` is neither a payment nor a refund, or nothing.
    pub trade: Trade,
    /// The number of the payment, on a refund.
    pub original_order: Option<OrderNumber>,
    /// The merchant, where it comes to an agent.
    pub mchid: Option<String>,
}

/// Why a notification is not believed. Nothing of what came is repeated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotificationError {
    #[error("a notification of {bytes} bytes came; at most {MAX_BODY} are read")]
    TooLarge { bytes: usize },
    #[error(
        "a notification came without a signature; `X-QF-SIGN` must be the MD5 of its raw body and the client key, in hex"
    )]
    Unsigned,
    #[error(
        "a notification's signature is wrong; `X-QF-SIGN` must be the MD5 of its raw body, byte for byte, and the client key of this environment, in hex"
    )]
    WrongSignature,
    #[error("a notification with a right signature is no valid JSON; a JSON object is wanted")]
    NotJson,
    #[error("a notification with a right signature is JSON, but no object; one is wanted")]
    NotObject,
}

impl Notification {
    /// Reads a notification that `key` vouches for; `signature` is its header `X-QF-SIGN`.
    pub fn verify(
        body: &[u8],
        signature: Option<&str>,
        key: &SecretString,
    ) -> Result<Self, NotificationError> {
        if MAX_BODY < body.len() {
            return Err(NotificationError::TooLarge { bytes: body.len() });
        }
        let given = signature.filter(|it| !it.trim().is_empty());
        let given = given.ok_or(NotificationError::Unsigned)?;
        if !sign::same(&sign::sign_body(body, SignType::Md5, key), given) {
            return Err(NotificationError::WrongSignature);
        }
        match serde_json::from_slice(body) {
            Ok(Value::Object(fields)) => Ok(Self::read(fields)),
            Ok(_) => Err(NotificationError::NotObject),
            Err(_) => Err(NotificationError::NotJson),
        }
    }

    /// Some are written like a query's record, with `order_type` in place of `notify_type`.
    fn read(fields: Map<String, Value>) -> Self {
        let text_of = |name: &str| fields.get(name).and_then(text).map(|it| cleaned(&it));
        let about = text_of("notify_type").or_else(|| text_of("order_type")).unwrap_or_default();
        let original_order = text_of("orig_out_trade_no").and_then(|it| it.parse().ok());
        let mchid = text_of("mchid");
        let mut trade = Trade::read(fields);
        // A record that does not say what it is about is a payment's; a notification might be
        // anything, a stored card for one.
        if about.is_empty() {
            trade.kind = Kind::Other;
        }
        Self { about, trade, original_order, mchid }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{PaymentEvent, RefundEvent};

    const PAID: &str = r#"{"status": "1", "notify_type": "payment", "pay_type": "800201", "syssn": "20261123000300020000000001", "out_trade_no": "A1", "txamt": "1050", "txcurrcd": "HKD", "txdtm": "2026-11-23 14:30:05", "sysdtm": "2026-11-23 14:30:06", "paydtm": "2026-11-23 14:31:00", "cancel": "0", "respcd": "0000", "mchid": "m1", "customer_source": "new"}"#;

    fn key() -> SecretString {
        SecretString::from("test-key")
    }

    fn signature(body: &[u8]) -> String {
        sign::sign_body(body, SignType::Md5, &key())
    }

    fn verify(body: &str, signature: Option<&str>) -> Result<Notification, NotificationError> {
        Notification::verify(body.as_bytes(), signature, &key())
    }

    /// One that is signed as it should be.
    fn signed(body: &str) -> Result<Notification, NotificationError> {
        verify(body, Some(&signature(body.as_bytes())))
    }

    fn refusal(refused: Result<Notification, NotificationError>) -> String {
        refused.unwrap_err().to_string()
    }

    #[test]
    fn a_payment_is_told_with_its_number_and_amount() {
        let Notification { about, trade, original_order, mchid } = signed(PAID).unwrap();
        assert_eq!((about.as_str(), trade.kind, trade.cancel), ("payment", Kind::Payment, Some(0)));
        assert_eq!(trade.syssn.as_ref().unwrap().as_str(), "20261123000300020000000001");
        assert_eq!(trade.order.as_ref().unwrap().as_str(), "A1");
        assert_eq!((trade.amount_minor, trade.currency.unwrap().code), (Some(1050), "HKD"));
        assert_eq!((trade.respcd.as_str(), mchid.as_deref()), ("0000", Some("m1")));
        assert_eq!((trade.original.as_ref(), original_order), (None, None));
        assert_eq!(trade.payment_event(), PaymentEvent::Paid);
    }

    #[test]
    fn a_refund_is_told_with_its_own_number_and_the_payments() {
        let body = r#"{"notify_type":"refund","syssn":"2027","out_trade_no":"R1","txamt":500,"respcd":"0000","orig_syssn":"2026","orig_out_trade_no":"A1"}"#;
        let Notification { trade, original_order, .. } = signed(body).unwrap();
        assert_eq!((trade.kind, trade.refund_event()), (Kind::Refund, RefundEvent::Refunded));
        assert_eq!(trade.order.unwrap().as_str(), "R1");
        assert_eq!(trade.original.unwrap().as_str(), "2026");
        assert_eq!(original_order.unwrap().as_str(), "A1");
    }

    #[test]
    fn what_it_is_about_is_never_guessed() {
        let rows = [
            (r#"{"notify_type":"payment"}"#, "payment", Kind::Payment),
            (r#"{"order_type":"payment","errmsg":"","userid":"1"}"#, "payment", Kind::Payment),
            (r#"{"order_type":"refund","origssn":"2026"}"#, "refund", Kind::Refund),
            (r#"{"notify_type":"cancel","order_type":"payment"}"#, "cancel", Kind::Other),
            (r#"{"notify_type":"close"}"#, "close", Kind::Other),
            (r#"{"notify_type":"unfreeze"}"#, "unfreeze", Kind::Other),
            (r#"{"notify_type":"payment_token","event":"NEW"}"#, "payment_token", Kind::Other),
            (r#"{"status":"1","orig_syssn":"2026"}"#, "", Kind::Other),
            (r#"{"notify_type":7}"#, "7", Kind::Other),
        ];
        for (body, about, kind) in rows {
            let told = signed(body).unwrap();
            assert_eq!((told.about.as_str(), told.trade.kind), (about, kind), "{body}");
        }
    }

    #[test]
    fn the_sample_of_qfpays_page_is_believed_whatever_the_case_of_its_signature() {
        let body = r#"{"status":"1","notify_type":"payment"}"#;
        let key = SecretString::from("3ABB1BFFE2E0497BB9270978B0BXXXXX");
        let signature = "27BD5B9D58C0C649EBEE813C9289439B";
        assert!(include_str!("../../tests/data/qfpay-vectors.json").contains(signature));
        for signature in [signature.to_owned(), signature.to_lowercase(), format!(" {signature} ")]
        {
            Notification::verify(body.as_bytes(), Some(&signature), &key).unwrap();
        }
    }

    #[test]
    fn what_the_key_does_not_vouch_for_is_refused() {
        let right = signature(PAID.as_bytes());
        for missing in [None, Some(""), Some("  ")] {
            assert_eq!(verify(PAID, missing), Err(NotificationError::Unsigned));
        }
        let sha256 = sign::sign_body(PAID.as_bytes(), SignType::Sha256, &key());
        let other = SecretString::from("other-key");
        let other = sign::sign_body(PAID.as_bytes(), SignType::Md5, &other);
        for wrong in [&sha256, &other, "x", "\u{e9}", right.get(..31).unwrap()] {
            assert_eq!(
                verify(PAID, Some(wrong)),
                Err(NotificationError::WrongSignature),
                "{wrong}"
            );
        }
        // The same document, but not the same bytes.
        let parsed: Value = serde_json::from_str(PAID).unwrap();
        let altered = PAID.replace("1050", "1051");
        for body in [altered, parsed.to_string(), format!("{PAID}\n"), format!(" {PAID}")] {
            assert_eq!(verify(&body, Some(&right)), Err(NotificationError::WrongSignature));
        }
    }

    #[test]
    fn a_refusal_says_what_came_and_what_is_wanted_and_repeats_nothing() {
        let largest = format!("{{{}}}", " ".repeat(MAX_BODY - 2));
        assert!(signed(&largest).is_ok());
        insta::assert_snapshot!(refusal(signed(&format!("{largest} "))), @"a notification of 65537 bytes came; at most 65536 are read");
        insta::assert_snapshot!(refusal(verify(PAID, None)), @"a notification came without a signature; `X-QF-SIGN` must be the MD5 of its raw body and the client key, in hex");
        insta::assert_snapshot!(refusal(verify(PAID, Some("0123"))), @"a notification's signature is wrong; `X-QF-SIGN` must be the MD5 of its raw body, byte for byte, and the client key of this environment, in hex");
        insta::assert_snapshot!(refusal(signed("A1 is paid")), @"a notification with a right signature is no valid JSON; a JSON object is wanted");
        insta::assert_snapshot!(refusal(signed("[]")), @"a notification with a right signature is JSON, but no object; one is wanted");
        assert_eq!(verify("A1 is paid", Some("0123")), Err(NotificationError::WrongSignature));
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_signature_make_it_panic(
            body in prop::collection::vec(any::<u8>(), 0..200),
            given in any::<Option<String>>(),
        ) {
            prop_assert!(Notification::verify(&body, given.as_deref(), &key()).is_err());
            let _ = Notification::verify(&body, Some(&signature(&body)), &key());
        }

        #[test]
        fn no_value_of_a_field_makes_it_panic(
            name in "notify_type|order_type|syssn|out_trade_no|orig_out_trade_no|txamt|txcurrcd|cancel|sysdtm|mchid",
            text in any::<String>(),
            number in any::<f64>(),
        ) {
            for value in [Value::from(text.clone()), Value::from(number), Value::from(vec![text])] {
                let body = serde_json::json!({"notify_type": "payment", &name: value}).to_string();
                prop_assert!(signed(&body).is_ok());
            }
        }
    }
}
