//! Gates: a request is held before anything is done, or before its answer leaves.
use super::*;

impl Shop {
    async fn numbers(&self) -> Vec<String> {
        let book = self.simulator.book().await.unwrap();
        book.into_iter().map(|it| it.out_trade_no).collect()
    }

    async fn try_order(&self, number: &str) -> reqwest::Result<Response> {
        let params = [
            ("txamt", "100"),
            ("txcurrcd", "HKD"),
            ("pay_type", "800201"),
            ("out_trade_no", number),
            ("txdtm", TXDTM),
        ];
        self.try_send(Endpoint::Payment, &params).await
    }
}

#[tokio::test]
async fn nothing_is_done_before_the_gate_and_everything_before_the_answer() {
    let shop = Shop::open().await;
    for (number, when, done) in
        [("A1", When::Before, vec![]), ("A2", When::After, vec!["A1", "A2"])]
    {
        let gate = shop.simulator.hold(Endpoint::Payment, when);
        let watch = async {
            gate.reached().await;
            assert_eq!(shop.numbers().await, done);
            gate.release();
        };
        let (answer, ()) = tokio::join!(shop.pay(number, "100"), watch);
        assert_eq!(text(&answer, "respcd"), "0000");
    }
}

#[tokio::test]
async fn an_answer_is_lost_at_the_moment_the_test_chooses() {
    let shop = Shop::open().await;
    shop.simulator.next(Endpoint::Payment, Fault::LostAnswer);
    let gate = shop.simulator.hold(Endpoint::Payment, When::After);
    let watch = async {
        gate.reached().await;
        assert_eq!(shop.numbers().await, ["A1"]);
        gate.release();
    };
    let (answer, ()) = tokio::join!(shop.try_order("A1"), watch);
    assert!(answer.unwrap_err().is_request());
    assert_eq!(text(&shop.pay("A1", "100").await, "respcd"), "1251");
}

#[tokio::test]
async fn what_has_arrived_is_carried_out_though_its_caller_has_gone() {
    let shop = Shop::open().await;
    let before = shop.simulator.hold(Endpoint::Payment, When::Before);
    let after = shop.simulator.hold(Endpoint::Payment, When::After);
    tokio::select! {
        answer = shop.try_order("A1") => panic!("{answer:?}"),
        () = before.reached() => {}
    }
    assert_eq!(shop.numbers().await, Vec::<String>::new());
    before.release();
    after.reached().await;
    assert_eq!(shop.numbers().await, ["A1"]);
}

#[tokio::test]
async fn each_gate_holds_one_request_and_a_dropped_one_holds_none() {
    let shop = Shop::open().await;
    drop(shop.simulator.hold(Endpoint::Payment, When::Before));
    assert_eq!(text(&shop.pay("A1", "100").await, "respcd"), "0000");
    let first = shop.simulator.hold(Endpoint::Payment, When::Before);
    let second = shop.simulator.hold(Endpoint::Payment, When::Before);
    let watch = async {
        first.reached().await;
        assert_eq!(text(&shop.query(&[]).await, "respcd"), "0000");
        second.reached().await;
        assert_eq!(text(&shop.pay("A4", "100").await, "respcd"), "0000");
        drop((first, second));
    };
    tokio::join!(shop.pay("A2", "100"), shop.pay("A3", "100"), watch);
    assert_eq!(shop.numbers().await.len(), 4);
}

#[tokio::test]
async fn a_simulator_stops_though_a_request_stands_at_a_gate() {
    let shop = Shop::open().await;
    let gate = shop.simulator.hold(Endpoint::Payment, When::Before);
    tokio::select! {
        answer = shop.try_order("A1") => panic!("{answer:?}"),
        () = gate.reached() => {}
    }
    shop.simulator.stop().await;
}
