use super::{consent::*, create::NewPayment, *};
use crate::{
    domain::Question,
    ledger::{ApprovalState, Given},
    policy::{Caps, Confirm, Limits},
    spec::Field,
};

const MADE: &str = r#"{"respcd":"0000","syssn":"20261123000200020000000030"}"#;

fn asking() -> Policy {
    Policy { confirm: Confirm::Always, ..Policy::default() }
}

fn caps(most: u64) -> Caps {
    Caps { variable: "MAX".to_owned(), most: [("HKD", most)].into() }
}

/// What a payment needs a person's yes to.
async fn needed(world: &World, number: &str, minor: u64) -> Needed {
    match world.payments.create(&CALLER, new_payment("800201", number, minor)).await {
        Err(Refused::NeedsYes(needed)) => *needed,
        other => panic!("{other:?}"),
    }
}

fn yes(needed: &Needed) -> Yes {
    let Question { number, digest, .. } = needed.question.clone();
    Yes { digest, number, given: Given::Answered }
}

async fn pay_with(world: &World, number: Option<&str>, minor: u64, yes: Yes) -> String {
    let number = number.map(|it| it.parse().unwrap());
    let new = NewPayment { number, yes: Some(yes), ..new_payment("800201", "X", minor) };
    match world.payments.create(&CALLER, new).await {
        Ok(it) => format!("{} {}", it.payment.number, it.payment.state),
        Err(refused) => refused.to_string(),
    }
}

#[tokio::test]
async fn nothing_leaves_before_a_person_said_yes_to_exactly_these_terms() {
    let mut world = World::answering(&[]);
    world.under(asking());
    let needed = needed(&world, "A1", 100).await;
    insta::assert_snapshot!(needed.question.text(), @"
    Action: take a payment
    Amount: HKD 1.00
    Currency: HKD
    Order: A1
    Goods: not named
    Merchant: m1
    Environment: sandbox (no real money)
    ");
    let other = "the answer was given to other terms than these";
    assert_eq!(pay_with(&world, Some("A1"), 101, yes(&needed)).await, other);
    assert_eq!(pay_with(&world, Some("A2"), 100, yes(&needed)).await, other);
    assert_eq!(world.asked(), [""; 0]);
    world.then(&[PAID]);
    assert_eq!(pay_with(&world, Some("A1"), 100, yes(&needed)).await, "A1 pending");
    assert_eq!(world.asked(), ["pay A1 100"]);
    // What is stored needs nobody's yes to be told.
    assert_eq!(world.pay("A1", 100).await, "pending again");
}

#[tokio::test]
async fn a_number_that_was_made_for_the_question_is_the_payments() {
    let mut world = World::answering(&[]);
    world.under(asking());
    let new = NewPayment { number: None, ..new_payment("800201", "X", 100) };
    let Err(Refused::NeedsYes(needed)) = world.payments.create(&CALLER, new).await else {
        panic!()
    };
    world.then(&[PAID]);
    let made = pay_with(&world, None, 100, yes(&needed)).await;
    assert_eq!(made, format!("{} pending", needed.question.number));
}

#[tokio::test]
async fn a_refund_is_asked_about_with_what_is_left_and_anew_when_that_changed() {
    let mut world = World::paid(100).await;
    world.under(asking());
    let refund = async |number: &str, minor: u64, yes| {
        let new = NewRefund {
            of: Of::Order("A1".parse().unwrap()),
            amount: Some(minor.to_string()),
            number: Some(number.parse().unwrap()),
            yes,
        };
        world.payments.refund(&CALLER, new).await
    };
    let record = payment("0000", "0");
    world.then(&[&records(std::slice::from_ref(&record))]);
    let Err(Refused::NeedsYes(first)) = refund("R1", 60, None).await else { panic!() };
    insta::assert_snapshot!(first.question.text(), @"
    Action: give money back
    Amount: HKD 0.60
    Currency: HKD
    Order: A1
    Goods: not named
    Merchant: m1
    Environment: sandbox (no real money)
    Left of the payment after it: HKD 0.40
    ");
    world.then(&[&records(std::slice::from_ref(&record))]);
    let Err(Refused::NeedsYes(second)) = refund("R2", 30, None).await else { panic!() };
    world.then(&[&records(std::slice::from_ref(&record)), MADE]);
    refund("R2", 30, Some(yes(&second))).await.unwrap();
    world.then(&[&records(&[record, super::refund("R2", 30)])]);
    let told = refund("R1", 60, Some(yes(&first))).await.unwrap_err().to_string();
    assert_eq!(told, "the answer was given to other terms than these");
}

#[tokio::test]
async fn an_approval_outside_is_used_by_the_same_call_again_and_once() {
    let mut world = World::answering(&[]);
    world.under(asking());
    let needed = needed(&world, "A1", 100).await;
    let approval = world.payments.ask_approval(&CALLER, needed.question.clone()).await.unwrap();
    assert_eq!(approval.code.len(), 8);
    let alice =
        Caller { principal: Some("alice".to_owned()), ..Caller::own("terminal", "approve") };
    let typed = format!("{}-{}", &approval.code[..4].to_lowercase(), &approval.code[4..]);
    let decided = world.payments.decide(&alice, &typed, true).await.unwrap();
    assert!(matches!(decided, Decided::Done(it) if it.state == ApprovalState::Approved));
    let twice = world.payments.decide(&alice, &typed, false).await.unwrap();
    assert!(matches!(twice, Decided::Over(Some(it)) if it.state == ApprovalState::Approved));
    assert_eq!(world.pay("A1", 101).await, "a person has to say yes first");
    assert_eq!(world.pay("A2", 100).await, "a person has to say yes first");
    world.then(&["not sent"]);
    assert_eq!(world.pay("A1", 100).await, "intended (not sent)");
    // It is used up, although nothing arrived: the person is asked again.
    assert_eq!(world.pay("A1", 100).await, "a person has to say yes first");
}

#[tokio::test]
async fn a_person_who_declined_outside_is_not_asked_again_at_once() {
    let mut world = World::answering(&[]);
    world.under(asking());
    let needed = needed(&world, "A1", 100).await;
    let approval = world.payments.ask_approval(&CALLER, needed.question.clone()).await.unwrap();
    let alice =
        Caller { principal: Some("alice".to_owned()), ..Caller::own("terminal", "approve") };
    world.payments.decide(&alice, &approval.code, false).await.unwrap();
    let told = world.payments.ask_approval(&CALLER, needed.question.clone()).await.unwrap_err();
    assert_eq!(told.to_string(), "the person declined it outside the conversation (alice)");
    world.later(16);
    let again = world.payments.ask_approval(&CALLER, needed.question).await.unwrap();
    assert_ne!(again.code, approval.code);
}

#[tokio::test]
async fn what_a_model_names_stands_in_quotes_without_what_could_hide_it() {
    let world = World::answering(&[]);
    let mut new = new_payment("800201", "A1", 100);
    let goods = "tea\"\nAmount: HKD 0.01\u{202e}\u{200b}";
    new.terms.extras.insert(Field::GoodsName, goods.to_owned());
    let question = world.payments.about_payment(&CALLER, &"A1".parse().unwrap(), &new.terms);
    let goods = question.lines.iter().find(|(name, _)| name == "Goods").unwrap();
    assert_eq!(goods.1, r#""tea\" Amount: HKD 0.01""#);
    assert_eq!(question.text().lines().filter(|it| it.starts_with("Amount")).count(), 1);
}

#[tokio::test]
async fn limits_are_all_told_at_once_and_never_hide_what_left_already() {
    let mut world = World::answering(&[PAID]);
    assert_eq!(world.pay("A1", 300).await, "pending");
    let (payment, payments_per_day) = (Some(caps(200)), Some(caps(400)));
    let limits = Limits { payment, payments_per_day, ..Limits::default() };
    world.under(Policy { limits, ..Policy::default() });
    let told = world.pay("A2", 201).await;
    insta::assert_snapshot!(told, @"HKD 2.01 was asked for, and one payment may be at most HKD 2.00; an operator can raise MAX; HKD 2.01 was asked for, and HKD 1.00 is left today of HKD 4.00 a day for payments; an operator can raise MAX");
    assert_eq!(world.pay("A1", 300).await, "pending again");
    world.then(&[r#"{"respcd":"1201"}"#, PAID]);
    assert_eq!(world.pay("A3", 100).await, "failed");
    assert_eq!(world.pay("A4", 100).await, "pending", "what failed is given back");
    assert!(world.pay("A5", 1).await.contains("HKD 0.00 is left today"));
    world.later(24 * 60);
    world.then(&[PAID]);
    assert_eq!(world.pay("A5", 1).await, "pending", "another day");
}
