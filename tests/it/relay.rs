//! What stands between two ends of HTTP in tests: it takes requests whole and hands them on, or not.
//! It knows nothing of what they are about.
use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::body::{Body, Bytes, to_bytes};
use http::{HeaderMap, HeaderName, Method, Request, Response, header};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

const MOST_BYTES: usize = 1 << 20;
/// What is about one connection, and not about what is in it.
const OF_A_CONNECTION: [HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::HOST, header::TRANSFER_ENCODING];

/// A request as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    /// When its head was there.
    pub(crate) at: Instant,
    pub(crate) method: Method,
    /// With its query, if it has one.
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// Nobody answers: the connection breaks off.
#[derive(Debug, thiserror::Error)]
#[error("the connection is broken off")]
pub(crate) struct BrokenOff;

/// Takes requests on a free port of this machine; gives its URL.
pub(crate) async fn serve<F, A>(answer: F) -> String
where
    F: Fn(Arrival) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Result<Response<Body>, BrokenOff>> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            let answer = answer.clone();
            let service = service_fn(move |request: Request<Incoming>| {
                let at = Instant::now();
                let answer = answer.clone();
                async move { answer(Arrival::read(at, request).await?).await }
            });
            tokio::spawn(async move {
                // It ends early where an end of it goes, or breaks it off.
                let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    });
    format!("http://{address}")
}

impl Arrival {
    async fn read(at: Instant, request: Request<Incoming>) -> Result<Self, BrokenOff> {
        let (parts, body) = request.into_parts();
        let body = to_bytes(Body::new(body), MOST_BYTES).await.map_err(|_| BrokenOff)?;
        let path = parts.uri.path_and_query().map_or("/", |it| it.as_str()).to_owned();
        Ok(Self { at, method: parts.method, path, headers: parts.headers, body })
    }

    /// Hands it on to `base` and its answer back.
    pub(crate) async fn hand_on(
        &self,
        http: &reqwest::Client,
        base: &str,
    ) -> Result<Response<Body>, reqwest::Error> {
        let mut headers = self.headers.clone();
        for name in OF_A_CONNECTION {
            headers.remove(name);
        }
        let request = http.request(self.method.clone(), format!("{base}{}", self.path));
        let answer = request.headers(headers).body(self.body.clone()).send().await?;
        let (status, mut headers) = (answer.status(), answer.headers().clone());
        let mut response = Response::new(Body::from(answer.bytes().await?));
        for name in OF_A_CONNECTION {
            headers.remove(name);
        }
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        Ok(response)
    }
}

/// A client for relays: a connection for each request, so that one which cannot be made tells that
/// nothing was sent.
pub(crate) fn http() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().pool_max_idle_per_host(0).build().unwrap()
}

/// Stands before a simulator and writes down what arrives at it.
#[derive(Clone)]
pub(crate) struct Recorder {
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    pub(crate) url: String,
}

impl Recorder {
    pub(crate) async fn before(simulator: String) -> Self {
        let arrivals = Arc::<Mutex<Vec<Arrival>>>::default();
        let (http, written) = (http(), arrivals.clone());
        let url = serve(move |arrival| {
            written.lock().unwrap().push(arrival.clone());
            let (http, simulator) = (http.clone(), simulator.clone());
            async move { arrival.hand_on(&http, &simulator).await.map_err(|_| BrokenOff) }
        });
        Self { url: url.await, arrivals }
    }

    /// What arrived up to now, in its order.
    pub(crate) fn arrivals(&self) -> Vec<Arrival> {
        self.arrivals.lock().unwrap().clone()
    }

    /// The same, and forgets it.
    pub(crate) fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.arrivals.lock().unwrap())
    }
}

/// The most of `times` in any span of `span`.
pub(crate) fn busiest(times: &[Instant], span: Duration) -> usize {
    let mut times = times.to_vec();
    times.sort_unstable();
    let in_span = |(at, first): (usize, &Instant)| {
        times[at..].iter().take_while(|it| it.duration_since(*first) < span).count()
    };
    times.iter().enumerate().map(in_span).max().unwrap_or(0)
}

#[test]
fn a_span_is_counted_wherever_it_begins() {
    let start = Instant::now();
    let times = [0, 900, 1000, 1100, 1899, 1900].map(|ms| start + Duration::from_millis(ms));
    assert_eq!(busiest(&times, Duration::from_secs(1)), 4);
    assert_eq!(busiest(&[], Duration::from_secs(1)), 0);
}
