//! Who may call over HTTP, and how the server is reached: as it was written. What it means, the
//! transport reads.
use std::path::PathBuf;

use super::{Reader, variables as var};
use crate::spec::Field;

/// The settings of the HTTP server.
#[derive(Debug, Clone, Default)]
pub struct Http {
    pub public_url: Option<String>,
    pub hosts: Vec<String>,
    pub origins: Vec<String>,
    pub proxies: Vec<String>,
    pub tokens: Option<File>,
    pub operators: Option<File>,
    pub issuer: Option<String>,
    pub jwks_url: Option<String>,
    pub profile_claim: String,
    pub max_sessions: usize,
}

/// A file that is read at the start, and again when the server is told to.
#[derive(Debug, Clone)]
pub struct File {
    pub path: PathBuf,
    /// What it held at the start; hashes, no secrets.
    pub text: String,
}

impl Reader<'_> {
    pub(super) fn notify_url(&mut self) -> Option<String> {
        let url = self.get(var::NOTIFY_URL)?;
        if let Err(error) = Field::NotifyUrl.check(&url) {
            self.problems.push(format!("{}: {error}", var::NOTIFY_URL));
        }
        Some(url)
    }

    fn file(&mut self, name: &str) -> Option<File> {
        let path = self.get(name)?;
        Some(File { text: self.read_file(name, &path)?, path: path.into() })
    }

    pub(super) fn http(&mut self) -> Http {
        let claim = self.get(var::OAUTH_PROFILE_CLAIM);
        let http = Http {
            public_url: self.get(var::PUBLIC_URL),
            hosts: self.list(var::ALLOWED_HOSTS),
            origins: self.list(var::ALLOWED_ORIGINS),
            proxies: self.list(var::TRUSTED_PROXIES),
            tokens: self.file(var::TOKENS_FILE),
            operators: self.file(var::OPERATORS_FILE),
            issuer: self.get(var::OAUTH_ISSUER),
            jwks_url: self.get(var::OAUTH_JWKS_URL),
            profile_claim: claim.unwrap_or_else(|| "qfpay_profile".to_owned()),
            max_sessions: self.whole(var::MAX_SESSIONS, 1000, 1..=100_000),
        };
        if http.issuer.is_some() && http.public_url.is_none() {
            self.problems.push(format!(
                "{} is set, but {} is not: tokens are taken only if they are for that address; set \
                 it, as in https://pay.example.com",
                var::OAUTH_ISSUER,
                var::PUBLIC_URL
            ));
        }
        if http.jwks_url.is_some() && http.issuer.is_none() {
            self.problems.push(format!(
                "{} is set, but {} is not; set it to the `iss` of the tokens",
                var::OAUTH_JWKS_URL,
                var::OAUTH_ISSUER
            ));
        }
        http
    }

    /// Words, comma-separated.
    fn list(&mut self, name: &str) -> Vec<String> {
        let given = self.get(name).unwrap_or_default();
        let words = given.split(',').map(str::trim).filter(|it| !it.is_empty());
        words.map(str::to_owned).collect()
    }
}
