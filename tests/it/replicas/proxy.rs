//! A proxy before replicas, as plain as one can be: one request here, the next one there. Nobody is
//! sent to the same replica again, and nothing is sent twice.
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use axum::body::Body;
use http::{Response, StatusCode};

use crate::relay::{self, Arrival};

pub(crate) struct Proxy {
    pub(crate) url: String,
    shared: Arc<Shared>,
}

struct Shared {
    http: reqwest::Client,
    /// Where the replicas are.
    bases: Mutex<Vec<String>>,
    next: AtomicUsize,
    /// Of so many answers one is lost on purpose; none are where it is 0.
    loses: usize,
    lost: AtomicU64,
    passed_on: AtomicU64,
    broken: AtomicU64,
}

impl Proxy {
    pub(crate) async fn before(bases: Vec<String>, loses: usize) -> Self {
        let shared = Arc::new(Shared {
            http: relay::http(),
            bases: Mutex::new(bases),
            next: AtomicUsize::new(0),
            loses,
            lost: AtomicU64::new(0),
            passed_on: AtomicU64::new(0),
            broken: AtomicU64::new(0),
        });
        let it = shared.clone();
        let url = relay::serve(move |arrival| {
            let it = it.clone();
            async move { Ok(it.answer(arrival).await) }
        });
        Self { url: url.await, shared }
    }

    /// The replica at this place is elsewhere now.
    pub(crate) fn moved(&self, at: usize, base: String) {
        self.shared.bases.lock().unwrap()[at] = base;
    }

    /// What it met, in words.
    pub(crate) fn met(&self) -> String {
        let count = |it: &AtomicU64| it.load(Ordering::Relaxed);
        let Shared { lost, passed_on, broken, .. } = &*self.shared;
        format!(
            "passed on to the next replica {}, broken off by a kill {}, answers lost {}",
            count(passed_on),
            count(broken),
            count(lost)
        )
    }
}

impl Shared {
    async fn answer(self: Arc<Self>, arrival: Arrival) -> Response<Body> {
        let nth = self.next.fetch_add(1, Ordering::Relaxed);
        if self.loses == 0 || !nth.is_multiple_of(self.loses) {
            return self.hand_on(nth, &arrival).await;
        }
        self.lost.fetch_add(1, Ordering::Relaxed);
        let handed_on = tokio::spawn({
            let it = self.clone();
            async move { it.hand_on(nth, &arrival).await }
        });
        // Every other time the replica is still at it when the client asks again.
        if nth.is_multiple_of(2 * self.loses) {
            let _ = handed_on.await;
        }
        says(StatusCode::BAD_GATEWAY)
    }

    /// Goes on to the next replica where one cannot be connected to, and only then.
    async fn hand_on(&self, nth: usize, arrival: &Arrival) -> Response<Body> {
        let bases = self.bases.lock().unwrap().clone();
        for at in 0..bases.len() {
            match arrival.hand_on(&self.http, &bases[(nth + at) % bases.len()]).await {
                Ok(response) => return response,
                Err(error) if error.is_connect() => {
                    self.passed_on.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => {
                    self.broken.fetch_add(1, Ordering::Relaxed);
                    return says(StatusCode::BAD_GATEWAY);
                }
            }
        }
        says(StatusCode::SERVICE_UNAVAILABLE)
    }
}

fn says(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
