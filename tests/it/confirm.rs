//! A person's yes, asked for by real clients of both eras; everything else moves no money.
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::future::join_all;
use qfpay_mcp::domain::PaymentState;
use rmcp::{
    ClientHandler, ErrorData, RoleClient,
    model::{
        CallToolRequestParams, CallToolResponse, ClientCapabilities, ClientConfig,
        ElicitRequestParams, ElicitResult, ElicitationAction, ElicitationCapability,
        FormElicitationCapability, Implementation, InputRequiredResult, InputResponses,
    },
    service::RequestContext,
};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::{
    cluster::Postgres,
    harness::{Client, Desk, Era, call, text},
};

/// The shortest time in which a person answers: anything faster is taken for a machine.
pub(crate) const HUMAN: Duration = Duration::from_millis(1100);

/// What the person, or whoever answers for them, does when asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    Yes,
    /// Accepts the form with "no" in it, as it is filled in beforehand.
    No,
    Declines,
    Cancels,
    /// Accepts a form with nothing in it.
    Empty,
    /// Accepts with an answer that was not offered.
    Odd,
    /// Says yes before anybody could have read the question.
    AtOnce,
    /// Says yes after the question has expired.
    Late,
    /// The client said that it can ask, and cannot.
    Unable,
}

/// A client with a person before it.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    says: Says,
    /// How long they think.
    thinks: Duration,
    name: &'static str,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Person {
    pub(crate) fn who(says: Says) -> Self {
        let thinks = match says {
            Says::AtOnce => Duration::ZERO,
            Says::Late => Duration::from_secs(6),
            Says::Yes
            | Says::No
            | Says::Declines
            | Says::Cancels
            | Says::Empty
            | Says::Odd
            | Says::Unable => HUMAN,
        };
        Self { says, thinks, name: "till", asked: Arc::default() }
    }

    /// The same, without thinking.
    pub(crate) fn at_once(says: Says) -> Self {
        Self { thinks: Duration::ZERO, ..Self::who(says) }
    }

    /// The questions that were shown.
    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl ClientHandler for Person {
    fn get_info(&self) -> ClientConfig {
        let form = ElicitationCapability::new().with_form(FormElicitationCapability::default());
        let mut able = ClientCapabilities::default();
        able.elicitation = Some(form);
        ClientConfig::new(able, Implementation::new(self.name, "1"))
    }

    async fn create_elicitation(
        &self,
        request: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let ElicitRequestParams::FormElicitationParams { message, .. } = request else { panic!() };
        self.asked.lock().unwrap().push(message);
        let accept = |content| ElicitResult::new(ElicitationAction::Accept).with_content(content);
        tokio::time::sleep(self.thinks).await;
        Ok(match self.says {
            Says::Yes | Says::AtOnce | Says::Late => accept(json!({"answer": "yes"})),
            Says::No => accept(json!({"answer": "no"})),
            Says::Declines => ElicitResult::new(ElicitationAction::Decline),
            Says::Cancels => ElicitResult::new(ElicitationAction::Cancel),
            Says::Empty => accept(json!({})),
            Says::Odd => accept(json!({"answer": true, "confirm": "yes"})),
            Says::Unable => {
                return Err(ErrorData::method_not_found::<
                    rmcp::model::ElicitationCreateRequestMethod,
                >());
            }
        })
    }
}

/// A server that asks, on a desk.
pub(crate) fn asking(desk: &Desk) -> Command {
    let mut command = desk.command();
    command.env("QFPAY_CONFIRM", "always").env("QFPAY_CONFIRM_SECONDS", "5");
    command
}

pub(crate) fn payment(number: &str) -> Value {
    json!({"amount": 1050, "currency": "HKD", "pay_type": "800201", "out_trade_no": number,
           "goods_name": "Coffee"})
}

/// What left for QFPay, by the audit.
async fn sent(desk: &Desk) -> usize {
    desk.audit().await.iter().filter(|it| it.starts_with("sent")).count()
}

/// How a call with one answer ends: its status or the first words of its refusal, and what the
/// audit says about it.
async fn ends(era: Era, says: Says) -> String {
    let desk = Desk::new();
    let person = Person::who(says);
    let client = Client::with(asking(&desk), person.clone(), era).await;
    let ended = match client.attempt("create_payment", payment("A1")).await {
        Ok(result) if result.is_error == Some(true) => {
            assert_eq!(result.structured_content, None);
            text(&result)
        }
        Ok(result) => result.structured_content.unwrap()["status"].as_str().unwrap().to_owned(),
        // rmcp's client gives the error of its own handler back instead of calling again.
        Err(error) => format!("client: {error}"),
    };
    assert_eq!(person.asked().len(), 1);
    let paid = usize::from(says == Says::Yes);
    assert_eq!(sent(&desk).await, paid, "{era:?} {says:?}: {ended}");
    let asked = client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
    assert_eq!(asked["orders"].as_array().unwrap().len(), paid, "{era:?} {says:?}");
    let audit = desk.audit().await;
    let why = audit.iter().find_map(|it| it.strip_prefix("not_confirmed: ")).unwrap_or("-");
    let ended = ended.split(". ").next().unwrap();
    format!("{era:?} {says:?} => {ended} | {why}")
}

#[tokio::test]
async fn only_a_deliberate_yes_of_a_person_moves_money_in_both_eras() {
    let all = [
        Says::Yes,
        Says::No,
        Says::Declines,
        Says::Cancels,
        Says::Empty,
        Says::Odd,
        Says::AtOnce,
        Says::Late,
        Says::Unable,
    ];
    let cases = [Era::Legacy, Era::Modern].into_iter().flat_map(|era| all.map(|it| (era, it)));
    let told = join_all(cases.map(|(era, says)| ends(era, says))).await;
    insta::assert_snapshot!(told.join("\n"), @"
    Legacy Yes => pending | -
    Legacy No => Refused; nothing was sent: the person declined | the person declined
    Legacy Declines => Refused; nothing was sent: the person declined | the person declined
    Legacy Cancels => Refused; nothing was sent: the person closed the question without an answer | the person closed the question without an answer
    Legacy Empty => Refused; nothing was sent: the answer is not one that was offered | the answer is not one that was offered
    Legacy Odd => Refused; nothing was sent: the answer is not one that was offered | the answer is not one that was offered
    Legacy AtOnce => Refused; nothing was sent: an answer came faster than a person can read the question | an answer came faster than a person can read the question
    Legacy Late => Refused; nothing was sent: nobody answered within 5 s | nobody answered within 5 s
    Legacy Unable => needs_approval | the client did not ask the person: it knows no such request
    Modern Yes => pending | -
    Modern No => Refused; nothing was sent: the person declined | the person declined
    Modern Declines => Refused; nothing was sent: the person declined | the person declined
    Modern Cancels => Refused; nothing was sent: the person closed the question without an answer | the person closed the question without an answer
    Modern Empty => Refused; nothing was sent: the answer is not one that was offered | the answer is not one that was offered
    Modern Odd => Refused; nothing was sent: the answer is not one that was offered | the answer is not one that was offered
    Modern AtOnce => Refused; nothing was sent: an answer came faster than a person can read the question | an answer came faster than a person can read the question
    Modern Late => Refused; nothing was sent: the answer came too late: a question holds for 5 s | the answer came too late: a question holds for 5 s
    Modern Unable => client: Mcp error: -32601: elicitation/create | -
    ");
}

#[tokio::test]
async fn a_refund_is_asked_about_too_and_a_repeat_of_what_left_is_not() {
    for era in [Era::Legacy, Era::Modern] {
        let desk = Desk::new();
        let person = Person::who(Says::Yes);
        let client = Client::with(asking(&desk), person.clone(), era).await;
        client.reply("create_payment", payment("A1")).await;
        let refund = json!({"out_trade_no": "A1", "amount": 525, "refund_no": "R1"});
        client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
        let back = client.reply("refund", refund.clone()).await;
        assert_eq!(back["status"], "refunded");
        let (paid, given) = (payment("A1"), refund);
        assert_eq!(client.reply("create_payment", paid).await["replayed"], true);
        assert_eq!(client.reply("refund", given).await["replayed"], true);
        let asked = person.asked();
        assert_eq!(asked.len(), 2, "{asked:#?}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(asked.join("\n---\n"), @r#"
            An AI agent asks to take a payment. Is this right?

            Action: take a payment
            Amount: HKD 10.50
            Currency: HKD
            Order: A1
            Goods: "Coffee"
            Merchant: app:simulator-app
            Environment: simulator (no real money)

            Nothing happens unless you choose `yes`.
            ---
            An AI agent asks to give money back. Is this right?

            Action: give money back
            Amount: HKD 5.25
            Currency: HKD
            Order: A1
            Goods: "Coffee"
            Merchant: app:simulator-app
            Environment: simulator (no real money)
            Left of the payment after it: HKD 5.25

            Nothing happens unless you choose `yes`.
            "#);
        }
    }
}

#[tokio::test]
async fn what_would_be_refused_anyhow_is_asked_of_nobody() {
    let desk = Desk::new();
    let person = Person::who(Says::Yes);
    let mut command = asking(&desk);
    command.env("QFPAY_MAX_AMOUNT", "HKD:1050");
    let client = Client::with(command, person.clone(), Era::Modern).await;
    client.reply("create_payment", payment("A1")).await;
    let mut again = payment("A1");
    again["out_trade_no"] = Value::Null;
    let repeated = client.refusal("create_payment", again).await;
    assert!(repeated.contains("the same payment of HKD 10.50 was asked for"), "{repeated}");
    let mut more = payment("A2");
    more["amount"] = json!(1051);
    let over = client.refusal("create_payment", more).await;
    assert!(over.contains("over_payment (amount)"), "{over}");
    let bad = client.refusal("create_payment", json!({"amount": 1})).await;
    assert!(bad.contains("2 arguments are wrong"), "{bad}");
    assert_eq!(person.asked().len(), 1);
}

/// A client of 2026-07-28 that does what it likes with the rounds.
struct Rounds {
    desk: Desk,
    client: Client<Person>,
}

impl Rounds {
    async fn new() -> Self {
        let desk = Desk::new();
        let client = Client::with(asking(&desk), Person::who(Says::Yes), Era::Modern).await;
        Self { desk, client }
    }

    /// The sealed state of a question.
    async fn asked(&self, tool: &str, arguments: &Value) -> String {
        let response = self.client.round(call(tool, arguments)).await;
        let CallToolResponse::InputRequired(InputRequiredResult {
            input_requests: Some(requests),
            request_state: Some(state),
            ..
        }) = response
        else {
            panic!("{response:?}")
        };
        assert_eq!(requests.keys().collect::<Vec<_>>(), ["confirm"]);
        state
    }

    /// Answers with a state, as a person would by time; the status, or why not.
    async fn answered(&self, tool: &str, arguments: &Value, state: &str) -> String {
        let accept = json!({"action": "accept", "content": {"answer": "yes"}});
        self.sent(answer(call(tool, arguments), &accept).with_request_state(state)).await
    }

    async fn sent(&self, params: CallToolRequestParams) -> String {
        let response = self.client.round(params).await;
        let CallToolResponse::Complete(result) = response else { panic!("{response:?}") };
        if let Some(reply) = result.structured_content {
            let replayed = if reply["replayed"] == true { " again" } else { "" };
            return format!("{}{replayed}", reply["status"].as_str().unwrap());
        }
        let told = text(&result);
        let told = told.strip_prefix("Refused; nothing was sent: ").unwrap_or(&told);
        told.split(". ").next().unwrap().to_owned()
    }
}

fn answer(call: CallToolRequestParams, answer: &Value) -> CallToolRequestParams {
    call.with_input_responses(InputResponses::from([("confirm".to_owned(), answer.clone())]))
}

#[tokio::test]
async fn a_sealed_answer_is_good_for_one_call_of_the_same_terms() {
    let rounds = Rounds::new().await;
    let mut unnumbered = payment("A1");
    unnumbered["out_trade_no"] = Value::Null;
    // Not the same as A2, which would be a repeat.
    unnumbered["amount"] = json!(1100);
    let state = rounds.asked("create_payment", &unnumbered).await;
    let changes = [
        ("amount", json!(1051)),
        ("currency", json!("USD")),
        ("pay_type", json!("800101")),
        ("goods_name", json!("Tea")),
        ("out_trade_no", json!("A3")),
        ("udid", json!("till-3")),
    ];
    let mut states = Vec::new();
    for _ in 0..=changes.len() {
        states.push(rounds.asked("create_payment", &payment("A2")).await);
    }
    tokio::time::sleep(HUMAN).await;
    let mut told = Vec::new();
    let mut tell = async |what: &str, arguments: &Value, state: &str| {
        let ended = rounds.answered("create_payment", arguments, state).await;
        told.push(format!("{what} => {ended}"));
    };
    for ((name, value), state) in changes.into_iter().zip(&states) {
        let mut arguments = payment("A2");
        arguments[name] = value;
        tell(&format!("another {name}"), &arguments, state).await;
        tell("and then the right one", &payment("A2"), state).await;
    }
    assert_eq!(sent(&rounds.desk).await, 0, "{told:#?}");
    let last = states.last().unwrap();
    tell("the same", &payment("A2"), last).await;
    tell("the same once more", &payment("A2"), last).await;
    tell("the number that was made", &unnumbered, &state).await;
    tell("that once more", &unnumbered, &state).await;
    insta::assert_snapshot!(told.join("\n"), @"
    another amount => the answer was given to other terms than these
    and then the right one => this answer was used already; each is good for one call
    another currency => the answer was given to other terms than these
    and then the right one => this answer was used already; each is good for one call
    another pay_type => the answer was given to other terms than these
    and then the right one => this answer was used already; each is good for one call
    another goods_name => the answer was given to other terms than these
    and then the right one => this answer was used already; each is good for one call
    another out_trade_no => the answer was given to other terms than these
    and then the right one => this answer was used already; each is good for one call
    another udid => the answer was given to other terms than these
    and then the right one => this answer was used already; each is good for one call
    the same => pending
    the same once more => pending again
    the number that was made => in_doubt
    that once more => in_doubt again
    ");
    assert_eq!(sent(&rounds.desk).await, 2);
}

#[tokio::test]
async fn a_sealed_answer_that_was_altered_or_is_anothers_or_none_is_no_answer() {
    let rounds = Rounds::new().await;
    let state = rounds.asked("create_payment", &payment("A1")).await;
    let mut altered = state.clone().into_bytes();
    let at = altered.len() / 2;
    altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
    let altered = String::from_utf8(altered).unwrap();
    // A server with another key, a client of another name, another tool, another desk's server.
    let mut command = asking(&rounds.desk);
    command.env("QFPAY_KEY", "another-key");
    let foreign = Client::with(command, Person::who(Says::Yes), Era::Modern).await;
    let foreign = Rounds { desk: Desk::new(), client: foreign };
    let theirs = foreign.asked("create_payment", &payment("A1")).await;
    let stranger = Person { name: "stranger", ..Person::who(Says::Yes) };
    let stranger = Client::with(asking(&rounds.desk), stranger, Era::Modern).await;
    let stranger = Rounds { desk: Desk::new(), client: stranger };
    tokio::time::sleep(HUMAN).await;
    let mut told = Vec::new();
    for (what, state) in
        [("altered", altered.as_str()), ("of another key", &theirs), ("none at all", "x"), ("", "")]
    {
        let ended = rounds.answered("create_payment", &payment("A1"), state).await;
        told.push(format!("{what} => {ended}"));
    }
    let ended = stranger.answered("create_payment", &payment("A1"), &state).await;
    told.push(format!("of another client => {ended}"));
    let refund = json!({"out_trade_no": "A1", "refund_no": "A1x"});
    let ended = rounds.answered("refund", &refund, &state).await;
    told.push(format!("of another tool => {ended}"));
    // Answers that nobody asked for, and a round without one.
    let accept = json!({"action": "accept", "content": {"answer": "yes"}});
    let ended = rounds.sent(answer(call("create_payment", &payment("A1")), &accept)).await;
    told.push(format!("without a question => {ended}"));
    let bare = call("create_payment", &payment("A1")).with_request_state(state.clone());
    told.push(format!("without an answer => {}", rounds.sent(bare).await));
    // That used it up.
    let ended = rounds.answered("create_payment", &payment("A1"), &state).await;
    told.push(format!("yes after all => {ended}"));
    // A no is a no.
    let state = rounds.asked("create_payment", &payment("A1")).await;
    tokio::time::sleep(HUMAN).await;
    let decline = answer(call("create_payment", &payment("A1")), &json!({"action": "decline"}));
    let ended = rounds.sent(decline.with_request_state(state.clone())).await;
    told.push(format!("declined => {ended}"));
    let ended = rounds.answered("create_payment", &payment("A1"), &state).await;
    told.push(format!("and then accepted => {ended}"));
    let state = rounds.asked("create_payment", &payment("A1")).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    let ended = rounds.answered("create_payment", &payment("A1"), &state).await;
    told.push(format!("expired => {ended}"));
    insta::assert_snapshot!(told.join("\n"), @"
    altered => what came back with the answer is not what this server gave out for this caller
    of another key => what came back with the answer is not what this server gave out for this caller
    none at all => what came back with the answer is not what this server gave out for this caller
     => what came back with the answer is not what this server gave out for this caller
    of another client => what came back with the answer is not what this server gave out for this caller
    of another tool => what came back with the answer is not what this server gave out for this caller
    without a question => an answer came with no question of this server's before it
    without an answer => the answer is not one that was offered
    yes after all => this answer was used already; each is good for one call
    declined => the person declined
    and then accepted => this answer was used already; each is good for one call
    expired => the answer came too late: a question holds for 5 s
    ");
    assert_eq!(sent(&rounds.desk).await, 0);
    // Each of them is in the audit.
    let refused = rounds.desk.audit().await;
    let refused = refused.iter().filter(|it| it.starts_with("not_confirmed")).count();
    assert_eq!(refused, told.len());
}

/// The same yes at ten calls at once, over two processes.
async fn ten_calls(ledger: Option<&str>) {
    let desk = Desk::new();
    let server = || {
        let mut command = asking(&desk);
        if let Some(url) = ledger {
            command.env("QFPAY_LEDGER", url);
        }
        Client::with(command, Person::who(Says::Yes), Era::Modern)
    };
    let one = Rounds { desk: Desk::new(), client: server().await };
    let two = Rounds { desk: Desk::new(), client: server().await };
    let arguments = payment("A1");
    let state = one.asked("create_payment", &arguments).await;
    tokio::time::sleep(HUMAN).await;
    let calls = (0..10).map(|at| {
        let at = if at % 2 == 0 { &one } else { &two };
        at.answered("create_payment", &arguments, &state)
    });
    let ended = join_all(calls).await;
    // Whoever comes second is told what left.
    let again = ended.iter().filter(|it| it.ends_with(" again")).count();
    assert_eq!(again, 9, "{ended:?}");
    let known = |it: &String| PaymentState::find(it.trim_end_matches(" again")).is_some();
    assert!(ended.iter().all(known), "{ended:?}");
    let found = one.client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
    assert_eq!(found["orders"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn of_ten_calls_with_one_yes_one_pays_and_the_others_are_told_on_sqlite() {
    ten_calls(None).await;
}

#[tokio::test]
async fn of_ten_calls_with_one_yes_one_pays_and_the_others_are_told_on_postgres() {
    let Some(postgres) = Postgres::or_skip() else { return };
    ten_calls(Some(&postgres.fresh().await.unwrap())).await;
}

/// The client goes while the person thinks: what they say later is heard by nobody.
#[tokio::test]
async fn a_call_that_ends_while_the_person_thinks_pays_nothing() {
    let desk = Desk::new();
    let client = Client::with(asking(&desk), Person::who(Says::Late), Era::Legacy).await;
    {
        let mut call = std::pin::pin!(client.attempt("create_payment", payment("A1")));
        let thinking = tokio::time::timeout(HUMAN, &mut call).await;
        assert!(thinking.is_err(), "{thinking:?}");
    }
    client.end().await;
    let audit = desk.audit().await;
    let gone = "not_confirmed: the person closed the question without an answer";
    assert_eq!(audit.last().map(String::as_str), Some(gone), "{audit:?}");
    assert_eq!(sent(&desk).await, 0);
}

#[tokio::test]
async fn where_nobody_has_to_be_asked_nobody_is() {
    for confirm in ["money", "never"] {
        let desk = Desk::new();
        let person = Person::who(Says::Declines);
        let mut command = asking(&desk);
        command.env("QFPAY_CONFIRM", confirm);
        let client = Client::with(command, person.clone(), Era::Modern).await;
        assert_eq!(client.reply("create_payment", payment("A1")).await["status"], "pending");
        assert_eq!(person.asked(), [""; 0]);
    }
}
