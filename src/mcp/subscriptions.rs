//! Subscriptions to orders, in both eras: of a session (before 2026-07-28), and of a stream that was
//! opened to listen. Each ends with what it belongs to, and there are never more than so many.
use std::sync::{Mutex, MutexGuard, PoisonError};

use rmcp::{
    ErrorData, RoleServer,
    model::{ResourceUpdatedNotificationParam, SubscriptionFilter},
    service::{Peer, RequestContext, SubscriptionContext},
};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::{
    Principal, Server, Sessionless,
    resources::{order_in, unreadable},
};
use crate::{
    payments::{Changes, follow::Followed},
    places::{Place, Places},
};

/// The most orders that one session, or one stream, follows.
const MOST_OF_ONE: usize = 64;
/// The most that are followed in a process, and half of them for one caller.
const MOST: usize = 512;

/// Room for what is followed in a process.
pub(super) fn places() -> Places {
    Places::new(MOST)
}

/// What one session subscribed to; ends with it.
#[derive(Default)]
pub(super) struct Session(Mutex<Option<Subscribed>>);

struct Subscribed {
    /// Whose orders.
    changes: Changes,
    followed: Followed<Place>,
    _ends: DropGuard,
}

impl Session {
    fn lock(&self) -> MutexGuard<'_, Option<Subscribed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the session's client from now on when the order changes that `uri` names.
    pub(super) async fn subscribe(
        &self,
        server: &Server,
        places: &Places,
        uri: &str,
        context: &RequestContext<RoleServer>,
    ) -> Result<(), ErrorData> {
        let number = order_in(uri)?;
        if Sessionless::is(context) {
            let text = "this server keeps no sessions, so nothing can be told of its own accord; call \
                        wait_for_payment, or speak MCP 2026-07-28 and open subscriptions/listen";
            return Err(ErrorData::invalid_request(text, None));
        }
        let followed = self.followed(server, &context.peer);
        if followed.has(uri) {
            return Ok(());
        }
        if followed.count() >= MOST_OF_ONE {
            return Err(too_many());
        }
        let who = Principal::of(context).map(|it| it.name.as_str());
        let place = places.take(who).ok_or_else(too_many)?;
        let following = server.payments.follow(&followed, uri, number, place);
        following.await.map_err(|it| unreadable(&it))
    }

    pub(super) fn unsubscribe(&self, uri: &str) {
        if let Some(it) = self.lock().as_ref() {
            it.followed.drop(uri);
        }
    }

    /// What is followed, with a task that tells of it. A caller who is another merchant's now begins
    /// anew.
    fn followed(&self, server: &Server, peer: &Peer<RoleServer>) -> Followed<Place> {
        let mut subscribed = self.lock();
        let changes = &server.payments.changes;
        if let Some(it) = subscribed.as_ref().filter(|it| it.changes.is(changes)) {
            return it.followed.clone();
        }
        let (followed, ends) = (Followed::default(), CancellationToken::new());
        tokio::spawn(tell(server.clone(), followed.clone(), peer.clone(), ends.clone()));
        *subscribed = Some(Subscribed {
            changes: changes.clone(),
            followed: followed.clone(),
            _ends: ends.drop_guard(),
        });
        followed
    }
}

/// Tells a client what changes, until `ends` or the process does. A client that reads slowly is told
/// less often, and holds up nobody.
async fn tell(
    server: Server,
    followed: Followed<Place>,
    peer: Peer<RoleServer>,
    ends: CancellationToken,
) {
    let mut changes = server.payments.follower(followed);
    let telling = async {
        loop {
            for uri in changes.next().await {
                let update = ResourceUpdatedNotificationParam::new(uri);
                if peer.notify_resource_updated(update).await.is_err() && peer.is_transport_closed()
                {
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = telling => {}
        () = ends.cancelled() => {}
        () = server.payments.stop.cancelled() => {}
    }
}

/// The part of what a stream asks for that it is told of: the first orders.
pub(super) fn accepted(requested: &SubscriptionFilter) -> SubscriptionFilter {
    let mut uris: Vec<&String> = Vec::new();
    for uri in requested.resource_subscriptions.iter().flatten() {
        if uris.len() < MOST_OF_ONE && !uris.contains(&uri) && order_in(uri).is_ok() {
            uris.push(uri);
        }
    }
    SubscriptionFilter::builder().resource_subscriptions(uris).build()
}

/// Tells a stream what changes, until its client or the process ends it.
pub(super) async fn listen(
    server: &Server,
    places: &Places,
    stream: SubscriptionContext,
) -> Result<(), ErrorData> {
    let followed = Followed::default();
    let who = Principal::of(stream.request_context()).map(|it| it.name.as_str());
    for uri in stream.accepted().resource_subscriptions.iter().flatten() {
        let place = places.take(who).ok_or_else(too_many)?;
        let following = server.payments.follow(&followed, uri, order_in(uri)?, place);
        following.await.map_err(|it| unreadable(&it))?;
    }
    // The client was told already that it is followed.
    let mut changes = server.payments.follower(followed).from_just_now();
    let telling = async {
        loop {
            for uri in changes.next().await {
                if stream.sink().notify_resource_updated(uri).await.is_err() {
                    return;
                }
            }
        }
    };
    tokio::select! {
        () = telling => {}
        () = stream.cancelled() => {}
        () = server.payments.stop.cancelled() => {}
    }
    Ok(())
}

fn too_many() -> ErrorData {
    let text = format!(
        "as many orders are followed as may be ({MOST_OF_ONE} in a session or stream, {MOST} in this \
         server, and half of them for one caller); end some subscriptions, or call wait_for_payment"
    );
    ErrorData::invalid_request(text, None)
}
