//! What every ledger must do, written once and run against each store.
use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    Approval, ApprovalState, Asked, Caller, Check, Consent, Counted, Decision, Entry, EventFilter,
    Filter, Given, Happening, Kind, Ledger, LedgerError, MOST_OF_ONE, MOST_WAITING, News, Note,
    Opened, Opening, Payment, Place, Refund, RefundOpened, Scope, Unconfirmed,
};
use crate::{
    domain::{
        Amount, Budget, OrderNumber, PaymentState, PaymentTerms, Question, RefundState,
        RefundTerms, Shown, Spent,
    },
    spec::{Currency, Environment, Field, PayType},
};

pub(crate) fn scope(merchant: &str) -> Scope {
    Scope { environment: Environment::Simulator, merchant: merchant.to_owned() }
}

/// A payment that left at `at`.
pub(crate) fn sent_at(at: Timestamp) -> Entry {
    Entry::Payment(Payment {
        number: number("A1"),
        terms: terms(100),
        state: PaymentState::Sent,
        version: 1,
        syssn: None,
        respcd: None,
        resperr: None,
        shown: Shown::default(),
        late: false,
        created_at: at,
        sent_at: Some(at),
        updated_at: at,
    })
}

/// Opens a payment that must be new.
pub(crate) async fn open_new(ledger: &dyn Ledger, at: &str) -> Result<(), LedgerError> {
    let (number, terms, caller) = (number(at), terms(100), caller());
    let opening = Opening {
        number: &number,
        terms: &terms,
        unless_repeated_since: None,
        budget: None,
        consent: &Consent::NotNeeded,
        caller: &caller,
        now: now(),
    };
    match ledger.open_payment(opening).await? {
        Opened::Sent(_) => Ok(()),
        other @ (Opened::Taken(_)
        | Opened::Repeats(_)
        | Opened::Over(_)
        | Opened::Unconfirmed(_)) => panic!("{other:?}"),
    }
}

/// The number under which the terms of [`open_new`] stand already, if they do.
pub(crate) async fn repeats(ledger: &dyn Ledger) -> Option<String> {
    match try_payment(ledger, "B1", 100, Some(in_seconds(9))).await {
        Opened::Repeats(entry) => Some(entry.number().to_string()),
        Opened::Sent(_) | Opened::Taken(_) | Opened::Over(_) | Opened::Unconfirmed(_) => None,
    }
}

/// Makes ledgers over one store: the same scope again, another process, another merchant.
pub(crate) type Make<'a> = &'a dyn Fn(Scope) -> Arc<dyn Ledger>;

fn now() -> Timestamp {
    "2026-11-23T06:30:05.123Z".parse().unwrap()
}

fn in_seconds(seconds: i64) -> Timestamp {
    now().checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap()
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

fn caller() -> Caller {
    Caller {
        transport: "stdio",
        client: Some("conformance 1".to_owned()),
        principal: None,
        tool: "create_payment",
    }
}

fn note(caller: &Caller, what: Happening) -> Note<'_> {
    Note::new(caller, what)
}

/// Opens a payment; with `since`, unless it repeats another.
async fn try_payment(
    ledger: &dyn Ledger,
    at: &str,
    minor: u64,
    since: Option<Timestamp>,
) -> Opened<Payment> {
    let (number, terms, caller) = (number(at), terms(minor), caller());
    let opening = Opening {
        number: &number,
        terms: &terms,
        unless_repeated_since: since,
        budget: None,
        consent: &Consent::NotNeeded,
        caller: &caller,
        now: now(),
    };
    ledger.open_payment(opening).await.unwrap()
}

async fn open_payment(ledger: &dyn Ledger, at: &str) -> Payment {
    match try_payment(ledger, at, 100, None).await {
        Opened::Sent(payment) => payment,
        other @ (Opened::Taken(_)
        | Opened::Repeats(_)
        | Opened::Over(_)
        | Opened::Unconfirmed(_)) => panic!("{other:?}"),
    }
}

async fn try_refund(ledger: &dyn Ledger, at: &str, minor: u64) -> RefundOpened {
    let (number, terms, caller) = (number(at), refund_terms(minor), caller());
    let opening = Opening {
        number: &number,
        terms: &terms,
        unless_repeated_since: None,
        budget: None,
        consent: &Consent::NotNeeded,
        caller: &caller,
        now: now(),
    };
    ledger.open_refund(opening, 100).await.unwrap()
}

async fn open_refund(ledger: &dyn Ledger, at: &str, minor: u64) -> Refund {
    let opened = try_refund(ledger, at, minor).await;
    let RefundOpened::Opened(Opened::Sent(refund)) = opened else { panic!("{opened:?}") };
    refund
}

async fn move_payment(ledger: &dyn Ledger, payment: &Payment, to: PaymentState) -> Payment {
    let (caller, news) = (caller(), News::default());
    let note = note(&caller, Happening::Learned);
    ledger.advance_payment(payment, to, &news, note, now()).await.unwrap().unwrap()
}

async fn move_refund(ledger: &dyn Ledger, refund: &Refund, to: RefundState) -> Refund {
    let (caller, news) = (caller(), News::default());
    let note = note(&caller, Happening::Learned);
    ledger.advance_refund(refund, to, &news, note, now()).await.unwrap().unwrap()
}

pub(crate) async fn an_opened_payment_is_sent_and_found_again_by_everybody(make: Make<'_>) {
    let one = make(scope("m1"));
    let payment = open_payment(&*one, "A1").await;
    assert_eq!((payment.state, payment.sent_at), (PaymentState::Sent, Some(now())));
    let other = make(scope("m1"));
    assert_eq!(other.find(&number("A1")).await.unwrap(), Some(Entry::Payment(payment.clone())));
    for minor in [100, 999] {
        let again = try_payment(&*other, "A1", minor, None).await;
        assert_eq!(again, Opened::Taken(Entry::Payment(payment.clone())));
    }
}

pub(crate) async fn what_never_left_may_leave_again_if_it_is_the_same(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let payment = open_payment(&*ledger, "A1").await;
    let payment = move_payment(&*ledger, &payment, PaymentState::Intended).await;
    let other = try_payment(&*ledger, "A1", 999, None).await;
    assert_eq!(other, Opened::Taken(Entry::Payment(payment.clone())));
    let Opened::Sent(sent) = try_payment(&*ledger, "A1", 100, Some(now())).await else { panic!() };
    assert_eq!((sent.state, sent.version), (PaymentState::Sent, 3));
    assert_eq!(ledger.find(&number("A1")).await.unwrap(), Some(Entry::Payment(sent)));
}

pub(crate) async fn a_payers_code_is_never_kept(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let payment = open_payment(&*ledger, "A1").await;
    assert!(!payment.terms.extras.contains_key(&Field::AuthCode));
    assert_eq!(payment.terms.extras[&Field::GoodsName], "咖啡");
    let told = format!("{:?}", ledger.history(&number("A1")).await.unwrap());
    assert!(told.contains("咖啡") && !told.contains("284957201938475610"), "{told}");
}

pub(crate) async fn payments_and_refunds_share_their_numbers(make: Make<'_>) {
    let ledger = make(scope("m1"));
    open_payment(&*ledger, "A1").await;
    let taken = try_refund(&*ledger, "A1", 5).await;
    assert!(matches!(taken, RefundOpened::Opened(Opened::Taken(Entry::Payment(_)))));
}

pub(crate) async fn merchants_and_environments_do_not_see_each_other(make: Make<'_>) {
    open_payment(&*make(scope("m1")), "A1").await;
    assert_eq!(make(scope("m2")).find(&number("A1")).await.unwrap(), None);
    open_payment(&*make(scope("m2")), "A1").await;
    let prod = make(Scope { environment: Environment::Prod, ..scope("m1") });
    assert_eq!(prod.find(&number("A1")).await.unwrap(), None);
    assert!(prod.unfinished(None, 10).await.unwrap().is_empty());
    assert!(prod.history(&number("A1")).await.unwrap().is_empty());
}

pub(crate) async fn a_change_is_kept_with_its_news_and_its_row_of_the_audit(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let payment = open_payment(&*ledger, "A1").await;
    let shown = Shown { qrcode: Some("weixin://x".to_owned()), ..Shown::default() };
    let news = News {
        syssn: Some("2026".parse().unwrap()),
        respcd: Some("0000".to_owned()),
        resperr: Some("交易成功".to_owned()),
        shown: Some(shown),
        late: true,
    };
    let caller = caller();
    let answered = note(&caller, Happening::Answered);
    let changed = ledger
        .advance_payment(&payment, PaymentState::Pending, &news, answered, now())
        .await
        .unwrap()
        .unwrap();
    let entry = Some(Entry::Payment(changed.clone()));
    assert!(changed.late);
    assert_eq!(ledger.find(&number("A1")).await.unwrap(), entry);
    assert_eq!(ledger.find_by_syssn(&"2026".parse().unwrap()).await.unwrap(), entry);
    let kept = move_payment(&*ledger, &changed, PaymentState::Paid).await;
    assert_eq!((kept.syssn, kept.shown, kept.late), (changed.syssn, changed.shown, true));
    let told: Vec<String> = ledger
        .history(&number("A1"))
        .await
        .unwrap()
        .into_iter()
        .map(|it| {
            let [from, to, respcd] = [it.from, it.to, it.respcd].map(Option::unwrap_or_default);
            format!("{} {} {from}>{to} {respcd}", it.what, it.client.unwrap_or_default())
        })
        .collect();
    assert_eq!(
        told,
        [
            "sent conformance 1 >sent ",
            "answered conformance 1 sent>pending 0000",
            "learned conformance 1 pending>paid ",
        ]
    );
}

pub(crate) async fn a_decision_that_changes_nothing_has_its_row_too(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let caller = caller();
    let refused = note(&caller, Happening::Refused).saying("not open");
    ledger.note(Some(&number("A1")), None, refused, now()).await.unwrap();
    let history = ledger.history(&number("A1")).await.unwrap();
    assert_eq!(history[0].detail.as_deref(), Some("not open"));
    assert_eq!(ledger.find(&number("A1")).await.unwrap(), None);
}

pub(crate) async fn of_fifty_writers_from_one_version_one_wins(make: Make<'_>) {
    let payment = open_payment(&*make(scope("m1")), "A1").await;
    let tries = (0..50).map(|_| {
        let (ledger, payment) = (make(scope("m1")), payment.clone());
        tokio::spawn(async move {
            let (caller, news) = (caller(), News::default());
            let note = note(&caller, Happening::Learned);
            let to = PaymentState::Pending;
            ledger.advance_payment(&payment, to, &news, note, now()).await.unwrap()
        })
    });
    let won = futures::future::join_all(tries).await;
    assert_eq!(won.into_iter().filter(|it| it.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!(make(scope("m1")).history(&number("A1")).await.unwrap().len(), 2);
}

pub(crate) async fn of_fifty_that_open_one_number_one_sends(make: Make<'_>) {
    let tries = (0..50).map(|_| {
        let ledger = make(scope("m1"));
        tokio::spawn(async move { try_payment(&*ledger, "A1", 1, None).await })
    });
    let won = futures::future::join_all(tries).await;
    let sent = won.into_iter().filter(|it| matches!(it.as_ref().unwrap(), Opened::Sent(_)));
    assert_eq!(sent.count(), 1);
}

pub(crate) async fn of_fifty_calls_in_one_process_one_sends_and_one_settles(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let tries = (0..50).map(|_| {
        let ledger = ledger.clone();
        tokio::spawn(async move { try_payment(&*ledger, "A1", 1, None).await })
    });
    let opened = futures::future::join_all(tries).await;
    let sent: Vec<Payment> = opened
        .into_iter()
        .filter_map(|it| match it.unwrap() {
            Opened::Sent(payment) => Some(payment),
            Opened::Taken(_) | Opened::Repeats(_) | Opened::Over(_) | Opened::Unconfirmed(_) => {
                None
            }
        })
        .collect();
    assert_eq!(sent.len(), 1);
    let tries = (0..50).map(|_| {
        let (ledger, payment) = (ledger.clone(), sent[0].clone());
        tokio::spawn(async move {
            let (caller, news) = (caller(), News::default());
            let note = note(&caller, Happening::Answered);
            let to = PaymentState::Pending;
            ledger.advance_payment(&payment, to, &news, note, now()).await.unwrap()
        })
    });
    let moved = futures::future::join_all(tries).await;
    assert_eq!(moved.into_iter().filter(|it| it.as_ref().unwrap().is_some()).count(), 1);
    assert_eq!(ledger.history(&number("A1")).await.unwrap().len(), 2);
}

pub(crate) async fn of_fifty_with_the_same_terms_and_no_number_one_sends(make: Make<'_>) {
    let tries = (0..50).map(|at| {
        let ledger = make(scope("m1"));
        tokio::spawn(async move { try_payment(&*ledger, &format!("P{at}"), 1, Some(now())).await })
    });
    let won = futures::future::join_all(tries).await;
    let sent = won.into_iter().filter(|it| matches!(it.as_ref().unwrap(), Opened::Sent(_)));
    assert_eq!(sent.count(), 1);
}

pub(crate) async fn the_same_terms_again_are_found_while_unfinished_or_recent(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let first = open_payment(&*ledger, "A1").await;
    let repeats = |found: Opened<Payment>| match found {
        Opened::Repeats(entry) => entry.number().to_string(),
        other @ (Opened::Sent(_) | Opened::Taken(_) | Opened::Over(_) | Opened::Unconfirmed(_)) => {
            format!("{other:?}")
        }
    };
    // Unfinished, however long ago.
    assert_eq!(repeats(try_payment(&*ledger, "A2", 100, Some(in_seconds(9))).await), "A1");
    assert!(matches!(try_payment(&*ledger, "A3", 101, Some(now())).await, Opened::Sent(_)));
    let paid = move_payment(&*ledger, &first, PaymentState::Paid).await;
    assert_eq!(repeats(try_payment(&*ledger, "A4", 100, Some(paid.updated_at)).await), "A1");
    assert!(matches!(try_payment(&*ledger, "A5", 100, Some(in_seconds(1))).await, Opened::Sent(_)));
}

pub(crate) async fn what_failed_does_not_stand_in_the_way_of_the_same_again(make: Make<'_>) {
    let ledger = make(scope("m1"));
    for (at, state) in [("A1", PaymentState::Failed), ("A2", PaymentState::Closed)] {
        let Opened::Sent(payment) = try_payment(&*ledger, at, 100, Some(now())).await else {
            panic!()
        };
        move_payment(&*ledger, &payment, state).await;
    }
}

pub(crate) async fn a_second_refund_waits_while_one_is_on_its_way(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let first = open_refund(&*ledger, "R1", 40).await;
    assert_eq!(try_refund(&*ledger, "R2", 40).await, RefundOpened::Busy(number("R1")));
    assert_eq!(ledger.find(&number("R2")).await.unwrap(), None);
    move_refund(&*ledger, &first, RefundState::Refunded).await;
    open_refund(&*ledger, "R2", 40).await;
    assert_eq!(ledger.refunds_of(&first.terms.syssn).await.unwrap().len(), 2);
}

pub(crate) async fn refunds_never_exceed_the_payment(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let first = open_refund(&*ledger, "R1", 70).await;
    move_refund(&*ledger, &first, RefundState::Refunded).await;
    let second = try_refund(&*ledger, "R2", 40).await;
    assert_eq!(second, RefundOpened::TooMuch { left_minor: 30 });
    let third = open_refund(&*ledger, "R3", 30).await;
    move_refund(&*ledger, &third, RefundState::Failed).await;
    open_refund(&*ledger, "R4", 30).await;
}

pub(crate) async fn of_fifty_refunds_at_once_one_leaves(make: Make<'_>) {
    let tries = (0..50).map(|at| {
        let ledger = make(scope("m1"));
        tokio::spawn(async move { try_refund(&*ledger, &format!("R{at}"), 10).await })
    });
    let went = futures::future::join_all(tries).await;
    let sent =
        went.into_iter().filter(|it| matches!(it, Ok(RefundOpened::Opened(Opened::Sent(_)))));
    assert_eq!(sent.count(), 1);
}

pub(crate) async fn the_unfinished_come_oldest_first_and_in_pages(make: Make<'_>) {
    let ledger = make(scope("m1"));
    assert!(ledger.unfinished(None, 10).await.unwrap().is_empty());
    for at in ["A3", "A1", "A2"] {
        open_payment(&*ledger, at).await;
    }
    open_refund(&*ledger, "R1", 5).await;
    let Some(Entry::Payment(done)) = ledger.find(&number("A2")).await.unwrap() else { panic!() };
    move_payment(&*ledger, &done, PaymentState::Paid).await;
    let (mut seen, mut after): (Vec<String>, Option<Place>) = (Vec::new(), None);
    loop {
        let page = ledger.unfinished(after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.place());
        seen.extend(page.iter().map(|it| it.number().to_string()));
    }
    assert_eq!(seen, ["A1", "A3", "R1"]);
}

pub(crate) async fn entries_are_listed_newest_first_as_the_filter_says(make: Make<'_>) {
    let ledger = make(scope("m1"));
    for at in ["A1", "A2", "A3"] {
        open_payment(&*ledger, at).await;
    }
    let Some(Entry::Payment(one)) = ledger.find(&number("A2")).await.unwrap() else { panic!() };
    move_payment(&*ledger, &one, PaymentState::InDoubt).await;
    let listed = async |filter: Filter| -> Vec<String> {
        let found = ledger.list(&filter).await.unwrap();
        found.iter().map(|it| it.number().to_string()).collect()
    };
    let all = Filter { limit: 10, ..Filter::default() };
    assert_eq!(listed(all.clone()).await, ["A3", "A2", "A1"]);
    let states = vec!["in_doubt".to_owned(), "paid".to_owned()];
    assert_eq!(listed(Filter { states, ..all.clone() }).await, ["A2"]);
    let after = Some(Place { created_at: now(), number: number("A3") });
    assert_eq!(listed(Filter { after, limit: 1, ..all.clone() }).await, ["A2"]);
    let later = Some(in_seconds(1));
    assert!(listed(Filter { since: later, ..all.clone() }).await.is_empty());
    assert_eq!(listed(Filter { until: later, ..all.clone() }).await.len(), 3);
    assert!(listed(Filter { late: true, ..all }).await.is_empty());
}

pub(crate) async fn a_lease_has_one_holder_until_it_ends(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let take = async |who: &str, until, now, force| {
        ledger.lease("recovery", who, in_seconds(until), in_seconds(now), force).await.unwrap()
    };
    assert!(take("a", 60, 0, false).await);
    assert!(!take("b", 60, 1, false).await);
    assert!(take("a", 90, 2, false).await, "its holder renews it");
    assert!(take("b", 150, 90, false).await, "it has ended");
    assert!(!take("a", 200, 91, false).await);
    assert!(take("a", 200, 92, true).await, "taken by force");
    assert!(
        make(scope("m2"))
            .lease("recovery", "b", in_seconds(9), in_seconds(0), false)
            .await
            .unwrap()
    );
}

/// Opens a payment inside a budget, with a consent.
async fn try_within(
    ledger: &dyn Ledger,
    at: &str,
    budget: Option<Budget>,
    consent: &Consent,
    at_time: Timestamp,
) -> Opened<Payment> {
    let (number, terms, caller) = (number(at), terms(100), caller());
    let opening = Opening {
        number: &number,
        terms: &terms,
        unless_repeated_since: None,
        budget,
        consent,
        caller: &caller,
        now: at_time,
    };
    ledger.open_payment(opening).await.unwrap()
}

/// Two rows of an audit that is older than its chain.
pub(crate) const OLD_EVENTS: &str = "INSERT INTO events (environment, merchant, at_ms, what, tool, \
    transport) VALUES ('simulator', 'm1', 1, 'asked', 'query_transaction', 'stdio'), \
    ('simulator', 'm1', 2, 'asked', 'query_transaction', 'stdio')";

/// Holds the audit of a ledger with [`OLD_EVENTS`] and one payment, of whose old rows some are left.
pub(crate) async fn old_events_are_counted(ledger: &dyn Ledger, left: u64) {
    let mut check = Check::default();
    while ledger.check(&mut check, 5).await.unwrap() {}
    let counted = ledger.counted().await.unwrap();
    assert_eq!(counted, Counted { at_start: 2, before: left, since: 1 });
    check.end(counted);
    let faults = match left {
        2 => Vec::new(),
        _ => vec!["1 row from before the chain, and there had been 2 rows"],
    };
    assert_eq!(check.faults, faults);
}

fn budget(most_today: u64) -> Budget {
    Budget {
        day_start: in_seconds(-3600),
        most_today: Some(most_today),
        hour_start: in_seconds(-3600),
        most_last_hour: None,
    }
}

pub(crate) async fn of_ten_at_once_within_a_limit_for_one_one_leaves(make: Make<'_>) {
    let ledgers: Vec<_> = (0..10).map(|_| make(scope("m1"))).collect();
    let tries = ledgers.iter().enumerate().map(|(at, ledger)| {
        let number = format!("A{at}");
        async move {
            try_within(&**ledger, &number, Some(budget(100)), &Consent::NotNeeded, now()).await
        }
    });
    let mut tries = futures::future::join_all(tries).await;
    tries.retain(|it| !matches!(it, Opened::Over(Spent { today_minor: 100, last_hour: 1 })));
    assert!(matches!(tries[..], [Opened::Sent(_)]), "{tries:?}");
    let spent = ledgers[0].spent(Kind::Payment, "HKD", &budget(1)).await.unwrap();
    assert_eq!(spent, Spent { today_minor: 100, last_hour: 1 });
    // Another currency, refunds, another day, another merchant.
    let of = async |ledger: &dyn Ledger, kind, currency: &str, day_start| {
        let budget = Budget { day_start, hour_start: day_start, ..budget(1) };
        ledger.spent(kind, currency, &budget).await.unwrap()
    };
    let none = Spent::default();
    assert_eq!(of(&*ledgers[0], Kind::Payment, "USD", now()).await.today_minor, 0);
    assert_eq!(of(&*ledgers[0], Kind::Refund, "HKD", now()).await, none);
    assert_eq!(of(&*ledgers[0], Kind::Payment, "HKD", in_seconds(1)).await, none);
    assert_eq!(of(&*make(scope("m2")), Kind::Payment, "HKD", now()).await, none);
}

pub(crate) async fn of_ten_refunds_within_a_limit_for_one_one_leaves(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let tries = (0..10).map(|at| {
        let ledger = ledger.clone();
        async move {
            // Of ten payments, so that only the limit is between them.
            let syssn = format!("2026{at}").parse().unwrap();
            let terms = RefundTerms { order: None, syssn, amount: amount(60) };
            let (number, caller) = (number(&format!("R{at}")), caller());
            let opening = Opening {
                number: &number,
                terms: &terms,
                unless_repeated_since: None,
                budget: Some(budget(100)),
                consent: &Consent::NotNeeded,
                caller: &caller,
                now: now(),
            };
            ledger.open_refund(opening, 100).await.unwrap()
        }
    });
    let tries = futures::future::join_all(tries).await;
    let sent = tries.iter().filter(|it| matches!(it, RefundOpened::Opened(Opened::Sent(_))));
    let over = tries.iter().filter(|it| matches!(it, RefundOpened::Opened(Opened::Over(_))));
    assert_eq!((sent.count(), over.count()), (1, 9));
}

pub(crate) async fn what_surely_moved_no_money_does_not_count_for_the_day(make: Make<'_>) {
    let ledger = make(scope("m1"));
    for (at, state) in PaymentState::ALL.iter().enumerate() {
        let payment = open_payment(&*ledger, &format!("A{at}")).await;
        move_payment(&*ledger, &payment, *state).await;
    }
    let spent = ledger.spent(Kind::Payment, "HKD", &budget(1)).await.unwrap();
    // Nine states, three of which moved nothing; the hour counts all but what never left.
    assert_eq!(spent, Spent { today_minor: 600, last_hour: 8 });
    let full = Budget { most_today: None, most_last_hour: Some(spent.last_hour), ..budget(0) };
    let over = try_within(&*ledger, "B1", Some(full), &Consent::NotNeeded, now()).await;
    assert_eq!(over, Opened::Over(Spent { today_minor: spent.today_minor, ..spent }));
    // What surely never left needs its place again when it leaves.
    let intended = PaymentState::ALL.iter().position(|it| *it == PaymentState::Intended).unwrap();
    let number = format!("A{intended}");
    let full = budget(spent.today_minor);
    let over = try_within(&*ledger, &number, Some(full), &Consent::NotNeeded, now()).await;
    assert!(matches!(over, Opened::Over(_)), "{over:?}");
}

fn needed(digest: &str, given: Option<Given>) -> Consent {
    Consent::Needed { digest: digest.to_owned(), given }
}

pub(crate) async fn without_a_yes_nothing_is_opened_and_a_sealed_one_is_used_once(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let missing = try_within(&*ledger, "A1", None, &needed("d", None), now()).await;
    assert_eq!(missing, Opened::Unconfirmed(Unconfirmed::Missing));
    assert_eq!(ledger.find(&number("A1")).await.unwrap(), None);
    let sealed = |id: &str| needed("d", Some(Given::Sealed { id: id.to_owned() }));
    let unknown = try_within(&*ledger, "A1", None, &sealed("made up"), now()).await;
    assert_eq!(unknown, Opened::Unconfirmed(Unconfirmed::Used), "nobody was asked");
    for id in ["one", "two"] {
        ask_as(&*ledger, ApprovalState::Asked, id, "C1", "d").await;
    }
    let one = sealed("one");
    // One yes, ten numbers, ten processes.
    let ledgers: Vec<_> = (0..10).map(|_| make(scope("m1"))).collect();
    let tries = ledgers.iter().enumerate().map(|(at, ledger)| {
        let (number, one) = (format!("B{at}"), &one);
        async move { try_within(&**ledger, &number, None, one, now()).await }
    });
    let mut tries = futures::future::join_all(tries).await;
    tries.retain(|it| *it != Opened::Unconfirmed(Unconfirmed::Used));
    assert!(matches!(tries[..], [Opened::Sent(_)]), "{tries:?}");
    // A no is used up as well.
    ledger.use_up("two").await.unwrap();
    let used = try_within(&*ledger, "C1", None, &sealed("two"), now()).await;
    assert_eq!(used, Opened::Unconfirmed(Unconfirmed::Used));
}

async fn ask(ledger: &dyn Ledger, code: &str, at: &str, digest: &str) -> Approval {
    ask_as(ledger, ApprovalState::Waiting, code, at, digest).await
}

async fn ask_as(
    ledger: &dyn Ledger,
    state: ApprovalState,
    code: &str,
    at: &str,
    digest: &str,
) -> Approval {
    let lines = vec![("Amount".to_owned(), "HKD 1.00".to_owned())];
    let question = Question { number: number(at), lines, digest: digest.to_owned() };
    let asked = Asked {
        question,
        state,
        asked_by: format!("client of {}", at.split('x').next().unwrap()),
        code: code.to_owned(),
        nonce: "n".to_owned(),
        now: now(),
        expires_at: in_seconds(60),
    };
    let caller = caller();
    ledger.ask_approval(&asked, note(&caller, Happening::PersonAsked)).await.unwrap().unwrap()
}

async fn decide(ledger: &dyn Ledger, code: &str, approve: bool, at: Timestamp) -> bool {
    let expires_at = at.checked_add(jiff::SignedDuration::from_secs(60)).unwrap();
    let (code, by) = (code.to_owned(), "alice".to_owned());
    let decision = Decision { code, approve, by, now: at, expires_at };
    let caller = caller();
    ledger.decide(&decision, note(&caller, Happening::Approved)).await.unwrap()
}

pub(crate) async fn an_approval_is_for_one_number_and_digest_for_a_while_and_once(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let asked = ask(&*ledger, "AAAA", "A1", "d").await;
    assert_eq!((asked.state, asked.expires_at), (ApprovalState::Waiting, in_seconds(60)));
    assert_eq!(ask(&*ledger, "BBBB", "A1", "d").await.code, "AAAA", "the same is asked once");
    assert_eq!(ask(&*ledger, "CCCC", "A1", "other").await.code, "CCCC");
    assert_eq!(ledger.approval("AAAA").await.unwrap(), Some(asked));
    assert_eq!(ledger.approval("BBBB").await.unwrap(), None);
    assert_eq!(make(scope("m2")).approval("AAAA").await.unwrap(), None);
    let codes = async |at| -> Vec<String> {
        ledger.waiting(at).await.unwrap().into_iter().map(|it| it.code).collect()
    };
    assert_eq!(codes(now()).await, ["AAAA", "CCCC"]);
    assert_eq!(codes(in_seconds(60)).await, [""; 0], "it expired");
    let open = async |at: &str, digest: &str, time| {
        try_within(&*ledger, at, None, &needed(digest, None), time).await
    };
    let missing = Opened::Unconfirmed(Unconfirmed::Missing);
    assert_eq!(open("A1", "d", now()).await, missing, "nobody said yes yet");
    assert!(!decide(&*ledger, "AAAA", true, in_seconds(60)).await, "too late to decide");
    assert!(decide(&*ledger, "AAAA", true, in_seconds(30)).await);
    assert!(!decide(&*ledger, "AAAA", false, in_seconds(30)).await, "it is decided");
    assert_eq!(open("A2", "d", now()).await, missing, "another number");
    assert_eq!(open("A1", "x", now()).await, missing, "other terms");
    assert_eq!(open("A1", "d", in_seconds(90)).await, missing, "it expired");
    assert!(matches!(open("A1", "d", in_seconds(89)).await, Opened::Sent(_)));
    assert_eq!(ledger.approval("AAAA").await.unwrap().unwrap().state, ApprovalState::Used);
    let history = ledger.history(&number("A1")).await.unwrap();
    assert_eq!(history.last().unwrap().detail.as_deref(), Some("approved by alice (AAAA)"));
    assert!(decide(&*ledger, "CCCC", false, now()).await);
    assert_eq!(ask(&*ledger, "DDDD", "A1", "other").await.state, ApprovalState::Declined);
}

pub(crate) async fn of_twenty_calls_with_one_approval_one_leaves(make: Make<'_>) {
    let ledger = make(scope("m1"));
    ask(&*ledger, "AAAA", "A1", "d").await;
    assert!(decide(&*ledger, "AAAA", true, now()).await);
    let ledgers: Vec<_> = (0..20).map(|_| make(scope("m1"))).collect();
    let consent = needed("d", None);
    let tries = ledgers.iter().map(|it| try_within(&**it, "A1", None, &consent, now()));
    let tries = futures::future::join_all(tries).await;
    let sent = tries.iter().filter(|it| matches!(it, Opened::Sent(_))).count();
    let taken = tries.iter().filter(|it| matches!(it, Opened::Taken(_))).count();
    assert_eq!((sent, taken), (1, 19), "who comes second is told what left: {tries:?}");
}

pub(crate) async fn more_questions_than_anybody_reads_are_not_asked(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let asked = |at: i64, of: i64, state, time: Timestamp| Asked {
        question: Question {
            number: number(&format!("A{at}x{of}")),
            lines: Vec::new(),
            digest: "d".to_owned(),
        },
        state,
        asked_by: format!("client {of}"),
        code: format!("C{at}x{of}"),
        nonce: String::new(),
        now: time,
        expires_at: time.checked_add(jiff::SignedDuration::from_secs(60)).unwrap(),
    };
    let caller = caller();
    let ask = async |asked: Asked| {
        let told = note(&caller, Happening::PersonAsked);
        ledger.ask_approval(&asked, told).await.unwrap().is_some()
    };
    let clients = MOST_WAITING.checked_div(MOST_OF_ONE).unwrap();
    for of in 0..clients {
        for at in 0..MOST_OF_ONE {
            assert!(ask(asked(at, of, ApprovalState::Waiting, now())).await);
        }
        assert!(!ask(asked(-1, of, ApprovalState::Waiting, now())).await, "its own share is full");
    }
    assert!(!ask(asked(0, -1, ApprovalState::Waiting, now())).await, "everybody's is");
    // What a client asks itself waits for nobody here.
    assert!(ask(asked(0, -2, ApprovalState::Asked, now())).await);
    assert!(ask(asked(0, -1, ApprovalState::Waiting, in_seconds(60))).await, "those have expired");
}

pub(crate) async fn a_question_that_nobody_answers_lapses_and_the_audit_says_so(make: Make<'_>) {
    let ledger = make(scope("m1"));
    ask_as(&*ledger, ApprovalState::Asked, "asked", "A1", "d").await;
    ask(&*ledger, "WAITING", "A2", "d").await;
    ask(&*ledger, "DECLINED", "A3", "d").await;
    assert!(decide(&*ledger, "DECLINED", false, now()).await);
    ask(&*ledger, "APPROVED", "A4", "d").await;
    assert!(decide(&*ledger, "APPROVED", true, now()).await);
    let caller = caller();
    let lapsed = async |at| {
        // Everybody sweeps, and each question ends once.
        let ledgers = [make(scope("m1")), make(scope("m1"))];
        let sweeps = ledgers.iter().map(|it| it.lapse(&caller, at));
        futures::future::try_join_all(sweeps).await.unwrap();
        let all = EventFilter { since: now(), until: in_seconds(99), after: None, limit: 99 };
        let all = ledger.events(&all).await.unwrap();
        let ended = all.into_iter().filter(|it| it.what == Happening::NotConfirmed);
        let mut ended: Vec<String> = ended.filter_map(|it| it.detail).collect();
        ended.sort_unstable();
        ended
    };
    assert_eq!(lapsed(in_seconds(59)).await, [""; 0]);
    let ended = lapsed(in_seconds(60)).await;
    assert_eq!(
        ended,
        [
            "an approval was not used in time (APPROVED)",
            "nobody answered in time (WAITING)",
            "nobody answered in time (asked)"
        ]
    );
    assert_eq!(lapsed(in_seconds(61)).await, ended, "once");
    let sealed = needed("d", Some(Given::Sealed { id: "asked".to_owned() }));
    let late = try_within(&*ledger, "A1", None, &sealed, now()).await;
    assert_eq!(late, Opened::Unconfirmed(Unconfirmed::Used));
}

pub(crate) async fn every_row_of_the_audit_hangs_in_one_chain(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let other = make(scope("m2"));
    // Plain, one after the other, at once, alone, with terms and without.
    let payment = open_payment(&*ledger, "A1").await;
    move_payment(&*ledger, &payment, PaymentState::Pending).await;
    let ledgers: Vec<_> = (0..20).map(|_| make(scope("m1"))).collect();
    let opened = ledgers.iter().enumerate().map(|(at, ledger)| {
        let number = format!("B{at}");
        async move { open_payment(&**ledger, &number).await }
    });
    futures::future::join_all(opened).await;
    open_payment(&*other, "A1").await;
    let caller = caller();
    let said = note(&caller, Happening::Asked).saying("咖啡 ☕ 'quoted' \\ \"");
    ledger.note(None, None, said, now()).await.unwrap();
    for (ledger, rows) in [(&ledger, 23), (&other, 1)] {
        let mut check = Check::default();
        while ledger.check(&mut check, 5).await.unwrap() {}
        assert_eq!(check.faults, [""; 0]);
        assert_eq!(check.head().unwrap().rows, rows);
        let counted = ledger.counted().await.unwrap();
        let since = u64::try_from(rows).unwrap();
        assert_eq!(counted, Counted { at_start: 0, before: 0, since });
        check.end(counted);
        assert_eq!(check.count, 0);
    }
    let all = EventFilter { since: now(), until: in_seconds(1), after: None, limit: 7 };
    let mut filter = all.clone();
    let mut read = Vec::new();
    loop {
        let page = ledger.events(&filter).await.unwrap();
        let Some(last) = page.last() else { break };
        filter.after = Some((last.at, last.id));
        read.extend(page);
    }
    assert_eq!(read.len(), 23);
    assert!(read.is_sorted_by_key(|it| (it.at, it.id)));
    let none = EventFilter { since: in_seconds(1), until: in_seconds(2), ..all };
    assert_eq!(ledger.events(&none).await.unwrap(), []);
}

/// Runs every test of this file against the store that `$make` opens in a fresh place. Without a
/// place a test has said why, and is skipped.
macro_rules! ledger_tests {
    ($place:expr, $make:expr) => {
        crate::ledger::conformance::ledger_tests!(
            $place,
            $make;
            an_opened_payment_is_sent_and_found_again_by_everybody,
            what_never_left_may_leave_again_if_it_is_the_same,
            a_payers_code_is_never_kept,
            payments_and_refunds_share_their_numbers,
            merchants_and_environments_do_not_see_each_other,
            a_change_is_kept_with_its_news_and_its_row_of_the_audit,
            a_decision_that_changes_nothing_has_its_row_too,
            of_fifty_writers_from_one_version_one_wins,
            of_fifty_that_open_one_number_one_sends,
            of_fifty_calls_in_one_process_one_sends_and_one_settles,
            of_fifty_with_the_same_terms_and_no_number_one_sends,
            the_same_terms_again_are_found_while_unfinished_or_recent,
            what_failed_does_not_stand_in_the_way_of_the_same_again,
            a_second_refund_waits_while_one_is_on_its_way,
            refunds_never_exceed_the_payment,
            of_fifty_refunds_at_once_one_leaves,
            the_unfinished_come_oldest_first_and_in_pages,
            entries_are_listed_newest_first_as_the_filter_says,
            a_lease_has_one_holder_until_it_ends,
            of_ten_at_once_within_a_limit_for_one_one_leaves,
            of_ten_refunds_within_a_limit_for_one_one_leaves,
            what_surely_moved_no_money_does_not_count_for_the_day,
            without_a_yes_nothing_is_opened_and_a_sealed_one_is_used_once,
            an_approval_is_for_one_number_and_digest_for_a_while_and_once,
            of_twenty_calls_with_one_approval_one_leaves,
            more_questions_than_anybody_reads_are_not_asked,
            a_question_that_nobody_answers_lapses_and_the_audit_says_so,
            every_row_of_the_audit_hangs_in_one_chain,
        );
    };
    ($place:expr, $make:expr; $($name:ident),+ $(,)?) => {$(
        #[tokio::test(flavor = "multi_thread")]
        async fn $name() {
            let Some(place) = $place else { return };
            let make = $make;
            crate::ledger::conformance::$name(&|scope| std::sync::Arc::new(make(&place, scope)))
            .await;
        }
    )+};
}
pub(crate) use ledger_tests;
