//! The HTTP face: which address leads where, and what every call goes through before its own file
//! sees it.
use std::sync::{Arc, atomic::Ordering};

use axum::{
    Form, Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequest as _, Request, State},
    http::{Response, StatusCode, header},
    response::IntoResponse as _,
    routing::{MethodFilter, on},
};

use super::{
    Desk, cancel, check, page, payment, query, refund,
    reply::{Fault, Reply},
};
use crate::spec::endpoints::Endpoint;

/// Most bytes of a body.
const BODY: usize = 64 * 1024;

pub(super) fn router(desk: Arc<Desk>) -> Router {
    let calls = Endpoint::ALL.into_iter().fold(Router::new(), |router, endpoint| {
        let methods = match endpoint {
            Endpoint::Payment | Endpoint::Query | Endpoint::Refund => MethodFilter::POST,
            // The documents disagree whether these are GET or POST (contract §1.4).
            Endpoint::Reversal | Endpoint::Close => MethodFilter::POST.or(MethodFilter::GET),
        };
        let handler = move |State(desk): State<Arc<Desk>>, request: Request| async move {
            answer(&desk, endpoint, request).await
        };
        router.route(endpoint.path(), on(methods, handler))
    });
    calls.merge(page::router()).layer(DefaultBodyLimit::max(BODY)).with_state(desk)
}

async fn answer(desk: &Desk, endpoint: Endpoint, request: Request) -> Response<Body> {
    if let Some(arrived) = desk.arrived(endpoint) {
        arrived.fetch_add(1, Ordering::Relaxed);
    }
    if let Some(limiter) = &desk.limiter
        && let Err(seconds) = limiter.take(desk.settings.clock.now())
    {
        let retry = [(header::RETRY_AFTER, seconds.to_string())];
        return (StatusCode::TOO_MANY_REQUESTS, retry, "Too Many Requests").into_response();
    }
    let reply = match carry_out(desk, endpoint, request).await {
        Ok(reply) => reply,
        Err(Fault::Refused(reply)) => *reply,
        Err(Fault::Book(error)) => {
            tracing::error!(%error, "the simulator could not carry out a call");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    reply.send(&desk.settings.key)
}

async fn carry_out(desk: &Desk, endpoint: Endpoint, request: Request) -> Result<Reply, Fault> {
    let headers = request.headers().clone();
    let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
    let Form(pairs) =
        form.map_err(|rejection| Reply { respmsg: rejection.body_text(), ..Reply::new("1103") })?;
    let params = check::call(&desk.settings, &headers, &pairs)?;
    match endpoint {
        Endpoint::Payment => payment::pay(desk, &params).await,
        Endpoint::Query => query::query(desk, &params).await,
        Endpoint::Refund => refund::refund(desk, &params).await,
        Endpoint::Reversal => cancel::reverse(desk, &params).await,
        Endpoint::Close => cancel::close(desk, &params).await,
    }
}
