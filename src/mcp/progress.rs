//! How long a call has been waiting, told to a client that wants to know.
use std::time::Duration;

use futures::{FutureExt as _, future::BoxFuture};
use rmcp::{RoleServer, model::ProgressNotificationParam, service::RequestContext};

/// Tells that `waited` of `whole` is over, if the client gave a token for that.
pub(super) fn told(
    context: &RequestContext<RoleServer>,
    waited: Duration,
    whole: Duration,
    message: String,
) -> BoxFuture<'static, ()> {
    let Some(token) = context.meta.get_progress_token() else {
        return std::future::ready(()).boxed();
    };
    let peer = context.peer.clone();
    let told = ProgressNotificationParam::new(token, waited.as_secs_f64())
        .with_total(whole.as_secs_f64())
        .with_message(message);
    async move {
        if let Err(error) = peer.notify_progress(told).await {
            tracing::debug!(%error, "the client could not be told of the progress");
        }
    }
    .boxed()
}
