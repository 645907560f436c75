//! A person's yes, as the ledger keeps it: each is good for one payment or refund, once.
use jiff::Timestamp;

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
    /// To a question that was asked in an earlier round; `id` can be used once.
    Sealed { id: String, until: Timestamp },
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
    /// How an approval outside the conversation stands.
    ApprovalState {
        Waiting = "waiting",
        Approved = "approved",
        Declined = "declined",
        /// What it was given for was sent.
        Used = "used",
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

/// Most questions of a merchant that wait at once: nobody reads more.
pub const MOST_WAITING: i64 = 200;
