//! Asking a person, as the client can: in rounds of one call (2026-07-28), by a request of the
//! server's (before), or outside the conversation where the client can do neither.
//!
//! The model has no part in it. It sees no answer, has no argument for one, and what comes back
//! with a call counts only if this server sealed it: for this caller, these terms, a while, once.
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use jiff::Timestamp;
use rmcp::{
    RoleServer,
    handler::server::tool::{InputResponses, RequestState},
    model::{
        ElicitRequest, ElicitRequestParams, ElicitationAction, ElicitationSchema, EnumSchema,
        ErrorCode, InputRequest, InputRequests, InputRequiredResult, ProtocolVersion,
        RequestStateCodec, RequestStateError, SealOptions,
    },
    service::{RequestContext, ServiceError},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Server, progress::told};
use crate::{
    client::response::cleaned,
    domain::{Amount, OrderNumber, Question, digest::digest, question::FASTEST},
    ledger::{Approval, Caller, Given},
    payments::{
        Refused,
        consent::{Needed, NotConfirmed, Yes},
    },
};

/// The name of our one question, and of the answer in it.
const QUESTION: &str = "confirm";
const ANSWER: &str = "answer";
const YES: &str = "yes";
const NO: &str = "no";
/// How often a client hears that a person is still thinking.
const BREATH: Duration = Duration::from_secs(5);

/// How often in a row a person says no before they are left alone, and for how long.
const ENOUGH: usize = 8;
const REST: Duration = Duration::from_mins(10);

/// How questions are sealed, how long they hold, and who has had enough of them.
#[derive(Clone)]
pub struct Asking {
    codec: Arc<RequestStateCodec>,
    time: Duration,
    /// When each caller's person said no.
    noes: Arc<Mutex<HashMap<String, Vec<Instant>>>>,
}

impl Asking {
    /// Seals with a key that every replica has; a question holds for `time`.
    pub fn new(key: [u8; 32], time: Duration) -> Self {
        let codec = Arc::new(RequestStateCodec::new_unchecked(key));
        Self { codec, time, noes: Arc::default() }
    }

    /// Hears what this caller's person answered. A yes shows that they are there and not worn out;
    /// a no is a no: an agent that asks again and again wears nobody out.
    fn hear(&self, caller: &Caller, answer: &Result<(), NotConfirmed>) {
        let (mut noes, whose) = (self.recent_noes(), person_of(caller));
        match answer {
            Ok(()) => drop(noes.remove(&whose)),
            Err(NotConfirmed::Declined | NotConfirmed::Cancelled) => {
                let times = noes.entry(whose).or_default();
                times.truncate(ENOUGH);
                times.insert(0, Instant::now());
            }
            Err(_) => {}
        }
    }

    /// Whether this caller's person said no often enough for now.
    fn has_enough(&self, caller: &Caller) -> bool {
        self.recent_noes().get(&person_of(caller)).is_some_and(|it| it.len() >= ENOUGH)
    }

    fn recent_noes(&self) -> MutexGuard<'_, HashMap<String, Vec<Instant>>> {
        let mut noes = self.noes.lock().unwrap_or_else(PoisonError::into_inner);
        noes.retain(|_, times| {
            times.retain(|it| it.elapsed() < REST);
            !times.is_empty()
        });
        noes
    }
}

/// What the client carries from one round to the next: signed, not secret.
#[derive(Debug, Serialize, Deserialize)]
struct Sealed {
    /// Used once.
    id: String,
    /// Of the payment or refund, which may have been made up for it.
    number: String,
    /// Of the question.
    digest: String,
    asked_ms: i64,
}

/// What came with a call besides its arguments.
pub(super) struct Brought {
    pub(super) state: RequestState,
    pub(super) answers: InputResponses,
}

/// How a call that may need a yes went.
pub(super) enum Outcome<T> {
    Done(T),
    /// The client asks the person and calls again.
    Round(InputRequiredResult),
    /// A person has to approve it outside the conversation.
    Approval(Needed, Approval),
}

impl Server {
    /// Runs `what` with the yes that was brought; where one is wanted, gets it as the client can.
    /// `given` is the number in the arguments.
    pub(super) async fn with_consent<T, F: Future<Output = Result<T, Refused>>>(
        &self,
        caller: &Caller,
        context: &RequestContext<RoleServer>,
        brought: Brought,
        given: Option<&OrderNumber>,
        what: impl Fn(Option<Yes>) -> F,
    ) -> Result<Outcome<T>, Refused> {
        let yes = self.answer(caller, brought, given).await?;
        let needed = match what(yes).await {
            Err(Refused::NeedsYes(needed)) => *needed,
            done => return done.map(Outcome::Done),
        };
        if !can_ask(context) {
            return self.outside(caller, needed).await;
        }
        let number = needed.question.number.clone();
        if self.asking.has_enough(caller) {
            let why = NotConfirmed::Enough;
            return Err(self.payments.not_confirmed(caller, Some(&number), why).await);
        }
        if context.protocol_version().is_some_and(|it| it >= ProtocolVersion::V_2026_07_28) {
            return Ok(Outcome::Round(self.round(caller, &needed).await?));
        }
        self.payments.asked(caller, &needed.question).await;
        let answer = self.elicit(context, &needed).await;
        self.asking.hear(caller, &answer);
        let Err(why) = answer else {
            let digest = needed.question.digest;
            let yes = Yes { digest, number, given: Given::Answered };
            return what(Some(yes)).await.map(Outcome::Done);
        };
        let unable = matches!(why, NotConfirmed::Failed(_));
        let refused = self.payments.not_confirmed(caller, Some(&number), why).await;
        // It said that it can ask, and cannot: a person can still be found elsewhere.
        if unable { self.outside(caller, needed).await } else { Err(refused) }
    }

    async fn outside<T>(&self, caller: &Caller, needed: Needed) -> Result<Outcome<T>, Refused> {
        let approval = self.payments.ask_approval(caller, needed.question.clone()).await?;
        Ok(Outcome::Approval(needed, approval))
    }

    /// The yes in what was brought, if anything was.
    async fn answer(
        &self,
        caller: &Caller,
        brought: Brought,
        given: Option<&OrderNumber>,
    ) -> Result<Option<Yes>, Refused> {
        let (RequestState(state), InputResponses(answers)) = (brought.state, brought.answers);
        if !self.payments.asks() || (state.is_none() && answers.is_none()) {
            return Ok(None);
        }
        let opened = state.ok_or(NotConfirmed::Unasked).and_then(|it| self.open(caller, &it));
        let (yes, asked_at) = match opened {
            Ok(opened) => opened,
            Err(why) => return Err(self.payments.not_confirmed(caller, given, why).await),
        };
        let answer = answers.as_ref().and_then(|it| it.get(QUESTION));
        let mut answer = judged(answer, self.since(asked_at));
        if answer.is_ok() && given.is_some_and(|it| *it != yes.number) {
            answer = Err(NotConfirmed::OtherTerms);
        }
        self.asking.hear(caller, &answer);
        match answer {
            Ok(()) => Ok(Some(yes)),
            Err(why) => Err(self.payments.said_no(caller, &yes, why).await),
        }
    }

    fn since(&self, then: Timestamp) -> Duration {
        let passed = self.payments.clock.now().duration_since(then);
        Duration::try_from(passed).unwrap_or_default()
    }

    async fn round(
        &self,
        caller: &Caller,
        needed: &Needed,
    ) -> Result<InputRequiredResult, Refused> {
        let question = &needed.question;
        let time = self.asking.time;
        let sealed = Sealed {
            id: self.payments.asked_in_rounds(caller, question.clone(), time).await?,
            number: question.number.to_string(),
            digest: question.digest.clone(),
            asked_ms: self.payments.clock.now().as_millisecond(),
        };
        let call = call_of(caller);
        let options = SealOptions::new().associated_data(call.as_bytes()).ttl(time);
        let payload = serde_json::to_vec(&sealed).unwrap_or_default();
        let state = self.asking.codec.seal_with(&payload, &options);
        let request = InputRequest::Elicitation(ElicitRequest::new(form(question, needed.amount)));
        let requests = InputRequests::from([(QUESTION.to_owned(), request)]);
        Ok(InputRequiredResult::new(Some(requests), Some(state)))
    }

    /// Whether a state comes from a question that this caller was asked, and may still answer.
    pub(super) fn asked(&self, caller: &Caller, state: &str) -> bool {
        self.payments.asks() && self.open(caller, state).is_ok()
    }

    /// The yes that a state is about, and when it was asked for.
    fn open(&self, caller: &Caller, state: &str) -> Result<(Yes, Timestamp), NotConfirmed> {
        let payload = match self.asking.codec.open_with(state, call_of(caller).as_bytes()) {
            Ok(payload) => payload,
            Err(RequestStateError::Expired) => {
                return Err(NotConfirmed::Expired(self.asking.time));
            }
            Err(_) => return Err(NotConfirmed::Altered),
        };
        let sealed: Option<Sealed> = serde_json::from_slice(&payload).ok();
        let opened = sealed.and_then(|it| {
            let (number, given) = (it.number.parse().ok()?, Given::Sealed { id: it.id });
            let asked_at = Timestamp::from_millisecond(it.asked_ms).ok()?;
            Some((Yes { digest: it.digest, number, given }, asked_at))
        });
        opened.ok_or(NotConfirmed::Altered)
    }

    /// Asks during the call, as clients before 2026-07-28 are asked.
    async fn elicit(
        &self,
        context: &RequestContext<RoleServer>,
        needed: &Needed,
    ) -> Result<(), NotConfirmed> {
        let asked_at = self.payments.clock.now();
        let form = form(&needed.question, needed.amount);
        let answer = tokio::select! {
            // Who took the call back is not heard any more, whatever came with that.
            biased;
            () = context.ct.cancelled() => return Err(NotConfirmed::Cancelled),
            () = self.payments.stop.cancelled() => return Err(NotConfirmed::Ending),
            answer = context.peer.create_elicitation_with_timeout(form, Some(self.asking.time)) => {
                answer
            }
            () = self.thinking(context) => return Err(NotConfirmed::Cancelled),
        };
        match answer {
            Ok(it) => {
                let answer = serde_json::to_value(it).unwrap_or_default();
                judged(Some(&answer), self.since(asked_at))
            }
            Err(ServiceError::Timeout { .. }) => Err(NotConfirmed::TimedOut(self.asking.time)),
            Err(ServiceError::Cancelled { .. } | ServiceError::TransportClosed) => {
                Err(NotConfirmed::Cancelled)
            }
            Err(ServiceError::McpError(error)) => {
                let text = cleaned(&error.message);
                let text = match error.code {
                    ErrorCode::METHOD_NOT_FOUND => "it knows no such request".to_owned(),
                    _ => format!("{text:?}"),
                };
                Err(NotConfirmed::Failed(text))
            }
            Err(_) => Err(NotConfirmed::Unfit),
        }
    }

    /// Tells the client that the call is still alive while a person thinks; it has no end.
    async fn thinking(&self, context: &RequestContext<RoleServer>) {
        let mut waited = Duration::ZERO;
        loop {
            tokio::time::sleep(BREATH).await;
            waited = waited.saturating_add(BREATH);
            let message = "waiting for a person's yes".to_owned();
            told(context, waited, self.asking.time, message).await;
        }
    }
}

/// Whom a question is for: another caller cannot answer it.
fn whose(caller: &Caller) -> String {
    digest([Some(caller.transport), caller.client.as_deref(), caller.principal.as_deref()])
}

/// Whose person is asked. Where callers are known it is theirs, whatever their client calls itself.
fn person_of(caller: &Caller) -> String {
    match &caller.principal {
        Some(principal) => digest([Some(principal.as_str())]),
        None => whose(caller),
    }
}

/// What a state is bound to.
fn call_of(caller: &Caller) -> String {
    format!("{} of {}", caller.tool, whose(caller))
}

/// Whether the client says that it can show a form to a person.
fn can_ask(context: &RequestContext<RoleServer>) -> bool {
    let able = context.client_capabilities().and_then(|it| it.elicitation);
    able.is_some_and(|it| it.form.is_some() || it.url.is_none())
}

/// Reads an answer that took so long: only a deliberate yes is one.
fn judged(answer: Option<&Value>, took: Duration) -> Result<(), NotConfirmed> {
    let action = answer.and_then(|it| it.get("action")).cloned().unwrap_or_default();
    match serde_json::from_value(action) {
        Ok(ElicitationAction::Accept) => {}
        Ok(ElicitationAction::Decline) => return Err(NotConfirmed::Declined),
        Ok(ElicitationAction::Cancel) => return Err(NotConfirmed::Cancelled),
        Ok(_) | Err(_) => return Err(NotConfirmed::Unfit),
    }
    let chosen = answer.and_then(|it| it.pointer(&format!("/content/{ANSWER}")));
    match chosen.and_then(Value::as_str) {
        Some(YES) if took < FASTEST => Err(NotConfirmed::TooFast),
        Some(YES) => Ok(()),
        Some(NO) => Err(NotConfirmed::Declined),
        Some(_) | None => Err(NotConfirmed::Unfit),
    }
}

/// The form that a person sees. "No" is chosen beforehand, so that a client which fills forms in by
/// itself, or a person who only presses return, pays nothing.
fn form(question: &Question, amount: Amount) -> ElicitRequestParams {
    let what = question.lines.first().map_or("do this", |(_, value)| value.as_str());
    let choice = EnumSchema::builder(vec![NO.to_owned(), YES.to_owned()])
        .title(format!("{what}: {amount}?"))
        .description(format!("`{YES}` to {what}, {amount}; `{NO}` to do nothing"));
    let choice = match choice.with_default(NO) {
        Ok(choice) => choice.build(),
        Err(_) => EnumSchema::builder(vec![NO.to_owned(), YES.to_owned()]).build(),
    };
    ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: format!(
            "An AI agent asks to {what}. Is this right?\n\n{}\n\nNothing happens unless you choose \
             `{YES}`.",
            question.text()
        ),
        requested_schema: ElicitationSchema::builder()
            .required_enum_schema(ANSWER, choice)
            .build_unchecked(),
    }
}
