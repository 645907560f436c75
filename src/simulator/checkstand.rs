//! The hosted checkout page as a payer sees it: what is to be paid, the ways to pay, what was tried.
//!
//! The merchant's address opens an empty page, whose script hands the parameters behind the `#` over
//! to the page that shows them. Nothing but a press of a button makes an order.
use std::{fmt::Write as _, sync::Arc};

use axum::{
    Form, Router,
    extract::State,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};
use serde::Deserialize;

use super::{
    BookError, Desk,
    book::Trade,
    checkout::{Checkout, Choice, Unopened},
    page::{POLICY, Text, money, page, row, state},
    wire,
};
use crate::spec::{Field, PayType};

const SCRIPT: &str = include_str!("checkout.js");

pub(super) fn router() -> Router<Arc<Desk>> {
    Router::new()
        .route("/checkstand/", get(entrance))
        .route("/checkstand/page.js", get(script))
        .route("/checkstand/open", post(open))
        .route("/checkstand/choose", post(choose))
}

/// What the script hands over.
#[derive(Debug, Deserialize)]
struct Opened {
    query: String,
}

/// What a payer chose.
#[derive(Debug, Deserialize)]
struct Chosen {
    query: String,
    pay_type: String,
    act: String,
}

async fn entrance() -> impl IntoResponse {
    let body = "<div class=card><h1>Simulated checkout</h1><p class=soft>One moment …</p>\
                <noscript><p>This page needs JavaScript, as QFPay's does.</p></noscript>\
                <form method=post action=\"/checkstand/open\"><input type=hidden name=query></form>\
                </div>";
    let head = "<script src=\"/checkstand/page.js\" defer></script>";
    let policy = format!("{POLICY}; script-src 'self'");
    ([(header::CONTENT_SECURITY_POLICY, policy)], page("Simulated checkout", head, "", body))
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], SCRIPT)
}

async fn open(
    State(desk): State<Arc<Desk>>,
    Form(opened): Form<Opened>,
) -> Result<Html<String>, Unopened> {
    let checkout = Checkout::read(&desk, &opened.query)?;
    let attempts = checkout.attempts(&desk).await?;
    Ok(shown(&desk, &checkout, &opened.query, &attempts))
}

/// Makes the order and leads back to the page, so that looking again pays nothing. That an order of
/// the number is paid stops nobody: QFPay does not stop a second tab either (contract §7).
async fn choose(
    State(desk): State<Arc<Desk>>,
    Form(chosen): Form<Chosen>,
) -> Result<Redirect, Unopened> {
    let checkout = Checkout::read(&desk, &chosen.query)?;
    let way = checkout.ways().into_iter().find(|it| it.code == chosen.pay_type);
    let wrong = |what: &str| Unopened::Wrong(what.to_owned());
    let way = way.ok_or_else(|| wrong("pay_type: choose one of those on the page"))?;
    let choice = Choice::find(&chosen.act).ok_or_else(|| wrong("act: press one of the buttons"))?;
    if checkout.has_ended(&desk) {
        return Err(wrong("the page has ended"));
    }
    if !checkout.choose(&desk, way, choice).await? {
        return Err(wrong("out_trade_no: used by an order that was not made on this page"));
    }
    Ok(Redirect::to(&format!("/checkstand/#/?{}", chosen.query)))
}

fn shown(desk: &Desk, checkout: &Checkout, query: &str, attempts: &[Trade]) -> Html<String> {
    let paid = attempts.iter().any(Trade::is_paid);
    let ended = checkout.has_ended(desk);
    let (colour, word) = match (paid, ended) {
        (true, _) => ("good", "Paid"),
        (false, true) => ("bad", "Ended"),
        (false, false) => ("wait", "Choose"),
    };
    let goods = checkout.text(Field::GoodsName);
    let goods = if goods.is_empty() { "Order" } else { goods };
    let mut rows = String::new();
    row(&mut rows, "Order", checkout.text(Field::OutTradeNo));
    row(&mut rows, "Until", &wire(checkout.ends.map(jiff::Timestamp::as_millisecond)));
    let form = if paid || ended { String::new() } else { ways(checkout, query) };
    let tried: String = attempts.iter().map(attempt).collect();
    let tried = if tried.is_empty() { tried } else { format!("<h2>Tried</h2><dl>{tried}</dl>") };
    let back = match attempts.last() {
        _ if paid => back(checkout, Field::ReturnUrl),
        Some(last) if !last.is_waiting() => back(checkout, Field::FailedUrl),
        Some(_) | None => String::new(),
    };
    let amount = &checkout.amount;
    let body = format!(
        "<div class=card><div class=top><span>Simulated checkout</span><span class=\"badge {colour}\">{word}</span></div>\
         <p class=amount>{}</p><p class=soft>{}</p><dl>{rows}</dl>{form}{tried}</div>{back}\
         <p class=foot>No money moves, and no card is asked for. <a href=\"/\">Latest orders</a></p>",
        Text(&money(amount.minor().cast_signed(), amount.currency().code)),
        Text(goods),
    );
    page("Simulated checkout", "", "", &body)
}

fn ways(checkout: &Checkout, query: &str) -> String {
    let ways = checkout.ways();
    let radio = |(at, it): (usize, &&PayType)| {
        let checked = if at == 0 { " checked" } else { "" };
        format!(
            "<label><input type=radio name=pay_type value={}{checked}> {}</label>",
            it.code,
            Text(it.name)
        )
    };
    let radios: String = ways.iter().enumerate().map(radio).collect();
    let mut html = format!(
        "<form method=post action=\"/checkstand/choose\">\
         <input type=hidden name=query value=\"{}\">\
         <fieldset><legend>Pay with</legend>{radios}</fieldset><div class=acts>",
        Text(query)
    );
    for choice in Choice::ALL {
        let class = if choice == Choice::Pay { " class=pay" } else { "" };
        let word = choice.word();
        let _ = write!(html, "<button name=act value={word}{class}>{choice}</button>");
    }
    html + "</div></form>"
}

fn attempt(trade: &Trade) -> String {
    let way = trade.pay_type().map_or(trade.pay_type.as_str(), |it| it.name);
    let (colour, word) = state(trade);
    format!(
        "<dt><a href=\"/pay/{}\">{}</a></dt><dd><span class=\"badge {colour}\">{word}</span></dd>",
        Text(&trade.syssn),
        Text(way)
    )
}

/// A link, and no more: a page of a simulator sends nobody away from this machine by itself.
fn back(checkout: &Checkout, to: Field) -> String {
    let address = Text(checkout.text(to));
    format!("<p class=foot><a href=\"{address}\">Back to the shop</a></p>")
}

impl IntoResponse for Unopened {
    fn into_response(self) -> Response {
        let (status, title, why) = match self {
            // QFPay's page tells the payer this word and the merchant nothing.
            Self::Sign => (StatusCode::FORBIDDEN, "QFSign_Error", "The signature is wrong.".into()),
            Self::Wrong(why) => (StatusCode::BAD_REQUEST, "No payment here", why),
            Self::Book(error) => return lost(&error),
        };
        let body =
            format!("<div class=card><h1>{title}</h1><p class=soft>{}</p></div>", Text(&why));
        (status, page(title, "", "", &body)).into_response()
    }
}

fn lost(error: &BookError) -> Response {
    tracing::error!(%error, "a checkout page of the simulator could not be made");
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}
