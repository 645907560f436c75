//! Subscriptions to orders: who is told, of what, how much, and until when.
use rmcp::{
    model::{
        ServerNotification, SubscribeRequestParams, SubscriptionFilter, UnsubscribeRequestParams,
    },
    service::Subscription,
};
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use super::{ERAS, Ears, error, listening, number, order};
use crate::harness::{Client, Desk, Era, soon};

/// What a client subscribed to, in its era's way.
enum Told {
    Legacy(UnboundedReceiver<String>),
    Modern(Box<Subscription>),
}

impl Told {
    async fn of(
        client: &Client<Ears>,
        heard: UnboundedReceiver<String>,
        era: Era,
        uris: &[&str],
    ) -> Self {
        if era == Era::Modern {
            let filter = SubscriptionFilter::builder().resource_subscriptions(uris.iter().copied());
            let stream = soon("a stream", client.peer().listen(filter.build())).await.unwrap();
            let accepted = stream.acknowledged().resource_subscriptions.clone();
            assert_eq!(accepted.unwrap(), uris);
            return Self::Modern(Box::new(stream));
        }
        for uri in uris {
            subscribe(client, uri).await.unwrap();
        }
        Self::Legacy(heard)
    }

    async fn next(&mut self) -> String {
        match self {
            Self::Legacy(heard) => soon("an update", heard.recv()).await.unwrap(),
            Self::Modern(stream) => {
                let told = soon("an update", stream.next()).await.unwrap().unwrap();
                let ServerNotification::ResourceUpdatedNotification(it) = told else {
                    panic!("{told:?}");
                };
                it.params.uri
            }
        }
    }
}

#[expect(deprecated, reason = "it is how clients before 2026-07-28 subscribe")]
async fn subscribe(client: &Client<Ears>, uri: &str) -> Result<(), rmcp::ServiceError> {
    soon("it is subscribed", client.peer().subscribe(SubscribeRequestParams::new(uri))).await
}

#[expect(deprecated, reason = "as above")]
async fn unsubscribe(client: &Client<Ears>, uri: &str) {
    let asked = client.peer().unsubscribe(UnsubscribeRequestParams::new(uri));
    soon("it is unsubscribed", asked).await.unwrap();
}

/// The updates until one of `last`, that one included.
async fn until(told: &mut Told, last: &str) -> Vec<String> {
    let mut all = Vec::new();
    while all.last().map(String::as_str) != Some(last) {
        all.push(told.next().await);
    }
    all
}

fn other(number: &str) -> Value {
    // Without it, the same terms would be taken for a repeat.
    let mut terms = order(number);
    terms["udid"] = json!(number);
    terms
}

#[tokio::test]
async fn whoever_follows_an_order_is_told_when_it_changes_and_of_no_other() {
    for era in ERAS {
        let desk = Desk::new();
        let (client, heard) = listening(&desk, era).await;
        client.reply("create_payment", other("A1")).await;
        client.reply("create_payment", other("B1")).await;
        // One that is not there yet may be followed, too.
        let uris = ["qfpay://orders/A1", "qfpay://orders/C1"];
        let mut told = Told::of(&client, heard, era, &uris).await;
        client.reply("query_transaction", number("B1")).await;
        client.reply("query_transaction", number("A1")).await;
        client.reply("create_payment", other("C1")).await;
        let all = until(&mut told, "qfpay://orders/C1").await;
        assert!(all.contains(&"qfpay://orders/A1".to_owned()), "{all:?}");
        assert!(all.iter().all(|it| uris.contains(&it.as_str())), "{all:?}");
        // A refund changes its order.
        client.reply("refund", json!({"out_trade_no": "A1", "amount": 525})).await;
        until(&mut told, "qfpay://orders/A1").await;
        client.end().await;
    }
}

/// As replicas do, and commands in a terminal.
#[tokio::test]
async fn what_another_process_changes_in_the_same_ledger_is_told_too() {
    for era in ERAS {
        let desk = Desk::new();
        let (client, heard) = listening(&desk, era).await;
        client.reply("create_payment", order("A1")).await;
        client.reply("query_transaction", number("A1")).await;
        let mut told = Told::of(&client, heard, era, &["qfpay://orders/A1"]).await;
        let refund = r#"{"out_trade_no": "A1", "amount": 525}"#;
        let (printed, code) = desk.run(&["call", "refund", refund]).await;
        assert_eq!(code, 0, "{printed}");
        until(&mut told, "qfpay://orders/A1").await;
        client.end().await;
    }
}

#[tokio::test]
async fn an_unsubscribed_order_is_told_no_more() {
    let desk = Desk::new();
    let (client, mut heard) = listening(&desk, Era::Legacy).await;
    for it in ["A1", "B1", "C1"] {
        client.reply("create_payment", other(it)).await;
        subscribe(&client, &format!("qfpay://orders/{it}")).await.unwrap();
    }
    unsubscribe(&client, "qfpay://orders/A1").await;
    client.reply("query_transaction", number("A1")).await;
    client.reply("query_transaction", number("B1")).await;
    assert_eq!(soon("an update", heard.recv()).await.unwrap(), "qfpay://orders/B1");
    // None is left; then one is again.
    unsubscribe(&client, "qfpay://orders/B1").await;
    unsubscribe(&client, "qfpay://orders/C1").await;
    client.reply("query_transaction", number("C1")).await;
    subscribe(&client, "qfpay://orders/A1").await.unwrap();
    client.reply("refund", json!({"out_trade_no": "A1"})).await;
    assert_eq!(soon("an update", heard.recv()).await.unwrap(), "qfpay://orders/A1");
}

#[tokio::test]
async fn only_orders_can_be_followed_and_each_session_only_so_many() {
    let desk = Desk::new();
    let (client, _heard) = listening(&desk, Era::Legacy).await;
    let tables = error(subscribe(&client, "qfpay://pay-types").await);
    assert!(tables.message.contains("only orders change"), "{}", tables.message);
    let unknown = error(subscribe(&client, "qfpay://tills/1").await);
    assert!(unknown.message.contains("use one of"), "{}", unknown.message);
    for nth in 0..64 {
        let uri = format!("qfpay://orders/N{nth}");
        subscribe(&client, &uri).await.unwrap();
        subscribe(&client, &uri).await.unwrap();
    }
    let full = error(subscribe(&client, "qfpay://orders/N64").await);
    assert!(full.message.contains("64 in a session or stream"), "{}", full.message);
    unsubscribe(&client, "qfpay://orders/N0").await;
    subscribe(&client, "qfpay://orders/N64").await.unwrap();
}

/// What is not followed is left out of what a stream is told that it has.
#[tokio::test]
async fn a_stream_is_told_which_part_of_what_it_asked_for_it_has() {
    let desk = Desk::new();
    let (client, _heard) = listening(&desk, Era::Modern).await;
    let orders = (0..10_000).map(|nth| format!("qfpay://orders/N{nth}"));
    let asked = ["qfpay://pay-types".to_owned(), "file:///etc/passwd".to_owned()];
    let filter = SubscriptionFilter::builder()
        .tools_list_changed()
        .resources_list_changed()
        .resource_subscriptions(asked.into_iter().chain(orders));
    let stream = soon("a stream", client.peer().listen(filter.build())).await.unwrap();
    let accepted = stream.acknowledged();
    assert_eq!((accepted.tools_list_changed, accepted.resources_list_changed), (None, None));
    let uris = accepted.resource_subscriptions.clone().unwrap();
    assert_eq!(uris.len(), 64);
    assert!(uris.iter().all(|it| it.starts_with("qfpay://orders/N")), "{uris:?}");
    // The server is as before.
    client.reply("create_payment", order("N1")).await;
    client.end().await;
}
