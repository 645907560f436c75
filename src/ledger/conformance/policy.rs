//! Limits, consents and the chain: what every ledger must hold of the policy.
use super::*;
use crate::{
    domain::{Budget, Question, Spent},
    ledger::{
        Approval, ApprovalState, Asked, Check, Counted, Decision, EventFilter, Given, Kind,
        MOST_OF_ONE, MOST_WAITING, Unconfirmed,
    },
};

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
        page: None,
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
    let counted = ledger.counted().await.unwrap();
    assert_eq!(counted, Counted { at_start: 2, before: left, since: 1, waiting: 0 });
    let mut check = Check::default();
    while ledger.check(&mut check, 5).await.unwrap() {}
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
                page: None,
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
    // Ten states, three of which moved nothing; the hour counts all but what never left.
    assert_eq!(spent, Spent { today_minor: 700, last_hour: 9 });
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
        let counted = ledger.counted().await.unwrap();
        let mut check = Check::default();
        while ledger.check(&mut check, 5).await.unwrap() {}
        assert_eq!(check.faults, [""; 0]);
        assert_eq!(check.head().unwrap().rows, rows);
        let since = u64::try_from(rows).unwrap();
        assert_eq!(counted, Counted { at_start: 0, before: 0, since, waiting: 0 });
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
