//! Who may call over HTTP: bearers of a token of ours, or of one that an authorization server issued
//! for us. Nobody is let through without one, and a token is looked at here and goes no further.
//!
//! The answers to who may not are those of RFC 6750 and MCP: 401 with the way to a token, 403 with
//! the scopes that are missing
//! (<https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization>).
mod keys;
mod oauth;
mod tokens;

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
};

use axum::{
    Json, Router,
    extract::{Request, State},
    http::{
        HeaderValue, StatusCode,
        header::{AUTHORIZATION, RETRY_AFTER, WWW_AUTHENTICATE},
    },
    middleware::Next,
    response::{IntoResponse as _, Response},
    routing::get,
};
use headers::{Authorization, HeaderMapExt as _, authorization::Bearer};
use serde_json::json;

use super::site::PublicUrl;
use crate::mcp::{Clock, Principal, Scope, Scopes};

pub use oauth::{Issuer, IssuerError, OAuth};
pub use tokens::{NewToken, TokenError, Tokens};

/// Where RFC 9728 puts the description of a protected resource.
const METADATA: &str = "/.well-known/oauth-protected-resource";

/// Whom to let through.
#[derive(Clone)]
pub struct Auth(Arc<Inner>);

struct Inner {
    tokens: RwLock<Arc<Tokens>>,
    oauth: Option<OAuth>,
    public: Option<PublicUrl>,
    /// The merchant profiles that there are; empty where there is one merchant only.
    profiles: Vec<String>,
    clock: Arc<dyn Clock>,
}

/// Why a request is not let through.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    #[error(
        "this server takes calls only with a token: send `Authorization: Bearer …`; whoever runs it \
         issues one"
    )]
    Missing,
    #[error("the token is not taken: {0}")]
    Invalid(String),
    #[error("`{what}` takes a token with the scope `{}`; yours has {}", .needed.name(), said(*.held))]
    Scope { what: &'static str, needed: Scope, held: Scopes },
    #[error("the token names none of this server's merchant profiles; get one that does")]
    Profile,
    #[error("the authorization server cannot be reached to check the token; try again in a moment")]
    Unreachable,
}

impl Denied {
    /// A word for figures.
    const fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Invalid(_) => "invalid",
            Self::Scope { .. } => "scope",
            Self::Profile => "profile",
            Self::Unreachable => "unreachable",
        }
    }
}

fn said(scopes: Scopes) -> String {
    if scopes == Scopes::default() { "none".to_owned() } else { format!("`{scopes}`") }
}

/// Not what it holds.
impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").finish_non_exhaustive()
    }
}

impl Auth {
    /// Lets bearers of `tokens` through, and those whom `oauth` vouches for; `public` is the address
    /// for which tokens are issued.
    pub fn new(
        tokens: Tokens,
        oauth: Option<OAuth>,
        public: Option<PublicUrl>,
        profiles: Vec<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let tokens = RwLock::new(Arc::new(tokens));
        Self(Arc::new(Inner { tokens, oauth, public, profiles, clock }))
    }

    /// Takes `tokens` in place of those before.
    pub fn replace(&self, tokens: Tokens) {
        *self.0.tokens.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(tokens);
    }

    /// Whose token it is.
    async fn principal(&self, bearer: Option<Authorization<Bearer>>) -> Result<Principal, Denied> {
        let inner = &self.0;
        let bearer = bearer.ok_or(Denied::Missing)?;
        let tokens = inner.tokens.read().unwrap_or_else(PoisonError::into_inner).clone();
        let principal = match (tokens.find(bearer.token(), inner.clock.now()), &inner.oauth) {
            (Some(found), _) => found.map_err(|it| Denied::Invalid(it.to_string()))?,
            (None, Some(oauth)) => oauth.check(bearer.token()).await?,
            (None, None) => return Err(Denied::Invalid("nobody knows it".to_owned())),
        };
        let known = |it: &String| inner.profiles.contains(it);
        if !inner.profiles.is_empty() && !principal.profile.as_ref().is_some_and(known) {
            return Err(Denied::Profile);
        }
        Ok(principal)
    }

    /// The answer to a request for `path` that is not let through.
    pub(super) fn refuse(&self, denied: &Denied, path: &str) -> Response {
        crate::meter::denied(denied.reason());
        tracing::info!(path, %denied, "a request was not let through");
        let status = match denied {
            Denied::Missing | Denied::Invalid(_) => StatusCode::UNAUTHORIZED,
            Denied::Scope { .. } | Denied::Profile => StatusCode::FORBIDDEN,
            Denied::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        };
        let mut response = (status, format!("{denied}\n")).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
            return response;
        }
        if let Ok(challenge) = HeaderValue::from_str(&self.challenge(denied, path)) {
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }

    /// What is wanted, and where it is to be had.
    fn challenge(&self, denied: &Denied, path: &str) -> String {
        let mut parts = vec!["realm=\"qfpay-mcp\"".to_owned()];
        let wanted = match denied {
            Denied::Scope { needed, held, .. } => {
                parts.push("error=\"insufficient_scope\"".to_owned());
                // What it has already, too: the new token is to do all that the old one did.
                Scope::ALL.into_iter().filter(|it| it == needed || held.has(*it)).collect()
            }
            Denied::Invalid(_) => {
                parts.push("error=\"invalid_token\"".to_owned());
                Scopes::ALL
            }
            Denied::Missing | Denied::Profile | Denied::Unreachable => Scopes::ALL,
        };
        parts.push(format!("scope=\"{wanted}\""));
        if let Some(public) = self.0.public.as_ref().filter(|_| self.0.oauth.is_some()) {
            // Clients take a description only of the address that they called (RFC 9728 §3.3).
            let legacy = ["/sse", "/messages"].contains(&path);
            let transport = if legacy { "/sse" } else { "/mcp" };
            parts.push(format!("resource_metadata=\"{public}{METADATA}{transport}\""));
        }
        format!("Bearer {}", parts.join(", "))
    }

    /// The description of the resource by RFC 9728, where there is an authorization server: by the
    /// path of its transport, and where a proxy hands on only what is below our own path.
    pub(super) fn metadata(&self) -> Router {
        self.described(&[("/mcp", ""), ("/mcp", "/mcp"), ("/sse", "/sse")])
    }

    /// The same at the places of a resource below `prefix` (RFC 9728 §3.1).
    pub(super) fn metadata_at(&self, prefix: &str) -> Router {
        let (mcp, sse) = (format!("{prefix}/mcp"), format!("{prefix}/sse"));
        self.described(&[("/mcp", prefix), ("/mcp", &mcp), ("/sse", &sse)])
    }

    /// The transports' descriptions, each at a path.
    fn described(&self, places: &[(&str, &str)]) -> Router {
        let (Some(oauth), Some(public)) = (&self.0.oauth, &self.0.public) else {
            return Router::new();
        };
        let mut router = Router::new();
        for (transport, path) in places {
            let document = Json(json!({
                "resource": format!("{public}{transport}"),
                "resource_name": "QFPay payments",
                "authorization_servers": [oauth.issuer()],
                "scopes_supported": Scope::ALL.map(Scope::name),
                "bearer_methods_supported": ["header"],
            }));
            router =
                router.route(&format!("{METADATA}{path}"), get(async move || document.clone()));
        }
        router
    }
}

/// Lets a request through that carries a token, and tells the routes behind it whose.
pub(super) async fn require(
    State(auth): State<Auth>,
    mut request: Request,
    next: Next,
) -> Response {
    // Of two, a proxy may have looked at the other one.
    let several = request.headers().get_all(AUTHORIZATION).iter().count() > 1;
    let bearer = if several { None } else { request.headers().typed_get() };
    match auth.principal(bearer).await {
        Ok(principal) => {
            request.extensions_mut().insert(principal);
            request.extensions_mut().insert(auth);
            next.run(request).await
        }
        Err(denied) => auth.refuse(&denied, request.uri().path()),
    }
}
