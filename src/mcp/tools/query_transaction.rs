//! `query_transaction`: how orders stand.
use std::sync::LazyLock;

use jiff::{Timestamp, civil::DateTime};
use rmcp::{Json, RoleServer, model::JsonObject, service::RequestContext, tool, tool_router};
use schemars::JsonSchema;
use serde::Serialize;

use super::done;
use crate::{
    domain::time::{self, Window},
    mcp::{
        Server,
        arguments::{Reader, echo},
        refusal::Refusal,
        schema,
        view::{OneRefund, Order, after_query, paid_again},
    },
    payments::query::{Find, Found, MAX_RECORDS, MONTHS_BACK, MOST_RAW, Span},
    spec::PayType,
};

const TOOL: &str = "query_transaction";
const FULL: &str = "full";
const DETAILS: [&str; 2] = ["short", FULL];

#[expect(dead_code, reason = "only its schema is used; arguments are read loosely")]
#[derive(JsonSchema)]
struct Arguments {
    /// The number of a payment or refund
    out_trade_no: Option<String>,
    /// QFPay's number of a payment or refund
    syssn: Option<String>,
    /// YYYY-MM-DD HH:mm:ss, Hong Kong time; with end_time, instead of a number
    start_time: Option<String>,
    end_time: Option<String>,
    /// Narrows a span of time
    pay_type: Option<String>,
    /// Narrows a span of time; 0000 = paid
    respcd: Option<String>,
    /// From 1 to 1000
    #[schemars(range(min = 1, max = 1000))]
    page: Option<i64>,
    /// 1 to 100, default 10
    #[schemars(range(min = 1, max = 100))]
    page_size: Option<i64>,
    /// full adds QFPay's raw records, at most 20, payers' ids hidden
    #[schemars(extend("enum" = DETAILS))]
    detail: Option<String>,
}

/// What was found.
#[derive(Debug, Serialize, JsonSchema)]
struct Reply {
    environment: &'static str,
    #[schemars(with = "Vec<JsonObject>", extend("description" = schema::names::<Order>()))]
    orders: Vec<Order>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<JsonObject>", extend("description" = schema::names::<OneRefund>()))]
    other_refunds: Vec<OneRefund>,
    /// true: there is a next page
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
    /// By detail full
    #[serde(skip_serializing_if = "Vec::is_empty")]
    raw: Vec<JsonObject>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    next_step: String,
}

static SCHEMA: LazyLock<std::sync::Arc<JsonObject>> = LazyLock::new(schema::input::<Arguments>);

#[tool_router(router = query_transaction_router, vis = "pub(super)")]
impl Server {
    /// How payments and their refunds stand, asked at QFPay now. Give out_trade_no, or syssn, or
    /// start_time and end_time. Only `paid` means that the money was received. Moves no money;
    /// repeat it freely.
    #[tool(
        input_schema = SCHEMA.clone(),
        output_schema = schema::output::<Reply>(),
        annotations(
            title = "Look up payments",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = true
        )
    )]
    async fn query_transaction(
        &self,
        arguments: JsonObject,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Reply>, Refusal> {
        let (find, full) = parse(arguments)?;
        let caller = Self::caller(TOOL, &context);
        let asked = find.clone();
        let mut found = self
            .payments
            .query(&caller, find)
            .await
            .map_err(|refused| Refusal::Refused { tool: TOOL, refused })?;
        if !full {
            found.raw.clear();
        }
        let now = self.payments.clock.now();
        Ok(Json(Reply::new(found, &asked, self.environment().name(), now)))
    }
}

impl Reply {
    fn new(found: Found, asked: &Find, environment: &'static str, now: Timestamp) -> Self {
        let shown = if matches!(asked, Find::Span(_)) { Order::listed } else { Order::new };
        let next_step = match (asked, found.orders.as_slice()) {
            (Find::Span(span), _) if found.more => format!(
                "There is more: call query_transaction with the same times and page {}.",
                span.page.saturating_add(1)
            ),
            (Find::Span(_), []) if found.loose_refunds.is_empty() => {
                "Nothing was made in this span of time.".to_owned()
            }
            (Find::Span(_), _) => "That is all in this span of time.".to_owned(),
            (Find::Order(_) | Find::Trade(_), orders) => after_query(orders, now),
        };
        let again = paid_again(&found.orders).filter(|_| !matches!(asked, Find::Span(_)));
        let mut orders: Vec<Order> = found.orders.into_iter().map(shown).collect();
        if let (Some(again), Some(first)) = (again, orders.first_mut()) {
            first.warning = Some(again);
        }
        Self {
            environment,
            orders,
            other_refunds: found.loose_refunds.into_iter().map(OneRefund::new).collect(),
            more: found.more.then_some(true),
            raw: found.raw,
            problem: found
                .trouble
                .map(|it| format!("QFPay could not be asked, this is from our ledger: {it}"))
                .or(found.unwritten.map(|it| format!("true, but not written down: {it}"))),
            next_step,
        }
    }
}

/// What to look for, and whether in full.
fn parse(arguments: JsonObject) -> Result<(Find, bool), Refusal> {
    let mut reader = Reader::new(arguments, &SCHEMA);
    let order = reader.text("out_trade_no");
    let trade = reader.text("syssn");
    let times = reader.text("start_time").or(reader.text("end_time"));
    let ways = [order.is_some(), trade.is_some(), times.is_some()];
    let span = read_span(&mut reader);
    let order = reader.parse("out_trade_no", order, str::parse);
    let trade = reader.parse("syssn", trade, str::parse);
    if ways.iter().filter(|it| **it).count() != 1 {
        reader.problem(
            "out_trade_no",
            "give exactly one of out_trade_no, syssn, or start_time with end_time",
        );
    }
    let detail = reader.text("detail");
    let full = reader.parse("detail", detail, read_detail).unwrap_or_default();
    if let Some(span) = span.as_ref().filter(|_| full)
        && usize::try_from(span.page_size).is_ok_and(|it| MOST_RAW < it)
    {
        reader.problem("page_size", format!("with detail full it is at most {MOST_RAW}"));
    }
    let find = order.map(Find::Order).or(trade.map(Find::Trade)).or(span.map(Find::Span));
    done(TOOL, reader, find.map(|it| (it, full)))
}

fn read_detail(text: &str) -> Result<bool, String> {
    let word = text.to_lowercase();
    let known = DETAILS.contains(&word.as_str());
    known
        .then_some(word == FULL)
        .ok_or_else(|| format!("`{}` is no detail; use one of {}", echo(text), DETAILS.join(", ")))
}

/// A span of time, if any part of one was given.
fn read_span(reader: &mut Reader) -> Option<Span> {
    let (start, end) = (reader.text("start_time"), reader.text("end_time"));
    let given = start.is_some() || end.is_some();
    let missing = |it: &Option<String>| given && it.is_none();
    for (name, missing) in [("start_time", missing(&start)), ("end_time", missing(&end))] {
        if missing {
            reader.problem(name, "it is missing; a span needs start_time and end_time");
        }
    }
    let start = reader.parse("start_time", start, time::parse_wire);
    let end = reader.parse("end_time", end, time::parse_wire);
    let pay_type = reader.text("pay_type");
    let pay_type = reader.parse("pay_type", pay_type, |text| {
        PayType::find(text).map(|it| it.code.to_owned()).ok_or_else(|| {
            format!("`{}` is no pay type; take a code from list_pay_types", echo(text))
        })
    });
    let respcd = reader.text("respcd");
    let respcd = reader.parse("respcd", respcd, |text| {
        let four = text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
        let error = || format!("`{}` is not four digits; for example 0000", echo(text));
        four.then(|| text.to_owned()).ok_or_else(error)
    });
    let page = reader.number("page", 1, 1000);
    let page_size = reader.number("page_size", 1, 100);
    if !given {
        let narrowing = [
            ("pay_type", pay_type.is_some()),
            ("respcd", respcd.is_some()),
            ("page", page.is_some()),
            ("page_size", page_size.is_some()),
        ];
        for (name, _) in narrowing.into_iter().filter(|(_, given)| *given) {
            reader.problem(name, "it goes with start_time and end_time only");
        }
    }
    let (start, end) = ordered(reader, start?, end?)?;
    check_reach(reader, start, end, page.unwrap_or(1), page_size.unwrap_or(10));
    Some(Span {
        start,
        end,
        pay_type,
        respcd,
        page: page.unwrap_or(1),
        page_size: page_size.unwrap_or(10),
    })
}

/// A span that cannot be read to its end is refused rather than cut.
fn check_reach(reader: &mut Reader, start: DateTime, end: DateTime, page: u32, page_size: u32) {
    let months = Window::by_month(start, end, MONTHS_BACK.saturating_add(1)).len();
    if months > MONTHS_BACK {
        let text = format!("the span touches more than {MONTHS_BACK} months; ask for less at once");
        reader.problem("end_time", text);
    }
    let last = usize::try_from(page.saturating_mul(page_size)).unwrap_or(usize::MAX);
    if months > 1 && last > MAX_RECORDS {
        let text = format!(
            "over several months only the first {MAX_RECORDS} records can be paged through; ask \
             for one month at a time"
        );
        reader.problem("page", text);
    }
}

fn ordered(reader: &mut Reader, start: DateTime, end: DateTime) -> Option<(DateTime, DateTime)> {
    if end < start {
        reader.problem("end_time", "it is before start_time");
        return None;
    }
    Some((start, end))
}
