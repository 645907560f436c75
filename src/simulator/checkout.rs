//! The hosted checkout page's side of the book: is the address the merchant's, and what comes of a
//! payer's choice there (contract §1.6).
//!
//! Nobody tells us of an order before a payer chooses, so the virtual payer pays none of these.
//! Each choice is an attempt, and one number can have several: one that fails, and another; or two
//! that are both paid, in two tabs.
use std::fmt;

use jiff::{Timestamp, ToSpan as _};
use percent_encoding::percent_decode_str;

use super::{
    Desk,
    book::{BookError, Filter, NewTrade, PAYMENT, Trade},
    check::{self, Reader},
    payer::Act,
    payment::{EXPIRES, UDID, UNPAID, syssn_head},
    reply::Failure,
    wire,
};
use crate::{
    client::{
        params::Params,
        sign::{self, SignType},
    },
    domain::{Amount, time},
    spec::{Currency, Field, Flow, PAY_TYPES, PayType, pay_types::Service},
};

/// Parameters that are not signed: the signature itself, and the page's language.
const UNSIGNED: [&str; 2] = ["sign", "lang"];
/// The merchant of an agent, as it is called here.
const MERCHANT: &str = "mchntid";
/// Addresses that have to be there.
const ADDRESSES: [Field; 3] = [Field::ReturnUrl, Field::FailedUrl, Field::NotifyUrl];

/// What a page is about, once its address was found right.
#[derive(Debug)]
pub(super) struct Checkout {
    params: Params,
    pub(super) amount: Amount,
    pub(super) ends: Option<Timestamp>,
}

/// Why there is no page.
#[derive(Debug)]
pub(super) enum Unopened {
    /// All that a payer is told of a wrong signature.
    Sign,
    /// What is wrong with the parameters.
    Wrong(String),
    Book(BookError),
}

impl From<BookError> for Unopened {
    fn from(error: BookError) -> Self {
        Self::Book(error)
    }
}

impl From<Failure> for Unopened {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Refused(reply) if reply.respmsg.is_empty() => Self::Wrong(reply.resperr),
            Failure::Refused(reply) => Self::Wrong(reply.respmsg),
            Failure::Book(error) => Self::Book(error),
        }
    }
}

/// What a payer does once they have chosen a way to pay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    Pay,
    Fail,
    /// The order exists and waits, as with a wallet's QR code; it can be decided on its own page.
    Wait,
}

impl Choice {
    pub(super) const ALL: [Self; 3] = [Self::Pay, Self::Fail, Self::Wait];

    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Pay => Act::Pay.word(),
            Self::Fail => Act::Fail.word(),
            Self::Wait => "wait",
        }
    }

    pub(super) fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

impl Checkout {
    /// Reads what stands behind the `?` of a page's address.
    pub(super) fn read(desk: &Desk, query: &str) -> Result<Self, Unopened> {
        let pairs = decoded(query).ok_or(Unopened::Sign)?;
        if !is_signed(desk, &pairs) {
            return Err(Unopened::Sign);
        }
        let mut params = Params::default();
        for (name, value) in &pairs {
            params.set(name, value.as_str());
        }
        check::merchant(&desk.settings, &params, MERCHANT)?;
        let mut reader = Reader::new(&params);
        if !reader.needed("paysource").ends_with("_checkout") {
            reader.problem("paysource", "must end in _checkout");
        }
        reader.needed_field(Field::OutTradeNo);
        let made = reader.needed_time("txdtm");
        for field in ADDRESSES {
            let address = reader.needed_field(field);
            if address.len() > 256 {
                reader.problem(field.name(), "at most 256 characters here");
            }
        }
        reader.field(Field::GoodsName);
        reader.field(Field::Udid);
        let currency = reader.currency();
        let amount = reader.amount(currency);
        let ends = ends(&mut reader, made);
        reader.done()?;
        let amount = amount.ok_or_else(|| Unopened::Wrong("txamt".to_owned()))?;
        Ok(Self { params, amount, ends })
    }

    pub(super) fn text(&self, field: Field) -> &str {
        self.params.get(field.name()).unwrap_or_default()
    }

    /// Whether its time is up.
    pub(super) fn has_ended(&self, desk: &Desk) -> bool {
        self.ends.is_some_and(|it| it <= desk.settings.clock.now())
    }

    /// The ways to pay that are offered: cards first, then what can be paid in a browser.
    pub(super) fn ways(&self) -> Vec<&'static PayType> {
        let currency: &Currency = self.amount.currency();
        let takes = |it: &&PayType| it.takes(currency);
        let of = |service, flow| {
            PAY_TYPES.iter().filter(move |it| it.service == service && it.flow == flow)
        };
        let cards = of(Service::Checkout, Flow::Card).filter(takes);
        cards.chain(of(Service::Payment, Flow::Web).filter(takes)).collect()
    }

    /// What was tried on the page so far, oldest first.
    pub(super) async fn attempts(&self, desk: &Desk) -> Result<Vec<Trade>, BookError> {
        let filter = Filter {
            merchant: Some(desk.merchant.clone()),
            limit: 20,
            ..Filter::number(self.text(Field::OutTradeNo))
        };
        let mut found = desk.book.select(desk.now_ms(), &filter).await?;
        found.reverse();
        Ok(found)
    }

    /// Makes the order; false where its number was used elsewhere.
    pub(super) async fn choose(
        &self,
        desk: &Desk,
        way: &'static PayType,
        choice: Choice,
    ) -> Result<bool, BookError> {
        let now_ms = desk.now_ms();
        let sysdtm = wire(Some(now_ms));
        let notify_url = self.text(Field::NotifyUrl);
        let paid = choice == Choice::Pay;
        let udid = Some(self.text(Field::Udid)).filter(|it| !it.is_empty()).unwrap_or(UDID);
        let made = desk.book.add(NewTrade {
            merchant: &desk.merchant,
            order_type: PAYMENT,
            out_trade_no: self.text(Field::OutTradeNo),
            pay_type: way.code,
            txamt: self.amount.minor().cast_signed(),
            txcurrcd: self.amount.currency().code,
            txdtm: self.params.get("txdtm").unwrap_or_default(),
            syssn_head: syssn_head(&sysdtm, way.flow),
            sysdtm,
            created_ms: now_ms,
            udid,
            goods_name: self.text(Field::GoodsName),
            return_url: self.text(if paid { Field::ReturnUrl } else { Field::FailedUrl }),
            auth_digest: None,
            origssn: None,
            answered: "",
            waiting: UNPAID,
            pays_ms: paid.then_some(now_ms),
            expires_ms: now_ms + EXPIRES * 60_000,
            settled: (choice == Choice::Fail).then_some(Act::Fail.respcd()),
            notify_url,
            notify_due_ms: (paid && !notify_url.is_empty()).then_some(now_ms),
        });
        let Some(made) = made.await? else { return Ok(false) };
        desk.wake_notifier(&made);
        Ok(true)
    }
}

/// The pairs as the page's script decodes them: a `+` is a plus.
fn decoded(query: &str) -> Option<Vec<(String, String)>> {
    let pairs = query.split('&').map(|pair| {
        let (name, value) = pair.split_once('=')?;
        let text = |it: &str| percent_decode_str(it).decode_utf8().ok().map(String::from);
        Some((text(name)?, text(value)?))
    });
    pairs.collect()
}

fn is_signed(desk: &Desk, pairs: &[(String, String)]) -> bool {
    let value = |name: &str| pairs.iter().find(|it| it.0 == name).map(|it| it.1.as_str());
    let ours = value("appcode") == Some(desk.settings.app_code.as_str());
    let sign_type = value("sign_type").and_then(|it| SignType::from_header(Some(it)));
    let (Some(sign_type), Some(given), true) = (sign_type, value("sign"), ours) else {
        return false;
    };
    let signed = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let signed = signed.filter(|(name, value)| !UNSIGNED.contains(name) && !value.is_empty());
    sign::same(&sign::sign(signed, sign_type, &desk.settings.key), given)
}

/// `checkout_expired_time`: Unix milliseconds, or minutes from the order's own time.
fn ends(reader: &mut Reader<'_>, made: &str) -> Option<Timestamp> {
    const NAME: &str = "checkout_expired_time";
    let text = Some(reader.value(NAME)).filter(|it| !it.is_empty())?;
    let number = text.parse::<i64>().ok().filter(|_| text.bytes().all(|it| it.is_ascii_digit()));
    let ends = match (text.len(), number) {
        (13, Some(at_ms)) => Timestamp::from_millisecond(at_ms).ok(),
        (1..=3, Some(minutes)) => {
            let made = time::parse_wire(made).ok()?.to_zoned(time::qfpay_zone()).ok()?;
            made.timestamp().checked_add(minutes.minutes()).ok()
        }
        _ => None,
    };
    if ends.is_none() {
        reader.problem(NAME, format_args!("`{text}` is neither minutes nor Unix milliseconds"));
    }
    ends
}

impl fmt::Display for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pay => "Pay",
            Self::Fail => "Fail",
            Self::Wait => "Leave it unpaid",
        })
    }
}
