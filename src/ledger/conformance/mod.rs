//! What every ledger must do, written once and run against each store.
mod pages;
mod policy;

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;

use super::{
    Caller, Consent, Entry, Filter, Happening, Ledger, LedgerError, News, Note, Opened, Opening,
    Payment, Place, Refund, RefundOpened, Scope,
};
use crate::{
    domain::{Amount, OrderNumber, PaymentState, PaymentTerms, RefundState, RefundTerms, Shown},
    spec::{Currency, Environment, Field, PayType},
};

pub(crate) use self::{pages::*, policy::*};

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
        page: None,
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
        page: None,
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
        page: None,
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

pub(crate) async fn the_last_of_what_happened_is_told_without_who_only_asked(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let caller = caller();
    open_payment(&*ledger, "A1").await;
    for what in [Happening::Replayed, Happening::Asked, Happening::Notified, Happening::Asked] {
        ledger.note(Some(&number("A1")), None, note(&caller, what), now()).await.unwrap();
    }
    let told = async |most| {
        let happened = ledger.happened(&number("A1"), most).await.unwrap();
        happened.iter().map(|it| it.what).collect::<Vec<_>>()
    };
    assert_eq!(told(9).await, [Happening::Notified, Happening::Replayed, Happening::Sent]);
    assert_eq!(told(2).await, [Happening::Notified, Happening::Replayed]);
    assert!(make(scope("m2")).happened(&number("A1"), 9).await.unwrap().is_empty());
}

/// What fifty of them come to, all at once.
async fn fifty<F: Future<Output: Send + 'static> + Send + 'static>(
    of: impl Fn(usize) -> F,
) -> Vec<F::Output> {
    let tasks = (0..50).map(|at| tokio::spawn(of(at)));
    futures::future::join_all(tasks).await.into_iter().map(|it| it.unwrap()).collect()
}

/// Whether a writer that still has the payment as it was given wins.
async fn moves(ledger: Arc<dyn Ledger>, payment: Payment, what: Happening) -> bool {
    let (caller, news) = (caller(), News::default());
    let (to, note) = (PaymentState::Pending, note(&caller, what));
    ledger.advance_payment(&payment, to, &news, note, now()).await.unwrap().is_some()
}

pub(crate) async fn of_fifty_writers_from_one_version_one_wins(make: Make<'_>) {
    let payment = open_payment(&*make(scope("m1")), "A1").await;
    let won = fifty(|_| moves(make(scope("m1")), payment.clone(), Happening::Learned)).await;
    assert_eq!(won.into_iter().filter(|it| *it).count(), 1);
    assert_eq!(make(scope("m1")).history(&number("A1")).await.unwrap().len(), 2);
}

/// Those of fifty payments that may be sent; `of` is the number and the guard of each.
async fn sent_of_fifty(
    ledger: impl Fn() -> Arc<dyn Ledger>,
    of: impl Fn(usize) -> (String, Option<Timestamp>),
) -> Vec<Payment> {
    let opened = fifty(|at| {
        let (ledger, (number, guard)) = (ledger(), of(at));
        async move { try_payment(&*ledger, &number, 1, guard).await }
    });
    let sent = opened.await.into_iter().filter_map(|it| match it {
        Opened::Sent(payment) => Some(payment),
        Opened::Taken(_) | Opened::Repeats(_) | Opened::Over(_) | Opened::Unconfirmed(_) => None,
    });
    sent.collect()
}

pub(crate) async fn of_fifty_that_open_one_number_one_sends(make: Make<'_>) {
    let sent = sent_of_fifty(|| make(scope("m1")), |_| ("A1".to_owned(), None)).await;
    assert_eq!(sent.len(), 1);
}

pub(crate) async fn of_fifty_calls_in_one_process_one_sends_and_one_settles(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let sent = sent_of_fifty(|| ledger.clone(), |_| ("A1".to_owned(), None)).await;
    assert_eq!(sent.len(), 1);
    let moved = fifty(|_| moves(ledger.clone(), sent[0].clone(), Happening::Answered)).await;
    assert_eq!(moved.into_iter().filter(|it| *it).count(), 1);
    assert_eq!(ledger.history(&number("A1")).await.unwrap().len(), 2);
}

pub(crate) async fn of_fifty_with_the_same_terms_and_no_number_one_sends(make: Make<'_>) {
    let each = |at| (format!("P{at}"), Some(now()));
    assert_eq!(sent_of_fifty(|| make(scope("m1")), each).await.len(), 1);
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
    let opened = fifty(|at| {
        let ledger = make(scope("m1"));
        async move { try_refund(&*ledger, &format!("R{at}"), 10).await }
    });
    let opened = opened.await.into_iter();
    let sent = opened.filter(|it| matches!(it, RefundOpened::Opened(Opened::Sent(_))));
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
            the_last_of_what_happened_is_told_without_who_only_asked,
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
            a_page_is_offered_once_with_its_address_on_disk,
            what_never_left_may_be_offered_with_an_address_of_its_own,
            entries_are_listed_by_what_was_said_of_them_last,
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
