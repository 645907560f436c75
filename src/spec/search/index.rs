//! Response codes by what is asked about them: the phrase that a question is most like decides, how
//! much of the question the code's phrases hold together, and how like it is to earlier questions.
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::Match;
use super::concepts::{COMMON, WEAK};
use super::examples::Examples;
use super::lexicon::{Lexicon, Term};
use super::phrases::PHRASES;
use super::text::{as_f64, is_chinese};
use crate::spec::{RESP_CODES, RespCode};

/// What a part of a text counts against the whole of it.
const CLAUSE: f64 = 0.9;
/// What a second meaning counts.
const OVERLOAD: f64 = 0.9;
/// What a next step counts.
const NEXT_STEP: f64 = 0.6;
/// Codes of older documents are met less often.
const LEGACY: f64 = 0.9;
/// What a misspelt word counts.
const MISSPELT: f64 = 0.8;
/// What it counts that all phrases of a code together hold much of the question.
const TOGETHER: f64 = 0.35;
/// How much rarity counts: a rare word is not to outweigh two that are met more often.
const RARITY: f64 = 0.65;
/// Rarity of an English word, and of two Chinese characters, that stand nowhere: only to tell
/// that a question is about something else.
const STRANGE_WORD: f64 = 2.5;
const STRANGE_PAIR: f64 = 2.0;
/// How like its best phrase a question must be for a code to fit at all.
const LIKE_MIN: f64 = 0.40;
/// How like its examples a question must be for a code to fit by them alone.
const EXAMPLES_MIN: f64 = 0.1;
/// How like its examples a question is that was asked before, whatever its words are.
const ASKED_BEFORE: f64 = 0.4;
/// How like the examples of a code against those where nothing fits; less, and it must be `SURE`ly
/// like a phrase.
const ELSEWHERE: f64 = 0.5;
const SURE: f64 = 0.7;
/// The share of the best score that another code must reach to be told beside it.
const BESIDE: f64 = 0.6;

/// A way of asking about a code.
#[derive(Debug)]
struct Phrase {
    /// Which code: its place in [`RESP_CODES`].
    at: usize,
    /// The root of the sum of the squared rarities of its terms.
    length: f64,
    weight: f64,
}

/// All phrases of all codes.
#[derive(Debug)]
pub(super) struct Index {
    lexicon: Lexicon,
    phrases: Vec<Phrase>,
    terms: HashMap<String, Known>,
    examples: Examples,
}

/// A term that stands in phrases.
#[derive(Debug, Default)]
struct Known {
    /// The fewer codes it stands for, the more it tells.
    rarity: f64,
    phrases: Vec<usize>,
    codes: BTreeSet<usize>,
}

impl Index {
    pub(super) fn of_resp_codes() -> Self {
        let spelt = RESP_CODES.iter().flat_map(texts).map(|(text, _)| text);
        let lexicon = Lexicon::new(spelt);
        let mut terms: HashMap<String, Known> = HashMap::new();
        let mut phrases = Vec::new();
        let mut holds = Vec::new();
        for (at, code) in RESP_CODES.iter().enumerate() {
            let mut said: BTreeMap<Vec<String>, f64> = BTreeMap::new();
            for (text, weight) in texts(code) {
                let mut names: Vec<String> =
                    lexicon.terms(text).into_iter().map(|it| it.name).collect();
                names.sort_unstable();
                names.dedup();
                if !names.is_empty() {
                    let most = said.entry(names).or_default();
                    *most = most.max(weight);
                }
            }
            for (names, weight) in said {
                for name in &names {
                    let known = terms.entry(name.clone()).or_default();
                    known.phrases.push(phrases.len());
                    if NEXT_STEP < weight {
                        known.codes.insert(at);
                    }
                }
                let legacy = if code.official { 1.0 } else { LEGACY };
                phrases.push(Phrase { at, length: 0.0, weight: weight * legacy });
                holds.push(names);
            }
        }
        for known in terms.values_mut() {
            let (all, codes) = (as_f64(RESP_CODES.len()), as_f64(known.codes.len()));
            known.rarity = ((all - codes + 0.5) / (codes + 0.5)).ln_1p().powf(RARITY);
        }
        for (phrase, names) in phrases.iter_mut().zip(&holds) {
            let squares =
                names.iter().filter_map(|name| terms.get(name)).map(|it| it.rarity.powi(2));
            phrase.length = squares.sum::<f64>().sqrt();
        }
        let examples = Examples::new(|text| lexicon.plain(text));
        Self { lexicon, phrases, terms, examples }
    }

    /// The codes that fit the words of `query`, best first.
    pub(super) fn search(&self, query: &str) -> Vec<Match> {
        let mut asked = self.lexicon.terms(query);
        asked.sort_unstable();
        asked.dedup_by(|a, b| a.name == b.name);
        let examples = self.examples.like(&self.lexicon.plain(query));
        let before = examples.codes.iter().copied().fold(0.0, f64::max);
        if self.is_elsewhere(&asked) && before < ASKED_BEFORE {
            return Vec::new();
        }
        // None of its words may be known, though it was asked before.
        let length = self.length(&asked).max(0.1);
        let mut by_phrase = vec![0.0; self.phrases.len()];
        let mut by_code = vec![0.0; RESP_CODES.len()];
        for term in &asked {
            let Some(known) = self.terms.get(&term.name) else { continue };
            let square = self.rarity(term) * known.rarity;
            for at in &known.phrases {
                by_phrase.get_mut(*at).into_iter().for_each(|sum| *sum += square);
            }
            for at in &known.codes {
                by_code.get_mut(*at).into_iter().for_each(|sum| *sum += square);
            }
        }
        let mut likest = vec![0.0_f64; RESP_CODES.len()];
        for (phrase, sum) in self.phrases.iter().zip(by_phrase) {
            if let Some(best) = likest.get_mut(phrase.at) {
                *best = best.max(phrase.weight * sum / (phrase.length * length));
            }
        }
        let mut found = Vec::new();
        let codes = RESP_CODES.iter().zip(likest).zip(by_code).zip(examples.codes);
        for (((code, like), held), asked_before) in codes {
            let elsewhere = asked_before < ELSEWHERE * examples.nothing;
            let by_sense = LIKE_MIN <= like && (!elsewhere || SURE < like);
            if by_sense || EXAMPLES_MIN.max(examples.nothing) <= asked_before {
                let legacy = if code.official { 1.0 } else { LEGACY };
                let score = like + TOGETHER * legacy * held / length.powi(2) + asked_before;
                found.push(Match { code, score });
            }
        }
        found.sort_by(|a: &Match, b: &Match| b.score.total_cmp(&a.score));
        let best = found.first().map_or(0.0, |it| it.score);
        found.retain(|it| BESIDE * best <= it.score);
        found
    }

    /// Whether a question is about something else: it has no word that is only met in payments, and
    /// as many strange ones as common ones, or but the most common ones. Beside a strange word, a
    /// common one that is misspelt may be strange, too.
    fn is_elsewhere(&self, asked: &[Term]) -> bool {
        let is = |it: &Term, list: &[&str]| list.contains(&it.name.as_str());
        let known: Vec<&Term> =
            asked.iter().filter(|it| self.terms.contains_key(&it.name)).collect();
        let sure: usize = known.iter().map(|it| if it.spelt { 2 } else { 1 }).sum();
        known.iter().all(|it| is(it, WEAK))
            || known.len() < asked.len()
                && sure <= asked.len()
                && known.iter().all(|it| is(it, COMMON))
    }

    /// The length of a question: that of its known terms, and more for strange ones, the more so
    /// the fewer they are, since long questions tell how it came about, too.
    fn length(&self, asked: &[Term]) -> f64 {
        let (known, strange): (Vec<&Term>, Vec<&Term>) =
            asked.iter().partition(|it| self.terms.contains_key(&it.name));
        let squares = |terms: &[&Term]| terms.iter().map(|it| self.rarity(it).powi(2)).sum::<f64>();
        let strange = squares(&strange) / as_f64(strange.len().max(1)).sqrt();
        (squares(&known) + strange).sqrt()
    }

    fn rarity(&self, term: &Term) -> f64 {
        let rarity = match self.terms.get(&term.name) {
            Some(known) => known.rarity,
            None if term.name.chars().all(is_chinese) => STRANGE_PAIR,
            None => STRANGE_WORD,
        };
        if term.spelt { rarity } else { rarity * MISSPELT }
    }
}

/// All that is said about a code, each with what it counts.
fn texts(code: &'static RespCode) -> impl Iterator<Item = (&'static str, f64)> {
    let own = [code.en, code.zh_hant, code.zh_hans].into_iter().flat_map(|text| {
        let clauses = text.split(['.', ',', '，', '。', '；']);
        clauses.map(|clause| (clause, CLAUSE)).chain([(text, 1.0)])
    });
    let overloads = code
        .overloads
        .iter()
        .flat_map(|it| it.texts.iter().copied().chain([it.meaning]).map(|text| (text, OVERLOAD)));
    let phrases = PHRASES.iter().filter(|(asked, _)| *asked == code.code);
    let own = own.chain([(code.reading.next_step, NEXT_STEP)]);
    own.chain(overloads).chain(phrases.flat_map(|(_, all)| all.split(", ")).map(|it| (it, 1.0)))
}
