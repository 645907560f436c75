#![expect(clippy::arithmetic_side_effects, reason = "a test that overflows fails")]
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use futures::FutureExt as _;
use jiff::{Span, Timestamp, civil::DateTime};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::{
    client::{
        Exchange, Gateway, Notification, NotificationError, Page, Query, SignatureCheck, Trouble,
    },
    domain::{
        Ending, OrderNumber, PaymentTerms, RefundTerms,
        time::{self, Window},
    },
    payments::{
        Payments,
        reconcile::read::{Halt, Reading},
        tests::world::World,
    },
    spec::pay_types::Cancel,
};

/// A QFPay that lists records, and how it does so.
#[derive(Debug, Default)]
struct List {
    records: Vec<(String, DateTime)>,
    /// In what order.
    oldest_first: bool,
    shuffled: bool,
    /// Smaller pages than asked for.
    most: Option<usize>,
    /// Every page is the first one.
    stuck: bool,
    /// Pages behind this one are refused.
    last_page: Option<usize>,
    /// So many questions get no answer, from the nth on.
    lost: Option<(usize, usize)>,
    asked: Mutex<usize>,
}

impl List {
    /// `count` records, `each` of them in the same second.
    fn of(count: usize, each: usize) -> Self {
        let start: DateTime = "2026-11-23T01:00:00".parse().unwrap();
        let at = |nth: usize| {
            let seconds = i64::try_from(nth / each).unwrap();
            start.checked_add(Span::new().seconds(seconds)).unwrap()
        };
        let records = (0..count).map(|nth| (format!("{nth:06}"), at(nth))).collect();
        Self { records, ..Self::default() }
    }

    fn answer(&self, query: &Query) -> String {
        let window = query.window.unwrap();
        let is_in = |it: &&(String, DateTime)| window.start <= it.1 && it.1 <= window.end;
        let mut listed: Vec<&(String, DateTime)> = self.records.iter().filter(is_in).collect();
        if !self.oldest_first {
            listed.reverse();
        }
        if self.shuffled {
            listed.sort_by_key(|it| it.0.bytes().rev().collect::<Vec<_>>());
        }
        let page = if self.stuck { 1 } else { small(query.page) };
        if self.last_page.is_some_and(|last| page > last) {
            return json!({"respcd": "1104", "resperr": "page"}).to_string();
        }
        let size = small(query.page_size).min(self.most.unwrap_or(usize::MAX));
        let listed = listed.into_iter().skip((page - 1) * size).take(size);
        let data: Vec<_> = listed
            .map(|(number, at)| {
                json!({
                    "order_type": "payment", "respcd": "0000", "out_trade_no": number,
                    "syssn": number, "txamt": "100", "txcurrcd": "HKD", "pay_type": "800201",
                    "sysdtm": time::format_wire(*at),
                })
            })
            .collect();
        json!({"respcd": "0000", "data": data}).to_string()
    }
}

fn small(number: Option<u32>) -> usize {
    usize::try_from(number.unwrap()).unwrap()
}

#[async_trait]
impl Gateway for List {
    async fn query(&self, query: &Query) -> Result<Page, Trouble> {
        let nth = {
            let mut asked = self.asked.lock().unwrap();
            *asked += 1;
            *asked
        };
        if self.lost.is_some_and(|(from, count)| (from..from + count).contains(&nth)) {
            return Err(Trouble::Lost { reason: "lost".to_owned() });
        }
        Page::parse(self.answer(query).as_bytes(), SignatureCheck::Absent)
    }

    async fn pay(&self, _: &OrderNumber, _: &PaymentTerms, _: Timestamp) -> Exchange {
        panic!("nothing is paid")
    }

    async fn checkout(
        &self,
        _: &OrderNumber,
        _: &PaymentTerms,
        _: Timestamp,
    ) -> Result<String, Trouble> {
        panic!("nothing is offered")
    }

    async fn refund(&self, _: &OrderNumber, _: &RefundTerms, _: Timestamp) -> Exchange {
        panic!("nothing is refunded")
    }

    async fn cancel(&self, _: Cancel, _: &Ending) -> Exchange {
        panic!("nothing is ended")
    }

    fn notification(&self, _: &[u8], _: Option<&str>) -> Result<Notification, NotificationError> {
        panic!("nothing is told")
    }
}

/// How many records were read of how many, with how many questions, and how it ended.
async fn read(list: List) -> (String, usize) {
    let (world, count, list) = (World::answering(&[]), list.records.len(), Arc::new(list));
    let payments = Payments { gateway: list.clone(), ..world.payments.clone() };
    let never = CancellationToken::new();
    let told = |_| std::future::ready(()).boxed();
    let records = HashMap::new();
    let mut reading =
        Reading { payments: &payments, cancelled: &never, told: &told, records, pages: 0 };
    let day: DateTime = "2026-11-23T00:00:00".parse().unwrap();
    let window = Window { start: day, end: "2026-11-23T23:59:59".parse().unwrap() };
    let ended = match reading.all(window).await {
        Ok(()) => "all".to_owned(),
        Err(halt) => halt.to_string(),
    };
    let read = reading.records.len();
    assert!(read <= count);
    let asked = *list.asked.lock().unwrap();
    (if read == count { ended } else { format!("{ended}: {read} of {count}") }, asked)
}

#[tokio::test(start_paused = true)]
async fn lists_of_any_length_and_order_are_read_to_their_end() {
    for count in [0, 1, 99, 100, 101, 799, 800, 801, 900, 5000] {
        for oldest_first in [false, true] {
            let list = List { oldest_first, ..List::of(count, 1) };
            let (ended, asked) = read(list).await;
            assert_eq!(ended, "all", "{count}");
            assert!(asked <= count / 100 + 2 + count / 800, "{asked} questions for {count}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn pages_far_down_are_not_needed() {
    for oldest_first in [false, true] {
        let list = List { oldest_first, last_page: Some(8), ..List::of(5000, 3) };
        assert_eq!(read(list).await.0, "all");
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_with_more_than_a_page_of_records_is_read_to_its_end() {
    for each in [150, 799, 900, 2500] {
        assert_eq!(read(List::of(5000, each)).await.0, "all", "{each}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_without_order_is_read_page_by_page() {
    assert_eq!(read(List { shuffled: true, ..List::of(2000, 1) }).await.0, "all");
    let list = List { shuffled: true, last_page: Some(8), ..List::of(2000, 1) };
    let refused = "QFPay refused the query with 1104 \"page\": 800 of 2000";
    assert_eq!(read(list).await.0, refused);
}

#[tokio::test(start_paused = true)]
async fn smaller_pages_than_asked_for_are_not_the_end() {
    assert_eq!(read(List { most: Some(30), ..List::of(1000, 1) }).await.0, "all");
}

#[tokio::test(start_paused = true)]
async fn behind_a_page_that_is_not_full_a_refusal_is_the_end() {
    assert_eq!(read(List { last_page: Some(1), ..List::of(50, 1) }).await.0, "all");
}

#[tokio::test(start_paused = true)]
async fn where_every_page_is_the_first_the_times_lead_on_as_far_as_they_can() {
    assert_eq!(read(List { stuck: true, ..List::of(1000, 1) }).await.0, "all");
    let stuck = "QFPay gives the same page again and again: 100 of 1000";
    assert_eq!(read(List { stuck: true, ..List::of(1000, 500) }).await.0, stuck);
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_lost_is_asked_for_again_and_one_that_never_comes_ends_it() {
    assert_eq!(read(List { lost: Some((3, 2)), ..List::of(1000, 1) }).await.0, "all");
    let lost = "QFPay could not be asked: lost: 200 of 1000";
    assert_eq!(read(List { lost: Some((3, 3)), ..List::of(1000, 1) }).await.0, lost);
}

#[tokio::test(start_paused = true)]
async fn what_is_stopped_ends_before_the_next_question() {
    let (world, list) = (World::answering(&[]), Arc::new(List::of(1000, 1)));
    let payments = Payments { gateway: list.clone(), ..world.payments.clone() };
    let stop = CancellationToken::new();
    let told = |at: crate::payments::reconcile::Progress| {
        if at.pages == 2 {
            stop.cancel();
        }
        std::future::ready(()).boxed()
    };
    let records = HashMap::new();
    let mut reading =
        Reading { payments: &payments, cancelled: &stop, told: &told, records, pages: 0 };
    let day: DateTime = "2026-11-23T00:00:00".parse().unwrap();
    let ended = reading.all(Window::month_of(day.date())).await;
    assert!(matches!(ended, Err(Halt::Stopped)));
    assert_eq!((reading.pages, *list.asked.lock().unwrap()), (2, 2));
}
