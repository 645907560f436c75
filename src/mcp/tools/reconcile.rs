//! `reconcile`: a day of our ledger held against QFPay's records of it.
use std::sync::LazyLock;

use futures::future::BoxFuture;
use jiff::civil::Date;
use rmcp::{Json, RoleServer, model::JsonObject, service::RequestContext, tool, tool_router};
use schemars::JsonSchema;

use super::done;
use crate::{
    domain::time,
    mcp::{
        Server, arguments::Reader, progress::counted, refusal::Refusal, schema,
        view::Reconciliation,
    },
    payments::reconcile::Progress,
};

const TOOL: &str = "reconcile";

#[expect(dead_code, reason = "only its schema is used; arguments are read loosely")]
#[derive(JsonSchema)]
struct Arguments {
    /// YYYY-MM-DD, default yesterday
    date: Option<String>,
}

static SCHEMA: LazyLock<std::sync::Arc<JsonObject>> = LazyLock::new(schema::input::<Arguments>);

#[tool_router(router = reconcile_router, vis = "pub(super)")]
impl Server {
    /// Compare a day of our ledger with QFPay's records: what differs, and totals. Can take minutes;
    /// tells progress. Moves no money, changes nothing.
    #[tool(
        input_schema = SCHEMA.clone(),
        output_schema = schema::output::<Reconciliation>(),
        annotations(
            title = "Reconcile a day",
            read_only_hint = true,
            destructive_hint = false,
            idempotent_hint = true,
            open_world_hint = true
        )
    )]
    async fn reconcile(
        &self,
        arguments: JsonObject,
        context: RequestContext<RoleServer>,
    ) -> Result<Json<Reconciliation>, Refusal> {
        let date = parse(arguments)?.unwrap_or_else(|| self.payments.yesterday());
        let caller = Self::caller(TOOL, &context);
        let done = self
            .payments
            .reconcile(&caller, date, &context.ct, &|it| progress(&context, it))
            .await
            .map_err(|refused| Refusal::Refused { tool: TOOL, refused })?;
        Ok(Json(Reconciliation::new(&done, self.environment().name())))
    }
}

/// Tells the client how far the reading is, if it wants to know.
fn progress(context: &RequestContext<RoleServer>, at: Progress) -> BoxFuture<'static, ()> {
    counted(context, at.pages, format!("{} of QFPay's records read", at.records))
}

fn parse(arguments: JsonObject) -> Result<Option<Date>, Refusal> {
    let mut reader = Reader::new(arguments, &SCHEMA);
    let date = reader.text("date");
    let date = reader.parse("date", date, time::parse_day);
    done(TOOL, reader, Some(date))
}
