//! Where QFPay tells of its own accord: `POST /qfpay/notifications`. It knows HTTP and the answer
//! that QFPay wants, and nothing of what is told.
use axum::{
    Router,
    body::Bytes,
    extract::{DefaultBodyLimit, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse as _, Response},
    routing::post,
};

use crate::mcp::{MAX_NOTIFICATION, Merchants, SIGN_HEADER, Taken};

/// The path of notifications.
pub const PATH: &str = "/qfpay/notifications";
/// The body that acknowledges (contract §5); anything else makes QFPay tell it again.
const ACKNOWLEDGED: &str = "SUCCESS";

/// The route, for the orders of all `merchants`.
pub fn router(merchants: Merchants) -> Router {
    Router::new()
        .route(PATH, post(take))
        .layer(DefaultBodyLimit::max(MAX_NOTIFICATION))
        .with_state(merchants)
}

async fn take(State(merchants): State<Merchants>, headers: HeaderMap, body: Bytes) -> Response {
    let signature = headers.get(SIGN_HEADER).and_then(|it| it.to_str().ok());
    match merchants.notified(&body, signature).await {
        Taken::Yes => ACKNOWLEDGED.into_response(),
        Taken::NotBelieved(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        Taken::Later => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
