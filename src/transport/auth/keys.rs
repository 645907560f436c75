//! The keys of an authorization server: found by its metadata, kept for a while, fetched anew when a
//! token names one that is not known.
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use jsonwebtoken::jwk::{Jwk, PublicKeyUse};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use tokio::time::Instant;

use super::oauth::Issuer;

/// How long keys are taken for the server's: one that it has withdrawn is good no longer than that.
const FRESH: Duration = Duration::from_mins(5);
/// How long they are used while the server cannot be reached.
const STALE: Duration = Duration::from_hours(1);
/// How soon it is asked again: whoever sends tokens with made-up keys makes us ask no faster.
const PAUSE: Duration = Duration::from_secs(5);
/// How long it may take to answer, its metadata included.
const PATIENCE: Duration = Duration::from_secs(5);
/// The longest answer that is read, in bytes.
const MOST: usize = 256 << 10;

/// The server cannot be asked, and what is known is too old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unreachable;

#[derive(Debug)]
pub(super) struct Keys {
    issuer: Issuer,
    /// Where they are, if that need not be found out.
    at: Option<String>,
    client: reqwest::Client,
    state: Mutex<State>,
    /// Whoever fetches.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    keys: Vec<Jwk>,
    fetched: Option<Instant>,
    tried: Option<Instant>,
}

impl State {
    fn is_younger(since: Option<Instant>, than: Duration) -> bool {
        since.is_some_and(|it| it.elapsed() < than)
    }

    /// What is known well enough not to ask.
    fn fresh(&self, id: Option<&str>) -> Option<Vec<Jwk>> {
        let found = self.with_id(id);
        (Self::is_younger(self.fetched, FRESH) && !found.is_empty()).then_some(found)
    }

    fn with_id(&self, id: Option<&str>) -> Vec<Jwk> {
        let fits = |it: &&Jwk| id.is_none() || it.common.key_id.as_deref() == id;
        self.keys.iter().filter(fits).cloned().collect()
    }
}

/// What we need of RFC 8414's metadata.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
}

/// One key that cannot be read must not hide the others.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl Keys {
    pub(super) fn new(issuer: Issuer, at: Option<String>) -> Result<Self, reqwest::Error> {
        // What answers is the operator's choice; where it sends us on to is not.
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            issuer,
            at,
            client,
            state: Mutex::default(),
            turn: tokio::sync::Mutex::default(),
        })
    }

    /// The keys that a token may be signed with: the one that it names, or all if it names none. What
    /// is known waits for nobody: whoever sends made-up keys holds only their like up.
    pub(super) async fn find(&self, id: Option<&str>) -> Result<Vec<Jwk>, Unreachable> {
        if let Some(found) = self.state().fresh(id) {
            return Ok(found);
        }
        // Who comes meanwhile waits for the same answer.
        let _turn = self.turn.lock().await;
        if let Some(found) = self.state().fresh(id) {
            return Ok(found);
        }
        let tried = self.state().tried;
        if !State::is_younger(tried, PAUSE) {
            let fetched = tokio::time::timeout(PATIENCE, self.fetch()).await;
            let fetched = fetched.unwrap_or_else(|_| Err("it did not answer in time".to_owned()));
            let mut state = self.state();
            state.tried = Some(Instant::now());
            match fetched {
                Ok(keys) => {
                    tracing::debug!(keys = keys.len(), "fetched the authorization server's keys");
                    (state.keys, state.fetched) = (keys, state.tried);
                }
                Err(error) => {
                    let issuer = &self.issuer;
                    tracing::warn!(%issuer, %error, "cannot fetch an authorization server's keys");
                }
            }
        }
        let state = self.state();
        if State::is_younger(state.fetched, STALE) {
            Ok(state.with_id(id))
        } else {
            Err(Unreachable)
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch(&self) -> Result<Vec<Jwk>, String> {
        let at = match &self.at {
            Some(at) => at.clone(),
            None => self.discover().await?,
        };
        let set: KeySet = self.get(&at).await?;
        let keys = set.keys.into_iter().filter_map(|it| serde_json::from_value::<Jwk>(it).ok());
        let signs = |it: &Jwk| {
            it.common.public_key_use.as_ref().is_none_or(|it| *it == PublicKeyUse::Signature)
        };
        Ok(keys.filter(signs).collect())
    }

    async fn discover(&self) -> Result<String, String> {
        let mut last = String::new();
        for at in self.issuer.metadata() {
            let found: Metadata = match self.get(&at).await {
                Ok(found) => found,
                Err(error) => {
                    last = error;
                    continue;
                }
            };
            if found.issuer != self.issuer.to_string() {
                return Err(format!("{at} describes another issuer"));
            }
            // Nobody on the way may put keys of their own in its place.
            return match found.jwks_uri.parse::<Issuer>() {
                Ok(_) => Ok(found.jwks_uri),
                Err(error) => Err(format!("its keys' address: {error}")),
            };
        }
        Err(last)
    }

    async fn get<T: DeserializeOwned>(&self, at: &str) -> Result<T, String> {
        let failed = |error: reqwest::Error| format!("{at}: {}", error.without_url());
        let mut answer = self.client.get(at).send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(format!("{at} answered {}", answer.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            body.extend_from_slice(&chunk);
            if body.len() > MOST {
                return Err(format!("{at} answered more than {MOST} bytes"));
            }
        }
        serde_json::from_slice(&body).map_err(|error| format!("{at}: {error}"))
    }
}
