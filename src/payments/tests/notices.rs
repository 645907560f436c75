use super::{notify::Noticed, *};
use crate::client::sign::{SignType, sign_body};

/// Tells what QFPay would tell, signed; what it is to us.
async fn tell(world: &World, record: &serde_json::Value, key: &str) -> String {
    let mut told = record.clone();
    told["notify_type"] = told["order_type"].clone();
    let body = told.to_string();
    let signature = sign_body(body.as_bytes(), SignType::Md5, &key.into());
    match world.payments.notified(body.as_bytes(), Some(&signature)).await {
        Ok(noticed) => {
            // What it leads to is done when the tasks are.
            world.payments.tasks.close();
            world.payments.tasks.wait().await;
            world.payments.tasks.reopen();
            format!("{noticed:?}")
        }
        Err(error) => error.to_string(),
    }
}

async fn state(world: &World) -> &'static str {
    world.payments.ledger.find(&"A1".parse().unwrap()).await.unwrap().unwrap().status()
}

#[tokio::test]
async fn paid_is_said_only_after_qfpay_was_asked() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("1143", "0")])]);
    assert_eq!(tell(&world, &payment("0000", "0"), "key").await, "Asking");
    assert_eq!(state(&world).await, "pending");
    world.then(&[&records(&[payment("0000", "0")])]);
    assert_eq!(tell(&world, &payment("0000", "0"), "key").await, "Asking");
    assert_eq!(state(&world).await, "paid");
}

#[tokio::test]
async fn a_notification_that_is_told_again_asks_nothing() {
    let world = World::paid(100).await;
    world.then(&[&records(&[payment("0000", "0")])]);
    assert_eq!(tell(&world, &payment("0000", "0"), "key").await, "Asking");
    let asked = world.asked().len();
    assert_eq!(tell(&world, &payment("0000", "0"), "key").await, format!("{:?}", Noticed::Known));
    assert_eq!(world.asked().len(), asked);
}

#[tokio::test]
async fn a_forged_one_changes_and_asks_nothing() {
    let world = World::paid(100).await;
    let told = tell(&world, &payment("0000", "0"), "another key").await;
    assert!(told.contains("signature is wrong"), "{told}");
    assert_eq!((state(&world).await, world.asked().len()), ("pending", 1));
}

#[tokio::test]
async fn one_about_another_amount_or_no_order_of_ours_is_kept_for_the_operator() {
    let world = World::paid(100).await;
    let mut other = payment("0000", "0");
    other["txamt"] = json!("1");
    assert_eq!(tell(&world, &other, "key").await, "Stranger");
    let mut stranger = payment("0000", "0");
    stranger["out_trade_no"] = json!("S9");
    assert_eq!(tell(&world, &stranger, "key").await, "Stranger");
    assert_eq!((state(&world).await, world.asked().len()), ("pending", 1));
    let history = world.payments.ledger.history(&"S9".parse().unwrap()).await.unwrap();
    insta::assert_snapshot!(history[0].detail.as_deref().unwrap(), @"payment, syssn 20261123000200020000000001; no such order is in this ledger");
}
