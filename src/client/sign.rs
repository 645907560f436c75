//! Signatures: pure steps, each with a vector.
//!
//! Source: contract §2 (<https://sdk.qfapi.com/integration/preparation/authentication-and-signature>;
//! the response rule from the 2018 reference, §3.4). `expose_secret` of the client key appears in
//! this file only.
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::Md5;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

/// The digest of a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignType {
    /// QFPay's default where the header `X-QF-SIGNTYPE` is absent.
    Md5,
    /// Ours; always announced in the header.
    Sha256,
}

/// The header that carries a signature.
pub const SIGN_HEADER: &str = "x-qf-sign";
/// The header that names the digest.
pub const SIGN_TYPE_HEADER: &str = "x-qf-signtype";
/// The header that names the merchant's app.
pub const APP_CODE_HEADER: &str = "x-qf-appcode";

impl SignType {
    /// The value of `X-QF-SIGNTYPE`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha256 => "SHA256",
        }
    }

    /// The digest that a request's header announces: absent means MD5; none if it is another word.
    pub fn from_header(value: Option<&str>) -> Option<Self> {
        match value.map(str::to_ascii_uppercase).as_deref() {
            None | Some("" | "MD5") => Some(Self::Md5),
            Some("SHA256") => Some(Self::Sha256),
            Some(_) => None,
        }
    }

    fn digest(self, text: &[u8], key: &SecretString) -> String {
        fn run<D: Digest>(text: &[u8], key: &SecretString) -> String {
            let mut digest = D::new();
            digest.update(text);
            digest.update(key.expose_secret().as_bytes());
            hex::encode_upper(digest.finalize())
        }
        match self {
            Self::Md5 => run::<Md5>(text, key),
            Self::Sha256 => run::<Sha256>(text, key),
        }
    }
}

/// `name=value` pairs joined by `&`, in ascending order of name; values raw, not URL-encoded.
///
/// It signs what it is given, blanks included: leaving blanks out is the work of
/// [`Params`](super::params::Params), so that what is sent and what is signed are the same.
pub fn canonical<'a>(params: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut params: Vec<_> = params.into_iter().collect();
    params.sort_unstable();
    let pairs: Vec<String> = params.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("&")
}

/// The value of `X-QF-SIGN` of a request: the digest of the canonical text and the key.
pub fn sign<'a>(
    params: impl IntoIterator<Item = (&'a str, &'a str)>,
    sign_type: SignType,
    key: &SecretString,
) -> String {
    sign_type.digest(canonical(params).as_bytes(), key)
}

/// The value of `X-QF-SIGN` of a response or notification: the digest of the raw body and the key.
pub fn sign_body(body: &[u8], sign_type: SignType, key: &SecretString) -> String {
    sign_type.digest(body, key)
}

/// A key of its own for `purpose`, the same wherever the client key is the same (RFC 2104 over
/// SHA-256), so that replicas share it and nothing new has to be kept secret.
pub fn derived(key: &SecretString, purpose: &str) -> [u8; 32] {
    // HMAC takes a key of any length; if it did not, nobody should know this one.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes()) else {
        return rand::random();
    };
    mac.update(purpose.as_bytes());
    mac.finalize().into_bytes().into()
}

/// Whether two signatures are the same, in constant time, whatever the case of their letters.
pub fn same(ours: &str, theirs: &str) -> bool {
    let (ours, theirs) = (ours.to_ascii_uppercase(), theirs.trim().to_ascii_uppercase());
    ours.as_bytes().ct_eq(theirs.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;

    /// RFC 4231, test case 2.
    #[test]
    fn a_derived_key_is_the_hmac_of_its_purpose() {
        let key = derived(&"Jefe".into(), "what do ya want for nothing?");
        let wanted = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        assert_eq!(hex::encode(key), wanted);
    }

    #[derive(Deserialize)]
    struct Vectors {
        requests: Vec<Request>,
        raw_bodies: Vec<RawBody>,
    }

    #[derive(Deserialize)]
    struct Request {
        name: String,
        params: BTreeMap<String, String>,
        key: String,
        canonical: String,
        md5: String,
        sha256: String,
    }

    #[derive(Deserialize)]
    struct RawBody {
        name: String,
        body: String,
        key: String,
        md5: String,
    }

    fn vectors() -> Vectors {
        serde_json::from_str(include_str!("../../tests/data/qfpay-vectors.json")).unwrap()
    }

    #[test]
    fn every_request_vector_has_its_canonical_text_and_both_digests() {
        let vectors = vectors().requests;
        assert_eq!(vectors.len(), 4);
        for it in vectors {
            let key = SecretString::from(it.key);
            let params = || it.params.iter().rev().map(|(k, v)| (k.as_str(), v.as_str()));
            assert_eq!(canonical(params()), it.canonical, "{}", it.name);
            assert_eq!(sign(params(), SignType::Md5, &key), it.md5, "{}", it.name);
            assert_eq!(sign(params(), SignType::Sha256, &key), it.sha256, "{}", it.name);
        }
    }

    #[test]
    fn every_raw_body_vector_has_its_digest() {
        let vectors = vectors().raw_bodies;
        assert_eq!(vectors.len(), 2);
        for it in vectors {
            let key = SecretString::from(it.key);
            assert_eq!(sign_body(it.body.as_bytes(), SignType::Md5, &key), it.md5, "{}", it.name);
        }
    }

    #[test]
    fn signatures_are_compared_whatever_the_case_of_their_letters() {
        assert!(same("AB12", "ab12"));
        assert!(!same("AB12", "AB13"));
        assert!(!same("AB12", "AB1"));
    }
}
