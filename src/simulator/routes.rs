//! The HTTP face: which address leads where, and what every call goes through before its own file
//! sees it.
use std::sync::{Arc, atomic::Ordering};

use axum::{
    Form, Router,
    body::Body,
    extract::{DefaultBodyLimit, FromRequest as _, Request, State},
    http::{HeaderMap, Response, StatusCode},
    response::IntoResponse as _,
    routing::{MethodFilter, on},
};

use super::{
    Desk, cancel, check,
    faults::{Fault, Mishap},
    page, payment, query, refund,
    reply::{Failure, Reply, too_many},
};
use crate::spec::{Field, endpoints::Endpoint};

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
            answer(desk, endpoint, request).await
        };
        router.route(endpoint.path(), on(methods, handler))
    });
    calls.merge(page::router()).layer(DefaultBodyLimit::max(BODY)).with_state(desk)
}

/// A request as it arrived.
struct Call {
    endpoint: Endpoint,
    headers: HeaderMap,
    /// Name and value; what is no form gets its answer instead.
    pairs: Result<Vec<(String, String)>, Reply>,
}

impl Call {
    async fn read(endpoint: Endpoint, request: Request) -> Self {
        let headers = request.headers().clone();
        let form = Form::<Vec<(String, String)>>::from_request(request, &()).await;
        let pairs = form.map(|Form(pairs)| pairs);
        let pairs = pairs
            .map_err(|rejection| Reply { respmsg: rejection.body_text(), ..Reply::new("1103") });
        Self { endpoint, headers, pairs }
    }

    /// The order it is about: the merchant's number, else QFPay's, else blank.
    fn number(&self) -> &str {
        let pairs = self.pairs.as_deref().unwrap_or_default();
        let value = |field: Field| pairs.iter().find(|it| it.0 == field.name());
        let number = value(Field::OutTradeNo).or_else(|| value(Field::Syssn));
        number.map_or("", |it| it.1.as_str())
    }
}

async fn answer(desk: Arc<Desk>, endpoint: Endpoint, request: Request) -> Response<Body> {
    if let Some(arrived) = desk.arrived(endpoint) {
        arrived.fetch_add(1, Ordering::Relaxed);
    }
    let now = desk.settings.clock.now();
    if let Some(limiter) = &desk.limiter
        && let Err(seconds) = limiter.take(now)
    {
        return too_many(Some(seconds));
    }
    let call = Call::read(endpoint, request).await;
    // A request that the limits turn away meets no fault, so time does not change who does.
    let mishap = desk.mishaps.next(endpoint, call.number());
    if let Some(limiter) = &desk.limiter
        && mishap.fault.is_some_and(|it| !it.is_carried_out())
    {
        limiter.give_back(now);
    }
    // A task of its own: what has arrived is carried out, whether or not its caller still waits.
    let work = tokio::spawn(async move { work(&desk, call, mishap).await });
    work.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

async fn work(desk: &Desk, call: Call, mut mishap: Mishap) -> Response<Body> {
    mishap.before().await;
    let fault = mishap.fault;
    let undone = fault.filter(|it| !it.is_carried_out()).and_then(Fault::in_place);
    let response = match undone {
        Some(response) => response,
        None => done(desk, call, fault).await,
    };
    mishap.after().await;
    if fault == Some(Fault::LateAnswer) {
        tokio::time::sleep(desk.mishaps.late()).await;
    }
    response
}

async fn done(desk: &Desk, call: Call, fault: Option<Fault>) -> Response<Body> {
    let reply = match carry_out(desk, call, fault).await {
        Ok(reply) => reply,
        Err(Failure::Refused(reply)) => *reply,
        Err(Failure::Book(error)) => {
            tracing::error!(%error, "the simulator could not carry out a call");
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        }
    };
    Reply { fault: fault.or(reply.fault), ..reply }.send(&desk.settings.key)
}

async fn carry_out(desk: &Desk, call: Call, fault: Option<Fault>) -> Result<Reply, Failure> {
    let params = check::call(&desk.settings, &call.headers, &call.pairs?)?;
    match call.endpoint {
        Endpoint::Payment => payment::pay(desk, &params, fault).await,
        Endpoint::Query => query::query(desk, &params).await,
        Endpoint::Refund => refund::refund(desk, &params, fault).await,
        Endpoint::Reversal => cancel::reverse(desk, &params).await,
        Endpoint::Close => cancel::close(desk, &params).await,
    }
}
