//! How a payment or refund comes to be written down as sent, the same for every store.
use jiff::Timestamp;

use super::{
    Caller, Consent, Entry, Given, Happening, LedgerError, News, Note, Opened, Opening, Payment,
    Record, Refund, RefundOpened, Scope, Unconfirmed,
    rows::{Row, WrittenTerms},
    stands_against,
    store::{Approvals, ChangeRow, NewEvent, NewRow, Store},
};
use crate::{
    domain::{
        Budget, OrderNumber, PaymentEvent, PaymentState, PaymentTerms, RefundEvent, RefundState,
        RefundTerms, Shown, Spent,
    },
    spec::Field,
};

/// An entry that is to leave, with everything a transaction needs to know of it.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    scope: Scope,
    /// As it will stand.
    entry: Entry,
    terms: WrittenTerms,
    unless_repeated_since: Option<Timestamp>,
    /// What was paid, where it is a refund.
    paid_minor: Option<u64>,
    budget: Option<Budget>,
    consent: Consent,
    /// What the payer is shown, where that is known before anything is sent.
    page: Option<String>,
    caller: Caller,
    /// Tells our own write from another caller's when a lost connection makes us ask again.
    attempt: String,
    now: Timestamp,
}

/// What became of it.
#[derive(Debug)]
pub(super) enum Outcome {
    Sent(Entry),
    Taken(Entry),
    Repeats(Entry),
    Barred(RefundOpened),
    Over(Spent),
    Unconfirmed(Unconfirmed),
}

impl Wanted {
    pub(super) fn payment(scope: &Scope, opening: &Opening<'_, PaymentTerms>) -> Self {
        let mut terms = opening.terms.clone();
        terms.extras.remove(&Field::AuthCode);
        let state = match opening.page {
            Some(_) => PaymentState::AwaitingPayer,
            None => PaymentState::Sent,
        };
        let record = new_record(opening, terms, state);
        Self {
            terms: WrittenTerms::of_payment(opening.terms),
            paid_minor: None,
            ..Self::of(scope, opening, Entry::Payment(record))
        }
    }

    pub(super) fn refund(
        scope: &Scope,
        opening: &Opening<'_, RefundTerms>,
        paid_minor: u64,
    ) -> Self {
        let record = new_record(opening, opening.terms.clone(), RefundState::Sent);
        Self { paid_minor: Some(paid_minor), ..Self::of(scope, opening, Entry::Refund(record)) }
    }

    fn of<T>(scope: &Scope, opening: &Opening<'_, T>, entry: Entry) -> Self {
        Self {
            scope: scope.clone(),
            terms: written(&entry),
            entry,
            unless_repeated_since: opening.unless_repeated_since,
            paid_minor: None,
            budget: opening.budget,
            consent: opening.consent.clone(),
            page: opening.page.map(str::to_owned),
            caller: opening.caller.clone(),
            attempt: format!("{:016x}", rand::random::<u64>()),
            now: opening.now,
        }
    }

    fn number(&self) -> &OrderNumber {
        self.entry.number()
    }

    /// Whether nothing but its number can stand in its way.
    pub(super) fn is_plain(&self) -> bool {
        self.unless_repeated_since.is_none()
            && self.paid_minor.is_none()
            && self.budget.is_none()
            && self.consent == Consent::NotNeeded
    }

    /// The row of its leaving; `consent` says who said yes, where somebody had to.
    fn event(&self, consent: Option<String>) -> NewEvent {
        let what = if self.page.is_some() { Happening::Offered } else { Happening::Sent };
        let note = Note { detail: consent, ..Note::new(&self.caller, what) };
        NewEvent::new(&note).with_terms(self.terms.whole())
    }

    /// The row to add.
    pub(super) fn row(&self, consent: Option<String>) -> NewRow {
        NewRow {
            scope: self.scope.clone(),
            number: self.number().to_string(),
            terms: self.terms.clone(),
            state: self.entry.status(),
            shown: self.page.as_deref().map(shown_page),
            attempt: self.attempt.clone(),
            now_ms: self.now.as_millisecond(),
            event: self.event(consent).moving(None, self.entry.status()),
        }
    }

    pub(super) fn sent(self) -> Outcome {
        Outcome::Sent(self.entry)
    }
}

fn new_record<T, Terms, State>(
    opening: &Opening<'_, T>,
    terms: Terms,
    state: State,
) -> Record<Terms, State> {
    // As precise as it is written.
    let now = Timestamp::from_millisecond(opening.now.as_millisecond()).unwrap_or(opening.now);
    Record {
        number: opening.number.clone(),
        terms,
        state,
        version: 1,
        syssn: None,
        respcd: None,
        resperr: None,
        shown: opening.page.map(shown_page).unwrap_or_default(),
        late: false,
        created_at: now,
        sent_at: Some(now),
        updated_at: now,
    }
}

fn shown_page(address: &str) -> Shown {
    Shown { pay_url: Some(address.to_owned()), ..Shown::default() }
}

fn written(entry: &Entry) -> WrittenTerms {
    match entry {
        Entry::Payment(it) => WrittenTerms::of_payment(&it.terms),
        Entry::Refund(it) => WrittenTerms::of_refund(&it.terms),
    }
}

/// Opens it in a transaction of its own, which the caller commits whatever the outcome.
pub(super) async fn open<S: Store + Approvals>(
    store: &mut S,
    wanted: Wanted,
) -> Result<Outcome, LedgerError> {
    let scope = &wanted.scope;
    let whose = format!("{}|{}", scope.environment.name(), scope.merchant);
    if wanted.consent != Consent::NotNeeded {
        // A yes that another call under this number is using now is found used with its entry.
        store.lock(format!("number|{whose}|{}", wanted.number())).await?;
    }
    if wanted.unless_repeated_since.is_some() {
        store.lock(format!("terms|{whose}|{}", wanted.terms.digest)).await?;
    }
    if let Some(syssn) = &wanted.terms.original {
        store.lock(format!("refunds|{whose}|{syssn}")).await?;
    }
    if wanted.budget.is_some() {
        store.lock(format!("limits|{whose}|{}", wanted.terms.kind)).await?;
    }
    if let Some(row) = store.find(scope, wanted.number()).await? {
        return again(store, wanted, row).await;
    }
    if let Some(since) = wanted.unless_repeated_since {
        let since_ms = since.as_millisecond();
        let repeated = store.repeated(scope, &wanted.terms.digest, since_ms).await?;
        if let Some(row) = repeated {
            return Ok(Outcome::Repeats(row.entry()?));
        }
    }
    let consent = match admitted(store, &wanted).await? {
        Ok(consent) => consent,
        Err(outcome) => return Ok(outcome),
    };
    if store.insert(&wanted.row(consent)).await? {
        return Ok(wanted.sent());
    }
    match store.find(scope, wanted.number()).await? {
        Some(row) => again(store, wanted, row).await,
        None => Err(LedgerError::Store(format!("{} vanished", wanted.number()).into())),
    }
}

/// The number stands there already. What surely never left may leave now, if it is the same.
async fn again<S: Store + Approvals>(
    store: &mut S,
    wanted: Wanted,
    row: Row,
) -> Result<Outcome, LedgerError> {
    let ours = row.attempt.as_ref() == Some(&wanted.attempt);
    let entry = row.entry()?;
    if ours {
        return Ok(Outcome::Sent(entry));
    }
    let news = News { shown: wanted.page.as_deref().map(shown_page), ..News::default() };
    let (version, sent) = match &entry {
        Entry::Payment(it) => {
            let event =
                if wanted.page.is_some() { PaymentEvent::Offer } else { PaymentEvent::Send };
            let to = it.state.on(event).ok();
            (it.version, to.map(|to| Entry::Payment(leaving(it, to, &news, wanted.now))))
        }
        Entry::Refund(it) => {
            let to = it.state.on(RefundEvent::Send).ok();
            (it.version, to.map(|to| Entry::Refund(leaving(it, to, &news, wanted.now))))
        }
    };
    let same = written(&entry).digest == wanted.terms.digest;
    let Some(sent) = sent.filter(|_| same) else { return Ok(Outcome::Taken(entry)) };
    let consent = match admitted(store, &wanted).await? {
        Ok(consent) => consent,
        Err(outcome) => return Ok(outcome),
    };
    let change = ChangeRow {
        scope: wanted.scope.clone(),
        number: wanted.number().to_string(),
        version,
        to: sent.status(),
        news,
        attempt: Some(wanted.attempt.clone()),
        now_ms: wanted.now.as_millisecond(),
        event: wanted.event(consent).moving(Some(entry.status()), sent.status()),
    };
    if store.update(&change).await? {
        return Ok(Outcome::Sent(sent));
    }
    let fresh = store.find(&wanted.scope, wanted.number()).await?;
    Ok(Outcome::Taken(fresh.map_or(Ok(entry), Row::entry)?))
}

fn leaving<T: Clone, S: Clone>(
    record: &Record<T, S>,
    to: S,
    news: &News,
    now: Timestamp,
) -> Record<T, S> {
    let now = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    Record { sent_at: Some(now), ..record.clone().changed(to, news, now) }
}

/// Whether it may leave now, beside everything else that did: who said yes to it, where somebody had
/// to. A yes is used up last, when nothing else can stand in the way.
async fn admitted<S: Store + Approvals>(
    store: &mut S,
    wanted: &Wanted,
) -> Result<Result<Option<String>, Outcome>, LedgerError> {
    if let Some(bar) = barred(store, wanted).await? {
        return Ok(Err(Outcome::Barred(bar)));
    }
    let (scope, amount) = (&wanted.scope, wanted.terms.amount);
    if let Some(budget) = &wanted.budget {
        let spent = store.spent(scope, wanted.terms.kind, amount.currency().code, budget).await?;
        if !budget.allows(amount.minor(), spent) {
            return Ok(Err(Outcome::Over(spent)));
        }
    }
    let Consent::Needed { digest, given } = &wanted.consent else { return Ok(Ok(None)) };
    let number = wanted.number().as_str();
    let now_ms = wanted.now.as_millisecond();
    match given {
        Some(Given::Answered) => Ok(Ok(Some("a person said yes when asked".to_owned()))),
        Some(Given::Sealed { id }) => {
            if store.use_sealed(scope, id).await? {
                return Ok(Ok(Some("a person said yes when asked".to_owned())));
            }
            Ok(Err(Outcome::Unconfirmed(Unconfirmed::Used)))
        }
        None => match store.use_approval(scope, number, digest, now_ms).await? {
            Some((code, by)) => Ok(Ok(Some(format!("approved by {by} ({code})")))),
            None => Ok(Err(Outcome::Unconfirmed(Unconfirmed::Missing))),
        },
    }
}

/// What the other refunds of its payment say against it.
async fn barred<S: Store>(
    store: &mut S,
    wanted: &Wanted,
) -> Result<Option<RefundOpened>, LedgerError> {
    let (Some(paid), Some(syssn)) = (wanted.paid_minor, &wanted.terms.original) else {
        return Ok(None);
    };
    let rows = store.refunds(&wanted.scope, syssn).await?;
    let others = rows.into_iter().map(Row::refund).collect::<Result<Vec<_>, _>>()?;
    Ok(stands_against(wanted.number(), wanted.terms.amount, &others, paid))
}

impl Outcome {
    /// For a payment, which no refund bars.
    pub(super) fn of_payment(self) -> Result<Opened<Payment>, LedgerError> {
        match self {
            Self::Sent(Entry::Payment(it)) => Ok(Opened::Sent(it)),
            Self::Sent(other) | Self::Taken(other) => Ok(Opened::Taken(other)),
            Self::Repeats(entry) => Ok(Opened::Repeats(entry)),
            Self::Over(spent) => Ok(Opened::Over(spent)),
            Self::Unconfirmed(why) => Ok(Opened::Unconfirmed(why)),
            Self::Barred(bar) => Err(LedgerError::Store(format!("{bar:?} of a payment").into())),
        }
    }

    pub(super) fn of_refund(self) -> RefundOpened {
        match self {
            Self::Sent(Entry::Refund(it)) => RefundOpened::Opened(Opened::Sent(it)),
            Self::Sent(other) | Self::Taken(other) => RefundOpened::Opened(Opened::Taken(other)),
            Self::Repeats(entry) => RefundOpened::Opened(Opened::Repeats(entry)),
            Self::Over(spent) => RefundOpened::Opened(Opened::Over(spent)),
            Self::Unconfirmed(why) => RefundOpened::Opened(Opened::Unconfirmed(why)),
            Self::Barred(bar) => bar,
        }
    }
}

/// The change that moves a payment on.
pub(super) fn payment_change(
    scope: &Scope,
    payment: &Payment,
    to: PaymentState,
    news: &News,
    note: &Note<'_>,
    now: Timestamp,
) -> ChangeRow {
    change(
        scope,
        (&payment.number, payment.version, payment.state.word()),
        to.word(),
        news,
        note,
        now,
    )
}

/// The change that moves a refund on.
pub(super) fn refund_change(
    scope: &Scope,
    refund: &Refund,
    to: RefundState,
    news: &News,
    note: &Note<'_>,
    now: Timestamp,
) -> ChangeRow {
    change(scope, (&refund.number, refund.version, refund.state.word()), to.word(), news, note, now)
}

fn change(
    scope: &Scope,
    (number, version, from): (&OrderNumber, i64, &'static str),
    to: &'static str,
    news: &News,
    note: &Note<'_>,
    now: Timestamp,
) -> ChangeRow {
    ChangeRow {
        scope: scope.clone(),
        number: number.to_string(),
        version,
        to,
        news: news.clone(),
        attempt: None,
        now_ms: now.as_millisecond(),
        event: NewEvent::new(note).moving(Some(from), to).telling(news),
    }
}
