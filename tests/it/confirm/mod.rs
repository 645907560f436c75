//! A person's yes, asked for by real clients of both eras; everything else moves no money.
pub(crate) mod rounds;

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
    // The client takes the call back and closes; either may be seen first.
    let gone = [
        "not_confirmed: the person closed the question without an answer",
        "not_confirmed: the server is about to end, and waits for no answer any more",
    ];
    assert!(audit.last().is_some_and(|it| gone.contains(&it.as_str())), "{audit:?}");
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
