//! Every payment type QFPay names.
//!
//! Source: contract §4.1 (<https://sdk.qfapi.com/integration/api-reference/paytypes>, the in-store,
//! online-shop and POS pages). To add a type, add a row to `table.rs`; nothing else in the crate
//! lists types. Which types a merchant has been given, only QFPay knows.
mod find;
mod table;
#[cfg(test)]
mod tests;

use super::{Currency, Field, currencies::CURRENCIES, endpoints::Endpoint};
pub use find::{nearest, search};
pub use table::PAY_TYPES;

/// Who shows what to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flow {
    /// The merchant shows a QR code.
    Mpm,
    /// The payer shows a code; the merchant scans it (`auth_code`).
    Cpm,
    /// A page in a desktop browser.
    Web,
    /// A page in a mobile browser.
    Wap,
    /// A native app calls the wallet.
    App,
    /// A page inside the wallet.
    Jsapi,
    /// A mini program inside the wallet.
    Mini,
    /// A card form, through QFPay's checkout page.
    Card,
    /// A terminal on the counter.
    Pos,
}

impl Flow {
    pub const ALL: [Self; 9] = [
        Self::Mpm,
        Self::Cpm,
        Self::Web,
        Self::Wap,
        Self::App,
        Self::Jsapi,
        Self::Mini,
        Self::Card,
        Self::Pos,
    ];

    /// The flow in one lower-case word, as in arguments and replies.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mpm => "mpm",
            Self::Cpm => "cpm",
            Self::Web => "web",
            Self::Wap => "wap",
            Self::App => "app",
            Self::Jsapi => "jsapi",
            Self::Mini => "mini",
            Self::Card => "card",
            Self::Pos => "pos",
        }
    }

    /// The flow in a sentence.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Mpm => "The merchant shows a QR code and the payer scans it.",
            Self::Cpm => "The payer shows a payment code and the merchant scans it.",
            Self::Web => "The payer opens a page in a desktop browser.",
            Self::Wap => "The payer opens a page in a mobile browser.",
            Self::App => "The merchant's app opens the payer's wallet app.",
            Self::Jsapi => "The payer pays on a page inside the wallet.",
            Self::Mini => "The payer pays in a mini program inside the wallet.",
            Self::Card => "The payer enters a card, or confirms Apple Pay, on QFPay's page.",
            Self::Pos => "The payer pays at a terminal on the counter.",
        }
    }

    /// The flow of this lower-case word.
    pub fn find(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.word() == word)
    }
}

/// What a successful answer of `/trade/v1/payment` carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// `qrcode`: text to show as a QR code.
    QrCode,
    /// `pay_url`: an address to open.
    PayUrl,
    /// `web_url`: an address to open, older foreign types.
    WebUrl,
    /// `pay_params`: an object for the wallet's SDK.
    PayParams,
    /// `pay_params`: an address as text (FPS app).
    PayParamsUrl,
    /// The result itself: 0000 is paid, 1143 and 1145 are pending.
    Result,
    /// Nothing the payer could use.
    Nothing,
}

/// How a type can be used through the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// `POST /trade/v1/payment`.
    Payment,
    /// QFPay's hosted checkout page: no order exists until the payer chooses there.
    Checkout,
    /// Only a terminal.
    Terminal,
    /// Pre-authorisation, another flow.
    PreAuth,
    /// An old flow that current documents no longer describe.
    Retired,
    /// Not sold in Hong Kong.
    OtherRegion,
}

/// Whether the documents say a paid order can be refunded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refunds {
    Yes,
    No,
    /// The documents disagree; it depends on the merchant's set-up.
    Depends,
    Unknown,
}

/// Which call ends an unpaid order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancel {
    Reversal,
    Close,
}

impl Cancel {
    pub const fn endpoint(self) -> Endpoint {
        match self {
            Self::Reversal => Endpoint::Reversal,
            Self::Close => Endpoint::Close,
        }
    }
}

/// Where a type was listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// In the table the project started from.
    pub seed: bool,
    /// Named by the newest official documents: the table of one language, or a page.
    pub newest: bool,
    /// Named only by older documents.
    pub legacy: bool,
}

/// One payment type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayType {
    /// Six digits.
    pub code: &'static str,
    /// Official meaning, in English.
    pub name: &'static str,
    /// Lower-case word for the wallet or scheme, e.g. `wechat`.
    pub wallet: &'static str,
    pub flow: Flow,
    /// Where it is sold: `HK`, `overseas`, `overseas+HK`, or a country.
    pub region: &'static str,
    pub answer: Answer,
    pub service: Service,
    /// ISO codes it takes; empty means every currency of [`CURRENCIES`].
    pub currencies: &'static [&'static str],
    /// Least amount in minor units where a document states one: (currency, minor units).
    pub min_minor: &'static [(&'static str, u64)],
    pub refunds: Refunds,
    /// Days after payment in which a refund is possible, where known.
    pub refund_days: Option<u16>,
    /// Parameters it needs besides the common ones.
    pub requires: &'static [Field],
    /// Parameters it takes besides the common ones.
    pub accepts: &'static [Field],
    /// A field that this type takes only up to fewer characters than others.
    pub tighter: Option<(Field, usize)>,
    /// What `extend_info` must hold, where the type requires it.
    pub extend_info: &'static [&'static str],
    pub cancel: Option<Cancel>,
    pub listed: Listed,
    /// What else one must know; empty where there is nothing.
    pub note: &'static str,
}

impl PayType {
    /// The type with this six-digit code.
    pub fn find(code: &str) -> Option<&'static Self> {
        PAY_TYPES.iter().find(|it| it.code == code)
    }

    /// Whether `currency` can be paid with it.
    pub fn takes(&self, currency: &Currency) -> bool {
        self.currencies.is_empty() || self.currencies.contains(&currency.code)
    }

    /// The codes of the currencies it takes.
    pub fn currency_codes(&self) -> Vec<&'static str> {
        CURRENCIES.iter().filter(|it| self.takes(it)).map(|it| it.code).collect()
    }

    /// The least amount in `currency`, in minor units; 1 where nothing is documented.
    pub fn least(&self, currency: &Currency) -> u64 {
        let stated = self.min_minor.iter().find(|(code, _)| *code == currency.code);
        stated.map_or(1, |(_, minor)| *minor)
    }

    /// The call that takes a completed payment back on the day it was made: a card's void
    /// (contract §1.4). Other types are refunded.
    pub fn void(&self) -> Option<Cancel> {
        self.cancel.filter(|_| self.flow == Flow::Card)
    }

    /// Whether it can be paid with here: through the payment call, or QFPay's checkout page.
    pub const fn is_offered(&self) -> bool {
        matches!(self.service, Service::Payment | Service::Checkout)
    }

    /// Whether it uses `field`, required or optional.
    pub fn uses(&self, field: Field) -> bool {
        self.requires.contains(&field) || self.accepts.contains(&field)
    }
}

/// The wallets that can be paid with here: each once, in the order of the table.
pub fn wallets() -> Vec<&'static str> {
    let mut wallets = Vec::new();
    for it in PAY_TYPES.iter().filter(|it| it.is_offered()) {
        if !wallets.contains(&it.wallet) {
            wallets.push(it.wallet);
        }
    }
    wallets
}
