//! Connections: each is served until it ends, or until an answer is to be lost with it.
use std::{pin::pin, time::Duration};

use axum::{
    Router,
    body::Body,
    http::{Request, Response},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service as _, service_fn},
};
use hyper_util::{rt::TokioIo, service::TowerToHyperService};
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;

use super::faults::BrokenOff;

/// Out of file descriptors, as a rule: at once it would only fail again.
const ACCEPT_AGAIN: Duration = Duration::from_millis(100);

/// Takes connections until `stop`, then lets those that are open finish the request they are in.
pub(super) async fn run(listener: TcpListener, routes: Router, stop: CancellationToken) {
    let mut connections = JoinSet::new();
    let taking = async {
        loop {
            match listener.accept().await {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, routes.clone(), stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(%error, "the simulator could not take a connection");
                    tokio::time::sleep(ACCEPT_AGAIN).await;
                }
            }
            while connections.try_join_next().is_some() {}
        }
    };
    stop.run_until_cancelled(taking).await;
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn connection(stream: TcpStream, routes: Router, stop: CancellationToken) {
    // Failing to set it costs some milliseconds and nothing else.
    let _ = stream.set_nodelay(true);
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |request: Request<Incoming>| {
        let answered = routes.call(request);
        async move {
            let Ok(response) = answered.await;
            unless_broken_off(response)
        }
    });
    let mut served = pin!(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = served.as_mut() => ended,
        () = stop.cancelled() => {
            served.as_mut().graceful_shutdown();
            served.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of the simulator ended early");
    }
}

/// An error here is what makes hyper close the connection without a byte of an answer.
fn unless_broken_off(response: Response<Body>) -> Result<Response<Body>, BrokenOff> {
    match response.extensions().get::<BrokenOff>() {
        Some(broken_off) => Err(*broken_off),
        None => Ok(response),
    }
}
