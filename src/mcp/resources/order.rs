//! An order as a resource: how it stands by the ledger, and what happened to it.
use jiff::Timestamp;
use rmcp::ErrorData;
use serde::Serialize;

use super::{json, not_found};
use crate::{
    domain::{OrderNumber, time},
    ledger::{Event, LedgerError},
    mcp::{
        Server,
        view::{self, Order, after_query},
    },
    payments::query::OrderView,
};

/// The most that is told of what happened; the latest.
const MOST: u32 = 50;

#[derive(Serialize)]
struct OrderResource {
    environment: &'static str,
    #[serde(flatten)]
    order: Order,
    /// Oldest first.
    history: Vec<Happened>,
    /// More happened before that.
    #[serde(skip_serializing_if = "Option::is_none")]
    more: Option<bool>,
    next_step: String,
}

/// One row of the audit, without who it was.
#[derive(Serialize)]
struct Happened {
    at: String,
    what: &'static str,
    /// The number of the refund that it happened to.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_no: Option<String>,
    tool: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    to: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    respcd: Option<String>,
}

impl Server {
    /// How the order stands by the ledger, with what happened to it.
    pub(super) async fn order_text(
        &self,
        number: &OrderNumber,
        uri: &str,
    ) -> Result<String, ErrorData> {
        let order = self.payments.recall(number).await.map_err(|it| unreadable(&it))?;
        let Some(order) = order else {
            let wanted = format!(
                "our ledger has no such order; call query_transaction {{\"out_trade_no\":\
                 \"{number}\"}} to ask QFPay"
            );
            return Err(not_found(uri, &wanted));
        };
        let history = self.payments.history(&order, MOST).await;
        let (events, more) = history.map_err(|it| unreadable(&it))?;
        let own = order.number.clone();
        let history = events.into_iter().map(|it| Happened::new(it, own.as_ref())).collect();
        let more = more.then_some(true);
        // QFPay was not asked, so nothing is said of what it has no record of.
        let unasked = OrderView { at_qfpay: true, ..order.clone() };
        let next_step = after_query(&[unasked], self.payments.clock.now());
        let unknown = order.syssn.is_none();
        let mut order = Order::new(order);
        order.known_to_qfpay = unknown.then_some(false);
        let environment = self.environment().name();
        Ok(json(&OrderResource { environment, order, history, more, next_step }))
    }
}

impl Happened {
    fn new(event: Event, order: Option<&OrderNumber>) -> Self {
        Self {
            at: told(event.at),
            what: event.what.word(),
            refund_no: event.number.filter(|it| Some(it) != order).map(|it| it.to_string()),
            tool: event.tool,
            from: event.from,
            to: event.to,
            respcd: event.respcd,
        }
    }
}

fn told(at: Timestamp) -> String {
    view::written_time(at.to_zoned(time::qfpay_zone()).datetime())
}

/// The ledger cannot be read now.
pub(in crate::mcp) fn unreadable(error: &LedgerError) -> ErrorData {
    tracing::error!(%error, "the ledger could not be read");
    let text = "the ledger cannot be read now; the person should look at the server's log";
    ErrorData::internal_error(text, None)
}
