//! Earlier questions, each with the codes that it is about, and how like them another is: by Chinese
//! characters and pieces of English words, whatever these mean. They find what the concepts lack a
//! word for; the concepts find what nobody has asked like this before.
use std::collections::{BTreeSet, HashMap};

use super::text::{as_f64, runs};
use crate::spec::RESP_CODES;

/// Codes, or `-` where none fits, and a question a line.
pub(super) const EXAMPLES: &str = include_str!("../../../tests/data/respcd_questions_tune.tsv");
/// Characters of a piece of a word.
const PIECE: usize = 4;
/// What the second and each further code of an example counts.
const SECOND: f64 = 0.8;
/// What each further example of a code counts against the one before, and how many count.
const NEXT: f64 = 0.6;
const MOST: usize = 4;

/// An example: its codes by their places, none where nothing fits, and the length of its pieces.
#[derive(Debug)]
struct Example {
    codes: Vec<usize>,
    length: f64,
}

/// All examples.
#[derive(Debug)]
pub(super) struct Examples {
    all: Vec<Example>,
    /// A piece, how rare it is, squared, and where it stands.
    pieces: HashMap<String, (f64, Vec<usize>)>,
}

/// How like the examples of each code a question is, and those where nothing fits; 0 to about 2.
#[derive(Debug)]
pub(super) struct Likeness {
    pub(super) codes: Vec<f64>,
    pub(super) nothing: f64,
}

impl Examples {
    /// `plain` is how texts are put before they are compared.
    pub(super) fn new(plain: impl Fn(&str) -> String) -> Self {
        let mut all = Vec::new();
        let mut pieces: HashMap<String, (f64, Vec<usize>)> = HashMap::new();
        let place = |code: &str| RESP_CODES.iter().position(|it| it.code == code);
        let own = RESP_CODES
            .iter()
            .flat_map(|it| [it.en, it.zh_hans, it.reading.next_step].map(|text| (it.code, text)));
        let told = EXAMPLES.lines().filter_map(|line| line.split_once('\t'));
        for (codes, text) in told.chain(own) {
            for piece in pieces_of(&plain(text)) {
                pieces.entry(piece).or_default().1.push(all.len());
            }
            all.push(Example { codes: codes.split('|').filter_map(place).collect(), length: 0.0 });
        }
        let count = as_f64(all.len());
        for (square, places) in pieces.values_mut() {
            *square = (count / as_f64(places.len())).ln().powi(2);
            for at in places {
                if let Some(example) = all.get_mut(*at) {
                    example.length += *square;
                }
            }
        }
        for example in &mut all {
            example.length = example.length.sqrt();
        }
        Self { all, pieces }
    }

    /// How like them `plain` is.
    pub(super) fn like(&self, plain: &str) -> Likeness {
        let strange = as_f64(self.all.len()).ln().powi(2);
        let mut shared = vec![0.0; self.all.len()];
        let mut length = 0.0;
        for piece in pieces_of(plain) {
            let Some((square, places)) = self.pieces.get(&piece) else {
                length += strange;
                continue;
            };
            length += square;
            for at in places {
                shared.get_mut(*at).into_iter().for_each(|sum| *sum += square);
            }
        }
        let mut of_code: Vec<Vec<f64>> = vec![Vec::new(); RESP_CODES.len()];
        let mut of_none = Vec::new();
        for (example, sum) in self.all.iter().zip(shared).filter(|(_, sum)| 0.0 < *sum) {
            let like = sum / (example.length * length.sqrt());
            if example.codes.is_empty() {
                of_none.push(like);
            }
            for (nth, at) in example.codes.iter().enumerate() {
                let like = if nth == 0 { like } else { like * SECOND };
                of_code.get_mut(*at).into_iter().for_each(|all| all.push(like));
            }
        }
        let codes = of_code.into_iter().map(together).collect();
        Likeness { codes, nothing: together(of_none) }
    }
}

/// The best likenesses together.
fn together(mut likes: Vec<f64>) -> f64 {
    likes.sort_by(|a, b| b.total_cmp(a));
    let weights = std::iter::successors(Some(1.0), |it| Some(it * NEXT));
    likes.iter().zip(weights).take(MOST).map(|(like, weight)| like.powf(1.5) * weight).sum()
}

/// What of a plain text is compared.
fn pieces_of(plain: &str) -> BTreeSet<String> {
    let mut pieces = BTreeSet::new();
    for (run, chinese) in runs(plain) {
        let word: Vec<char> =
            if chinese { run.chars().collect() } else { format!("^{run}$").chars().collect() };
        let lengths: &[usize] = if chinese { &[1, 2] } else { &[PIECE] };
        for length in lengths {
            pieces.extend(word.windows(*length).map(|it| it.iter().collect::<String>()));
        }
        if !chinese {
            pieces.insert(run.to_owned());
        }
    }
    pieces
}
