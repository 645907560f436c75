//! `cancel_payment`: end an order that is not paid.
use std::sync::LazyLock;

use rmcp::{Json, RoleServer, model::JsonObject, service::RequestContext, tool, tool_router};
use schemars::JsonSchema;
use serde::Serialize;

use super::done;
use crate::{
    domain::OrderNumber,
    mcp::{
        Server,
        arguments::Reader,
        principal::{Scope, scopes_of},
        refusal::Refusal,
        schema,
        view::{Order, after_cancel, meaning},
    },
    payments::cancel::Cancelled,
    spec::resp_codes::Operation,
};

const TOOL: &str = "cancel_payment";

#[expect(dead_code, reason = "only its schema is used; arguments are read loosely")]
#[derive(JsonSchema)]
struct Arguments {
    /// The number of the payment
    out_trade_no: String,
}

/// How the order stands after it was to be ended.
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
    respcd: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd_meaning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    warning: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    next_step: String,
}

static SCHEMA: LazyLock<std::sync::Arc<JsonObject>> = LazyLock::new(schema::input::<Arguments>);

#[tool_router(router = cancel_payment_router, vis = "pub(super)")]
impl Server {
    /// End an order that is not paid yet. Asks QFPay before and after, and says how it ended. A card
    /// order that turns out paid may be voided: its money goes back. Else what is paid is not
    /// cancelled; call refund. Safe to repeat.
    #[tool(
        input_schema = SCHEMA.clone(),
        output_schema = schema::output::<Reply>(),
        annotations(
            title = "Cancel a payment",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = true,
            open_world_hint = true
        )
    )]
    async fn cancel_payment(
        &self,
        arguments: JsonObject,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Reply>, Refusal> {
        let number = parse(arguments)?;
        let caller = Self::caller(TOOL, &context);
        let cancelled = self
            .payments
            .cancel(&caller, number.clone(), scopes_of(&context).has(Scope::Refund))
            .await
            .map_err(|refused| Refusal::Refused { tool: TOOL, refused })?;
        Ok(Json(Reply::new(cancelled, &number, self.environment().name())))
    }
}

impl Reply {
    fn new(cancelled: Cancelled, number: &OrderNumber, environment: &'static str) -> Self {
        let next_step = after_cancel(&cancelled, number);
        let (respcd, resperr) = cancelled.answer.unzip();
        let respcd_meaning = meaning(respcd.as_deref(), resperr.as_deref(), Operation::Cancel);
        let order = Order::new(cancelled.order);
        Self {
            status: order.status,
            meaning: order.meaning,
            out_trade_no: number.to_string(),
            environment,
            amount_text: order.amount_text,
            respcd,
            respcd_meaning,
            warning: order.warning,
            problem: cancelled.trouble.map(|it| it.to_string()),
            next_step,
        }
    }
}

fn parse(arguments: JsonObject) -> Result<OrderNumber, Refusal> {
    let mut reader = Reader::new(arguments, &SCHEMA);
    let number = reader.text("out_trade_no");
    let number = reader.required("out_trade_no", number, "the number of the payment");
    let number = reader.parse("out_trade_no", number, str::parse);
    done(TOOL, reader, number)
}
