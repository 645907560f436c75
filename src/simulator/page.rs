//! The pages for people: an order's page with Pay, Fail and Expire, and a first page that says
//! what this is. Plain HTML; no script but the checkout page's, nothing from elsewhere.
//!
//! A page of another site must not press these buttons: the address asked for has to be loopback
//! (a name of theirs could point here), and so has the page a press comes from.
use std::{
    fmt::{self, Write as _},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, StatusCode, Uri, header, uri::Authority},
    middleware::{self, Next},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use secrecy::SecretString;

use super::{
    BookError, Desk, KEY,
    book::{Filter, Trade},
    checkstand,
    payer::{Act, Payer},
    reply::text,
    wire,
};
use crate::{
    client::sign::{self, SignType},
    domain::amount::written,
    spec::Currency,
};

const CSS: &str = include_str!("page.css");
/// How many orders the first page lists.
const LATEST: u32 = 20;
/// Seconds after which a page that waits looks again.
const LOOK_AGAIN: u32 = 2;
pub(super) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; \
                      base-uri 'none'; frame-ancestors 'none'";

pub(super) fn router() -> Router<Arc<Desk>> {
    Router::new()
        .route("/", get(first))
        .route("/pay/{syssn}", get(order))
        .route("/pay/{syssn}/{act}", post(press))
        .merge(checkstand::router())
        .layer(middleware::from_fn(guard))
}

/// Lets only requests from pages of this machine in, and sets what every page is sent with.
async fn guard(request: Request, next: Next) -> Response {
    if !is_ours(request.headers()) {
        let said = "This page answers on loopback addresses only.";
        return (StatusCode::FORBIDDEN, said).into_response();
    }
    let mut response = next.run(request).await;
    let set = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in set {
        response.headers_mut().entry(name).or_insert(header::HeaderValue::from_static(value));
    }
    response
}

fn is_ours(headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).map(|it: &header::HeaderValue| it.to_str().unwrap_or(""));
    let host = text(header::HOST).and_then(|it| it.parse::<Authority>().ok());
    let Some(host) = host.filter(|it| is_loopback(it.host())) else { return false };
    match text(header::ORIGIN) {
        None => true,
        Some(origin) => {
            let origin = origin.parse::<Uri>().ok();
            origin.and_then(|it| it.authority().cloned()).is_some_and(|it| it == host)
        }
    }
}

/// Whether `host`, an address or a name, is this machine.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    let address = address.parse::<std::net::IpAddr>();
    address.map_or(host.eq_ignore_ascii_case("localhost"), |it| it.is_loopback())
}

/// Why there is no page to show.
enum Lost {
    NotFound,
    Book(BookError),
}

impl From<BookError> for Lost {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

impl IntoResponse for Lost {
    fn into_response(self) -> Response {
        match self {
            Self::NotFound => {
                let body = "<div class=card><h1>No such order</h1><p class=soft>It is not in this \
                            simulator's book. <a href=\"/\">Latest orders</a></p></div>";
                (StatusCode::NOT_FOUND, page("No such order", "", "", body)).into_response()
            }
            Self::Book(error) => {
                tracing::error!(%error, "a page of the simulator could not be made");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

async fn press(
    State(desk): State<Arc<Desk>>,
    Path((syssn, act)): Path<(String, String)>,
) -> Result<Redirect, Lost> {
    let act = Act::find(&act).ok_or(Lost::NotFound)?;
    let trade = find(&desk, &syssn).await?;
    desk.act(&trade.syssn, act).await?;
    Ok(Redirect::to(&format!("/pay/{}", trade.syssn)))
}

async fn find(desk: &Desk, syssn: &str) -> Result<Trade, Lost> {
    let found = desk.book.find(desk.now_ms(), syssn).await?;
    found.filter(Trade::is_payment).ok_or(Lost::NotFound)
}

async fn order(
    State(desk): State<Arc<Desk>>,
    Path(syssn): Path<String>,
) -> Result<Html<String>, Lost> {
    let trade = find(&desk, &syssn).await?;
    let (colour, state) = state(&trade);
    let wallet = trade.pay_type().map_or(trade.pay_type.as_str(), |it| it.name);
    let mut rows = String::new();
    let goods = if trade.goods_name.is_empty() { "Order" } else { &trade.goods_name };
    row(&mut rows, "Pay with", wallet);
    row(&mut rows, "Order", &trade.out_trade_no);
    row(&mut rows, "Transaction", &trade.syssn);
    row(&mut rows, "Made", &wire(Some(trade.created_ms)));
    row(&mut rows, "Paid", &wire(trade.paid_ms));
    if trade.refunded > 0 {
        row(&mut rows, "Refunded", &money(trade.refunded, &trade.txcurrcd));
    }
    if !trade.is_paid() && !trade.is_waiting() {
        row(&mut rows, "Reason", &format!("{} {}", trade.respcd, text(&trade.respcd)));
    }
    if !trade.notify_url.is_empty() {
        row(&mut rows, "Notification", &trade.notify_note);
    }
    let acts = if trade.is_waiting() { buttons(&trade.syssn) } else { String::new() };
    let back = if trade.return_url.is_empty() || trade.is_waiting() {
        String::new()
    } else {
        format!("<p class=foot><a href=\"{}\">Back to the shop</a></p>", Text(&trade.return_url))
    };
    let body = format!(
        "<div class=card><div class=top><span>Simulator</span><span class=\"badge {colour}\">{state}</span></div>\
         <p class=amount>{}</p><p class=soft>{}</p><dl>{rows}</dl>{acts}</div>{back}\
         <p class=foot>This is a simulated payment. No money moves. <a href=\"/\">Latest orders</a></p>",
        Text(&money(trade.txamt, &trade.txcurrcd)),
        Text(goods),
    );
    let refresh = if trade.is_waiting() {
        format!("<meta http-equiv=refresh content={LOOK_AGAIN}>")
    } else {
        String::new()
    };
    Ok(page("Simulated payment", &refresh, "", &body))
}

fn buttons(syssn: &str) -> String {
    let mut html = "<div class=acts>".to_owned();
    for act in Act::ALL {
        let (class, label) = match act {
            Act::Pay => ("pay", "Pay"),
            Act::Fail => ("", "Fail"),
            Act::Expire => ("", "Expire"),
        };
        let word = act.word();
        let _ = write!(
            html,
            "<form method=post action=\"/pay/{syssn}/{word}\"><button class=\"{class}\">{label}</button></form>"
        );
    }
    html + "</div>"
}

async fn first(State(desk): State<Arc<Desk>>) -> Result<Html<String>, Lost> {
    let latest = Filter { limit: LATEST, ..Filter::default() };
    let trades = desk.book.select(desk.now_ms(), &latest).await?;
    let payer = match desk.settings.payer {
        Payer::Pays { after } => format!("pays {} s after an order was made", after.as_secs_f32()),
        Payer::Waits => "waits for you: open an order and press a button".to_owned(),
    };
    let key = if is_built_in(&desk.settings.key) { KEY } else { "the one you set" };
    let mut rows = String::new();
    row(&mut rows, "Base URL", &desk.url);
    row(&mut rows, "App code", &desk.settings.app_code);
    row(&mut rows, "Key", key);
    row(&mut rows, "mchid", desk.settings.mchid.as_deref().unwrap_or("none; leave it out"));
    row(&mut rows, "The payer", &payer);
    let orders = if trades.is_empty() {
        "<p class=soft>None yet.</p>".to_owned()
    } else {
        let lines: String = trades.iter().map(line).collect();
        format!(
            "<div class=scroll><table><tr><th>Order<th class=num>Amount<th>Wallet<th>Made<th>State</tr>{lines}</table></div>"
        )
    };
    let body = format!(
        "<div class=card><h1>QFPay simulator</h1>\
         <p class=soft>It speaks QFPay's wire format on this machine and plays the payer. No money moves, \
         and QFPay knows nothing of it.</p><dl>{rows}</dl>\
         <h2>Latest orders</h2>{orders}</div>\
         <p class=foot>An amount of 1000 or more that ends in a response code, such as 101205, is answered with that code.</p>"
    );
    Ok(page("QFPay simulator", "", "wide", &body))
}

/// Whether `key` is the one that may be shown.
pub fn is_built_in(key: &SecretString) -> bool {
    let sign = |key| sign::sign_body(b"", SignType::Sha256, key);
    sign::same(&sign(key), &sign(&KEY.into()))
}

fn line(trade: &Trade) -> String {
    let (colour, state) = state(trade);
    let number = Text(&trade.out_trade_no);
    let name = if trade.is_payment() {
        format!("<a href=\"/pay/{}\">{number}</a>", Text(&trade.syssn))
    } else {
        format!("{number} <span class=soft>refund</span>")
    };
    let wallet = trade.pay_type().map_or(trade.pay_type.as_str(), |it| it.wallet);
    format!(
        "<tr><td class=name>{name}<td class=num>{}<td>{}<td>{}<td><span class=\"badge {colour}\">{state}</span></tr>",
        Text(&money(trade.txamt, &trade.txcurrcd)),
        Text(wallet),
        Text(&trade.sysdtm),
    )
}

/// The colour and the word of how a trade stands.
pub(super) fn state(trade: &Trade) -> (&'static str, &'static str) {
    match (trade.cancel(), trade.respcd.as_str()) {
        ("5", _) => ("wait", "Refunded in part"),
        ("3", _) => ("bad", "Refunded"),
        ("2", _) => ("bad", "Closed"),
        ("1", _) => ("bad", "Reversed"),
        _ if trade.is_waiting() => ("wait", "Waiting"),
        _ if trade.is_paid() && trade.is_payment() => ("good", "Paid"),
        _ if trade.is_paid() => ("good", "Done"),
        (_, "1181") => ("bad", "Expired"),
        _ => ("bad", "Failed"),
    }
}

pub(super) fn money(minor: i64, currency: &str) -> String {
    let minor = minor.unsigned_abs();
    Currency::find(currency).map_or(format!("{currency} {minor}"), |it| written(minor, it))
}

/// A line of a list; none for a blank value.
pub(super) fn row(html: &mut String, name: &str, value: &str) {
    if !value.is_empty() {
        let _ = write!(html, "<dt>{name}</dt><dd>{}</dd>", Text(value));
    }
}

pub(super) fn page(title: &str, head: &str, class: &str, body: &str) -> Html<String> {
    Html(format!(
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>{title}</title>\
         <meta name=viewport content=\"width=device-width,initial-scale=1\">{head}\
         <style>{CSS}</style></head><body><main class=\"{class}\">{body}</main></body></html>"
    ))
}

/// Text from outside, as HTML text or inside a quoted attribute.
pub(super) struct Text<'a>(pub(super) &'a str);

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&html_escape::encode_quoted_attribute(self.0))
    }
}
