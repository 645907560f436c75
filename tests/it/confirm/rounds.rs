//! The sealed state of a round: used once, for the same terms, by the same client, for a while.
use super::*;

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

pub(crate) fn answer(call: CallToolRequestParams, answer: &Value) -> CallToolRequestParams {
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
