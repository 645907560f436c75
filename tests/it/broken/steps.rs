//! The steps that break: what an agent calls, what must stand before, and what it comes to.
use std::time::Duration;

use qfpay_mcp::{
    simulator::{Fault, Payer},
    spec::endpoints::Endpoint,
};
use serde_json::{Value, json};

use super::{
    book::expected,
    world::{Told, World},
};
use crate::harness::Client;

pub(super) const ORDER: &str = "A1";
pub(super) const REFUND: &str = "R1";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A QR code is shown.
    Show,
    /// A payer's code is scanned.
    Scan,
    /// Part of a payment goes back.
    Refund,
    /// An unpaid QR code is ended.
    Close,
    /// A payer's code that is being worked on is ended.
    Reverse,
    Query,
}

impl Step {
    pub(super) const ALL: [Self; 6] =
        [Self::Show, Self::Scan, Self::Refund, Self::Close, Self::Reverse, Self::Query];

    /// Where its request goes.
    pub(super) const fn endpoint(self) -> Endpoint {
        match self {
            Self::Show | Self::Scan => Endpoint::Payment,
            Self::Refund => Endpoint::Refund,
            Self::Close => Endpoint::Close,
            Self::Reverse => Endpoint::Reversal,
            Self::Query => Endpoint::Query,
        }
    }

    pub(super) const fn payer(self) -> Payer {
        match self {
            Self::Show | Self::Scan | Self::Refund | Self::Query => {
                Payer::Pays { after: Duration::ZERO }
            }
            Self::Close | Self::Reverse => Payer::Waits,
        }
    }

    /// Whether it makes a payment or refund, which must never be made twice.
    pub(super) const fn makes(self) -> bool {
        matches!(self, Self::Show | Self::Scan | Self::Refund)
    }

    /// The number of the entry it is about.
    pub(super) const fn number(self) -> &'static str {
        if matches!(self, Self::Refund) { REFUND } else { ORDER }
    }

    /// The tool and its arguments; the same again is the same payment or refund.
    pub(super) fn call(self) -> (&'static str, Value) {
        match self {
            Self::Show => ("create_payment", shown()),
            Self::Scan => ("create_payment", scanned()),
            Self::Refund => {
                ("refund", json!({"out_trade_no": ORDER, "amount": 300, "refund_no": REFUND}))
            }
            Self::Close | Self::Reverse => ("cancel_payment", json!({"out_trade_no": ORDER})),
            Self::Query => ("query_transaction", json!({"out_trade_no": ORDER})),
        }
    }

    /// Brings about what must stand before.
    pub(super) async fn prepare(self, world: &World, client: &Client) {
        match self {
            Self::Show | Self::Scan => {}
            Self::Refund => {
                client.reply("create_payment", shown()).await;
                let order = json!({"out_trade_no": ORDER});
                client.reply("query_transaction", order).await;
                assert_eq!(world.status(ORDER).await, "paid");
            }
            Self::Close | Self::Query => {
                client.reply("create_payment", shown()).await;
                assert_eq!(world.status(ORDER).await, "pending");
            }
            Self::Reverse => {
                world.simulator.next(Endpoint::Payment, Fault::Processing);
                client.reply("create_payment", scanned()).await;
                assert_eq!(world.status(ORDER).await, "pending");
            }
        }
    }

    /// Whether QFPay's book shows it done.
    pub(super) async fn is_done(self, world: &World) -> bool {
        let book = world.book().await;
        let record = book.iter().find(|it| it.out_trade_no == self.number());
        record.is_some_and(|it| expected(it) == self.comes_to())
    }

    /// The status of its entry when all has gone well.
    pub(super) const fn comes_to(self) -> &'static str {
        match self {
            Self::Show | Self::Scan | Self::Query => "paid",
            Self::Refund => "refunded",
            Self::Close | Self::Reverse => "closed",
        }
    }

    pub(super) async fn ask(self, client: &Client) -> Told {
        let (tool, arguments) = self.call();
        client.told(tool, arguments).await
    }
}

pub(super) fn shown() -> Value {
    json!({"amount": 900, "currency": "HKD", "pay_type": "800201", "out_trade_no": ORDER})
}

pub(super) fn scanned() -> Value {
    json!({"amount": 900, "currency": "HKD", "pay_type": "800208", "out_trade_no": ORDER,
           "auth_code": "284957201938475610"})
}

/// What an agent is told must not contradict QFPay's book: a "no" of ours is QFPay's.
pub(super) async fn is_honest(world: &World, step: Step, told: &Told) {
    let book = world.book().await;
    let record = book.iter().find(|it| it.out_trade_no == step.number()).map(expected);
    let honest = match told.status.as_str() {
        "failed" | "closed" => matches!(record, None | Some("failed" | "closed")),
        "paid" => matches!(record, Some("paid" | "partially_refunded")),
        "refunded" => record == Some("refunded"),
        _ => true,
    };
    // What is said to have never left may not have arrived.
    let unsent = !told.text.contains("nothing was sent") || !step.makes() || record.is_none();
    assert!(honest && unsent, "told {told:?}, and the book says {record:?}");
}
