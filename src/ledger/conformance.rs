//! What every ledger must do, written once and run against each store.
use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{Entry, Go, Ledger, News, Payment, Refund, Reserved, Scope};
use crate::{
    domain::{
        Amount, OrderNumber, PaymentEvent, PaymentState, PaymentTerms, RefundState, RefundTerms,
        Shown,
    },
    spec::{Currency, Environment, Field, PayType},
};

pub(crate) fn scope(merchant: &str) -> Scope {
    Scope { environment: Environment::Simulator, merchant: merchant.to_owned() }
}

/// Makes ledgers over one store: the same scope again, another process, another merchant.
pub(crate) type Make<'a> = &'a dyn Fn(Scope) -> Arc<dyn Ledger>;

fn now() -> Timestamp {
    "2026-11-23T06:30:05.123Z".parse().unwrap()
}

fn number(text: &str) -> OrderNumber {
    text.parse().unwrap()
}

fn amount(minor: u64) -> Amount {
    Amount::from_minor(minor, Currency::find("HKD").unwrap()).unwrap()
}

fn terms(minor: u64) -> PaymentTerms {
    let extras = BTreeMap::from([
        (Field::GoodsName, "咖啡".to_owned()),
        (Field::AuthCode, "284957201938475610".to_owned()),
    ]);
    PaymentTerms { amount: amount(minor), pay_type: PayType::find("800201").unwrap(), extras }
}

fn refund_terms(minor: u64) -> RefundTerms {
    let order = Some(number("A1"));
    RefundTerms { order, syssn: "2026".parse().unwrap(), amount: amount(minor) }
}

async fn new_payment(ledger: &dyn Ledger, at: &str) -> Payment {
    match ledger.reserve_payment(&number(at), &terms(100), now()).await.unwrap() {
        Reserved::New(payment) => payment,
        Reserved::Taken(entry) => panic!("{entry:?}"),
    }
}

async fn new_refund(ledger: &dyn Ledger, at: &str, minor: u64) -> Refund {
    match ledger.reserve_refund(&number(at), &refund_terms(minor), now()).await.unwrap() {
        Reserved::New(refund) => refund,
        Reserved::Taken(entry) => panic!("{entry:?}"),
    }
}

async fn sent(ledger: &dyn Ledger, at: &str, minor: u64) -> Refund {
    let refund = new_refund(ledger, at, minor).await;
    let go = ledger.send_refund(&refund, 100, now()).await.unwrap();
    let Go::Sent(refund) = go else { panic!("{go:?}") };
    refund
}

pub(crate) async fn a_reserved_payment_is_found_again_by_everybody(make: Make<'_>) {
    let one = make(scope("m1"));
    let payment = new_payment(&*one, "A1").await;
    assert_eq!(payment.state, PaymentState::Intended);
    let other = make(scope("m1"));
    assert_eq!(other.find(&number("A1")).await.unwrap(), Some(Entry::Payment(payment.clone())));
    let again = other.reserve_payment(&number("A1"), &terms(999), now()).await.unwrap();
    assert_eq!(again, Reserved::Taken(Entry::Payment(payment)));
}

pub(crate) async fn a_payers_code_is_never_kept(make: Make<'_>) {
    let payment = new_payment(&*make(scope("m1")), "A1").await;
    assert!(!payment.terms.extras.contains_key(&Field::AuthCode));
    assert_eq!(payment.terms.extras[&Field::GoodsName], "咖啡");
}

pub(crate) async fn payments_and_refunds_share_their_numbers(make: Make<'_>) {
    let ledger = make(scope("m1"));
    new_payment(&*ledger, "A1").await;
    let taken = ledger.reserve_refund(&number("A1"), &refund_terms(5), now()).await.unwrap();
    assert!(matches!(taken, Reserved::Taken(Entry::Payment(_))));
}

pub(crate) async fn merchants_and_environments_do_not_see_each_other(make: Make<'_>) {
    new_payment(&*make(scope("m1")), "A1").await;
    assert_eq!(make(scope("m2")).find(&number("A1")).await.unwrap(), None);
    new_payment(&*make(scope("m2")), "A1").await;
    let prod = Scope { environment: Environment::Prod, ..scope("m1") };
    assert_eq!(make(prod).find(&number("A1")).await.unwrap(), None);
}

pub(crate) async fn a_change_is_kept_with_its_news(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let payment = new_payment(&*ledger, "A1").await;
    let shown = Shown { qrcode: Some("weixin://x".to_owned()), ..Shown::default() };
    let news = News {
        syssn: Some("2026".parse().unwrap()),
        respcd: Some("0000".to_owned()),
        resperr: Some("交易成功".to_owned()),
        shown: Some(shown),
    };
    let to = payment.state.on(PaymentEvent::Send).unwrap();
    let changed = ledger.advance_payment(&payment, to, &news, now()).await.unwrap().unwrap();
    let entry = Some(Entry::Payment(changed.clone()));
    assert_eq!(changed.state, PaymentState::Sent);
    assert_eq!(ledger.find(&number("A1")).await.unwrap(), entry);
    assert_eq!(ledger.find_by_syssn(&"2026".parse().unwrap()).await.unwrap(), entry);
    let kept = ledger
        .advance_payment(&changed, PaymentState::Pending, &News::default(), now())
        .await
        .unwrap()
        .unwrap();
    assert_eq!((kept.syssn, kept.shown), (changed.syssn, changed.shown));
}

pub(crate) async fn of_fifty_writers_from_one_version_one_wins(make: Make<'_>) {
    let payment = new_payment(&*make(scope("m1")), "A1").await;
    let tries = (0..50).map(|_| {
        let (ledger, payment) = (make(scope("m1")), payment.clone());
        tokio::spawn(async move {
            let news = News::default();
            ledger.advance_payment(&payment, PaymentState::Sent, &news, now()).await.unwrap()
        })
    });
    let won = futures::future::join_all(tries).await;
    assert_eq!(won.into_iter().filter(|it| it.as_ref().unwrap().is_some()).count(), 1);
}

pub(crate) async fn of_fifty_that_reserve_one_number_one_is_new(make: Make<'_>) {
    let tries = (0..50).map(|_| {
        let ledger = make(scope("m1"));
        tokio::spawn(async move { ledger.reserve_payment(&number("A1"), &terms(1), now()).await })
    });
    let won = futures::future::join_all(tries).await;
    let new = won
        .into_iter()
        .filter(|it| matches!(it.as_ref().unwrap().as_ref().unwrap(), Reserved::New(_)));
    assert_eq!(new.count(), 1);
}

pub(crate) async fn a_second_refund_waits_while_one_is_on_its_way(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let first = sent(&*ledger, "R1", 40).await;
    let second = new_refund(&*ledger, "R2", 40).await;
    let go = ledger.send_refund(&second, 100, now()).await.unwrap();
    assert_eq!(go, Go::Busy(number("R1")));
    let news = News::default();
    ledger.advance_refund(&first, RefundState::Refunded, &news, now()).await.unwrap().unwrap();
    assert!(matches!(ledger.send_refund(&second, 100, now()).await.unwrap(), Go::Sent(_)));
    assert_eq!(ledger.refunds_of(&first.terms.syssn).await.unwrap().len(), 2);
}

pub(crate) async fn refunds_never_exceed_the_payment(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let news = News::default();
    let first = sent(&*ledger, "R1", 70).await;
    ledger.advance_refund(&first, RefundState::Refunded, &news, now()).await.unwrap().unwrap();
    let second = new_refund(&*ledger, "R2", 40).await;
    let go = ledger.send_refund(&second, 100, now()).await.unwrap();
    assert_eq!(go, Go::TooMuch { left_minor: 30 });
    let third = sent(&*ledger, "R3", 30).await;
    ledger.advance_refund(&third, RefundState::Failed, &news, now()).await.unwrap().unwrap();
    sent(&*ledger, "R4", 30).await;
}

pub(crate) async fn of_many_refunds_at_once_one_leaves(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let mut refunds = Vec::new();
    for at in 0..10 {
        refunds.push(new_refund(&*ledger, &format!("R{at}"), 10).await);
    }
    let tries = refunds.into_iter().map(|refund| {
        let ledger = make(scope("m1"));
        tokio::spawn(async move { ledger.send_refund(&refund, 100, now()).await.unwrap() })
    });
    let went = futures::future::join_all(tries).await;
    assert_eq!(went.into_iter().filter(|it| matches!(it, Ok(Go::Sent(_)))).count(), 1);
}

/// Runs every test of this file against the store that `$make` opens in a fresh folder.
macro_rules! ledger_tests {
    ($make:expr) => {
        crate::ledger::conformance::ledger_tests!(
            $make,
            a_reserved_payment_is_found_again_by_everybody,
            a_payers_code_is_never_kept,
            payments_and_refunds_share_their_numbers,
            merchants_and_environments_do_not_see_each_other,
            a_change_is_kept_with_its_news,
            of_fifty_writers_from_one_version_one_wins,
            of_fifty_that_reserve_one_number_one_is_new,
            a_second_refund_waits_while_one_is_on_its_way,
            refunds_never_exceed_the_payment,
            of_many_refunds_at_once_one_leaves,
        );
    };
    ($make:expr, $($name:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let folder = tempfile::tempdir().unwrap();
            let make = $make;
            crate::ledger::conformance::$name(&|scope| {
                std::sync::Arc::new(make(folder.path(), scope))
            })
            .await;
        }
    )+};
}
pub(crate) use ledger_tests;
