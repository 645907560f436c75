//! Tokens of an authorization server: JWTs (RFC 9068) that it signed, for us, for now. We are a
//! resource server of OAuth 2.1 and nothing more: we issue none and hand none on.
use std::{fmt, net::IpAddr, str::FromStr};

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, errors::ErrorKind};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::{
    Denied,
    keys::{Keys, Unreachable},
};
use crate::{
    mcp::{Principal, Scope, Scopes, cleaned},
    transport::site::PublicUrl,
};

/// Signatures that are taken: none that a public key could make, nor "none".
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];
/// How far two clocks may be apart.
const LEEWAY_SECONDS: u64 = 30;
/// The longest token that is looked at, in bytes.
const LONGEST: usize = 8 << 10;

/// The address of an authorization server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer(String);

/// Why a text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IssuerError {
    #[error("it is no address; use one such as https://auth.example.com")]
    Url,
    #[error("it is not https; without it anybody on the way could sign tokens (loopback excepted)")]
    Plain,
    #[error("the client for it cannot be made: {0}")]
    Client(String),
}

impl FromStr for Issuer {
    type Err = IssuerError;

    fn from_str(text: &str) -> Result<Self, IssuerError> {
        let uri: http::Uri = text.parse().map_err(|_| IssuerError::Url)?;
        let (scheme, host) = uri.scheme_str().zip(uri.host()).ok_or(IssuerError::Url)?;
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let local = host == "localhost" || bare.parse::<IpAddr>().is_ok_and(|it| it.is_loopback());
        let userinfo = uri.authority().is_some_and(|it| it.as_str().contains('@'));
        match scheme {
            _ if userinfo => Err(IssuerError::Url),
            "https" => Ok(Self(text.to_owned())),
            "http" if local => Ok(Self(text.to_owned())),
            "http" => Err(IssuerError::Plain),
            _ => Err(IssuerError::Url),
        }
    }
}

/// As it was written: issuers are compared letter by letter.
impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Issuer {
    /// Where it may describe itself: by RFC 8414, and by `OpenID` Connect, which puts the path first.
    pub(super) fn metadata(&self) -> Vec<String> {
        let plain = self.0.trim_end_matches('/');
        let start = plain.find("://").map_or(0, |it| it.saturating_add(3));
        let slash =
            plain.get(start..).and_then(|it| it.find('/')).map(|it| it.saturating_add(start));
        let (origin, path) = slash.and_then(|it| plain.split_at_checked(it)).unwrap_or((plain, ""));
        let mut places = vec![
            format!("{origin}/.well-known/oauth-authorization-server{path}"),
            format!("{origin}/.well-known/openid-configuration{path}"),
            format!("{plain}/.well-known/openid-configuration"),
        ];
        places.dedup();
        places
    }
}

/// Whom an authorization server vouches for.
#[derive(Debug)]
pub struct OAuth {
    issuer: Issuer,
    keys: Keys,
    /// What a token has to be for: the addresses of our transports.
    audience: Vec<String>,
    /// The claim that names a merchant profile.
    profile_claim: String,
}

/// What a token says.
#[derive(Debug, Deserialize)]
struct Claims {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl Claims {
    fn text(&self, name: &str) -> Option<&str> {
        self.all.get(name).and_then(Value::as_str).filter(|it| !it.is_empty())
    }

    /// `scope` is a text (RFC 9068), `scp` a list, or the other way round.
    fn scopes(&self) -> Scopes {
        let mut words: Vec<&str> = Vec::new();
        for claim in ["scope", "scp"] {
            match self.all.get(claim) {
                Some(Value::String(text)) => words.extend(text.split(' ')),
                Some(Value::Array(list)) => words.extend(list.iter().filter_map(Value::as_str)),
                Some(_) | None => {}
            }
        }
        words.into_iter().filter_map(Scope::find).collect()
    }
}

impl OAuth {
    /// Takes tokens of `issuer` for the server at `public`; `keys_at` is where its keys are, if its
    /// metadata does not say.
    pub fn new(
        issuer: Issuer,
        keys_at: Option<Issuer>,
        public: &PublicUrl,
        profile_claim: String,
    ) -> Result<Self, IssuerError> {
        let keys = Keys::new(issuer.clone(), keys_at.map(|it| it.0));
        let keys = keys.map_err(|error| IssuerError::Client(error.to_string()))?;
        let audience = ["mcp", "sse"].map(|it| format!("{public}/{it}")).to_vec();
        Ok(Self { issuer, keys, audience, profile_claim })
    }

    pub(super) fn issuer(&self) -> String {
        self.issuer.to_string()
    }

    /// Whose token it is.
    pub(super) async fn check(&self, token: &str) -> Result<Principal, Denied> {
        let wrong = |why: &str| Denied::Invalid(why.to_owned());
        if token.len() > LONGEST {
            return Err(wrong("it is too long"));
        }
        let header = decode_header(token).map_err(|_| wrong("it is neither ours nor a JWT"))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(wrong("it is signed in a way that is not taken"));
        }
        // An ID token, say, is for the client and nobody else (RFC 9068 §4).
        let typ = header.typ.as_deref().unwrap_or("JWT").to_ascii_lowercase();
        if !["jwt", "at+jwt", "application/at+jwt"].contains(&typ.as_str()) {
            return Err(wrong("it is no access token"));
        }
        let keys = self.keys.find(header.kid.as_deref()).await;
        let keys = keys.map_err(|Unreachable| Denied::Unreachable)?;
        let mut why = "the authorization server has no such key";
        for key in keys.iter().filter_map(|it| DecodingKey::from_jwk(it).ok()) {
            match decode::<Claims>(token, &key, &self.validation(header.alg)) {
                Ok(token) => return self.principal(&token.claims),
                Err(error) => why = said(error.kind()),
            }
        }
        Err(wrong(why))
    }

    fn validation(&self, algorithm: Algorithm) -> Validation {
        let mut validation = Validation::new(algorithm);
        validation.leeway = LEEWAY_SECONDS;
        validation.validate_nbf = true;
        validation.set_audience(&self.audience);
        validation.set_issuer(&[&self.issuer.0]);
        validation.set_required_spec_claims(&["exp", "iss", "aud"]);
        validation
    }

    fn principal(&self, claims: &Claims) -> Result<Principal, Denied> {
        // A token that a client got for itself may name the client alone.
        let name = match (claims.text("sub"), claims.text("client_id")) {
            (Some(subject), _) => format!("oauth:{subject}"),
            // A client may be called as a person is (RFC 9068 §5).
            (None, Some(client)) => format!("oauth-client:{client}"),
            (None, None) => return Err(Denied::Invalid("it does not say whose it is".into())),
        };
        // Two of them must not look alike in the audit.
        if cleaned(&name) != name {
            return Err(Denied::Invalid("its subject is too long, or cannot be printed".into()));
        }
        let profile = claims.text(&self.profile_claim).map(str::to_owned);
        Ok(Principal { name, scopes: claims.scopes(), profile })
    }
}

/// Why a signed token is not taken, without anything that stands in it.
#[expect(clippy::wildcard_enum_match_arm, reason = "an open list, of which the rest is one to us")]
fn said(error: &ErrorKind) -> &'static str {
    match error {
        ErrorKind::ExpiredSignature => "it has expired",
        ErrorKind::ImmatureSignature => "it is not valid yet",
        ErrorKind::InvalidAudience => "it is for another server",
        ErrorKind::InvalidIssuer => "another issuer made it",
        ErrorKind::InvalidSignature => "its signature is wrong",
        ErrorKind::MissingRequiredClaim(_) => "it lacks one of exp, iss, aud",
        _ => "it is no token that can be read",
    }
}
