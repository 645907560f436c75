use super::*;

/// Questions with the code each is about, alternatives after a bar; `-` where nothing fits. The
/// words of the search are tuned on these, and they are its examples.
const TUNED_ON: &str = examples::EXAMPLES;
/// Questions that are only measured: nobody looks at which of them go wrong.
const HELD_OUT: &str = include_str!("../../../tests/data/respcd_questions_held_out.tsv");

fn codes(query: &str) -> Vec<&'static str> {
    explain(query, 3).iter().map(|it| it.code.code).collect()
}

#[test]
fn a_code_anywhere_in_the_question_wins() {
    assert_eq!(codes("what is 1145?"), ["1145"]);
    assert_eq!(codes("code:1108"), ["1108"]);
    assert_eq!(codes("1143還是1145，1143？"), ["1143", "1145"]);
    assert_eq!(codes("2999 refund"), ["2999"]);
    assert!(codes("9876").is_empty());
    assert!(codes("12345").is_empty(), "a longer number names no code");
}

/// The share of the questions where nothing fits, in percent, that must be answered with nothing.
const NOTHING: usize = 90;

/// How many of some questions were answered well.
#[derive(Default)]
struct Tally {
    all: usize,
    first: usize,
    among_three: usize,
}

impl Tally {
    /// Counts a question that `wanted` codes answer, or none where nothing fits.
    fn count(&mut self, wanted: &str, found: &[&str]) {
        let fits = |code: &&str| wanted.split('|').any(|one| one == *code);
        let nothing = wanted == "-" && found.is_empty();
        self.all += 1;
        self.first += usize::from(nothing || found.first().is_some_and(fits));
        self.among_three += usize::from(nothing || found.iter().any(fits));
    }

    /// At least so many percent of them.
    fn reaches(&self, first: usize, among_three: usize) -> bool {
        self.all * first <= self.first * 100 && self.all * among_three <= self.among_three * 100
    }
}

/// Asks `questions` and prints the figures of each language; whether they reach the floors.
fn measured(set: &str, questions: &str, first: usize, among_three: usize) -> bool {
    let mut tallies: [Tally; 3] = Default::default();
    for line in questions.lines() {
        let (wanted, question) = line.split_once('\t').unwrap();
        assert!(
            wanted == "-" || wanted.split('|').all(|it| RespCode::find(it).is_some()),
            "{line}"
        );
        let [english, chinese, nothing] = &mut tallies;
        let tally = if wanted == "-" {
            nothing
        } else if question.chars().any(text::is_chinese) {
            chinese
        } else {
            english
        };
        tally.count(wanted, &codes(question));
    }
    let floors = [(first, among_three), (first, among_three), (NOTHING, NOTHING)];
    let mut reached = true;
    for ((tally, what), (first, three)) in
        tallies.iter().zip(["English", "Chinese", "where nothing fits"]).zip(floors)
    {
        let Tally { all, first: at_first, among_three } = tally;
        eprintln!(
            "{set}, {what}: of {all}, {at_first} right at first place, {among_three} among three"
        );
        reached &= tally.reaches(first, three);
    }
    reached
}

#[test]
fn most_questions_lead_to_their_code() {
    let tuned_on = measured("tuned on", TUNED_ON, 95, 99);
    let held_out = measured("held out", HELD_OUT, 90, 97);
    assert!(tuned_on, "too few of the questions that the search is tuned on are answered");
    assert!(held_out, "too few of the questions that are held out are answered");
}

#[test]
fn no_question_is_in_both_sets() {
    let mut all: Vec<&str> = TUNED_ON
        .lines()
        .chain(HELD_OUT.lines())
        .filter_map(|it| it.split_once('\t'))
        .map(|it| it.1)
        .collect();
    let many = all.len();
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), many);
}

#[test]
fn every_code_is_found_by_its_own_texts() {
    for it in super::super::RESP_CODES {
        for text in [it.en, it.zh_hant, it.zh_hans] {
            assert!(codes(text).contains(&it.code), "{} {text}: {:?}", it.code, codes(text));
        }
    }
}

#[test]
fn a_text_of_qfpays_own_leads_first_to_a_code_that_has_it() {
    for it in super::super::RESP_CODES {
        for text in [it.en, it.zh_hant, it.zh_hans] {
            let found = explain(&text.to_uppercase(), 1);
            let has = found.first().is_some_and(|it| has_text(it.code, text));
            assert!(has, "{} {text}: {:?}", it.code, codes(text));
        }
    }
}

#[test]
fn both_chinese_scripts_find_the_same_codes() {
    for it in super::super::RESP_CODES.iter().filter(|it| it.official) {
        assert_eq!(codes(it.zh_hant).first(), codes(it.zh_hans).first(), "{}", it.code);
    }
}

#[test]
fn phrases_are_given_for_codes_that_exist_each_once() {
    assert!(phrases::PHRASES.is_sorted_by(|a, b| a.0 < b.0));
    assert!(
        phrases::PHRASES
            .iter()
            .all(|(code, all)| RespCode::find(code).is_some() && !all.is_empty())
    );
}

#[test]
fn every_word_of_a_concept_is_in_one_script_and_in_one_row() {
    let mut seen = std::collections::HashMap::new();
    for (name, words) in concepts::all() {
        for word in words.split(", ") {
            let runs: Vec<(&str, bool)> = text::runs(word).collect();
            assert!(!runs.is_empty() && runs.iter().all(|it| it.1 == runs[0].1), "{name}: {word}");
            let stems: Vec<String> = runs.iter().map(|(run, _)| text::stem(run)).collect();
            let before = seen.insert((word.starts_with('!'), stems), name);
            assert_eq!(before, None, "{word} of {name} is in another row, too");
        }
    }
}

#[test]
fn odd_questions_are_answered_with_nothing_or_little() {
    for query in ["", "   ", "???", "\u{0}\u{7}", "的", "the error code", &"退款".repeat(10_000)]
    {
        assert!(codes(query).len() <= 3, "{query:.20}");
    }
    assert!(explain("refund", 0).is_empty());
}

#[test]
fn a_number_is_a_code_only_where_it_is_one() {
    let first = |query: &str| explain(query, 3).first().map(|it| it.code.code);
    assert_eq!(first("what is 1145?"), Some("1145"));
    assert_eq!(first("code:1108"), Some("1108"));
    assert_eq!(first("1299"), None, "a code of no document");
    assert_eq!(first("I got error code 9876 on a refund"), None);
    assert_ne!(first("refund of 1100 HKD failed at night"), Some("1100"), "an amount");
    assert_ne!(first("he paid $1205 twice"), Some("1205"), "an amount");
}
