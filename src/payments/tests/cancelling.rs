use super::*;
use crate::policy::{Caps, Confirm, Limits};

async fn cancel(world: &World, number: &str) -> String {
    match world.payments.cancel(&CALLER, number.parse().unwrap(), true).await {
        Ok(it) => {
            let untouched = if it.untouched { ", nothing sent" } else { "" };
            let refused = if it.refused { ", refused" } else { "" };
            let answer = it.answer.map(|(code, _)| format!(" ({code})")).unwrap_or_default();
            let trouble = it.trouble.map(|it| format!(" ({it})")).unwrap_or_default();
            format!("{}{untouched}{refused}{answer}{trouble}", it.order.status)
        }
        Err(refused) => refused.to_string(),
    }
}

const DONE: &str = r#"{"respcd":"0000","txamt":"100"}"#;

fn by(code: &str, respcd: &str, cancel: &str) -> String {
    let mut record = payment(respcd, cancel);
    record["pay_type"] = json!(code);
    records(&[record])
}

#[tokio::test]
async fn a_shown_code_is_closed_and_a_scanned_one_reversed_with_a_question_before_and_after() {
    for (code, call) in [("800201", "Close"), ("800208", "Reversal")] {
        let world =
            World::answering(&[r#"{"respcd":"1143","syssn":"20261123000200020000000001"}"#]);
        world.pay_by(code, "A1", 100).await;
        world.then(&[&by(code, "1143", "0"), DONE, &by(code, "1142", "2")]);
        assert_eq!(cancel(&world, "A1").await, "closed (0000)");
        let month = "query A1 2026-11-01 00:00:00";
        let call = format!("{call} A1 2026-11-23T14:30:05");
        assert_eq!(world.asked()[1..], [month, &call, month]);
    }
}

#[tokio::test]
async fn what_is_paid_is_not_refunded_by_it() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")])]);
    insta::assert_snapshot!(cancel(&world, "A1").await, @"order A1 is `paid`: what was paid is not cancelled, but refunded");
    assert_eq!(world.asked().len(), 2, "it was only asked about");
}

#[tokio::test]
async fn a_card_that_is_paid_is_voided() {
    let paid = by("802801", "0000", "0");
    let voided = by("802801", "0000", "1");
    // The last question looks for refunds that others made.
    let world = World::answering(&[&paid, &paid, DONE, &voided, &voided]);
    assert_eq!(cancel(&world, "A1").await, "refunded (0000)");
    assert!(world.asked().iter().any(|it| it.starts_with("Reversal A1")), "{:?}", world.asked());
}

/// A void is counted by no limit and asked of nobody; a refund is both.
#[tokio::test]
async fn where_refunds_are_limited_or_asked_about_a_card_is_not_voided() {
    let paid = by("802801", "0000", "0");
    let asking = Policy { confirm: Confirm::Always, ..Policy::default() };
    let caps = Caps { variable: "MAX".to_owned(), most: [("HKD", 100)].into() };
    let limits = Limits { refund: Some(caps), ..Limits::default() };
    let limited = Policy { limits, ..Policy::default() };
    for policy in [asking, limited] {
        let mut world = World::answering(&[&paid, &paid]);
        world.under(policy);
        let told = cancel(&world, "A1").await;
        assert_eq!(told, "order A1 is `paid`: what was paid is not cancelled, but refunded");
        assert!(world.asked().iter().all(|it| it.starts_with("query")), "{:?}", world.asked());
    }
}

#[tokio::test]
async fn what_is_over_needs_no_call() {
    let world = World::answering(&[r#"{"respcd":"1201"}"#]);
    world.pay("A1", 100).await;
    world.then(&[&records(&[payment("1201", "0")])]);
    assert_eq!(cancel(&world, "A1").await, "failed, nothing sent");
}

#[tokio::test]
async fn what_surely_never_left_is_closed_here() {
    let world = World::answering(&["not sent"]);
    world.pay("A1", 100).await;
    world.then(&[&records(&[])]);
    assert_eq!(cancel(&world, "A1").await, "closed, nothing sent");
    assert_eq!(world.pay("A1", 100).await, "closed again");
}

#[tokio::test]
async fn what_was_paid_in_the_last_moment_is_told() {
    let world = World::paid(100).await;
    let unpaid = records(&[payment("1143", "0")]);
    let paid = records(&[payment("0000", "0")]);
    world.then(&[&unpaid, r#"{"respcd":"1260"}"#, &paid]);
    assert_eq!(cancel(&world, "A1").await, "paid (1260)");
}

#[tokio::test]
async fn a_lost_answer_to_a_cancellation_leaves_the_order_open() {
    let world = World::paid(100).await;
    let unpaid = records(&[payment("1143", "0")]);
    world.then(&[&unpaid, "lost", &unpaid]);
    assert_eq!(cancel(&world, "A1").await, "pending (lost)");
    let history = world.payments.ledger.history(&"A1".parse().unwrap()).await.unwrap();
    let told: Vec<&str> = history.iter().map(|it| it.what.word()).collect();
    assert_eq!(told, ["sent", "answered", "learned", "cancel_sent", "cancel_answered"]);
}

#[tokio::test]
async fn a_type_without_a_call_that_ends_it_is_told_so() {
    let world = World::answering(&[PAID]);
    world.pay_by("802001", "A1", 100).await;
    world.then(&[&by("802001", "1143", "0")]);
    insta::assert_snapshot!(cancel(&world, "A1").await, @"802001 FPS QR code has no call at QFPay that ends an order; it expires by itself");
}

#[tokio::test]
async fn a_void_and_a_refund_of_one_card_payment_never_run_at_once() {
    let paid = by("802801", "0000", "0");
    let world = World::answering(&[&paid, &paid, "lost", &paid]);
    // The void's answer is lost: it may still give the money back.
    assert_eq!(cancel(&world, "A1").await, "paid (lost)");
    world.then(&[&paid]);
    insta::assert_snapshot!(world.refund("R1", None).await, @"the money of order A1 is being given back by another call");
    world.then(&[&paid]);
    insta::assert_snapshot!(cancel(&world, "A1").await, @"the money of order A1 is being given back by another call");
    world.later(11);
    world.then(&[&paid, &paid, "lost"]);
    assert_eq!(world.refund("R1", None).await, "in_doubt 100, 0 left (lost)");
    world.then(&[&paid, &paid]);
    insta::assert_snapshot!(cancel(&world, "A1").await, @"refund R1 of this order is still on its way");
}

/// QFPay works on the void, or says "done" before its records do: the money may still go back.
#[tokio::test]
async fn while_a_void_may_still_come_about_nothing_is_refunded() {
    let paid = by("802801", "0000", "0");
    for (answer, code) in [(r#"{"respcd":"1145"}"#, "1145"), (DONE, "0000")] {
        let world = World::answering(&[&paid, &paid, answer, &paid]);
        assert_eq!(cancel(&world, "A1").await, format!("paid ({code})"));
        world.then(&[&paid]);
        let told = world.refund("R1", None).await;
        assert_eq!(told, "the money of order A1 is being given back by another call");
    }
    let world = World::answering(&[&paid, &paid, r#"{"respcd":"1108"}"#, &paid]);
    assert_eq!(cancel(&world, "A1").await, "paid, refused (1108)");
    world.then(&[&paid, &paid, "lost"]);
    assert_eq!(world.refund("R1", None).await, "in_doubt 100, 0 left (lost)");
}

/// Between the question and the closing, another call may have sent it after all.
#[tokio::test]
async fn what_was_sent_meanwhile_is_not_closed_here() {
    let world = World::answering(&["not sent"]);
    world.pay("A1", 100).await;
    let hold = world.qfpay.hold.clone().lock_owned().await;
    world.then(&[PAID]);
    let sending = world.pay("A1", 100);
    tokio::pin!(sending);
    tokio::select! {
        _ = &mut sending => panic!("the answer is held back"),
        () = world.qfpay.left.notified() => {}
    }
    // What the cancellation read a moment ago.
    let found = world.payments.remembered(&"A1".parse().unwrap()).await.unwrap();
    let mut stale = found.orders[0].clone();
    stale.status = PaymentState::Intended;
    let told = world.payments.never_sent(&CALLER, &"A1".parse().unwrap(), stale).await.unwrap();
    assert_eq!(told.status, PaymentState::Sent);
    drop(hold);
    assert_eq!(sending.await, "pending");
}
