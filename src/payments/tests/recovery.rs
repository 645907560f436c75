use super::{recover::Progress, *};

async fn recover(world: &World) -> String {
    match world.payments.recover(&CALLER, &|_| {}).await {
        Ok(Progress { total, asked, settled }) => format!("{total} {asked} {settled}"),
        Err(refused) => refused.to_string(),
    }
}

async fn state(world: &World, number: &str) -> String {
    let entry = world.payments.ledger.find(&number.parse().unwrap()).await.unwrap().unwrap();
    entry.status().to_owned()
}

#[tokio::test]
async fn what_is_unfinished_is_asked_about_in_one_question_and_never_paid() {
    let world = World::answering(&["lost", "lost"]);
    world.pay("A1", 100).await;
    world.pay("A2", 100).await;
    world.then(&[&records(&[payment("0000", "0")])]);
    assert_eq!(recover(&world).await, "2 2 1");
    assert_eq!(
        (state(&world, "A1").await, state(&world, "A2").await),
        ("paid".into(), "in_doubt".into())
    );
    assert_eq!(world.asked()[2..], ["query A1,A2 2026-11-01 00:00:00"]);
}

#[tokio::test]
async fn what_qfpay_does_not_know_for_long_enough_never_arrived() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    for (later, wanted) in [(0, "in_doubt"), (119, "in_doubt"), (2, "failed")] {
        world.later(later);
        world.then(&[&records(&[])]);
        recover(&world).await;
        assert_eq!(state(&world, "A1").await, wanted);
    }
    let history = world.payments.ledger.history(&"A1".parse().unwrap()).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!(
        (last.what, last.detail.as_deref()),
        (Happening::GivenUp, Some("QFPay has no record of it"))
    );
    assert_eq!(recover(&world).await, "0 0 0", "nothing is left to ask about");
}

#[tokio::test]
async fn what_qfpay_acknowledged_is_never_given_up() {
    let world = World::answering(&[PAID]);
    world.pay("A1", 100).await;
    world.later(60 * 24);
    world.then(&[&records(&[])]);
    assert_eq!(recover(&world).await, "1 1 0");
    assert_eq!(state(&world, "A1").await, "pending");
}

#[tokio::test]
async fn a_payment_whose_process_died_is_in_doubt_once_nobody_can_be_waiting() {
    let world = World::answering(&[]);
    let number = "A1".parse().unwrap();
    let terms = new_payment("800201", "A1", 100).terms;
    let opening = crate::ledger::Opening {
        number: &number,
        terms: &terms,
        unless_repeated_since: None,
        budget: None,
        consent: &crate::ledger::Consent::NotNeeded,
        page: None,
        caller: &CALLER,
        now: world.payments.clock.now(),
    };
    world.payments.ledger.open_payment(opening).await.unwrap();
    for (later, wanted) in [(1, "sent"), (6, "in_doubt"), (120, "failed")] {
        world.later(later);
        world.then(&[&records(&[])]);
        recover(&world).await;
        assert_eq!(state(&world, "A1").await, wanted);
    }
}

/// A machine sleeps for a night between writing a payment down and sending it: whoever wakes first
/// must not call it failed while the request is about to leave.
#[tokio::test]
async fn what_was_sent_long_ago_is_in_doubt_first_and_may_still_be_answered() {
    let world = World::answering(&[]);
    let number: OrderNumber = "A1".parse().unwrap();
    let terms = new_payment("800201", "A1", 100).terms;
    let opening = crate::ledger::Opening {
        number: &number,
        terms: &terms,
        unless_repeated_since: None,
        budget: None,
        consent: &crate::ledger::Consent::NotNeeded,
        page: None,
        caller: &CALLER,
        now: world.payments.clock.now(),
    };
    world.payments.ledger.open_payment(opening).await.unwrap();
    world.later(8 * 60);
    world.then(&[&records(&[])]);
    recover(&world).await;
    assert_eq!(state(&world, "A1").await, "in_doubt");
    world.then(&[&records(&[payment("1143", "0")])]);
    recover(&world).await;
    assert_eq!(state(&world, "A1").await, "pending");
}

#[tokio::test]
async fn a_late_success_is_an_event_of_its_own_and_is_shown() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    world.later(121);
    world.then(&[&records(&[])]);
    recover(&world).await;
    world.then(&[&records(&[payment("0000", "0")])]);
    let found = world.payments.query(&CALLER, Find::Order("A1".parse().unwrap())).await.unwrap();
    assert_eq!((found.orders[0].status, found.orders[0].late), (PaymentState::Paid, true));
    let history = world.payments.ledger.history(&"A1".parse().unwrap()).await.unwrap();
    let late = history.iter().find(|it| it.what == Happening::LateSuccess).unwrap();
    assert_eq!((late.from.as_deref(), late.to.as_deref()), (Some("failed"), Some("paid")));
}

#[tokio::test]
async fn a_lost_refund_that_was_made_is_found_and_noted_on_its_payment() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")]), "lost"]);
    world.refund("R1", Some(40)).await;
    world.then(&[&records(&[refund("R1", 40)])]);
    assert_eq!(recover(&world).await, "1 1 1");
    assert_eq!(state(&world, "R1").await, "refunded");
    assert_eq!(state(&world, "A1").await, "partially_refunded");
}

#[tokio::test]
async fn a_refund_that_never_arrived_is_given_up_only_when_its_payment_says_so() {
    let world = World::paid(100).await;
    let paid = records(&[payment("0000", "0")]);
    world.then(&[&paid, "lost"]);
    world.refund("R1", Some(40)).await;
    world.later(121);
    // The payment says that something went back: nobody knows whether it was this.
    let part = records(&[payment("0000", "5")]);
    world.then(&[&records(&[]), &part, &part]);
    recover(&world).await;
    assert_eq!(state(&world, "R1").await, "in_doubt");
    world.then(&[&records(&[]), &paid]);
    recover(&world).await;
    assert_eq!(state(&world, "R1").await, "failed");
}

#[tokio::test]
async fn an_order_of_the_end_of_a_month_is_looked_for_in_both() {
    let world = World::answering(&["lost"]);
    // 2026-11-30 23:55 in Hong Kong.
    world.later(7 * 24 * 60 + 9 * 60 + 25);
    world.pay("A1", 100).await;
    world.then(&[&records(&[]), &records(&[])]);
    recover(&world).await;
    assert_eq!(
        world.asked()[1..],
        ["query A1 2026-11-01 00:00:00", "query A1 2026-12-01 00:00:00"]
    );
}

#[tokio::test]
async fn while_another_process_recovers_this_one_does_not() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    let now = world.payments.clock.now();
    let until = now.checked_add(SignedDuration::from_mins(1)).unwrap();
    assert!(world.payments.ledger.lease("recovery", "other", until, now, false).await.unwrap());
    let stop = CancellationToken::new();
    let asking = world.payments.clone().keep_recovering(
        CALLER.clone(),
        Duration::from_millis(1),
        stop.clone(),
    );
    // Nothing is asked, or the script would fail; two rounds and more go by.
    let asking = Box::pin(asking);
    let _ = tokio::time::timeout(Duration::from_millis(50), asking).await;
    assert_eq!(world.asked().len(), 1);
    // A person's command takes the work over.
    world.then(&[&records(&[payment("0000", "0")])]);
    assert_eq!(recover(&world).await, "1 1 1");
}

#[tokio::test]
async fn when_qfpay_cannot_be_asked_everything_stays_as_it_is() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    world.then(&["not sent"]);
    insta::assert_snapshot!(recover(&world).await, @"QFPay could not be asked: not sent");
    assert_eq!(state(&world, "A1").await, "in_doubt");
}

#[tokio::test]
async fn one_that_qfpay_cannot_be_asked_about_does_not_hold_up_the_others() {
    let world = World::answering(&["lost", "lost"]);
    world.pay("A1", 100).await;
    world.pay("A2", 100).await;
    let mut second = payment("0000", "0");
    second["out_trade_no"] = json!("A2");
    let refused = r#"{"respcd":"1104","resperr":"parameter error"}"#;
    world.then(&[refused, refused, &records(&[second])]);
    assert_eq!(recover(&world).await, "2 2 1");
    assert_eq!(state(&world, "A2").await, "paid");
}

#[tokio::test]
async fn production_that_is_closed_is_not_asked_and_what_was_open_is_settled() {
    let mut world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    world.in_production();
    insta::assert_snapshot!(recover(&world).await, @"`query_transaction` is not open in production; an operator can add `query_transaction` to QFPAY_PROD_ALLOW");
    let mut settings = (*world.payments.settings).clone();
    settings.policy.allowlist.actions = vec![Action::CreatePayment];
    world.payments.settings = Arc::new(settings);
    world.then(&[&records(&[payment("0000", "0")])]);
    assert_eq!(recover(&world).await, "1 1 1");
}

#[tokio::test]
async fn a_record_that_cannot_be_matched_is_not_no_record() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    world.later(300);
    for spoiled in ["txamt", "txcurrcd", "order_type"] {
        let mut odd = payment("0000", "0");
        odd[spoiled] = json!("101.50 ???");
        world.then(&[&records(&[odd])]);
        recover(&world).await;
        assert_eq!(state(&world, "A1").await, "in_doubt", "{spoiled}");
    }
}

/// A judgement ("it never arrived") is about how the entry stood; a fact that came meanwhile stays.
#[tokio::test]
async fn a_give_up_does_not_overrule_what_somebody_learned_meanwhile() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    let number = "A1".parse().unwrap();
    let Some(Entry::Payment(judged)) = world.payments.ledger.find(&number).await.unwrap() else {
        panic!()
    };
    world.then(&[&records(&[payment("1143", "0")])]);
    assert_eq!(world.status("A1").await, "pending");
    let note = Note::new(&CALLER, Happening::GivenUp);
    let settled = world
        .payments
        .settle_payment(judged, PaymentEvent::Refused, &News::default(), &note)
        .await
        .unwrap();
    assert_eq!(settled.state, PaymentState::Pending);
}

#[tokio::test]
async fn what_was_given_up_is_still_asked_about_for_a_day() {
    let world = World::answering(&["lost"]);
    world.pay("A1", 100).await;
    world.later(121);
    world.then(&[&records(&[])]);
    recover(&world).await;
    assert_eq!(state(&world, "A1").await, "failed");
    world.then(&[&records(&[payment("0000", "0")])]);
    let stop = CancellationToken::new();
    let listener = world.payments.changes.listen();
    let every = Duration::from_secs(600);
    let background =
        tokio::spawn(world.payments.clone().keep_recovering(CALLER.clone(), every, stop.clone()));
    let mut listener = listener;
    listener.changed(&"A1".parse().unwrap()).await;
    stop.cancel();
    background.await.unwrap();
    assert_eq!(state(&world, "A1").await, "paid");
}
