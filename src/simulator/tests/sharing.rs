//! One book: over a restart, between processes, and under load.
use futures::future::join_all;

use super::*;

#[tokio::test]
async fn a_restart_keeps_the_book_and_the_payer() {
    let shop = Shop::open().await;
    shop.pay("A1", "100").await;
    let (dir, clock) = (shop.dir.clone(), shop.clock.clone());
    shop.simulator.stop().await;
    let shop = Shop::on(dir, clock, |_| ()).await;
    assert_eq!(shop.states("A1").await, ["payment 1143 0"]);
    shop.clock.pass(3.seconds());
    assert_eq!(shop.states("A1").await, ["payment 0000 0"]);
}

#[tokio::test]
async fn two_simulators_on_one_book_are_one_qfpay() {
    let shop = Shop::open().await;
    let other = shop.beside().await;
    let syssn = shop.paid("A1", "100").await;
    assert_eq!(other.states("A1").await, ["payment 0000 0"]);
    assert_eq!(text(&other.pay("A1", "100").await, "respcd"), "1251");
    assert_eq!(text(&other.refund(&syssn, "R1", "100").await, "respcd"), "0000");
    assert_eq!(shop.states("A1,R1").await, ["refund 0000 0", "payment 0000 3"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_never_pay_or_refund_twice() {
    let shop = Shop::with(|it| it.limits = None).await;
    let other = shop.beside().await;
    let either = |at: usize| if at.is_multiple_of(2) { &shop } else { &other };
    let done = |answers: Vec<Value>, respcd: &str| {
        answers.iter().filter(|it| it["respcd"] == respcd).count()
    };
    let same = join_all((0..32).map(|at| either(at).pay("A1", "100"))).await;
    assert_eq!(done(same, "0000"), 1);
    shop.clock.pass(3.seconds());
    let syssn = text(&shop.query(&[("out_trade_no", "A1")]).await["data"][0], "syssn");
    let numbers: Vec<String> = (0..32).map(|it| format!("R{it}")).collect();
    let refunds = numbers.iter().enumerate();
    let refunds = join_all(refunds.map(|(at, it)| either(at).refund(&syssn, it, "30"))).await;
    assert_eq!(done(refunds.clone(), "0000"), 3);
    assert_eq!(done(refunds, "1272"), 29);
}

#[tokio::test]
async fn simulators_that_start_at_once_on_a_new_book_all_start() {
    let dir = tempfile::tempdir().unwrap();
    let start = || Simulator::start(Settings::new(dir.path().join("new/folder/book.db")));
    for started in join_all((0..8).map(|_| start())).await {
        started.unwrap();
    }
}
