//! The address of QFPay's hosted checkout page. It is signed and built here; nothing is sent.
//!
//! Source: contract §1.6. Unlike a request, the signature covers `appcode` and `sign_type`, is
//! written in lower case, and stands among the parameters; what is signed is raw, and only the
//! address is percent-encoded. The parameters stand in the fragment, which no browser sends: the
//! page's own script reads them.
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use secrecy::SecretString;

use super::{
    params::Params,
    sign::{SignType, sign},
};

/// The page; its parameters follow.
const PAGE: &str = "/checkstand/#/?";
/// All but RFC 3986's unreserved characters. A blank becomes `%20`: a script that decodes leaves a
/// `+` as it is.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address of the page for `params`, which [`request::checkout`](super::request::checkout)
/// makes, at `base_url`.
pub fn address(
    base_url: &str,
    app_code: &str,
    mut params: Params,
    sign_type: SignType,
    key: &SecretString,
) -> String {
    params.set("appcode", app_code);
    params.set("sign_type", name(sign_type));
    let signature = sign(params.iter(), sign_type, key).to_ascii_lowercase();
    params.set("sign", signature);
    let pair = |(name, value)| format!("{name}={}", utf8_percent_encode(value, RESERVED));
    let pairs: Vec<String> = params.iter().map(pair).collect();
    format!("{base_url}{PAGE}{}", pairs.join("&"))
}

/// The page's word for a digest, which is not the header's.
const fn name(sign_type: SignType) -> &'static str {
    match sign_type {
        SignType::Md5 => "MD5",
        SignType::Sha256 => "sha256",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use percent_encoding::percent_decode_str;
    use proptest::prelude::*;

    use super::*;
    use crate::{
        client::{request, sign::canonical},
        domain::{Amount, PaymentTerms, time},
        spec::{Currency, Field, PayType},
    };

    fn terms(extras: &[(Field, &str)]) -> PaymentTerms {
        let amount = Amount::from_minor(1050, Currency::find("HKD").unwrap()).unwrap();
        let extras = extras.iter().map(|(field, text)| (*field, (*text).to_owned())).collect();
        PaymentTerms { amount, pay_type: PayType::find("802801").unwrap(), extras }
    }

    fn params(extras: &[(Field, &str)]) -> Params {
        let at = "2026-11-23T06:30:05.123456789Z".parse().unwrap();
        request::checkout(&"A1".parse().unwrap(), &terms(extras), at, &time::qfpay_zone())
    }

    fn shop() -> Vec<(Field, &'static str)> {
        vec![
            (Field::GoodsName, "咖啡 & cake"),
            (Field::NotifyUrl, "https://shop.example/qfpay"),
            (Field::ReturnUrl, "https://shop.example/thanks?a=1&b=2"),
        ]
    }

    /// What the page's script makes of the address: what it decodes, by name.
    fn read(address: &str) -> BTreeMap<String, String> {
        let (_, query) = address.split_once("/checkstand/#/?").unwrap();
        let pairs = query.split('&').map(|it| it.split_once('=').unwrap());
        let decoded = pairs.map(|(name, value)| {
            let value = percent_decode_str(value).decode_utf8().unwrap();
            (name.to_owned(), value.into_owned())
        });
        decoded.collect()
    }

    #[test]
    fn a_page_has_the_payments_terms_its_end_and_one_address_for_success_and_failure() {
        insta::assert_snapshot!(canonical(params(&shop()).iter()), @"checkout_expired_time=1795417205123&failed_url=https://shop.example/thanks?a=1&b=2&goods_name=咖啡 & cake&notify_url=https://shop.example/qfpay&out_trade_no=A1&paysource=mcp_checkout&return_url=https://shop.example/thanks?a=1&b=2&txamt=1050&txcurrcd=HKD&txdtm=2026-11-23 14:30:05");
        let own = [(Field::FailedUrl, "https://shop.example/sorry"), (Field::ExpiredTime, "5")];
        let params = params(&[shop(), own.to_vec()].concat());
        assert_eq!(params.get("failed_url"), Some("https://shop.example/sorry"));
        assert_eq!(params.get("checkout_expired_time"), Some("1795415705123"));
        assert_eq!(params.get("expired_time"), None, "it is the page's, not its wallets'");
    }

    #[test]
    fn the_address_is_signed_with_the_app_code_and_the_digests_name_in_lower_case() {
        for (sign_type, name, digits) in
            [(SignType::Sha256, "sha256", 64), (SignType::Md5, "MD5", 32)]
        {
            let key = SecretString::from("abcd1234");
            let address =
                address("https://qfpay.example", "APP1", params(&shop()), sign_type, &key);
            assert!(address.starts_with("https://qfpay.example/checkstand/#/?appcode=APP1&"));
            assert!(!address.contains("abcd1234"));
            let mut given = read(&address);
            let signature = given.remove("sign").unwrap();
            assert_eq!((given["sign_type"].as_str(), signature.len()), (name, digits));
            let pairs = || given.iter().map(|(name, value)| (name.as_str(), value.as_str()));
            assert_eq!(signature, sign(pairs(), sign_type, &key).to_lowercase());
            // Sorted, raw, and with what a header carries in other calls (contract §1.6).
            assert!(canonical(pairs()).contains("sign_type="));
        }
    }

    /// The digest is `sha256sum`'s, of a text written by hand.
    #[test]
    fn the_signature_is_that_of_the_raw_text() {
        let mut params = Params::default();
        params.set("goods_name", "a b");
        params.set("txamt", "10");
        let address = address("", "X", params, SignType::Sha256, &"k".into());
        insta::assert_snapshot!(address, @"/checkstand/#/?appcode=X&goods_name=a%20b&sign=1a77ee6bfa46e6d206fba7e970f89d3c0376b5d96d664b689a3e1bd2c4ff9deb&sign_type=sha256&txamt=10");
    }

    proptest! {
        #[test]
        fn what_the_page_decodes_is_what_was_signed(goods in "\\PC{1,20}", url in "[!-~]{1,40}") {
            let extras = [(Field::GoodsName, goods.as_str()), (Field::ReturnUrl, url.as_str())];
            let params = params(&extras);
            let key = SecretString::from("k");
            let address = address("", "X", params.clone(), SignType::Sha256, &key);
            prop_assert!(address.bytes().all(|it| it.is_ascii_graphic()));
            prop_assert!(!address.contains(['+', '"', '<', '>', '\'']));
            let given = read(&address);
            prop_assert!(given.values().all(|it| !it.is_empty()));
            for (name, value) in params.iter() {
                prop_assert_eq!(given.get(name).map(String::as_str), Some(value));
            }
        }
    }
}
