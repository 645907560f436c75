//! A question or a text as the terms that are compared: stemmed English words, and pairs of
//! Chinese characters folded to Simplified. Knows no codes.
use std::collections::HashMap;

use super::hints::{CHINESE_FILLERS, FILLERS, PHRASES, SIMPLIFIED, TRADITIONAL};

/// Traditional characters to Simplified ones.
#[derive(Debug)]
pub(super) struct Fold(HashMap<char, char>);

impl Fold {
    /// Learns from texts that stand in both scripts; the most frequent counterpart wins, so a word
    /// that differs (門市, 门店) does no harm where the characters stand in line.
    pub(super) fn learn(pairs: impl Iterator<Item = (&'static str, &'static str)>) -> Self {
        let mut seen: HashMap<char, HashMap<char, usize>> = HashMap::new();
        for (traditional, simplified) in pairs.chain([(TRADITIONAL, SIMPLIFIED)]) {
            if traditional.chars().count() != simplified.chars().count() {
                continue;
            }
            for (from, to) in traditional.chars().zip(simplified.chars()) {
                *seen.entry(from).or_default().entry(to).or_default() += 1;
            }
        }
        let most = |counts: &HashMap<char, usize>| {
            counts.iter().max_by_key(|(to, count)| (**count, **to)).map(|(to, _)| *to)
        };
        let pairs = seen.iter().filter_map(|(from, counts)| Some((*from, most(counts)?)));
        Self(pairs.filter(|(from, to)| from != to).collect())
    }

    fn apply(&self, text: &str) -> String {
        text.chars().map(|c| self.0.get(&c).copied().unwrap_or(c)).collect()
    }

    /// The terms of `text`.
    pub(super) fn terms(&self, text: &str) -> Vec<String> {
        let mut text = self.apply(&text.to_lowercase().replace('’', "'"));
        let fillers = CHINESE_FILLERS.iter().map(|filler| (*filler, " "));
        for (phrase, plain) in PHRASES.iter().copied().chain(fillers) {
            // Most stand nowhere, and `replace` would copy the text for each.
            if text.contains(phrase) {
                text = text.replace(phrase, plain);
            }
        }
        let mut terms = Vec::new();
        for run in text.split(|c: char| !c.is_alphanumeric()) {
            let mut rest = run;
            while !rest.is_empty() {
                let chinese = rest.chars().next().is_some_and(is_chinese);
                let end = rest.find(|c| is_chinese(c) != chinese).unwrap_or(rest.len());
                let (part, after) = rest.split_at(end);
                if chinese {
                    pairs(part, &mut terms);
                } else if !FILLERS.contains(&part) {
                    terms.push(stem(part));
                }
                rest = after;
            }
        }
        terms
    }
}

/// Whether `c` is a Chinese character.
pub(super) fn is_chinese(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}')
}

/// Each two neighbours, or the one character there is.
fn pairs(run: &str, terms: &mut Vec<String>) {
    let next = run.chars().skip(1);
    let both = run.chars().zip(next).map(|(a, b)| String::from_iter([a, b]));
    let before = terms.len();
    terms.extend(both);
    if terms.len() == before {
        terms.push(run.to_owned());
    }
}

/// The word without its English ending, so that `refunds`, `refunded` and `refunding` are one.
fn stem(word: &str) -> String {
    if word.len() <= 3 || !word.is_ascii() {
        return word.to_owned();
    }
    let mut stem = match word.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None if word.ends_with("ss") => word.to_owned(),
        None => word.strip_suffix('s').unwrap_or(word).to_owned(),
    };
    for ending in ["ing", "ed", "ly"] {
        if let Some(short) = stem.strip_suffix(ending).filter(|short| 3 <= short.len()) {
            stem = short.to_owned();
            break;
        }
    }
    if 3 < stem.len() {
        stem = stem.strip_suffix('e').unwrap_or(&stem).to_owned();
    }
    let twice = stem.bytes().rev().nth(1).filter(|b| stem.bytes().last() == Some(*b));
    if twice.is_some() && 4 < stem.len() {
        stem.pop();
    }
    stem
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_a_word_have_one_stem() {
        for forms in [
            "refund refunds refunded refunding",
            "cancel cancels cancelled canceled cancelling",
            "expire expires expired expiring",
            "duplicate duplicates duplicated",
            "currency currencies",
            "code codes",
            "process processed processing",
        ] {
            let mut stems: Vec<String> = forms.split(' ').map(stem).collect();
            stems.dedup();
            assert_eq!(stems.len(), 1, "{stems:?}");
        }
    }

    #[test]
    fn both_chinese_scripts_give_the_same_terms() {
        let fold = Fold::learn([("簽名錯誤", "签名错误")].into_iter());
        assert_eq!(fold.terms("簽名錯誤"), fold.terms("签名错误"));
        assert_eq!(fold.terms("請問 refund錯誤 是什麼意思"), ["refund", "错误"]);
        assert_eq!(TRADITIONAL.chars().count(), SIMPLIFIED.chars().count());
    }
}
