//! Payments on a checkout page: nothing is sent, and only QFPay's records tell what came of it.
use super::*;
use crate::payments::cancel::NotCancellable;

/// Visa and Mastercard online.
const CARD: &str = "802801";

/// An attempt of the payer's.
fn attempt(nth: u8, pay_type: &str, respcd: &str) -> serde_json::Value {
    let mut record = payment(respcd, "0");
    record["pay_type"] = json!(pay_type);
    record["syssn"] = json!(format!("2026112318050002000000000{nth}"));
    record
}

/// Minutes after the offer at which the page has ended, and at which everybody is through.
const ENDED: i64 = 31;
const OVER: i64 = 151;

async fn offered() -> World {
    let world = World::answering(&[]);
    assert_eq!(world.pay_by(CARD, "A1", 100).await, "awaiting_payer");
    world
}

async fn stored(world: &World) -> Payment {
    match world.payments.ledger.find(&"A1".parse().unwrap()).await.unwrap() {
        Some(Entry::Payment(it)) => it,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_page_is_offered_without_a_word_to_qfpay_and_its_address_is_on_disk() {
    let world = offered().await;
    assert!(world.asked().is_empty());
    let payment = stored(&world).await;
    let made = world.payments.clock.now().as_millisecond();
    let address = format!("https://qfpay.example/checkstand/#/?A1&{made}");
    assert_eq!(payment.shown.pay_url, Some(address));
    let history = world.payments.ledger.history(&payment.number).await.unwrap();
    let [offered] = history.as_slice() else { panic!("{history:?}") };
    let told = (offered.what, offered.to.as_deref(), offered.terms.is_some());
    assert_eq!(told, (Happening::Offered, Some("awaiting_payer"), true));
}

#[tokio::test]
async fn the_same_number_again_has_the_same_page_as_long_as_it_may_be_paid_on() {
    let world = offered().await;
    let first = stored(&world).await.shown;
    for (later, takes_payers, over) in [(29, true, false), (2, false, false), (121, false, true)] {
        world.later(later);
        let again = world.payments.create(&CALLER, new_payment(CARD, "A1", 100)).await.unwrap();
        let page = again.page.unwrap();
        assert_eq!((again.replayed, page.takes_payers, page.over), (true, takes_payers, over));
        assert_eq!(again.payment.shown, first);
    }
    insta::assert_snapshot!(world.pay_by(CARD, "A1", 101).await, @"A1 was already used for a payment with other terms (amount was HKD 1.00, now HKD 1.01), which is awaiting_payer");
}

#[tokio::test]
async fn the_same_page_without_a_number_is_a_repeat_until_it_is_over() {
    let world = offered().await;
    let again = || create::NewPayment { number: None, ..new_payment(CARD, "A1", 100) };
    for later in [0, 100] {
        world.later(later);
        let refused = world.payments.create(&CALLER, again()).await.unwrap_err();
        assert!(matches!(refused, Refused::Repeats(_)), "{refused}");
    }
    world.later(OVER);
    world.then(&[&records(&[])]);
    assert_eq!(world.status("A1").await, "closed, not at QFPay");
    world.payments.create(&CALLER, again()).await.unwrap();
}

#[tokio::test]
async fn nobody_chose_only_when_the_page_ended_and_whoever_had_begun_is_through() {
    let world = offered().await;
    for (later, wanted) in
        [(ENDED, "awaiting_payer"), (OVER - ENDED - 2, "awaiting_payer"), (2, "closed")]
    {
        world.later(later);
        world.then(&[&records(&[])]);
        assert_eq!(world.status("A1").await, format!("{wanted}, not at QFPay"));
    }
    assert_eq!(stored(&world).await.resperr.as_deref(), Some(query::NOBODY_CHOSE));
    // One who was not through after all.
    world.then(&[&records(&[attempt(1, CARD, "0000")])]);
    assert_eq!(world.status("A1").await, "paid");
    assert!(stored(&world).await.late);
}

/// That nobody chose was our word; QFPay's own counts more.
#[tokio::test]
async fn what_was_given_up_is_not_called_ended_while_a_payer_is_at_it() {
    for (respcd, status) in [("1143", "pending"), ("9876", "in_doubt")] {
        let world = offered().await;
        world.later(OVER);
        world.then(&[&records(&[])]);
        assert_eq!(world.status("A1").await, "closed, not at QFPay");
        world.then(&[&records(&[attempt(1, "800714", respcd)])]);
        assert_eq!(world.status("A1").await, status);
        world.then(&[&records(&[attempt(1, "800714", "0000")])]);
        assert_eq!(world.status("A1").await, "paid");
        assert!(stored(&world).await.late, "somebody must hear of it");
    }
}

#[tokio::test]
async fn a_record_that_is_not_ours_closes_no_page() {
    let world = offered().await;
    world.later(OVER);
    let mut odd = attempt(1, CARD, "0000");
    odd["txamt"] = json!("101");
    world.then(&[&records(&[odd])]);
    assert_eq!(world.status("A1").await, "awaiting_payer, not at QFPay");
}

#[tokio::test]
async fn an_attempt_that_fails_ends_nothing_while_the_payer_may_try_again() {
    let world = offered().await;
    let failed = attempt(1, CARD, "1205");
    world.then(&[&records(std::slice::from_ref(&failed))]);
    assert_eq!(world.status("A1").await, "awaiting_payer");
    assert_eq!(stored(&world).await.respcd.as_deref(), Some("1205"));
    world.later(ENDED);
    world.then(&[&records(std::slice::from_ref(&failed))]);
    assert_eq!(world.status("A1").await, "awaiting_payer");
    world.then(&[&records(&[attempt(2, "800714", "1143"), failed.clone()])]);
    assert_eq!(world.status("A1").await, "pending");
    world.then(&[&records(&[attempt(2, "800714", "1181"), failed.clone()])]);
    assert_eq!(world.status("A1").await, "awaiting_payer");
    world.later(OVER - ENDED);
    world.then(&[&records(&[attempt(2, "800714", "1181"), failed])]);
    assert_eq!(world.status("A1").await, "failed");
}

#[tokio::test]
async fn an_attempt_that_nobody_understands_is_in_doubt() {
    let world = offered().await;
    world.then(&[&records(&[attempt(1, CARD, "9876")])]);
    assert_eq!(world.status("A1").await, "in_doubt");
    world.then(&[&records(&[attempt(1, CARD, "1205")])]);
    assert_eq!(world.status("A1").await, "awaiting_payer");
    world.then(&[&records(&[attempt(1, CARD, "1205"), attempt(2, CARD, "0000")])]);
    assert_eq!(world.status("A1").await, "paid");
    assert_eq!(stored(&world).await.syssn.unwrap().as_str(), "20261123180500020000000002");
}

#[tokio::test]
async fn two_tabs_that_both_pay_are_told_and_written_down_once() {
    let world = offered().await;
    let both = records(&[attempt(1, CARD, "0000"), attempt(2, CARD, "0000")]);
    for _ in 0..2 {
        world.then(&[&both]);
        let number = "A1".parse().unwrap();
        let found = world.payments.query(&CALLER, Find::Order(number)).await.unwrap();
        let paid = found.orders.iter().filter(|it| it.status == PaymentState::Paid);
        assert_eq!(paid.count(), 2);
    }
    let history = world.payments.ledger.history(&"A1".parse().unwrap()).await.unwrap();
    let again: Vec<_> = history.iter().filter(|it| it.what == Happening::PaidAgain).collect();
    let [again] = again.as_slice() else { panic!("{again:?}") };
    assert_eq!(again.detail.as_deref(), Some("syssn 20261123180500020000000001"));
}

#[tokio::test]
async fn a_page_is_not_cancelled_but_an_attempt_on_it_is_by_the_way_the_payer_chose() {
    let world = offered().await;
    let cancel = async || {
        let cancelled = world.payments.cancel(&CALLER, "A1".parse().unwrap(), true).await;
        cancelled.map(|it| it.order.status)
    };
    world.then(&[&records(&[])]);
    let refused = cancel().await.unwrap_err();
    let Refused::NotCancellable(NotCancellable::Page { page: Some(page), .. }) = refused else {
        panic!("{refused}")
    };
    assert!(page.takes_payers);
    assert_eq!(world.asked().len(), 1, "nothing was sent but the question");
    // UnionPay on the web is ended by close, cards by reversal.
    let failed = attempt(1, CARD, "1205");
    let waiting = records(&[failed.clone(), attempt(2, "800714", "1143")]);
    let closed = records(&[failed, attempt(2, "800714", "1142")]);
    world.then(&[&waiting, r#"{"respcd":"0000"}"#, &closed]);
    assert_eq!(cancel().await.unwrap(), PaymentState::AwaitingPayer);
    assert_eq!(world.asked()[2], "Close A1 2026-11-23T14:30:05");
}

#[tokio::test]
async fn the_recovery_asks_about_pages_and_for_a_day_about_those_that_nobody_chose_on() {
    let world = offered().await;
    world.later(OVER);
    world.then(&[&records(&[])]);
    let progress = world.payments.recover(&CALLER, &|_| {}).await.unwrap();
    assert_eq!((progress.total, progress.settled), (1, 1));
    world.then(&[&records(&[attempt(1, CARD, "0000")])]);
    let stop = CancellationToken::new();
    let mut listener = world.payments.changes.listen();
    let every = Duration::from_secs(600);
    let background =
        tokio::spawn(world.payments.clone().keep_recovering(CALLER.clone(), every, stop.clone()));
    listener.changed(&"A1".parse().unwrap()).await;
    stop.cancel();
    background.await.unwrap();
    assert_eq!(stored(&world).await.state, PaymentState::Paid);
}
