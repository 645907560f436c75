//! From a code or from words to response codes, in memory and without a model.
//!
//! A code that stands alone or is called one wins, and a number that is called a code and is none
//! fits nothing. Otherwise the question becomes concepts (`lexicon.rs`, from the words of
//! `concepts.rs`: "money back" and 退錢 are one), and so did all that is said about a code: QFPay's
//! texts in three languages, overloaded meanings, and the ways of asking in `phrases.rs`. The codes
//! whose phrases, and whose earlier questions (`examples.rs`), are most like the question come first
//! (`index.rs`). It knows nothing of orders: it explains codes.
mod chinese;
mod concepts;
mod examples;
mod fillers;
mod index;
mod lexicon;
mod phrases;
mod text;
pub(in crate::spec) mod words;

use std::sync::LazyLock;

use super::RespCode;
use index::Index;

/// Characters of a question that are read.
const QUERY_MAX: usize = 300;

/// A code that fits a question, best first in a list.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    pub code: &'static RespCode,
    /// Higher fits better; only comparable within one question.
    pub score: f64,
}

static INDEX: LazyLock<Index> = LazyLock::new(Index::of_resp_codes);

/// Makes ready what [`explain`] searches in, for which the first question would wait some twenty
/// milliseconds.
pub fn prepare() {
    LazyLock::force(&INDEX);
}

/// The codes that fit `query`, best first, at most `limit`; empty when nothing fits.
pub fn explain(query: &str, limit: usize) -> Vec<Match> {
    let query: String = query.chars().take(QUERY_MAX).collect();
    let numbers = numbers(&query);
    let mut found: Vec<Match> = Vec::new();
    for code in numbers.iter().filter_map(|it| RespCode::find(it.digits)) {
        if !found.iter().any(|it| it.code.code == code.code) {
            found.push(Match { code, score: 1.0 });
        }
    }
    if found.is_empty() && !numbers.iter().any(|it| it.called_a_code) {
        found = INDEX.search(&query);
        // Who gives QFPay's own words means the code that has them.
        found.sort_by_key(|it| !has_text(it.code, &query));
    }
    found.truncate(limit);
    found
}

/// Whether `text` is one of the code's own texts, but for case and marks at its ends.
fn has_text(code: &RespCode, text: &str) -> bool {
    let bare = |text: &str| text.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    let text = bare(text);
    [code.en, code.zh_hant, code.zh_hans].into_iter().any(|it| bare(it) == text)
}

/// Four digits in a question.
struct Number<'a> {
    digits: &'a str,
    /// The question says that it is a code, or is nothing else.
    called_a_code: bool,
}

/// Words that make the number behind them a code.
const CODE_WORDS: &[&str] = &[
    "code",
    "codes",
    "respcd",
    "error",
    "err",
    "代碼",
    "代码",
    "錯誤碼",
    "错误码",
    "返回碼",
    "返回码",
];
/// Words that make the number beside them an amount.
const MONEY_WORDS: &[&str] = &[
    "dollar", "dollars", "usd", "hkd", "hk", "cents", "cny", "jpy", "yen", "元", "蚊", "块", "塊",
];

/// The numbers of four digits in `query`, but for amounts of money.
fn numbers(query: &str) -> Vec<Number<'_>> {
    let lower = query.to_lowercase();
    let words: Vec<&str> = query
        .split(|c: char| !c.is_ascii_digit() && (c.is_whitespace() || c.is_ascii_punctuation()))
        .filter(|it| !it.is_empty())
        .collect();
    let mut found = Vec::new();
    for part in query.split(|c: char| !c.is_ascii_digit()).filter(|it| it.len() == 4) {
        let Some(at) = query.find(part) else { continue };
        let (before, behind) = (lower.get(..at), lower.get(at.saturating_add(4)..));
        let (before, behind) =
            (before.unwrap_or_default().trim(), behind.unwrap_or_default().trim());
        let money = before.ends_with(['$', '¥', '€'])
            || MONEY_WORDS.iter().any(|it| behind.starts_with(it) || before.ends_with(it));
        if money {
            continue;
        }
        let before = before.trim_end_matches([':', '=', '#', '"', '\'']).trim();
        let called = CODE_WORDS.iter().any(|it| before.ends_with(it)) || words.len() == 1;
        found.push(Number { digits: part, called_a_code: called });
    }
    found
}

#[cfg(test)]
mod tests;
