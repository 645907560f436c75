//! A person's yes, as the ledger keeps it: each is good for one payment or refund, once.
use jiff::Timestamp;
use serde_json::{Value, json};
use sqlx::{FromRow, types::Json};

use super::LedgerError;
use crate::domain::{Question, words::words};

/// Whether a person has to say yes to what is opened, and whether one did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Consent {
    NotNeeded,
    /// To what has this digest. Where nothing is `given`, an approval counts that was given outside
    /// the conversation.
    Needed {
        digest: String,
        given: Option<Given>,
    },
}

/// A yes that came with the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    /// To a question asked during this very call.
    Answered,
    /// To a question that was asked in an earlier round, and written down; its id is used up once.
    Sealed { id: String },
}

/// Why there is no consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unconfirmed {
    /// Nobody said yes to exactly this.
    Missing,
    /// The yes was used before.
    Used,
}

words!(
    /// How a question stands.
    ApprovalState {
        /// The client asks the person, and brings the answer.
        Asked = "asked",
        /// It waits for a person outside the conversation.
        Waiting = "waiting",
        Approved = "approved",
        Declined = "declined",
        /// It was answered, and the answer is used up: what it was given for left, or it was no yes.
        Used = "used",
        /// It expired before.
        Lapsed = "lapsed",
    }
);

/// A question that waits for a person, or was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// What the person types, or opens.
    pub code: String,
    pub question: Question,
    /// Known only to who sees the page of it.
    pub nonce: String,
    pub state: ApprovalState,
    /// The client that asked, as it says itself.
    pub asked_by: String,
    pub decided_by: Option<String>,
    pub asked_at: Timestamp,
    /// From then on it is good for nothing.
    pub expires_at: Timestamp,
}

impl Approval {
    /// Whether a person can still decide.
    pub fn waits(&self, now: Timestamp) -> bool {
        self.state == ApprovalState::Waiting && now < self.expires_at
    }
}

/// A question to write down.
#[derive(Debug, Clone)]
pub struct Asked {
    pub question: Question,
    /// [`ApprovalState::Waiting`], or [`ApprovalState::Asked`] where the client brings the answer.
    pub state: ApprovalState,
    pub asked_by: String,
    pub code: String,
    pub nonce: String,
    pub now: Timestamp,
    pub expires_at: Timestamp,
}

/// A person's decision about an approval that waits.
#[derive(Debug, Clone)]
pub struct Decision {
    pub code: String,
    pub approve: bool,
    pub by: String,
    pub now: Timestamp,
    /// Until when a yes holds.
    pub expires_at: Timestamp,
}

/// Most questions that wait at once for persons outside the conversation, of a merchant and of one
/// client: nobody reads more.
pub const MOST_WAITING: i64 = 200;
pub const MOST_OF_ONE: i64 = 20;

/// A question that expired without having come to anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lapsed {
    pub code: String,
    pub number: String,
    /// How it stood.
    pub was: ApprovalState,
}

/// An approval as a store returns it.
#[derive(Debug, FromRow)]
pub(super) struct ApprovalRow {
    code: String,
    number: String,
    digest: String,
    question: Json<Value>,
    nonce: String,
    state: String,
    asked_by: String,
    decided_by: Option<String>,
    asked_ms: i64,
    expires_ms: i64,
}

impl ApprovalRow {
    pub(super) fn approval(self) -> Result<Approval, LedgerError> {
        let damaged = |column| LedgerError::Damaged { number: self.number.clone(), column };
        let lines = read_lines(&self.question.0).ok_or_else(|| damaged("question"))?;
        let time = |ms| Timestamp::from_millisecond(ms).map_err(|_| damaged("time"));
        Ok(Approval {
            question: Question {
                number: self.number.parse().map_err(|_| damaged("number"))?,
                lines,
                digest: self.digest.clone(),
            },
            state: ApprovalState::find(&self.state).ok_or_else(|| damaged("state"))?,
            asked_at: time(self.asked_ms)?,
            expires_at: time(self.expires_ms)?,
            code: self.code,
            nonce: self.nonce,
            asked_by: self.asked_by,
            decided_by: self.decided_by,
        })
    }

    /// What it is as a question that expired.
    pub(super) fn lapsed(self) -> Option<Lapsed> {
        let was = ApprovalState::find(&self.state)?;
        Some(Lapsed { code: self.code, number: self.number, was })
    }
}

/// `[["Amount", "HKD 10.50"], …]`.
pub(super) fn lines(question: &Question) -> Value {
    question.lines.iter().map(|(name, value)| json!([name, value])).collect()
}

fn read_lines(value: &Value) -> Option<Vec<(String, String)>> {
    let line = |it: &Value| match it.as_array()?.as_slice() {
        [name, value] => Some((name.as_str()?.to_owned(), value.as_str()?.to_owned())),
        _ => None,
    };
    value.as_array()?.iter().map(line).collect()
}
