//! What the use cases promise, held against a scripted QFPay and a real ledger.
mod cancelling;
mod checkout;
mod consenting;
mod following;
mod notices;
mod recovery;
mod repeats;
mod waiting;
pub(super) mod world;

use serde_json::json;

use self::world::*;
use super::{
    query::{self, Find},
    refund::{NewRefund, Of},
    *,
};
use crate::domain::{PaymentEvent, PaymentState};

#[tokio::test]
async fn paying_twice_under_one_number_asks_qfpay_once() {
    let world = World::answering(&[PAID]);
    assert_eq!(world.pay("A1", 100).await, "pending");
    assert_eq!(world.pay("A1", 100).await, "pending again");
    assert_eq!(world.asked(), ["pay A1 100"]);
}

#[tokio::test]
async fn an_accepted_qr_order_is_pending_and_a_scanned_code_is_paid() {
    let world = World::answering(&[PAID, PAID]);
    assert_eq!(world.pay("A1", 100).await, "pending");
    assert_eq!(world.pay_by("800208", "A2", 100).await, "paid");
}

#[tokio::test]
async fn a_lost_answer_is_in_doubt_and_never_paid_again() {
    let world = World::answering(&["lost"]);
    assert_eq!(world.pay("A1", 100).await, "in_doubt (lost)");
    assert_eq!(world.pay("A1", 100).await, "in_doubt again");
    assert_eq!(world.asked(), ["pay A1 100"]);
}

#[tokio::test]
async fn what_surely_did_not_arrive_may_go_again_under_the_same_number() {
    let world = World::answering(&["not sent", PAID]);
    assert_eq!(world.pay("A1", 100).await, "intended (not sent)");
    assert_eq!(world.pay("A1", 100).await, "pending");
    assert_eq!(world.asked(), ["pay A1 100", "pay A1 100"]);
}

#[tokio::test]
async fn a_code_that_nobody_knows_leaves_it_in_doubt_and_a_refusal_fails_it() {
    let world = World::answering(&[r#"{"respcd":"9876"}"#, r#"{"respcd":"1108"}"#]);
    assert_eq!(world.pay("A1", 100).await, "in_doubt");
    assert_eq!(world.pay("A2", 100).await, "failed");
}

#[tokio::test]
async fn a_number_with_other_terms_is_refused_naming_what_differs() {
    let world = World::answering(&[PAID]);
    world.pay("A1", 100).await;
    insta::assert_snapshot!(world.pay("A1", 101).await, @"A1 was already used for a payment with other terms (amount was HKD 1.00, now HKD 1.01), which is pending");
    insta::assert_snapshot!(world.pay_by("800101", "A1", 100).await, @"A1 was already used for a payment with other terms (pay_type was 800201, now 800101), which is pending");
    assert_eq!(world.asked().len(), 1);
}

#[tokio::test]
async fn of_many_calls_at_once_under_one_number_one_is_sent() {
    let world = World::answering(&[PAID]);
    let calls = (0..20).map(|_| world.pay("A1", 100));
    let said = futures::future::join_all(calls).await;
    assert_eq!(said.iter().filter(|it| *it == "pending").count(), 1, "{said:?}");
    assert_eq!(world.asked(), ["pay A1 100"]);
}

#[tokio::test]
async fn a_call_that_is_given_up_while_qfpay_answers_is_written_down_all_the_same() {
    let world = World::answering(&[PAID]);
    let hold = world.qfpay.hold.clone().lock_owned().await;
    {
        let call = world.payments.create(&CALLER, new_payment("800201", "A1", 100));
        tokio::pin!(call);
        // The caller goes away once the request has left.
        tokio::select! {
            _ = &mut call => panic!("the answer is held back"),
            () = world.qfpay.left.notified() => {}
        }
    }
    assert_eq!(world.asked(), ["pay A1 100"]);
    drop(hold);
    world.payments.tasks.close();
    world.payments.tasks.wait().await;
    let entry = world.payments.ledger.find(&"A1".parse().unwrap()).await.unwrap();
    assert!(matches!(entry, Some(Entry::Payment(it)) if it.state == PaymentState::Pending));
}

#[tokio::test]
async fn what_failed_or_was_closed_is_paid_when_qfpay_says_so_later() {
    for first in ["1201", "1264"] {
        let world = World::answering(&[PAID]);
        world.pay("A1", 100).await;
        world.then(&[&records(&[payment(first, "0")])]);
        let before = world.status("A1").await;
        assert!(before == "failed" || before == "closed", "{before}");
        world.then(&[&records(&[payment(first, "0"), payment("0000", "0")])]);
        assert_eq!(world.status("A1").await, "paid");
    }
}

#[tokio::test]
async fn a_refund_that_failed_counts_when_qfpay_says_later_that_it_was_made() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")]), r#"{"respcd":"1205"}"#]);
    assert_eq!(world.refund("R1", Some(40)).await, "failed 40, 100 left");
    let late = records(&[payment("0000", "5"), refund("R1", 40)]);
    world.then(&[&late, &late]);
    insta::assert_snapshot!(world.refund("R2", Some(61)).await, @"`61` (HKD 0.61) is more than is left to refund, 60 (HKD 0.60)");
}

#[tokio::test]
async fn records_of_strangers_are_not_ours() {
    let world = World::answering(&[PAID]);
    world.pay("A1", 100).await;
    let mut stranger = payment("0000", "0");
    stranger["out_trade_no"] = json!("SHOP#77");
    world.then(&[&records(&[stranger])]);
    assert_eq!(world.status("A1").await, "pending, not at QFPay");
    let mut victim = payment("0000", "0");
    victim["out_trade_no"] = json!("VICTIM");
    for _ in 0..query::MONTHS_BACK {
        world.then(&[&records(&[victim.clone()])]);
    }
    assert_eq!(world.status("NOSUCH").await, "unknown");
}

#[tokio::test]
async fn a_refunds_number_is_not_an_order_to_refund() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")]), PAID]);
    world.refund("R1", Some(40)).await;
    let after = records(&[payment("0000", "5"), refund("R1", 40)]);
    world.then(&[&after, &after]);
    let new =
        NewRefund { of: Of::Order("R1".parse().unwrap()), amount: None, number: None, yes: None };
    let told = world.payments.refund(&CALLER, new).await.unwrap_err().to_string();
    insta::assert_snapshot!(told, @"this is the number of a refund; give the payment's, `A1`");
}

#[tokio::test]
async fn a_pending_refund_holds_the_next_one_back() {
    let world = World::paid(100).await;
    let paid = records(&[payment("0000", "0")]);
    world.then(&[&paid, r#"{"respcd":"1145"}"#]);
    assert_eq!(world.refund("R1", Some(40)).await, "pending 40, 60 left");
    world.then(&[&paid]);
    insta::assert_snapshot!(world.refund("R2", Some(40)).await, @"refund R1 of this order is still on its way");
}

#[tokio::test]
async fn production_is_closed_until_it_is_opened() {
    let mut world = World::answering(&[]);
    world.in_production();
    insta::assert_snapshot!(world.pay("A1", 100).await, @"`create_payment` is not open in production; an operator can add `create_payment` to QFPAY_PROD_ALLOW");
    insta::assert_snapshot!(world.status("A1").await, @"`query_transaction` is not open in production; an operator can add `query_transaction` to QFPAY_PROD_ALLOW");
    insta::assert_snapshot!(world.refund("R1", None).await, @"`refund` is not open in production; an operator can add `refund` to QFPAY_PROD_ALLOW");
    assert!(world.asked().is_empty());
}

#[tokio::test]
async fn a_query_settles_a_doubt() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    world.then(&[&records(&[payment("0000", "0")])]);
    assert_eq!(world.status("A1").await, "paid");
    assert_eq!(world.pay("A1", 100).await, "paid again");
}

#[tokio::test]
async fn an_empty_answer_settles_nothing() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    world.then(&[&records(&[])]);
    assert_eq!(world.status("A1").await, "in_doubt, not at QFPay");
}

#[tokio::test]
async fn of_several_records_under_one_number_the_one_with_the_money_counts() {
    let world = World::answering(&[PAID]);
    world.pay("A1", 100).await;
    world.then(&[&records(&[payment("1205", "0"), payment("0000", "0"), payment("1143", "0")])]);
    assert_eq!(world.status("A1").await, "paid");
}

#[tokio::test]
async fn a_record_of_another_amount_is_not_our_payment() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    let mut other = payment("0000", "0");
    other["txamt"] = json!("1");
    world.then(&[&records(&[other])]);
    assert_eq!(world.status("A1").await, "in_doubt, not at QFPay");
}

#[tokio::test]
async fn an_order_that_nobody_here_knows_is_looked_for_month_by_month() {
    let world = World::answering(&[]);
    let old = payment("0000", "0");
    world.then(&[&records(&[]), &records(&[]), &records(&[old])]);
    assert_eq!(world.status("A1").await, "paid");
    let asked = world.asked();
    assert_eq!(
        asked,
        [
            "query A1 2026-11-01 00:00:00",
            "query A1 2026-10-01 00:00:00",
            "query A1 2026-09-01 00:00:00"
        ]
    );
}

#[tokio::test]
async fn a_refund_takes_all_that_is_left_unless_told_otherwise() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")]), PAID]);
    assert_eq!(world.refund("R1", Some(40)).await, "refunded 40, 60 left");
    // QFPay says "in part": the month is read through for refunds made elsewhere.
    let after = records(&[payment("0000", "5"), refund("R1", 40)]);
    world.then(&[&after, &after, PAID]);
    assert_eq!(world.refund("R2", None).await, "refunded 60, 0 left");
    let moved: Vec<String> =
        world.asked().into_iter().filter(|it| it.starts_with("refund")).collect();
    assert_eq!(moved, ["refund R1 40", "refund R2 60"]);
}

#[tokio::test]
async fn a_refund_beyond_what_is_left_is_refused_before_it_is_sent() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")])]);
    insta::assert_snapshot!(world.refund("R1", Some(101)).await, @"`101` (HKD 1.01) is more than is left to refund, 100 (HKD 1.00)");
    assert!(!world.asked().iter().any(|it| it.starts_with("refund")));
}

#[tokio::test]
async fn refunds_made_elsewhere_count() {
    let world = World::paid(100).await;
    let month = records(&[payment("0000", "5"), refund("PORTAL1", 70)]);
    world.then(&[&records(&[payment("0000", "5")]), &month]);
    insta::assert_snapshot!(world.refund("R1", Some(31)).await, @"`31` (HKD 0.31) is more than is left to refund, 30 (HKD 0.30)");
}

#[tokio::test]
async fn one_refund_of_ours_does_not_hide_those_made_elsewhere() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")]), PAID]);
    world.refund("R1", Some(10)).await;
    let ours = records(&[payment("0000", "5"), refund("R1", 10)]);
    let month = records(&[payment("0000", "5"), refund("R1", 10), refund("PORTAL1", 70)]);
    world.then(&[&ours, &month, PAID]);
    assert_eq!(world.refund("R2", None).await, "refunded 20, 0 left");
    world.then(&[&ours, "lost"]);
    insta::assert_snapshot!(world.refund("R3", None).await, @"nothing is left to refund of order A1");
}

#[tokio::test]
async fn a_lost_refund_is_in_doubt_blocks_others_and_is_settled_by_a_query() {
    let world = World::paid(100).await;
    let paid = records(&[payment("0000", "0")]);
    world.then(&[&paid, "lost"]);
    assert_eq!(world.refund("R1", Some(40)).await, "in_doubt 40, 60 left (lost)");
    world.then(&[&paid]);
    insta::assert_snapshot!(world.refund("R2", Some(40)).await, @"refund R1 of this order is still on its way");
    assert_eq!(world.refund("R1", Some(40)).await, "in_doubt 40 again");
    let after = records(&[payment("0000", "5"), refund("R1", 40)]);
    world.then(&[&after, &after]);
    assert_eq!(world.status("A1").await, "partially_refunded [R1 refunded 40]");
    let moved = world.asked().into_iter().filter(|it| it.starts_with("refund")).count();
    assert_eq!(moved, 1);
}

#[tokio::test]
async fn a_refund_that_qfpay_has_no_record_of_for_an_hour_failed_unless_it_was_acknowledged() {
    for (answer, wanted) in [("lost", "failed"), (r#"{"respcd":"1145"}"#, "pending")] {
        let world = World::paid(100).await;
        let paid = records(&[payment("0000", "0")]);
        world.then(&[&paid, answer, &paid]);
        world.refund("R1", Some(40)).await;
        let before = world.status("A1").await;
        assert!(before == "paid [R1 in_doubt 40]" || before == "paid [R1 pending 40]", "{before}");
        world.later(180);
        world.then(&[&paid]);
        assert_eq!(world.status("A1").await, format!("paid [R1 {wanted} 40]"));
    }
}

#[tokio::test]
async fn a_second_refund_that_never_arrived_failed_however_much_the_month_holds() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")]), PAID]);
    world.refund("R1", Some(40)).await;
    let ours = records(&[payment("0000", "5"), refund("R1", 40)]);
    let mut stranger = payment("0000", "0");
    stranger["out_trade_no"] = json!("OTHER");
    let page = records(&vec![stranger; 100]);
    let month = vec![page.as_str(); query::MAX_RECORDS / 100];
    world.then(&[&[ours.as_str()], month.as_slice(), &["lost"]].concat());
    assert_eq!(world.refund("R2", Some(40)).await, "in_doubt 40, 20 left (lost)");
    world.later(180);
    world.then(&[&[ours.as_str()], month.as_slice()].concat());
    let told = world.status("A1").await;
    assert_eq!(told, "partially_refunded [R1 refunded 40] [R2 failed 40]");
}

#[tokio::test]
async fn what_was_not_paid_cannot_be_refunded() {
    let world = World::answering(&[PAID]);
    world.pay("A1", 100).await;
    world.then(&[&records(&[payment("1143", "0")])]);
    insta::assert_snapshot!(world.refund("R1", None).await, @"order A1 is `pending`; only what was paid can be refunded");
    world.then(&[&records(&[payment("0000", "3")]), &records(&[])]);
    insta::assert_snapshot!(world.refund("R1", None).await, @"nothing is left to refund of order A1");
}

#[tokio::test]
async fn a_refund_number_means_one_refund() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")]), PAID]);
    world.refund("R1", Some(40)).await;
    assert_eq!(world.refund("R1", Some(40)).await, "refunded 40 again");
    insta::assert_snapshot!(world.refund("R1", Some(41)).await, @"R1 was already used for a refund with other terms (the amount was HKD 0.40)");
    insta::assert_snapshot!(world.refund("A1", Some(40)).await, @"A1 was already used for a payment; a refund needs a number of its own");
    insta::assert_snapshot!(world.pay("R1", 40).await, @"R1 was already used for a refund of HKD 0.40, which is refunded");
}
