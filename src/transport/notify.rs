//! Where QFPay tells of its own accord: `POST /qfpay/notifications`. It knows HTTP and the answer
//! that QFPay wants, and nothing of what is told.
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    response::{IntoResponse as _, Response},
    routing::post,
};

use super::site::Site;
use super::{bodies::Bodies, refusal::Refusal};
use crate::mcp::{MAX_NOTIFICATION, Merchants, SIGN_HEADER, Taken};

/// The path of notifications.
pub const PATH: &str = "/qfpay/notifications";
/// The body that acknowledges (contract §5); anything else makes QFPay tell it again.
const ACKNOWLEDGED: &str = "SUCCESS";

/// The route, for the orders of all `merchants`.
pub fn router(merchants: Merchants) -> Router {
    Router::new().route(PATH, post(take)).with_state((merchants, Bodies::new(MAX_NOTIFICATION)))
}

/// Whether notifications that are sent to `url` arrive at the route above.
pub fn is_ours(url: &str, site: &Site) -> bool {
    let uri = url.parse::<http::Uri>();
    uri.is_ok_and(|it| {
        it.path().ends_with(PATH) && it.authority().is_some_and(|it| site.is_host(it.as_str()))
    })
}

async fn take(
    State((merchants, bodies)): State<(Merchants, Bodies)>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let (body, _room) = match bodies.read(body).await.map_err(Refusal::into_response) {
        Ok(read) => read,
        Err(response) => return response,
    };
    let signature = parts.headers.get(SIGN_HEADER).and_then(|it| it.to_str().ok());
    match merchants.notified(&body, signature).await {
        Taken::Yes => ACKNOWLEDGED.into_response(),
        Taken::NotBelieved(why) => (StatusCode::FORBIDDEN, format!("{why}\n")).into_response(),
        Taken::Later => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
