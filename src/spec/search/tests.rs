use super::*;

/// Questions with the code each is about, alternatives after a bar; `-` where nothing fits.
const QUESTIONS: &str = include_str!("../../../tests/data/respcd_questions.tsv");

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

#[test]
fn most_questions_lead_to_their_code() {
    let (mut first, mut among_three, mut all) = (0, 0, 0);
    for line in QUESTIONS.lines() {
        let (wanted, question) = line.split_once('\t').unwrap();
        let found = codes(question);
        if wanted == "-" {
            assert!(found.is_empty(), "{question}: {found:?}");
            continue;
        }
        let is_wanted = |code: &&'static str| wanted.split('|').any(|one| one == *code);
        assert!(wanted.split('|').all(|one| RespCode::find(one).is_some()), "{line}");
        all += 1;
        first += usize::from(found.first().is_some_and(is_wanted));
        among_three += usize::from(found.iter().any(&is_wanted));
        if !found.first().is_some_and(is_wanted) {
            eprintln!("{wanted} wanted, {found:?} found: {question}");
        }
    }
    eprintln!("{first} of {all} at first place, {among_three} among three");
    assert!(all * 93 <= first * 100, "{first} of {all} at first place");
    assert!(all * 97 <= among_three * 100, "{among_three} of {all} among three");
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
fn both_chinese_scripts_find_the_same_codes() {
    for it in super::super::RESP_CODES.iter().filter(|it| it.official) {
        assert_eq!(codes(it.zh_hant).first(), codes(it.zh_hans).first(), "{}", it.code);
    }
}

#[test]
fn hints_are_given_for_codes_that_exist_each_once() {
    assert!(hints::HINTS.is_sorted_by(|a, b| a.0 < b.0));
    assert!(
        hints::HINTS.iter().all(|(code, hint)| RespCode::find(code).is_some() && !hint.is_empty())
    );
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
