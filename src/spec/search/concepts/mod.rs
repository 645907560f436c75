//! What people call a thing, as data: many words of both languages, one concept.
//!
//! A text becomes concepts before it is compared, so a question meets a code whatever words and
//! whatever language each was written in. To teach the search a word, add it to its row.
mod deeds;
mod states;
mod things;

/// A concept with the words and phrases for it, as names itself; a comma ends a phrase. English is
/// matched by stem, fillers between its words left out; Chinese in Simplified characters; the
/// longest phrase first. A name of two words stands for two concepts. `!` before a word: its
/// contrary, as in "not enough".
type Row = (&'static str, &'static str);

/// All concepts. Those that no phrase of a code has are there to be known as something else.
pub(super) fn all() -> impl Iterator<Item = &'static Row> {
    deeds::DEEDS.iter().chain(things::THINGS).chain(states::STATES)
}

/// Words that turn the concept behind them into its contrary.
pub(super) const NOT: &[&str] = &[
    "not",
    "no",
    "never",
    "nobody",
    "none",
    "without",
    "hardly",
    "isnt",
    "wasnt",
    "hasnt",
    "havent",
    "doesnt",
    "didnt",
    "arent",
    "wont",
    "dont",
    "aint",
    "nothing",
    "不",
    "唔",
    "未",
    "冇",
    "没",
    "没有",
    "无",
    "未有",
    "冇人",
    "没人",
    "还没",
    "仲未",
    "尚未",
    "还没有",
    "未曾",
    "都未",
];

/// Concepts that are also met outside payments: beside as many strange words they fit nothing.
#[rustfmt::skip]
pub(super) const COMMON: &[&str] = &[
    "abnormal", "account", "activate", "already", "amount", "balance", "bank", "busy", "cancel", "card", "channel", "reverse", "close", "config",
    "connect", "contact", "currency", "date", "device", "disable", "down", "enter", "exist", "expire", "external", "fix",
    "full", "gaveup", "info", "key", "kind", "later", "limit", "mac", "mainland", "match", "maximum", "maybe",
    "merchant", "method", "missing", "money", "morning", "network", "night", "number", "only", "order", "original", "over",
    "owner", "partial", "password", "pay", "paycode", "payer", "place", "problem", "promo", "refund", "request", "reset",
    "result", "route", "scan", "service", "show", "slow", "status", "stopped", "store", "support", "system", "time",
    "today", "transaction", "unionpay", "unknown", "unsettled", "upload", "user", "version", "wallet", "voucher", "wait", "window",
];
/// Those among them that fit nothing, alone or with one another.
#[rustfmt::skip]
pub(super) const WEAK: &[&str] = &[
    "already", "amount", "contact", "date", "exist", "full", "info", "kind", "later", "maximum", "maybe", "morning",
    "only", "original", "over", "owner", "place", "show", "status", "support", "time", "today",
];
