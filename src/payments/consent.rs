//! A person's yes: what is asked, what counts as an answer, and the questions that wait for one
//! outside the conversation.
//!
//! What is shown comes from the terms that would be sent, never from words of a model; goods, which
//! a model names, stand in quotes. A yes holds for exactly those terms, for a while, and once.
use std::time::Duration;

use super::{Payments, Refused};
use crate::{
    client::response::cleaned,
    domain::{Amount, OrderNumber, PaymentTerms, Question, RefundTerms, amount, digest::digest},
    ledger::{
        Approval, ApprovalState, Asked, Caller, Consent, Decision, Given, Happening, LedgerError,
        Note, Unconfirmed,
    },
    policy::Action,
    spec::Field,
};

/// A person's yes, as a caller brings it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Yes {
    /// Of the question that was answered.
    pub digest: String,
    /// The number that was made for it.
    pub number: OrderNumber,
    pub given: Given,
}

/// What a person has to say yes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Needed {
    pub question: Question,
    pub amount: Amount,
    /// The payment's number, also where its refund is asked about; none where QFPay knows it by its
    /// own number only.
    pub order: Option<OrderNumber>,
}

/// Why nobody said yes. No money moved.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotConfirmed {
    #[error("the person declined")]
    Declined,
    #[error("the person declined it outside the conversation ({0})")]
    DeclinedBy(String),
    #[error("the person closed the question without an answer")]
    Cancelled,
    #[error("nobody answered within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("the answer came too late: a question holds for {} s", .0.as_secs())]
    Expired(Duration),
    #[error("an answer came with no question of this server's before it")]
    Unasked,
    #[error("an answer came faster than a person can read the question")]
    TooFast,
    #[error("the answer is not one that was offered")]
    Unfit,
    #[error("what came back with the answer is not what this server gave out for this caller")]
    Altered,
    #[error("this answer was used already; each is good for one call")]
    Used,
    #[error("the answer was given to other terms than these")]
    OtherTerms,
    #[error("the person said no several times in the last minutes, and is left alone for now")]
    Enough,
    #[error("the server is about to end, and waits for no answer any more")]
    Ending,
    #[error("the client did not ask the person: {0}")]
    Failed(String),
}

/// What became of a decision outside the conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decided {
    /// It is written down.
    Done(Approval),
    /// There is no such question, or it is over; how it stands, if it is there.
    Over(Option<Approval>),
}

impl Payments {
    /// What the ledger has to know about a yes before it opens what `question` is about. One that
    /// was given to something else is used up.
    pub(super) async fn consent(
        &self,
        question: &Question,
        yes: Option<Yes>,
    ) -> Result<Consent, Refused> {
        if !self.asks() {
            return Ok(Consent::NotNeeded);
        }
        let digest = question.digest.clone();
        match yes {
            Some(yes) if yes.digest != digest => {
                self.use_up(&yes).await?;
                Err(Refused::NotConfirmed(NotConfirmed::OtherTerms))
            }
            yes => Ok(Consent::Needed { digest, given: yes.map(|it| it.given) }),
        }
    }

    /// Whether a person has to say yes to what moves money here.
    pub fn asks(&self) -> bool {
        self.settings.policy.asks(self.settings.environment)
    }

    /// What it means that the ledger found no consent.
    pub(super) fn unconfirmed(why: Unconfirmed, needed: Needed) -> Refused {
        match why {
            Unconfirmed::Missing => Refused::NeedsYes(Box::new(needed)),
            Unconfirmed::Used => Refused::NotConfirmed(NotConfirmed::Used),
        }
    }

    /// What to ask before a payment.
    pub(super) fn about_payment(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        terms: &PaymentTerms,
    ) -> Question {
        let goods = terms.extras.get(&Field::GoodsName).map(String::as_str);
        let action = if terms.on_a_page() {
            "let a payer pay on QFPay's checkout page"
        } else {
            "take a payment"
        };
        let lines = self.lines(action, terms.amount, number.as_str(), goods);
        // The payer's code is scanned anew for each try, and is never written down.
        let extras = terms.extras.iter().filter(|(field, _)| **field != Field::AuthCode);
        let hidden = extras.flat_map(|(field, value)| [field.name(), value.as_str()]);
        let hidden: Vec<&str> = [terms.pay_type.code].into_iter().chain(hidden).collect();
        question(caller, Action::CreatePayment, number, lines, &hidden)
    }

    /// What to ask before a refund, of which `left_minor` is left afterwards.
    pub(super) fn about_refund(
        &self,
        caller: &Caller,
        number: &OrderNumber,
        terms: &RefundTerms,
        goods: Option<&str>,
        left_minor: u64,
    ) -> Question {
        let order = match &terms.order {
            Some(order) => order.to_string(),
            None => format!("QFPay's {}", terms.syssn),
        };
        let mut lines = self.lines("give money back", terms.amount, &order, goods);
        let left = amount::written(left_minor, terms.amount.currency());
        lines.push(("Left of the payment after it".to_owned(), left));
        question(caller, Action::Refund, number, lines, &[terms.syssn.as_str()])
    }

    fn lines(
        &self,
        action: &str,
        amount: Amount,
        order: &str,
        goods: Option<&str>,
    ) -> Vec<(String, String)> {
        let settings = &self.settings;
        let environment = settings.environment;
        let money = if environment.moves_real_money() { "real money" } else { "no real money" };
        let goods = goods.map_or("not named".to_owned(), |it| format!("{:?}", cleaned(it)));
        [
            ("Action", action.to_owned()),
            ("Amount", amount.to_string()),
            ("Currency", amount.currency().code.to_owned()),
            ("Order", order.to_owned()),
            ("Goods", goods),
            ("Merchant", settings.merchant.clone()),
            ("Environment", format!("{} ({money})", environment.name())),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// Writes down that a person is asked during the call.
    pub async fn asked(&self, caller: &Caller, question: &Question) {
        let note =
            Note::new(caller, Happening::PersonAsked).saying("by the client, during the call");
        self.note(Some(&question.number), None, note).await;
    }

    /// Writes a question down that the client asks between two rounds, and until when it holds; its
    /// id, under which one answer is taken.
    pub async fn asked_in_rounds(
        &self,
        caller: &Caller,
        question: Question,
        time: Duration,
    ) -> Result<String, Refused> {
        let now = self.clock.now();
        let note = Note::new(caller, Happening::PersonAsked).saying("by the client, in a round");
        let asked = Asked {
            question,
            state: ApprovalState::Asked,
            asked_by: whose(caller),
            code: format!("{:032x}", rand::random::<u128>()),
            nonce: String::new(),
            now,
            expires_at: now.saturating_add(time).unwrap_or(now),
        };
        self.ledger.ask_approval(&asked, note).await?;
        Ok(asked.code)
    }

    /// Ends the questions that expired: nobody answered, and the audit says so.
    pub(super) async fn lapse(&self) {
        let caller = Caller::own("recovery", "recover");
        if let Err(error) = self.ledger.lapse(&caller, self.clock.now()).await {
            tracing::warn!(%error, "expired questions could not be ended");
        }
    }

    /// Writes down that nobody said yes.
    pub async fn not_confirmed(
        &self,
        caller: &Caller,
        number: Option<&OrderNumber>,
        why: NotConfirmed,
    ) -> Refused {
        let note = Note::new(caller, Happening::NotConfirmed).saying(why.to_string());
        self.note(number, None, note).await;
        Refused::NotConfirmed(why)
    }

    /// The same, of a question that was answered: the answer, whatever it was, is used up.
    pub async fn said_no(&self, caller: &Caller, yes: &Yes, why: NotConfirmed) -> Refused {
        // A no that is not on disk could be followed by a yes: it is not told as one.
        if let Err(error) = self.use_up(yes).await {
            return error.into();
        }
        self.not_confirmed(caller, Some(&yes.number), why).await
    }

    /// An answer that did not fit is good for nothing any more.
    async fn use_up(&self, yes: &Yes) -> Result<(), LedgerError> {
        match &yes.given {
            Given::Sealed { id } => self.ledger.use_up(id).await,
            Given::Answered => Ok(()),
        }
    }

    /// Writes the question down for a person to find outside the conversation.
    pub async fn ask_approval(
        &self,
        caller: &Caller,
        question: Question,
    ) -> Result<Approval, Refused> {
        let now = self.clock.now();
        let number = question.number.clone();
        let code = random_word(8);
        let note = Note::new(caller, Happening::PersonAsked)
            .saying(format!("an approval outside the conversation ({code})"));
        let expires_at = now.checked_add(self.settings.approval_time).unwrap_or(now);
        let asked = Asked {
            question,
            state: ApprovalState::Waiting,
            asked_by: whose(caller),
            code,
            nonce: random_word(32),
            now,
            expires_at,
        };
        self.lapse().await;
        match self.ledger.ask_approval(&asked, note).await? {
            Some(it) if it.state == ApprovalState::Declined => {
                let why = NotConfirmed::DeclinedBy(it.decided_by.unwrap_or_default());
                Err(self.not_confirmed(caller, Some(&number), why).await)
            }
            Some(it) => Ok(it),
            None => {
                let note = Note::new(caller, Happening::Refused);
                let refused = Refused::TooManyWait;
                self.note(Some(&number), None, note.saying(refused.to_string())).await;
                Err(refused)
            }
        }
    }

    /// The question under a code, however it is written.
    pub async fn approval(&self, code: &str) -> Result<Option<Approval>, LedgerError> {
        self.ledger.approval(&plain_code(code)).await
    }

    /// The questions that wait for a person, oldest first.
    pub async fn waiting(&self) -> Result<Vec<Approval>, LedgerError> {
        self.ledger.waiting(self.clock.now()).await
    }

    /// Writes a person's decision down. `caller` names the person as its principal.
    pub async fn decide(
        &self,
        caller: &Caller,
        code: &str,
        approve: bool,
    ) -> Result<Decided, LedgerError> {
        let (code, now) = (plain_code(code), self.clock.now());
        let by = caller.principal.clone().unwrap_or_else(|| caller.transport.to_owned());
        let expires_at = now.checked_add(self.settings.approval_time).unwrap_or(now);
        let decision = Decision { code: code.clone(), approve, by, now, expires_at };
        let what = if approve { Happening::Approved } else { Happening::Declined };
        let note = Note::new(caller, what).saying(code.clone());
        let done = self.ledger.decide(&decision, note).await?;
        let found = self.ledger.approval(&code).await?;
        Ok(match found {
            Some(approval) if done => Decided::Done(approval),
            found => Decided::Over(found),
        })
    }
}

/// Everything the yes is about: what is shown, what is not, and who asks.
fn question(
    caller: &Caller,
    action: Action,
    number: &OrderNumber,
    lines: Vec<(String, String)>,
    hidden: &[&str],
) -> Question {
    let shown = lines.iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]);
    let parts = [action.name(), number.as_str()].into_iter().chain(shown);
    let parts = parts.chain(hidden.iter().copied()).map(Some);
    let digest = digest(parts.chain([caller.principal.as_deref()]));
    Question { number: number.clone(), lines, digest }
}

/// Who asks, as far as they say: `till 2 (http, alice)`.
fn whose(caller: &Caller) -> String {
    let through = [Some(caller.transport), caller.principal.as_deref()];
    let through = through.into_iter().flatten().collect::<Vec<_>>().join(", ");
    format!("{} ({through})", caller.client.as_deref().unwrap_or("an unnamed client"))
}

/// Random letters and digits that are not mistaken for each other, five bits each.
pub(super) fn random_word(letters: usize) -> String {
    const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
    let letters = rand::random_iter::<u8>()
        .filter_map(|it| ALPHABET.get(usize::from(it & 31)))
        .map(|it| char::from(*it))
        .take(letters);
    letters.collect()
}

/// A code as it is kept, whatever dashes, blanks and small letters a person types.
fn plain_code(code: &str) -> String {
    code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect()
}
