//! A reconciled day as an agent reads it: the worst first, and not all of a bad day.
use rmcp::model::JsonObject;
use schemars::JsonSchema;
use serde::Serialize;

use super::{query, written_time};
use crate::{
    ledger::Kind,
    payments::reconcile::{Difference, Outcome, Reconciled, Sums, Total, What},
};

/// Most differences that a reply tells.
const TOLD: usize = 10;

/// What came of it.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::mcp) struct Reconciliation {
    /// agrees, differs, incomplete
    status: &'static str,
    date: String,
    environment: &'static str,
    in_ledger: usize,
    at_qfpay: usize,
    /// By QFPay, minor units; ours where they differ
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<JsonObject>")]
    totals: Vec<OneTotal>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(with = "Vec<JsonObject>")]
    differences: Vec<OneDifference>,
    #[serde(skip_serializing_if = "Option::is_none")]
    more_differ: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
    next_step: String,
}

/// A currency and way to pay.
#[derive(Debug, Serialize)]
struct OneTotal {
    currency: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pay_type: Option<&'static str>,
    #[serde(flatten)]
    there: OneSum,
    #[serde(skip_serializing_if = "Option::is_none")]
    ours: Option<OneSum>,
}

#[derive(Debug, Serialize)]
struct OneSum {
    payments: u64,
    paid: u64,
    refunds: u64,
    refunded: u64,
    net_text: String,
}

/// Something that differs.
#[derive(Debug, Serialize)]
struct OneDifference {
    what: &'static str,
    told: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    syssn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    made_at: Option<String>,
    next_step: String,
}

impl Reconciliation {
    pub(in crate::mcp) fn new(done: &Reconciled, environment: &'static str) -> Self {
        let differences = done.differences.iter().take(TOLD).map(OneDifference::new).collect();
        let more_differ = done.differences.len().checked_sub(TOLD).filter(|it| *it > 0);
        Self {
            status: done.outcome().word(),
            date: done.day.to_string(),
            environment,
            in_ledger: done.entries,
            at_qfpay: done.records,
            totals: done.totals.iter().map(OneTotal::new).collect(),
            differences,
            more_differ,
            problem: done.problem.clone(),
            next_step: next_step(done),
        }
    }
}

impl OneTotal {
    fn new(total: &Total) -> Self {
        let sum = |sums: Sums| OneSum {
            payments: sums.payments,
            paid: sums.paid,
            refunds: sums.refunds,
            refunded: sums.refunded,
            net_text: sums.net_text(total.currency),
        };
        Self {
            currency: total.currency.code,
            pay_type: total.pay_type.map(|it| it.code),
            there: sum(total.there),
            ours: (total.here != total.there).then(|| sum(total.here)),
        }
    }
}

impl OneDifference {
    fn new(it: &Difference) -> Self {
        // Where the number finds it, QFPay's own only takes room.
        let by_number = matches!(it.what, What::Amount | What::Status | What::MissingThere);
        Self {
            what: it.what.word(),
            told: it.sentence(),
            syssn: it.syssn.as_ref().filter(|_| !by_number).map(ToString::to_string),
            made_at: it.made_at.map(written_time),
            next_step: next_of(it),
        }
    }
}

/// What to do about one difference.
fn next_of(it: &Difference) -> String {
    let number = it.order.as_ref().map_or(it.number.as_str(), |order| order.as_str());
    match it.what {
        What::PaidTwice => {
            format!("Tell the person; {} says how to give one back", query(number))
        }
        What::Status => format!("{} brings our ledger up to date", query(&it.number)),
        What::MissingThere => {
            format!("{}; if it stays so, a person looks in QFPay's portal", query(&it.number))
        }
        What::MissingHere if it.may_settle() => {
            format!("{} counts it for the payment", query(number))
        }
        What::MissingHere if it.kind == Kind::Refund => {
            "A person says who made this refund".to_owned()
        }
        What::MissingHere => "Made elsewhere, at a terminal for example? Ask the person".to_owned(),
        What::Amount | What::Payment | What::PayType => {
            "A person looks in QFPay's portal".to_owned()
        }
    }
}

fn next_step(done: &Reconciled) -> String {
    let day = done.day;
    let again = format!("reconcile {{\"date\":\"{day}\"}}");
    let so_far = if done.over { "" } else { " The day is not over: this is until now." };
    match done.outcome() {
        Outcome::Agrees => format!("Everything agrees; nothing to do.{so_far}"),
        Outcome::Incomplete => {
            format!("Nobody knows yet whether all agrees. Call {again} again in a minute.{so_far}")
        }
        Outcome::Differs => {
            let all = if done.differences.len() > TOLD {
                format!(" `qfpay-mcp reconcile --date {day} --csv FILE` writes all of it.")
            } else {
                String::new()
            };
            format!(
                "Tell the person what differs, and do what each next_step says; then call {again} \
                 again.{all}{so_far}"
            )
        }
    }
}
