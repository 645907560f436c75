use super::*;

/// A payment without a number of its own.
async fn pay(world: &World, minor: u64) -> String {
    let new = create::NewPayment { number: None, ..new_payment("800201", "X", minor) };
    match world.payments.create(&CALLER, new).await {
        Ok(it) => it.payment.state.to_string(),
        Err(refused) => refused.to_string(),
    }
}

async fn refund(world: &World, minor: Option<u64>) -> String {
    let of = Of::Order("A1".parse().unwrap());
    let new = NewRefund { of, amount: minor.map(|it| it.to_string()), number: None, yes: None };
    match world.payments.refund(&CALLER, new).await {
        Ok(it) => format!("{} {}", it.refund.state, it.refund.terms.amount.minor()),
        Err(refused) => refused.to_string(),
    }
}

/// The refusal without its number, which is made anew each time.
fn without_number(text: &str) -> String {
    let words = text.split(' ').map(|it| {
        let made = it.len() > 20 && (it.starts_with('P') || it.starts_with('R'));
        if made { "(number)," } else { it }
    });
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn the_same_payment_again_without_a_number_is_refused_with_the_first_one() {
    let world = World::answering(&[PAID]);
    assert_eq!(pay(&world, 100).await, "pending");
    insta::assert_snapshot!(without_number(&pay(&world, 100).await), @"the same payment of HKD 1.00 was asked for 0 s ago: it is (number), and `pending`");
    assert_eq!(world.asked().len(), 1, "nothing was sent");
}

#[tokio::test]
async fn a_number_means_a_second_payment() {
    let world = World::answering(&[PAID, PAID]);
    assert_eq!(pay(&world, 100).await, "pending");
    assert_eq!(world.pay("A2", 100).await, "pending");
}

#[tokio::test]
async fn other_terms_are_no_repeat() {
    let world = World::answering(&[PAID, PAID]);
    assert_eq!(pay(&world, 100).await, "pending");
    assert_eq!(pay(&world, 101).await, "pending");
}

#[tokio::test]
async fn what_is_unfinished_is_a_repeat_however_old_and_what_is_finished_only_for_a_while() {
    let world = World::answering(&[PAID]);
    world.pay("A1", 100).await;
    world.later(600);
    assert!(pay(&world, 100).await.contains("A1, and `pending`"));
    world.then(&[&records(&[payment("0000", "0")])]);
    assert_eq!(world.status("A1").await, "paid");
    assert!(pay(&world, 100).await.contains("A1, and `paid`"));
    world.later(6);
    world.then(&[PAID]);
    assert_eq!(pay(&world, 100).await, "pending");
}

#[tokio::test]
async fn what_failed_may_be_tried_again_without_a_number() {
    let world = World::answering(&[r#"{"respcd":"1201"}"#, PAID]);
    assert_eq!(pay(&world, 100).await, "failed");
    assert_eq!(pay(&world, 100).await, "pending");
}

#[tokio::test]
async fn the_same_part_refunded_again_without_a_number_is_refused_and_the_rest_is_not() {
    let world = World::paid(100).await;
    let paid = records(&[payment("0000", "0")]);
    world.then(&[&paid, r#"{"respcd":"0000"}"#]);
    assert_eq!(refund(&world, Some(40)).await, "refunded 40");
    let part = records(&[payment("0000", "0")]);
    world.then(&[&part]);
    insta::assert_snapshot!(without_number(&refund(&world, Some(40)).await), @"the same refund of HKD 0.40 was asked for 0 s ago: it is (number), and `refunded`");
    // "All that is left" cannot be what was refunded before.
    world.then(&[&part, r#"{"respcd":"0000"}"#]);
    assert_eq!(refund(&world, None).await, "refunded 60");
}

#[tokio::test]
async fn a_refusal_and_a_replay_are_in_the_audit_with_who_asked() {
    let world = World::answering(&[PAID]);
    world.pay("A1", 100).await;
    world.pay("A1", 100).await;
    world.pay("A1", 101).await;
    let history = world.payments.ledger.history(&"A1".parse().unwrap()).await.unwrap();
    let told: Vec<String> =
        history.iter().map(|it| format!("{} {} {}", it.what, it.transport, it.tool)).collect();
    assert_eq!(
        told,
        [
            "sent terminal test",
            "answered terminal test",
            "replayed terminal test",
            "refused terminal test"
        ]
    );
    insta::assert_snapshot!(history[3].detail.as_deref().unwrap(), @"A1 was already used for a payment with other terms (amount was HKD 1.00, now HKD 1.01), which is pending");
    assert_eq!(history[0].terms.as_ref().unwrap()["amount"], 100);
}
