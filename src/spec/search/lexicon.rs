//! A text as the concepts and words that are compared. Knows no codes.
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::chinese::Fold;
use super::concepts::{self, NOT};
use super::fillers::{CHINESE_FILLERS, FILLERS, REWRITES};
use super::text::{runs, stem};
use super::words;

/// Characters of the longest Chinese word.
const LONGEST: usize = 8;
/// Any number in a phrase.
const NUMBER: &str = "#";
/// Words of fewer letters are taken as they are, unless one is too many or lacks.
const SHORT: usize = 5;
/// From how many letters on a wrong letter is a mistake, whichever it is.
const SURE: usize = 7;
/// The most slips in a word; each changes two letters at most.
const SLIPS: u32 = 2;
/// How many fillers may stand between two words of a phrase: "gave me the money back".
const BETWEEN: usize = 2;
/// How many terms behind a "not" it may deny: "not yet confirmed", "not a valid code".
const REACH: usize = 2;

/// A concept, or a word that is in none.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Term {
    pub(super) name: String,
    /// Whether it was spelt right.
    pub(super) spelt: bool,
}

/// What a word or phrase stands for.
#[derive(Debug, Clone)]
enum Entry {
    Concepts(Vec<&'static str>),
    Not,
    Filler,
}

/// All words the search knows.
#[derive(Debug)]
pub(super) struct Lexicon {
    fold: Fold,
    chinese: HashMap<String, Entry>,
    /// English phrases by the first word, the longest first; each with its other words.
    english: HashMap<String, Vec<(Vec<String>, Entry)>>,
    /// From a term to the concepts that are its contrary.
    contraries: HashMap<String, &'static str>,
    /// English words as they are met, each with its letters and its stem.
    spellings: HashMap<String, (u64, String)>,
    stems: HashSet<String>,
    fillers: HashSet<&'static str>,
    /// Phrases with their letters, and how each is put plainly.
    rewrites: Vec<(u64, &'static str, &'static str)>,
}

/// An English word of a text.
struct Word {
    stem: Term,
    filler: bool,
}

impl Word {
    fn is_number(&self) -> bool {
        self.stem.name.bytes().all(|b| b.is_ascii_digit())
    }

    fn is(&self, wanted: &str) -> bool {
        self.stem.name == wanted || wanted == NUMBER && self.is_number()
    }
}

impl Lexicon {
    /// Of the tables; `texts` are further texts whose words are known to be spelt right.
    pub(super) fn new(texts: impl Iterator<Item = &'static str>) -> Self {
        let mut it = Self {
            fold: Fold::new(),
            chinese: HashMap::new(),
            english: HashMap::new(),
            contraries: HashMap::new(),
            spellings: HashMap::new(),
            stems: HashSet::new(),
            fillers: FILLERS.iter().copied().collect(),
            rewrites: REWRITES
                .iter()
                .map(|(from, to)| (words::letters(from), *from, *to))
                .collect(),
        };
        for word in CHINESE_FILLERS {
            it.enter(word, &Entry::Filler);
        }
        let rows = || concepts::all().map(|(name, words)| (*name, words.split(", ")));
        for (name, words) in rows() {
            let concepts: Vec<&'static str> = name.split(' ').collect();
            let itself = Some(name).filter(|_| concepts.len() == 1);
            let entry = Entry::Concepts(concepts);
            words
                .filter(|word| !word.starts_with('!'))
                .chain(itself)
                .for_each(|word| it.enter(word, &entry));
        }
        for word in NOT {
            it.enter(word, &Entry::Not);
        }
        it.english.values_mut().for_each(|all| all.sort_by_key(|(rest, _)| Reverse(rest.len())));
        for (name, words) in rows() {
            for word in words.filter_map(|word| word.strip_prefix('!')) {
                it.learn(&it.plain(word));
                if let [term] = it.terms(word).as_slice() {
                    it.contraries.entry(term.name.clone()).or_insert(name);
                }
            }
        }
        for text in FILLERS.iter().copied().chain(texts) {
            it.learn(&it.plain(text));
        }
        it
    }

    /// Puts down what a word or phrase of a table stands for.
    fn enter(&mut self, text: &str, entry: &Entry) {
        let plain = self.plain(text);
        let mut words = runs(&plain);
        let Some((first, chinese)) = words.next() else { return };
        if chinese {
            self.chinese.insert(first.to_owned(), entry.clone());
            return;
        }
        let rest = words.map(|(word, _)| stem(word)).collect();
        self.english.entry(stem(first)).or_default().push((rest, entry.clone()));
        self.learn(&plain);
    }

    /// Remembers how the English words of a plain text are spelt.
    fn learn(&mut self, plain: &str) {
        for (word, _) in runs(plain).filter(|(_, chinese)| !chinese) {
            let stem = stem(word);
            if word.len() > 3 {
                self.spellings.insert(word.to_owned(), (words::letters(word), stem.clone()));
            }
            self.stems.insert(stem);
        }
    }

    /// In lower case and Simplified characters, without what says nothing.
    pub(super) fn plain(&self, text: &str) -> String {
        let mut text = text.to_lowercase();
        let mut held = words::letters(&text);
        for (letters, phrase, plain) in &self.rewrites {
            // Most stand nowhere, and `replace` would copy the text for each.
            if letters & !held == 0 && text.contains(phrase) {
                text = text.replace(phrase, plain);
                held = words::letters(&text);
            }
        }
        self.fold.apply(&text)
    }

    /// The terms of `text`, in its order.
    pub(super) fn terms(&self, text: &str) -> Vec<Term> {
        let text = self.plain(text);
        let mut found = Found { lexicon: self, terms: Vec::new(), denied: 0 };
        let mut english = Vec::new();
        for (run, chinese) in runs(&text) {
            if chinese {
                found.english(&english);
                english.clear();
                found.chinese(run);
            } else {
                english.push(self.word(run));
            }
        }
        found.english(&english);
        found.terms
    }

    /// A word, or the one it was meant to be.
    fn word(&self, word: &str) -> Word {
        // Numbers only tell in phrases.
        let filler = self.fillers.contains(word) || word.starts_with(|c: char| c.is_ascii_digit());
        let stem = stem(word);
        let known = filler || self.stems.contains(&stem);
        match (!known).then(|| self.meant(word)).flatten() {
            Some((spelt, meant)) => Word {
                stem: Term { name: meant.to_owned(), spelt: false },
                filler: self.fillers.contains(spelt),
            },
            None => Word { stem: Term { name: stem, spelt: true }, filler },
        }
    }

    /// The known word that is nearest to an unknown one, with its stem.
    fn meant(&self, word: &str) -> Option<(&str, &str)> {
        if !word.bytes().all(|b| b.is_ascii_alphabetic()) {
            return None;
        }
        let letters = words::letters(word);
        let same_start = |spelt: &str| spelt.bytes().next() == word.bytes().next();
        let near = self.spellings.iter().filter(|(spelt, (its, _))| {
            let others = (letters ^ its).count_ones();
            // In a short word other letters make another word more often than a mistake.
            let other_word = word.len() == spelt.len()
                && (word.len() < SHORT || word.len() < SURE && 0 < others && !same_start(spelt));
            others <= 2 * SLIPS && !other_word && words::is_near(word, spelt)
        });
        let nearest = near.min_by_key(|(spelt, _)| {
            (words::edit_distance(word, spelt), !same_start(spelt), spelt.as_str())
        });
        nearest.map(|(spelt, (_, stem))| (spelt.as_str(), stem.as_str()))
    }

    /// The longest phrase that `words` begin with, fillers between its words left out; whether all
    /// of it was spelt right, and the words behind it.
    fn phrase<'a>(&self, words: &'a [Word]) -> Option<(&Entry, bool, &'a [Word])> {
        let (first, after) = words.split_first()?;
        let number = first.is_number().then(|| self.english.get(NUMBER)).flatten();
        let phrases = self.english.get(&first.stem.name).into_iter().chain(number);
        phrases.flatten().find_map(|(rest, entry)| {
            let (mut spelt, mut left) = (first.stem.spelt, after);
            for wanted in rest {
                let at = left
                    .iter()
                    .take(1 + BETWEEN)
                    .position(|it| it.stem.name == *wanted || !it.filler)?;
                let word = left.get(at).filter(|it| it.is(wanted))?;
                spelt &= word.stem.spelt;
                left = left.get(at + 1..)?;
            }
            Some((entry, spelt, left))
        })
    }
}

/// Terms as they are found, from left to right.
struct Found<'a> {
    lexicon: &'a Lexicon,
    terms: Vec<Term>,
    /// How many more terms a "not" waits for the one it denies.
    denied: usize,
}

impl Found<'_> {
    fn english(&mut self, words: &[Word]) {
        let mut rest = words;
        while let Some((first, after)) = rest.split_first() {
            let phrase = self.lexicon.phrase(rest);
            rest = phrase.as_ref().map_or(after, |(.., behind)| behind);
            match phrase {
                Some((entry, spelt, _)) => self.entry(entry, spelt),
                None if first.filler => (),
                None => self.term(first.stem.clone()),
            }
        }
    }

    fn chinese(&mut self, run: &str) {
        let mut strange = String::new();
        let mut rest = run;
        while let Some(first) = rest.chars().next() {
            let ends: Vec<usize> =
                rest.char_indices().map(|(at, c)| at + c.len_utf8()).take(LONGEST).collect();
            let known = ends.iter().rev().find_map(|end| {
                let (word, after) = rest.split_at_checked(*end)?;
                Some((self.lexicon.chinese.get(word)?, after))
            });
            if let Some((entry, after)) = known {
                self.strange(&strange);
                strange.clear();
                self.entry(entry, true);
                rest = after;
            } else {
                strange.push(first);
                rest = rest.get(first.len_utf8()..).unwrap_or_default();
            }
        }
        self.strange(&strange);
    }

    /// Characters that are in no word that is known: each two neighbours are a term, or the one
    /// there is.
    fn strange(&mut self, characters: &str) {
        let next = characters.chars().skip(1);
        let before = self.terms.len();
        for (a, b) in characters.chars().zip(next) {
            self.term(Term { name: String::from_iter([a, b]), spelt: true });
        }
        if before == self.terms.len() && !characters.is_empty() {
            self.term(Term { name: characters.to_owned(), spelt: true });
        }
    }

    fn entry(&mut self, entry: &Entry, spelt: bool) {
        match entry {
            Entry::Concepts(concepts) => {
                for concept in concepts {
                    self.term(Term { name: (*concept).to_owned(), spelt });
                }
            }
            Entry::Not => self.denied = REACH,
            Entry::Filler => (),
        }
    }

    fn term(&mut self, term: Term) {
        let contrary = self.lexicon.contraries.get(&term.name).filter(|_| self.denied > 0);
        self.denied = if contrary.is_some() { 0 } else { self.denied.saturating_sub(1) };
        match contrary {
            Some(names) => self.terms.extend(
                names.split(' ').map(|name| Term { name: name.to_owned(), spelt: term.spelt }),
            ),
            None => self.terms.push(term),
        }
    }
}
