//! How a long call goes on, told to a client that wants to know.
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
    tell(context, waited.as_secs_f64(), Some(whole.as_secs_f64()), message)
}

/// Tells that so much is done of what nobody knows the whole of.
pub(super) fn counted(
    context: &RequestContext<RoleServer>,
    done: usize,
    message: String,
) -> BoxFuture<'static, ()> {
    let done = u32::try_from(done).unwrap_or(u32::MAX);
    tell(context, f64::from(done), None, message)
}

fn tell(
    context: &RequestContext<RoleServer>,
    done: f64,
    total: Option<f64>,
    message: String,
) -> BoxFuture<'static, ()> {
    let Some(token) = context.meta.get_progress_token() else {
        return std::future::ready(()).boxed();
    };
    let peer = context.peer.clone();
    let mut told = ProgressNotificationParam::new(token, done).with_message(message);
    told.total = total;
    async move {
        if let Err(error) = peer.notify_progress(told).await {
            tracing::debug!(%error, "the client could not be told of the progress");
        }
    }
    .boxed()
}
