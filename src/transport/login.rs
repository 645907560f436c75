//! Who may approve over HTTP: operators with a password of their own, which no agent has.
//!
//! The browser's own login (RFC 7617) carries it. Passwords stand in a file as Argon2id hashes, are
//! checked one at a time whatever becomes of the request, and a wrong one is told a second later:
//! guessing goes at the pace of one hash after the other, on one core.
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
    time::Duration,
};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use headers::{Authorization, HeaderMapExt as _, authorization::Basic};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::sync::Semaphore;

/// Most logins that wait to be checked.
const MOST_WAITING: usize = 32;
/// What a wrong password costs.
const PENALTY: Duration = Duration::from_secs(1);

/// Those who may approve.
#[derive(Clone)]
pub struct Operators {
    lines: Arc<RwLock<Lines>>,
    turn: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    /// Who was right before, with a keyed hash of their password: they need not queue again, so a
    /// flood of wrong ones does not lock them out.
    known: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    key: [u8; 32],
}

/// Names and hashes.
type Lines = Vec<(String, String)>;

/// Whoever logged in.
#[derive(Debug, Clone)]
pub(super) struct Operator(pub(super) String);

/// Why a list of operators, or one of them, is none. The line is not told back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OperatorError {
    #[error("line {0} is no operator; make one with `qfpay-mcp operator NAME`")]
    Line(usize),
    #[error("the name {0} stands there twice")]
    Twice(String),
    #[error("it names nobody; make a line with `qfpay-mcp operator NAME`")]
    Nobody,
    #[error("a name has 1 to 64 of A-Z a-z 0-9 . _ -")]
    Name,
    #[error("the password cannot be hashed: {0}")]
    Hash(String),
}

/// Their names.
impl fmt::Display for Operators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = self.lines();
        let names: Vec<&str> = lines.iter().map(|(name, _)| name.as_str()).collect();
        f.write_str(&names.join(", "))
    }
}

impl Operators {
    fn lines(&self) -> RwLockReadGuard<'_, Lines> {
        self.lines.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes those of `text` in place of those before, whose logins count for nothing any more.
    pub fn replace(&self, text: &str) -> Result<(), OperatorError> {
        let lines = Self::read(text)?;
        *self.lines.write().unwrap_or_else(PoisonError::into_inner) = lines;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clear();
        Ok(())
    }

    /// Reads the lines of a file; blank ones and those that begin with `#` count for nothing.
    pub fn parse(text: &str) -> Result<Self, OperatorError> {
        let lines = Arc::new(RwLock::new(Self::read(text)?));
        let one = |permits| Arc::new(Semaphore::new(permits));
        let (turn, queue, known) = (one(1), one(MOST_WAITING), Arc::default());
        Ok(Self { lines, turn, queue, known, key: rand::random() })
    }

    fn read(text: &str) -> Result<Lines, OperatorError> {
        let mut lines: Vec<(String, String)> = Vec::new();
        for (at, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = || OperatorError::Line(at.saturating_add(1));
            let (name, hash) = line.split_once(':').ok_or_else(wrong)?;
            let hash = hash.trim();
            let fits = is_name(name) && PasswordHash::new(hash).is_ok();
            if !fits || !hash.starts_with("$argon2") {
                return Err(wrong());
            }
            if lines.iter().any(|(other, _)| other == name) {
                return Err(OperatorError::Twice(name.to_owned()));
            }
            lines.push((name.to_owned(), hash.to_owned()));
        }
        if lines.is_empty() {
            return Err(OperatorError::Nobody);
        }
        Ok(lines)
    }

    /// Whether a person may be called so.
    pub fn check_name(name: &str) -> Result<(), OperatorError> {
        if is_name(name) { Ok(()) } else { Err(OperatorError::Name) }
    }

    /// The line of a person with a password.
    pub fn line(name: &str, password: &str) -> Result<String, OperatorError> {
        Self::check_name(name)?;
        let hash = Argon2::default().hash_password(password.as_bytes());
        let hash = hash.map_err(|error| OperatorError::Hash(error.to_string()))?;
        Ok(format!("{name}:{hash}"))
    }

    /// Whether the password is the operator's; none where too many ask at once.
    async fn check(&self, name: &str, password: &str) -> Option<bool> {
        let mut keyed = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        keyed.update(password.as_bytes());
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned();
        if known.is_some_and(|it| keyed.clone().verify_slice(&it).is_ok()) {
            return Some(true);
        }
        let queued = self.queue.clone().try_acquire_owned().ok()?;
        let (turn, hashing) = (self.turn.clone(), self.hashed(name, password)?);
        // Whoever hangs up gives neither their place nor their turn away before it is over.
        let checked = tokio::spawn(async move {
            let _queued = queued;
            let _turn = turn.acquire_owned().await.ok()?;
            let right = tokio::task::spawn_blocking(hashing).await.ok()?;
            if !right {
                tracing::warn!("a login to approve was refused");
            }
            Some(right)
        });
        let right = checked.await.ok()??;
        if right {
            let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            known.insert(name.to_owned(), keyed.finalize().into_bytes().to_vec());
        } else {
            tokio::time::sleep(PENALTY).await;
        }
        Some(right)
    }

    /// What finds out whether the password is the operator's; it takes some tens of milliseconds.
    fn hashed(&self, name: &str, password: &str) -> Option<impl FnOnce() -> bool + Send + 'static> {
        let lines = self.lines();
        let found = lines.iter().find(|(it, _)| it == name).or(lines.first());
        let (known, hash) = found.map(|(it, hash)| (it == name, hash.clone()))?;
        let password = password.to_owned();
        // Whether or not there is such a person, it takes as long.
        Some(move || {
            let hash = PasswordHash::new(&hash).ok();
            let same = hash.is_some_and(|it| {
                Argon2::default().verify_password(password.as_bytes(), &it).is_ok()
            });
            same && known
        })
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&name.len()) && name.chars().all(fits)
}

/// Lets operators through, and tells the routes behind it who it is.
pub(super) async fn check(
    State(operators): State<Operators>,
    mut request: Request,
    next: Next,
) -> Response {
    let Some(given) = request.headers().typed_get::<Authorization<Basic>>() else {
        return ask("Log in as an operator.");
    };
    match operators.check(given.username(), given.password()).await {
        Some(true) => {
            request.extensions_mut().insert(Operator(given.username().to_owned()));
            next.run(request).await
        }
        Some(false) => ask("That is no operator's password."),
        None => (StatusCode::TOO_MANY_REQUESTS, "Too many logins at once.\n").into_response(),
    }
}

fn ask(text: &str) -> Response {
    let challenge =
        HeaderValue::from_static("Basic realm=\"qfpay-mcp operator\", charset=\"UTF-8\"");
    let headers = [(header::WWW_AUTHENTICATE, challenge)];
    (StatusCode::UNAUTHORIZED, headers, format!("{text}\n")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_of_a_known_person_is_taken() {
        let line = Operators::line("alice", "correct horse battery").unwrap();
        assert!(!line.contains("correct"));
        let operators = Operators::parse(&format!("# who may approve\n\n{line}\n")).unwrap();
        assert_eq!(operators.check("alice", "correct horse battery").await, Some(true));
        tokio::time::pause();
        assert_eq!(operators.check("alice", "correct horse").await, Some(false));
        assert_eq!(operators.check("bob", "correct horse battery").await, Some(false));
        assert_eq!(operators.check("", "").await, Some(false));
    }

    /// Somebody who hangs up at once, again and again, gets no more hashes at a time than others.
    #[tokio::test]
    async fn who_hangs_up_keeps_their_place_until_their_turn_is_over() {
        let line = Operators::line("alice", "correct horse battery").unwrap();
        let operators = Operators::parse(&line).unwrap();
        assert_eq!(operators.check("alice", "correct horse battery").await, Some(true));
        let turn = operators.turn.clone().acquire_owned().await.unwrap();
        for _ in 0..MOST_WAITING {
            let check = operators.check("alice", "a wrong password");
            let hung_up = tokio::time::timeout(Duration::ZERO, check).await;
            assert!(hung_up.is_err());
        }
        assert_eq!(operators.check("alice", "a wrong password").await, None);
        // Who was right before is not locked out.
        assert_eq!(operators.check("alice", "correct horse battery").await, Some(true));
        drop(turn);
        // All of them have their turn, one after the other, and then there is room again.
        let all = u32::try_from(MOST_WAITING).unwrap();
        let _all = operators.queue.acquire_many(all).await.unwrap();
    }

    #[test]
    fn a_file_that_is_not_right_says_which_line() {
        let line = Operators::line("alice", "correct horse battery").unwrap();
        let say = |text: &str| Operators::parse(text).map(|_| ()).unwrap_err().to_string();
        insta::assert_snapshot!(say(&format!("{line}\nbob:hunter2")), @"line 2 is no operator; make one with `qfpay-mcp operator NAME`");
        insta::assert_snapshot!(say(&format!("{line}\n{line}")), @"the name alice stands there twice");
        insta::assert_snapshot!(say("# nobody\n"), @"it names nobody; make a line with `qfpay-mcp operator NAME`");
        assert_eq!(Operators::line("a b", "correct horse battery"), Err(OperatorError::Name));
    }
}
