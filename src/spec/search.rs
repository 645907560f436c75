//! From a code or from words to response codes, in memory and without a model.
use super::RespCode;

/// A code that fits a question, best first in a list.
#[derive(Debug, Clone, Copy)]
pub struct Match {
    pub code: &'static RespCode,
    /// Higher fits better; only comparable within one question.
    pub score: f64,
}

/// The codes that fit `query`, best first, at most `limit`; empty when nothing fits.
pub fn explain(query: &str, limit: usize) -> Vec<Match> {
    let exact = RespCode::find(query.trim());
    exact.into_iter().take(limit).map(|code| Match { code, score: 1.0 }).collect()
}
