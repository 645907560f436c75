//! Calls of one agent that come to several replicas: which of them makes no difference.
use qfpay_mcp::{simulator::Payer, spec::endpoints::Endpoint};
use rmcp::model::{CallToolResponse, InputRequiredResult};
use serde_json::{Value, json};

use super::*;
use crate::{
    approve::{Page, in_a_terminal},
    broken::world::Manners,
    confirm::{HUMAN, payment, rounds::answer},
    harness::{call, text},
};

/// Replicas over a database of their own, with these settings; their payer pays at once.
async fn replicas(settings: &'static [(&str, &str)]) -> Option<(Arc<World>, Replicas)> {
    Postgres::or_skip()?;
    let manners = Manners::of(Payer::Pays { after: Duration::ZERO });
    let world = Arc::new(World::new(Store::Postgres, manners).await);
    let replica = {
        let world = world.clone();
        move |_| {
            let mut command = world.command("off");
            command.envs(settings.iter().copied());
            command
        }
    };
    let replicas = Replicas::start(0, replica).await;
    Some((world, replicas))
}

const ASKING: &[(&str, &str)] = &[("QFPAY_CONFIRM", "always"), ("QFPAY_CONFIRM_SECONDS", "5")];

/// No replica knows anything that the others do not.
#[tokio::test]
async fn any_request_can_go_to_any_replica() {
    let Some((world, replicas)) = replicas(&[]).await else { return };
    for first in 0..REPLICAS {
        let (one, next) = (replicas.agent_of(first).await, (first + 1) % REPLICAS);
        let (other, third) =
            (replicas.agent_of(next).await, replicas.agent_of((first + 2) % REPLICAS).await);
        let discovered = one.request("server/discover", None, json!({})).await.unwrap();
        assert!(discovered["capabilities"]["tools"].is_object(), "{discovered:#}");
        let listed = other.request("tools/list", None, json!({})).await.unwrap();
        let tools = qfpay_mcp::mcp::Server::tools();
        assert_eq!(listed["tools"].as_array().unwrap().len(), tools.len(), "{listed:#}");
        let number = format!("A{first}");
        let order = json!({"out_trade_no": number});
        assert_eq!(third.reply("create_payment", payment(&number)).await["status"], "pending");
        assert_eq!(one.reply("wait_for_payment", order.clone()).await["status"], "paid");
        let again = other.reply("create_payment", payment(&number)).await;
        assert_eq!((&again["status"], &again["replayed"]), (&json!("paid"), &json!(true)));
        let refund =
            json!({"out_trade_no": number, "amount": 50, "refund_no": format!("R{first}")});
        assert_eq!(third.reply("refund", refund.clone()).await["status"], "refunded");
        assert_eq!(one.reply("refund", refund).await["replayed"], true);
        let found = other.reply("query_transaction", order).await;
        assert_eq!(found["orders"][0]["status"], "partially_refunded");
    }
    assert_eq!(world.simulator.requests(Endpoint::Payment), REPLICAS as u64);
    assert_eq!(world.simulator.requests(Endpoint::Refund), REPLICAS as u64);
}

#[tokio::test]
async fn of_ten_calls_at_once_under_one_number_one_pays_and_the_others_are_told() {
    let Some((world, replicas)) = replicas(&[]).await else { return };
    let calls = (0..10).map(|_| replicas.agent.reply("create_payment", payment("A1")));
    let replies = join_all(calls).await;
    let told_again = replies.iter().filter(|it| it["replayed"] == true).count();
    assert_eq!(told_again, 9, "{replies:#?}");
    assert_eq!(world.simulator.requests(Endpoint::Payment), 1);
}

#[tokio::test]
async fn of_ten_calls_at_once_within_a_limit_for_one_one_goes_through() {
    let limit: &[_] = &[("QFPAY_MAX_AMOUNT_PER_DAY", "HKD:1999"), ("QFPAY_REPEAT_MINUTES", "0")];
    let Some((world, replicas)) = replicas(limit).await else { return };
    let calls = (0..10).map(|at| {
        let agent = &replicas.agent;
        async move { agent.result("create_payment", payment(&format!("A{at}"))).await }
    });
    let results = join_all(calls).await;
    let (over, done): (Vec<_>, Vec<_>) = results.iter().partition(|it| it.is_error == Some(true));
    for it in over {
        let told = text(it);
        assert!(told.contains("- over_day (amount): HKD 10.50 was asked for"), "{told}");
    }
    assert_eq!(done.len(), 1);
    assert_eq!(world.simulator.requests(Endpoint::Payment), 1);
}

/// A call that waits for a person; the code that the person is given.
async fn code_of(agent: &Agent, arguments: Value) -> String {
    let reply = agent.reply("create_payment", arguments).await;
    assert_eq!(reply["status"], "needs_approval", "{reply:#}");
    reply["approval_code"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_an_operator_approved_at_one_replica_goes_through_at_another_and_once() {
    let Some((world, replicas)) = replicas(ASKING).await else { return };
    let mut command = world.command("off");
    command.envs(ASKING.iter().copied());
    let page = Page::start(&world.desk, command).await;
    let code = code_of(&page.agent(), payment("A1")).await;
    assert_eq!(code_of(&replicas.agent, payment("A1")).await, code, "it is asked once");
    page.approve(&code).await;
    let calls = (0..10).map(|_| replicas.agent.reply("create_payment", payment("A1")));
    let replies = join_all(calls).await;
    let told_again = replies.iter().filter(|it| it["replayed"] == true).count();
    assert_eq!(told_again, 9, "{replies:#?}");
    assert_eq!(page.agent().reply("create_payment", payment("A1")).await["replayed"], true);
    assert_eq!(world.simulator.requests(Endpoint::Payment), 1);
    // Asked for by one, decided on the page of another.
    let code = code_of(&replicas.agent, payment("A2")).await;
    page.approve(&code).await;
    let paid = replicas.agent_of(2).await.reply("create_payment", payment("A2")).await;
    assert_eq!(paid["status"], "pending");
}

#[tokio::test]
async fn what_was_approved_in_a_terminal_goes_through_at_any_replica_and_once() {
    let Some((world, replicas)) = replicas(ASKING).await else { return };
    let code = code_of(&replicas.agent_of(0).await, payment("A1")).await;
    let (shown, status) = in_a_terminal(&world.desk, Some(&world.place), &code, "y\n", HUMAN).await;
    assert_eq!(status, 0, "{shown}");
    let (one, other) = (replicas.agent_of(1).await, replicas.agent_of(2).await);
    assert_eq!(one.reply("create_payment", payment("A1")).await["status"], "pending");
    assert_eq!(other.reply("create_payment", payment("A1")).await["replayed"], true);
    assert_eq!(world.simulator.requests(Endpoint::Payment), 1);
}

#[tokio::test]
async fn a_yes_to_what_one_replica_sealed_is_good_at_another_and_once() {
    let Some((world, replicas)) = replicas(ASKING).await else { return };
    let asks = replicas.agent_of(0).await.with_a_person();
    let response = asks.round(call("create_payment", &payment("A1"))).await.unwrap();
    let CallToolResponse::InputRequired(InputRequiredResult { request_state: Some(state), .. }) =
        response
    else {
        panic!("{response:?}")
    };
    tokio::time::sleep(HUMAN).await;
    let accept = json!({"action": "accept", "content": {"answer": "yes"}});
    let answered =
        answer(call("create_payment", &payment("A1")), &accept).with_request_state(state);
    let told = async |at: usize| {
        let agent = replicas.agent_of(at).await.with_a_person();
        let response = agent.round(answered.clone()).await.unwrap();
        let CallToolResponse::Complete(result) = response else { panic!("{response:?}") };
        result.structured_content.unwrap()
    };
    let paid = told(1).await;
    assert_eq!((paid["status"].as_str(), paid.get("replayed")), (Some("pending"), None));
    for at in [2, 0, 1] {
        assert_eq!(told(at).await["replayed"], true);
    }
    assert_eq!(world.simulator.requests(Endpoint::Payment), 1);
}
