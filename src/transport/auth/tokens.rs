//! Tokens of our own: random words, of which a file holds the SHA-256, each with a name, what it may
//! do, and until when.
//!
//! A word has 256 random bits, so its hash needs no salt and no slowness, and nobody guesses one.
use std::fmt;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::mcp::{Principal, Scope, Scopes};

/// What our tokens begin with, so that a scanner of files knows one that got where it should not be.
const PREFIX: &str = "qfmcp_";

/// All tokens that are taken.
#[derive(Debug, Clone, Default)]
pub struct Tokens(Vec<Token>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Token {
    name: String,
    sha256: [u8; 32],
    scopes: Scopes,
    /// None: never.
    expires: Option<Timestamp>,
    profile: Option<String>,
}

/// Why a file of tokens is none. The line is not told back.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    #[error("line {line}: {what}; make a line with `qfpay-mcp token new NAME`")]
    Line { line: usize, what: &'static str },
    #[error("the name {0} stands there twice")]
    Twice(String),
}

/// Why a token that is known is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it expired at {0}; ask for a new one")]
pub(super) struct Expired(Timestamp);

impl Tokens {
    /// Reads the lines of a file; blank ones and those that begin with `#` count for nothing.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let mut tokens: Vec<Token> = Vec::new();
        for (at, line) in text.lines().map(str::trim).enumerate() {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let wrong = |what| TokenError::Line { line: at.saturating_add(1), what };
            let token = Token::parse(line).map_err(wrong)?;
            if tokens.iter().any(|it| it.name == token.name) {
                return Err(TokenError::Twice(token.name));
            }
            tokens.push(token);
        }
        Ok(Self(tokens))
    }

    /// The profiles that tokens name, and for those that name none, nothing.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|it| (it.name.as_str(), it.profile.as_deref()))
    }

    /// Whose token it is, if it is one of ours. Every line is compared whole, however early one fits.
    pub(super) fn find(&self, word: &str, now: Timestamp) -> Option<Result<Principal, Expired>> {
        let hash: [u8; 32] = Sha256::digest(word.as_bytes()).into();
        let mut found = None;
        for token in &self.0 {
            if bool::from(token.sha256.ct_eq(&hash)) {
                found = Some(token);
            }
        }
        let token = found?;
        if let Some(at) = token.expires.filter(|it| *it <= now) {
            return Some(Err(Expired(at)));
        }
        let (scopes, profile) = (token.scopes, token.profile.clone());
        Some(Ok(Principal { name: format!("token:{}", token.name), scopes, profile }))
    }
}

/// Their names, and what each may do.
impl fmt::Display for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let said = |it: &Token| format!("{} ({})", it.name, it.scopes);
        f.write_str(&self.0.iter().map(said).collect::<Vec<_>>().join(", "))
    }
}

impl Token {
    /// `NAME sha256=… scopes=a,b expires=… [profile=…]`
    fn parse(line: &str) -> Result<Self, &'static str> {
        let mut words = line.split_whitespace();
        let name = words.next().filter(|it| is_name(it)).ok_or("it does not begin with a name")?;
        let (mut sha256, mut scopes, mut expires, mut profile) = (None, None, None, None);
        for word in words {
            match word.split_once('=') {
                Some(("sha256", hash)) => sha256 = Some(hash),
                Some(("scopes", list)) => scopes = Some(list),
                Some(("expires", at)) => expires = Some(at),
                Some(("profile", name)) => profile = Some(name.to_owned()),
                Some(_) | None => return Err("it holds something that is no part of a token"),
            }
        }
        let hash = sha256.and_then(|it| hex::decode(it).ok()).and_then(|it| it.try_into().ok());
        let scopes = scopes.map(|it| it.split(',').map(Scope::find).collect::<Option<Scopes>>());
        let expires = match expires.ok_or("it does not say `expires=`")? {
            "never" => None,
            at => Some(at.parse().map_err(|_| "`expires=` is no time")?),
        };
        Ok(Self {
            name: name.to_owned(),
            sha256: hash.ok_or("`sha256=` is no hash")?,
            scopes: scopes.flatten().ok_or("`scopes=` names none of ours")?,
            expires,
            profile,
        })
    }
}

fn is_name(name: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=64).contains(&name.len()) && name.chars().all(fits)
}

/// A token that was just made: the word for whoever is to call, the line for the file.
#[derive(Debug, Clone)]
pub struct NewToken {
    pub word: String,
    pub line: String,
}

impl NewToken {
    /// Makes one; none where `name` is no name (1 to 64 of `A-Z a-z 0-9 . _ -`).
    pub fn new(
        name: &str,
        scopes: Scopes,
        expires: Option<Timestamp>,
        profile: Option<&str>,
    ) -> Option<Self> {
        if !is_name(name) || profile.is_some_and(|it| !is_name(it)) {
            return None;
        }
        let word = format!("{PREFIX}{}", hex::encode(rand::random::<[u8; 32]>()));
        let hash = hex::encode(Sha256::digest(word.as_bytes()));
        let expires = expires.map_or("never".to_owned(), |it| it.to_string());
        let scopes = scopes.to_string().replace(' ', ",");
        let profile = profile.map(|it| format!(" profile={it}")).unwrap_or_default();
        let line = format!("{name} sha256={hash} scopes={scopes} expires={expires}{profile}");
        Some(Self { word, line })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn made(name: &str, expires: Option<&str>, profile: Option<&str>) -> NewToken {
        let scopes = [Scope::Read, Scope::Pay].into_iter().collect();
        NewToken::new(name, scopes, expires.map(at), profile).unwrap()
    }

    #[test]
    fn a_token_is_known_by_its_word_until_it_expires() {
        let (shop, ops) =
            (made("shop", Some("2026-12-01T00:00:00Z"), Some("a")), made("ops", None, None));
        assert!(!shop.line.contains(&shop.word));
        let tokens = Tokens::parse(&format!("# ours\n\n{}\n{}\n", shop.line, ops.line)).unwrap();
        let find = |word: &str, now: &str| tokens.find(word, at(now));
        let found = find(&shop.word, "2026-11-30T23:59:59Z").unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.profile.as_deref()), ("token:shop", Some("a")));
        assert_eq!(found.scopes.to_string(), "qfpay:read qfpay:pay");
        assert!(find(&shop.word, "2026-12-01T00:00:00Z").unwrap().is_err());
        assert!(find(&ops.word, "2036-12-01T00:00:00Z").unwrap().is_ok());
        for wrong in
            ["", "qfmcp_", &shop.word[..69], &format!("{} ", shop.word), &shop.word.to_uppercase()]
        {
            assert_eq!(find(wrong, "2026-11-30T00:00:00Z"), None, "{wrong}");
        }
    }

    #[test]
    fn a_file_that_is_not_right_says_which_line_and_why() {
        let line = made("shop", None, None).line;
        let say = |text: &str| Tokens::parse(text).map(|_| ()).unwrap_err().to_string();
        insta::assert_snapshot!(say(&format!("{line}\nshop2 sha256=0 scopes=qfpay:read expires=never")), @"line 2: `sha256=` is no hash; make a line with `qfpay-mcp token new NAME`");
        insta::assert_snapshot!(say(&line.replace("qfpay:pay", "qfpay:all")), @"line 1: `scopes=` names none of ours; make a line with `qfpay-mcp token new NAME`");
        insta::assert_snapshot!(say(&line.replace("never", "soon")), @"line 1: `expires=` is no time; make a line with `qfpay-mcp token new NAME`");
        insta::assert_snapshot!(say(&line.replace(" expires=never", "")), @"line 1: it does not say `expires=`; make a line with `qfpay-mcp token new NAME`");
        insta::assert_snapshot!(say(&format!("{line} hunter2")), @"line 1: it holds something that is no part of a token; make a line with `qfpay-mcp token new NAME`");
        insta::assert_snapshot!(say(&format!("{line}\n{line}")), @"the name shop stands there twice");
        assert!(NewToken::new("a b", Scopes::ALL, None, None).is_none());
    }
}
