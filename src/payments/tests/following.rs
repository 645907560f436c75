use super::{follow::Followed, *};

async fn followed(world: &World, numbers: &[&str]) -> Followed<()> {
    let followed = Followed::default();
    for number in numbers {
        let named = format!("my {number}");
        world.payments.follow(&followed, &named, number.parse().unwrap(), ()).await.unwrap();
    }
    followed
}

#[tokio::test]
async fn what_changed_while_nobody_heard_is_told_once_and_by_the_followers_own_name() {
    let world = World::paid(100).await;
    let followed = followed(&world, &["A1", "B1"]).await;
    let mut changes = world.payments.follower(followed);
    // Paid, and refunded twice.
    world.then(&[&records(&[payment("0000", "0")])]);
    assert_eq!(world.status("A1").await, "paid");
    for number in ["R1", "R2"] {
        world.then(&[&records(&[payment("0000", "0")]), PAID]);
        world.refund(number, Some(10)).await;
    }
    assert_eq!(changes.next().await, ["my A1"]);
    world.then(&[PAID]);
    world.pay("B1", 200).await;
    assert_eq!(changes.next().await, ["my B1"], "and A1 is not told again");
}

#[tokio::test]
async fn what_changed_right_before_is_told_first_and_what_is_older_is_not() {
    let world = World::paid(100).await;
    let fresh = followed(&world, &["A1"]).await;
    let mut changes = world.payments.follower(fresh).from_just_now();
    assert_eq!(changes.next().await, ["my A1"]);
    world.later(1);
    let old = followed(&world, &["A1", "B1"]).await;
    let mut changes = world.payments.follower(old).from_just_now();
    world.then(&[PAID]);
    world.pay("B1", 200).await;
    assert_eq!(changes.next().await, ["my B1"]);
}
