//! What every ledger must hold of payments that are offered on a checkout page.
use super::*;

const PAGE: &str = "https://qfpay.example/checkstand/#/?sign=1";

async fn offer(ledger: &dyn Ledger, at: &str, page: &str) -> Opened<Payment> {
    let (number, terms, caller) = (number(at), terms(100), caller());
    let opening = Opening {
        number: &number,
        terms: &terms,
        unless_repeated_since: None,
        budget: None,
        consent: &Consent::NotNeeded,
        page: Some(page),
        caller: &caller,
        now: now(),
    };
    ledger.open_payment(opening).await.unwrap()
}

pub(crate) async fn a_page_is_offered_once_with_its_address_on_disk(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let Opened::Sent(payment) = offer(&*ledger, "A1", PAGE).await else { panic!() };
    assert_eq!(payment.state, PaymentState::AwaitingPayer);
    assert_eq!(payment.shown.pay_url.as_deref(), Some(PAGE));
    let entry = Entry::Payment(payment.clone());
    let other = make(scope("m1"));
    assert_eq!(other.find(&number("A1")).await.unwrap(), Some(entry.clone()));
    let again = offer(&*other, "A1", "https://qfpay.example/checkstand/#/?sign=2").await;
    assert_eq!(again, Opened::Taken(entry.clone()));
    assert_eq!(other.unfinished(None, 9).await.unwrap(), [entry]);
    assert_eq!(repeats(&*other).await.as_deref(), Some("A1"));
    let history = other.history(&number("A1")).await.unwrap();
    let told: Vec<_> = history.iter().map(|it| (it.what, it.to.as_deref())).collect();
    assert_eq!(told, [(Happening::Offered, Some("awaiting_payer"))]);
}

pub(crate) async fn what_never_left_may_be_offered_with_an_address_of_its_own(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let payment = open_payment(&*ledger, "A1").await;
    move_payment(&*ledger, &payment, PaymentState::Intended).await;
    let Opened::Sent(offered) = offer(&*ledger, "A1", PAGE).await else { panic!() };
    assert_eq!((offered.state, offered.version), (PaymentState::AwaitingPayer, 3));
    assert_eq!(ledger.find(&number("A1")).await.unwrap(), Some(Entry::Payment(offered)));
}

pub(crate) async fn entries_are_listed_by_what_was_said_of_them_last(make: Make<'_>) {
    let ledger = make(scope("m1"));
    let caller = caller();
    for (at, said) in [("A1", Some("gone")), ("A2", Some("other")), ("A3", None)] {
        let payment = open_payment(&*ledger, at).await;
        let news = News { resperr: said.map(str::to_owned), ..News::default() };
        let what = note(&caller, Happening::GivenUp);
        let to = PaymentState::Failed;
        ledger.advance_payment(&payment, to, &news, what, now()).await.unwrap().unwrap();
    }
    let filter = Filter { resperr: Some("gone".to_owned()), limit: 9, ..Filter::default() };
    let found = ledger.list(&filter).await.unwrap();
    let found: Vec<&str> = found.iter().map(|it| it.number().as_str()).collect();
    assert_eq!(found, ["A1"]);
}
