//! Response codes by the terms of their texts, ranked by BM25. Knows no question in advance.
use std::collections::{BTreeMap, HashMap};

use super::hints::HINTS;
use super::text::{Fold, is_chinese};
use super::{Match, words};
use crate::spec::{RESP_CODES, RespCode};

/// How soon repeating a term in a text stops to count.
const SATURATION: f64 = 1.2;
/// How far a long text is held back against a short one.
const LENGTH: f64 = 0.35;
/// The share of a question, by weight, that the texts of a code must hold for it to fit at all.
const COVERAGE_MIN: f64 = 0.4;
/// What a misspelt term counts against one spelt right.
const MISSPELT: f64 = 0.7;
/// What a pair of Chinese characters that stands nowhere counts: most cross a word's border.
const STRANGE_PAIR: f64 = 0.25;
/// Codes of older documents are met less often.
const LEGACY: f64 = 0.85;

/// What a term counts by where it stands.
const TEXT: f64 = 2.0;
const HINT: f64 = 1.5;
const OVERLOAD: f64 = 1.0;
const NEXT_STEP: f64 = 0.3;

/// A term in the texts of one code.
#[derive(Debug, Clone, Copy)]
struct Posting {
    /// Which code: its place in [`RESP_CODES`].
    at: usize,
    /// How often, by weight.
    weight: f64,
}

/// All terms of all codes.
#[derive(Debug)]
pub(super) struct Index {
    fold: Fold,
    postings: HashMap<String, Vec<Posting>>,
    /// The weight of all terms of each code against the average.
    lengths: Vec<f64>,
}

/// A question's term with its rarity and where it stands.
struct Asked<'a> {
    rarity: f64,
    /// 1, or less where the term was misspelt.
    trust: f64,
    postings: &'a [Posting],
}

impl Index {
    pub(super) fn of_resp_codes() -> Self {
        let fold = Fold::learn(RESP_CODES.iter().map(|it| (it.zh_hant, it.zh_hans)));
        let mut postings: HashMap<String, Vec<Posting>> = HashMap::new();
        let mut lengths = Vec::new();
        for (at, code) in RESP_CODES.iter().enumerate() {
            let weights = weigh(&fold, code);
            lengths.push(weights.values().sum());
            for (term, weight) in weights {
                postings.entry(term).or_default().push(Posting { at, weight });
            }
        }
        let average = mean(&lengths);
        for length in &mut lengths {
            *length /= average;
        }
        Self { fold, postings, lengths }
    }

    /// The codes that fit the words of `query`, best first.
    pub(super) fn search(&self, query: &str) -> Vec<Match> {
        let mut terms = self.fold.terms(query);
        terms.sort_unstable();
        terms.dedup();
        let asked: Vec<Asked<'_>> = terms.iter().map(|term| self.look_up(term)).collect();
        let whole: f64 = asked.iter().map(|it| it.rarity).sum();
        let mut found = Vec::new();
        // By term and not by code: most codes hold none of the terms.
        let mut sums = vec![(0.0, 0.0); self.lengths.len()];
        for (it, posting) in asked.iter().flat_map(|it| it.postings.iter().map(move |at| (it, at)))
        {
            let at = posting.at;
            let (Some((score, covered)), Some(length)) = (sums.get_mut(at), self.lengths.get(at))
            else {
                continue;
            };
            let held = SATURATION * (1.0 - LENGTH + LENGTH * length);
            let frequency = posting.weight * (SATURATION + 1.0) / (posting.weight + held);
            *score += it.rarity * it.trust * frequency;
            if OVERLOAD <= posting.weight {
                *covered += it.rarity * it.trust;
            }
        }
        for (code, (score, covered)) in RESP_CODES.iter().zip(sums) {
            if 0.0 < covered && COVERAGE_MIN * whole <= covered {
                let score = score * (covered / whole) * if code.official { 1.0 } else { LEGACY };
                found.push(Match { code, score });
            }
        }
        found.sort_by(|a, b| b.score.total_cmp(&a.score));
        found
    }

    /// Where `term` stands, or else the nearest spelling of it.
    fn look_up(&self, term: &str) -> Asked<'_> {
        if let Some(postings) = self.postings.get(term) {
            return Asked { rarity: self.rarity(postings.len()), trust: 1.0, postings };
        }
        if term.chars().all(is_chinese) {
            return Asked { rarity: self.rarity(0) * STRANGE_PAIR, trust: 0.0, postings: &[] };
        }
        let near = self.postings.iter().filter(|(known, _)| words::is_near(term, known));
        let nearest = near.min_by_key(|(known, _)| (words::edit_distance(term, known), *known));
        match nearest {
            Some((_, postings)) => {
                Asked { rarity: self.rarity(postings.len()), trust: MISSPELT, postings }
            }
            None => Asked { rarity: self.rarity(0), trust: 0.0, postings: &[] },
        }
    }

    /// The weight of a term that stands in `codes` codes: the fewer, the more it tells.
    fn rarity(&self, codes: usize) -> f64 {
        let (all, codes) = (as_f64(self.lengths.len()), as_f64(codes));
        ((all - codes + 0.5) / (codes + 0.5)).ln_1p()
    }
}

/// The terms of a code, each with how often it stands there by weight.
fn weigh(fold: &Fold, code: &RespCode) -> BTreeMap<String, f64> {
    let mut texts =
        vec![(TEXT, code.en), (TEXT, code.zh_hans), (NEXT_STEP, code.reading.next_step)];
    if fold.terms(code.zh_hant) != fold.terms(code.zh_hans) {
        texts.push((TEXT, code.zh_hant));
    }
    for it in code.overloads {
        texts.push((OVERLOAD, it.meaning));
        texts.extend(it.texts.iter().map(|text| (OVERLOAD, *text)));
    }
    let own = HINTS.iter().filter(|(hinted, _)| *hinted == code.code);
    texts.extend(own.flat_map(|(_, hints)| hints.split(", ")).map(|hint| (HINT, hint)));
    let mut weights = BTreeMap::new();
    for (weight, text) in texts {
        for term in fold.terms(text) {
            *weights.entry(term).or_default() += weight;
        }
    }
    weights
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / as_f64(numbers.len()).max(1.0)
}

/// A small count as a number to reckon with.
fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}
