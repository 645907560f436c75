//! `refund`: give money back, once.
use std::sync::LazyLock;

use rmcp::{
    RoleServer,
    handler::server::tool::{InputResponses, RequestState},
    model::JsonObject,
    service::RequestContext,
    tool, tool_router,
};
use schemars::JsonSchema;

use super::{Reply, done};
use crate::{
    domain::Amount,
    mcp::{
        Server,
        arguments::Reader,
        confirm::{Brought, Outcome},
        refusal::Refusal,
        schema, ui,
        view::RefundReply,
    },
    payments::refund::{NewRefund, Of},
    spec::Currency,
};

const TOOL: &str = "refund";

#[expect(dead_code, reason = "only its schema is used; arguments are read loosely")]
#[derive(JsonSchema)]
struct Arguments {
    /// The payment's number; this or syssn
    out_trade_no: Option<String>,
    /// QFPay's number of the payment
    syssn: Option<String>,
    /// Minor units, 1 to 99999999999; left out: all that is left
    #[schemars(range(min = 1, max = 99_999_999_999_i64))]
    amount: Option<i64>,
    /// The refund's own number, at most 128 of A-Z a-z 0-9 _ | * -; the same again is the same refund. Left out: made for you
    #[schemars(length(max = 128))]
    refund_no: Option<String>,
}

static SCHEMA: LazyLock<std::sync::Arc<JsonObject>> = LazyLock::new(schema::input::<Arguments>);

#[tool_router(router = refund_router, vis = "pub(super)")]
impl Server {
    /// Give back a paid payment, in full or in part. Checks at QFPay what is left and never goes
    /// beyond it. Safe to repeat with the same refund_no: it is refunded at most once. If the
    /// answer is `in_doubt`, never refund again; query.
    #[tool(
        input_schema = SCHEMA.clone(),
        output_schema = schema::output::<RefundReply>(),
        meta = ui::of_tool(),
        annotations(
            title = "Refund a payment",
            read_only_hint = false,
            destructive_hint = true,
            idempotent_hint = false,
            open_world_hint = true
        )
    )]
    async fn refund(
        &self,
        arguments: JsonObject,
        state: RequestState,
        answers: InputResponses,
        context: RequestContext<RoleServer>,
    ) -> Result<Reply<RefundReply>, Refusal> {
        let refund = parse(arguments)?;
        let caller = Self::caller(TOOL, &context);
        let (brought, number) = (Brought { state, answers }, refund.number.clone());
        let give_back = |yes| {
            let refund = NewRefund { yes, ..refund.clone() };
            self.payments.refund(&caller, refund)
        };
        let outcome = self
            .with_consent(&caller, &context, brought, number.as_ref(), give_back)
            .await
            .map_err(|refused| Refusal::Refused { tool: TOOL, refused })?;
        let environment = self.environment().name();
        Ok(match outcome {
            Outcome::Done(receipt) => Reply::new(RefundReply::new(receipt, environment)),
            Outcome::Round(round) => Reply::Round(round),
            Outcome::Approval(needed, approval) => {
                let next_step = self.next_of_approval(TOOL, "refund_no", &approval);
                Reply::new(RefundReply::waits(&needed, environment, approval.code, next_step))
            }
        })
    }
}

fn parse(arguments: JsonObject) -> Result<NewRefund, Refusal> {
    let mut reader = Reader::new(arguments, &SCHEMA);
    let (order, trade) = (reader.text("out_trade_no"), reader.text("syssn"));
    if order.is_some() == trade.is_some() {
        let text = "give exactly one of out_trade_no and syssn, of the payment to refund";
        reader.problem("out_trade_no", text);
    }
    let order = reader.parse("out_trade_no", order, str::parse);
    let trade = reader.parse("syssn", trade, str::parse);
    let number = reader.text("refund_no");
    let number = reader.parse("refund_no", number, str::parse);
    // The currency is the payment's; until that is known, only the digits are judged.
    let amount = reader.digits("amount");
    let amount = Currency::find("HKD")
        .and_then(|any| reader.parse("amount", amount, |text| Amount::parse(text, any)));
    if let (Some(order), Some(number)) = (&order, &number)
        && order == number
    {
        reader.problem("refund_no", "it is the payment's number; a refund needs one of its own");
    }
    let of = order.map(Of::Order).or(trade.map(Of::Trade));
    let amount = amount.map(|it| it.minor().to_string());
    done(TOOL, reader, of.map(|of| NewRefund { of, amount, number, yes: None }))
}
