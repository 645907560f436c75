//! The enquiry: one month, filters, pages.
use super::*;

fn numbers(answer: &Value) -> Vec<String> {
    answer["data"].as_array().unwrap().iter().map(|it| text(it, "out_trade_no")).collect()
}

#[tokio::test]
async fn an_order_of_another_month_is_found_only_in_its_own_window() {
    let shop = Shop::open().await;
    let syssn = text(&shop.pay("A1", "100").await, "syssn");
    shop.clock.pass(192.hours());
    shop.pay("A2", "100").await;
    assert_eq!(numbers(&shop.query(&[]).await), ["A2"]);
    for id in [("syssn", syssn.as_str()), ("out_trade_no", "A1")] {
        assert_eq!(numbers(&shop.query(&[id]).await), [""; 0]);
        let november =
            [id, ("start_time", "2026-11-01 00:00:00"), ("end_time", "2026-11-30 23:59:59")];
        assert_eq!(numbers(&shop.query(&november).await), ["A1"]);
    }
    let two = [("start_time", "2026-11-30 00:00:00"), ("end_time", "2026-12-01 00:00:00")];
    insta::assert_snapshot!(said(&shop.query(&two).await), @"1104 | Request parameter error: start_time: start_time and end_time must lie in one calendar month");
}

#[tokio::test]
async fn records_can_be_filtered_and_come_in_pages_newest_first() {
    let shop = Shop::open().await;
    shop.paid("A1", "100").await;
    shop.pay_with("800208", "A2", "100", &[("auth_code", "c1")]).await;
    shop.pay("A3", "100").await;
    let found = async |params: &[(&str, &str)]| numbers(&shop.query(params).await).join(" ");
    assert_eq!(found(&[]).await, "A3 A2 A1");
    assert_eq!(found(&[("pay_type", "800201,800101")]).await, "A3 A1");
    assert_eq!(found(&[("respcd", "0000")]).await, "A2 A1");
    assert_eq!(found(&[("respcd", "1143")]).await, "A3");
    assert_eq!(found(&[("out_trade_no", "A1,A3,A9")]).await, "A3 A1");
    assert_eq!(found(&[("page_size", "2")]).await, "A3 A2");
    assert_eq!(found(&[("page_size", "2"), ("page", "2")]).await, "A1");
    assert_eq!(found(&[("start_time", "2026-11-23 14:30:01")]).await, "A3 A2");
    let outer = shop.query(&[("page_size", "2")]).await;
    assert_eq!((outer["page"].as_u64(), outer["page_size"].as_u64()), (Some(1), Some(2)));
    let refused = shop.query(&[("page_size", "101")]).await;
    insta::assert_snapshot!(said(&refused), @"1104 | Request parameter error: page_size: `101` is not a number from 1 to 100");
}
