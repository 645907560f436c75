//! `wait_for_payment`: how an order ends, in one call.
use std::{sync::LazyLock, time::Duration};

use futures::future::BoxFuture;
use rmcp::{Json, RoleServer, model::JsonObject, service::RequestContext, tool, tool_router};
use schemars::JsonSchema;
use serde::Serialize;

use super::done;
use crate::{
    domain::OrderNumber,
    mcp::{
        Server,
        arguments::Reader,
        progress::told,
        refusal::Refusal,
        schema,
        view::{Order, after_query, paid_again},
    },
    payments::wait::{Tick, Waited},
};

const TOOL: &str = "wait_for_payment";
/// Shorter than the 60 s after which most clients give a call up.
const DEFAULT_SECONDS: u32 = 45;
const MOST_SECONDS: u32 = 300;

#[expect(dead_code, reason = "only its schema is used; arguments are read loosely")]
#[derive(JsonSchema)]
struct Arguments {
    /// The number of a payment
    out_trade_no: String,
    /// 1 to 300, default 45; over 55 only if your client waits that long
    #[schemars(range(min = 1, max = 300))]
    timeout_seconds: Option<i64>,
}

/// How the order stands after the wait.
#[derive(Debug, Serialize, JsonSchema)]
struct Reply {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    meaning: Option<&'static str>,
    out_trade_no: String,
    environment: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount_text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd_meaning: Option<String>,
    waited_seconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    next_step: String,
}

static SCHEMA: LazyLock<std::sync::Arc<JsonObject>> = LazyLock::new(schema::input::<Arguments>);

#[tool_router(router = wait_for_payment_router, vis = "pub(super)")]
impl Server {
    /// Wait until a payment is paid or over, at most timeout_seconds, and tell progress. `pending`
    /// at the end is NOT paid: call it again, or cancel_payment. Moves no money.
    #[tool(
        input_schema = SCHEMA.clone(),
        output_schema = schema::output::<Reply>(),
        annotations(
            title = "Wait for a payment",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = true
        )
    )]
    async fn wait_for_payment(
        &self,
        arguments: JsonObject,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Reply>, Refusal> {
        let (number, limit) = parse(arguments)?;
        let caller = Self::caller(TOOL, &context);
        let waited = self
            .payments
            .wait(&caller, &number, limit, &context.ct, &|tick| progress(&context, tick))
            .await
            .map_err(|refused| Refusal::Refused { tool: TOOL, refused })?;
        Ok(Json(Reply::new(waited, &number, self)))
    }
}

/// Tells the client how the wait goes on, if it wants to know.
fn progress(context: &RequestContext<RoleServer>, tick: Tick) -> BoxFuture<'static, ()> {
    let message = format!("{}, {} s left", tick.status, tick.left.as_secs());
    told(context, tick.waited, tick.waited.saturating_add(tick.left), message)
}

impl Reply {
    fn new(waited: Waited, number: &OrderNumber, server: &Server) -> Self {
        let Waited { found, waited } = waited;
        let now = server.payments.clock.now();
        let next_step = after_query(&found.orders, now);
        let again = paid_again(&found.orders);
        let order = found.orders.into_iter().next().map(Order::new).unwrap_or_default();
        Self {
            status: order.status,
            meaning: order.meaning,
            out_trade_no: number.to_string(),
            environment: server.environment().name(),
            amount_text: order.amount_text,
            paid_at: order.paid_at,
            respcd_meaning: order.respcd_meaning,
            waited_seconds: waited.as_secs(),
            warning: again.or(order.warning),
            problem: found.trouble.map(|it| format!("QFPay could not be asked: {it}")),
            next_step,
        }
    }
}

fn parse(arguments: JsonObject) -> Result<(OrderNumber, Duration), Refusal> {
    let mut reader = Reader::new(arguments, &SCHEMA);
    let number = reader.text("out_trade_no");
    let number = reader.required("out_trade_no", number, "the number of the payment");
    let number = reader.parse("out_trade_no", number, str::parse);
    let seconds = reader.number("timeout_seconds", 1, MOST_SECONDS).unwrap_or(DEFAULT_SECONDS);
    done(TOOL, reader, number.map(|it| (it, Duration::from_secs(seconds.into()))))
}
