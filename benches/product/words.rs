//! The search over response codes alone, without a server around it.
use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use qfpay_mcp::spec::search;

use super::{
    Effort,
    figures::{Table, spread},
};

/// What is asked: the last is as long as a question may be, and has no word that is known.
const QUESTIONS: [(&str, &str); 5] = [
    ("a code", "1145"),
    ("English", "refund not allowed at night"),
    ("Chinese", "夜晚十一點半之後退唔到錢俾客人"),
    ("misspelt", "teh custmer's paymnet barcdoe has expird"),
    ("200 strange letters", STRANGE),
];
const STRANGE: &str = "qwertyu asdfghj zxcvbnm poiuytr lkjhgfd mnbvcxz qazwsxe rfvtgby yhnujmi \
    plokmij wsxedcr tgbyhnu ikmujny qwertyu asdfghj zxcvbnm poiuytr lkjhgfd mnbvcxz qazwsxe \
    rfvtgby yhnujmi plokmij wsxedcr";

pub(crate) fn measure(effort: Effort) -> String {
    let mut table = Table::new(["", "a search", "floor: its text in lower case"], 2);
    for (what, question) in QUESTIONS {
        let (mut searches, mut floors) = (Vec::new(), Vec::new());
        for _ in 0..effort.starts {
            floors.push(each(|| drop(black_box(black_box(question).to_lowercase()))));
            searches.push(each(|| drop(black_box(search::explain(black_box(question), 3)))));
        }
        table.row([what.to_owned(), spread(searches), spread(floors)]);
    }
    table.written("Response codes by words (aim: under 1 ms)")
}

/// What `work` takes, as the average of some hundreds.
fn each(work: impl Fn()) -> Duration {
    const TIMES: u32 = 500;
    work();
    let start = Instant::now();
    (0..TIMES).for_each(|_| work());
    start.elapsed() / TIMES
}
