//! What an agent and its person find beside the tools: resources, subscriptions, prompts,
//! completions, the skill. The real server, both protocol eras.
mod prompts;
mod resources;
mod sharing;
mod subscriptions;

use rmcp::{
    ClientHandler, ErrorData, RoleClient, ServiceError,
    model::{ReadResourceRequestParams, ResourceContents, ResourceUpdatedNotificationParam},
    service::{NotificationContext, Peer},
};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::harness::{Client, Desk, Era, soon};

const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

/// A client that hears what it is told of its own accord.
struct Ears(UnboundedSender<String>);

impl ClientHandler for Ears {
    async fn on_resource_updated(
        &self,
        params: ResourceUpdatedNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        self.0.send(params.uri).unwrap();
    }
}

/// A server with a client in one era, and what the client heard.
async fn listening(desk: &Desk, era: Era) -> (Client<Ears>, UnboundedReceiver<String>) {
    let (ears, heard) = unbounded_channel();
    (Client::with(desk.command(), Ears(ears), era).await, heard)
}

/// What a resource holds, and its media type.
async fn read(peer: &Peer<RoleClient>, uri: &str) -> (String, String) {
    let asked = peer.read_resource(ReadResourceRequestParams::new(uri));
    let read = soon(&format!("{uri} is read"), asked).await.unwrap();
    let [ResourceContents::TextResourceContents { uri: named, mime_type, text, .. }] =
        read.contents.as_slice()
    else {
        panic!("{read:?}");
    };
    assert_eq!(named, uri);
    (text.clone(), mime_type.clone().unwrap())
}

async fn read_json(peer: &Peer<RoleClient>, uri: &str) -> Value {
    let (text, mime_type) = read(peer, uri).await;
    assert_eq!(mime_type, "application/json");
    serde_json::from_str(&text).unwrap()
}

/// The error of a request that must fail.
fn error<T: std::fmt::Debug>(answer: Result<T, ServiceError>) -> ErrorData {
    match answer {
        Err(ServiceError::McpError(error)) => error,
        other => panic!("{other:?}"),
    }
}

fn order(number: &str) -> Value {
    json!({"amount": 1050, "currency": "HKD", "pay_type": "800201", "out_trade_no": number})
}

fn number(number: &str) -> Value {
    json!({ "out_trade_no": number })
}
