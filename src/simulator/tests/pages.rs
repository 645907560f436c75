//! The pages for people.
use super::*;

async fn waiting() -> (Shop, String) {
    let shop = Shop::with(|it| it.payer = Payer::Waits).await;
    let more =
        [("goods_name", "<b>Tea & \"cake\""), ("return_url", "https://shop.example/?a=1&b=2")];
    let answer = shop.pay_with("801514", "A1", "123450", &more).await;
    let url = shop.simulator.url();
    let path = text(&answer, "pay_url").strip_prefix(&url).unwrap().to_owned();
    (shop, path)
}

#[tokio::test]
async fn an_orders_page_shows_what_is_to_be_paid_and_three_buttons() {
    let (shop, path) = waiting().await;
    let (status, html) = shop.page(&path).await;
    assert_eq!(status, StatusCode::OK);
    for part in [
        "Simulator",
        "HKD 1,234.50",
        "&lt;b&gt;Tea &amp; &quot;cake&quot;",
        "AlipayHK",
        ">A1<",
        "Waiting",
        "http-equiv=refresh",
        "method=post",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    for act in Act::ALL {
        assert!(html.contains(&format!("action=\"{path}/{}\"", act.word())), "{html}");
    }
    assert!(!html.contains("<b>") && !html.contains("<script") && !html.contains("src="));
}

#[tokio::test]
async fn each_button_decides_the_order_once() {
    for (act, state, badge) in [
        (Act::Pay, "payment 0000 0", "Paid"),
        (Act::Fail, "payment 1205 0", "Failed"),
        (Act::Expire, "payment 1181 0", "Expired"),
    ] {
        let (shop, path) = waiting().await;
        let url = format!("{}{path}/{}", shop.simulator.url(), act.word());
        let pressed = shop.http.post(&url).header("origin", shop.simulator.url()).send().await;
        let pressed = pressed.unwrap();
        assert_eq!(pressed.status(), StatusCode::SEE_OTHER);
        assert_eq!(pressed.headers()["location"], path);
        assert_eq!(shop.states("A1").await, [state]);
        shop.http.post(url.replace(act.word(), "fail")).send().await.unwrap();
        assert_eq!(shop.states("A1").await, [state]);
        let (_, html) = shop.page(&path).await;
        assert!(html.contains(badge) && !html.contains("<form"), "{html}");
        assert!(!html.contains("http-equiv=refresh"));
        assert!(html.contains("href=\"https://shop.example/?a=1&amp;b=2\""), "{html}");
    }
}

#[tokio::test]
async fn other_sites_press_no_buttons() {
    let (shop, path) = waiting().await;
    let url = format!("{}{path}/pay", shop.simulator.url());
    for (name, value) in [
        ("host", "rebound.example"),
        ("host", "127.0.0.1.example:80"),
        ("origin", "https://evil.example"),
        ("origin", "http://127.0.0.1:1"),
        ("origin", "null"),
    ] {
        let pressed = shop.http.post(&url).header(name, value).send().await.unwrap();
        assert_eq!(pressed.status(), StatusCode::FORBIDDEN, "{name}: {value}");
    }
    assert_eq!(shop.states("A1").await, ["payment 1143 0"]);
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let (shop, path) = waiting().await;
    let response = shop.http.get(format!("{}{path}", shop.simulator.url())).send().await.unwrap();
    insta::assert_snapshot!(response.headers()["content-security-policy"].to_str().unwrap(), @"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
}

#[tokio::test]
async fn the_first_page_says_what_this_is_and_lists_the_latest_orders() {
    let (shop, path) = waiting().await;
    let (_, html) = shop.page("/").await;
    for part in ["QFPay simulator", "No money moves", APP_CODE, KEY, &path, "HKD 1,234.50"] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert_eq!(shop.page("/pay/1").await.0, StatusCode::NOT_FOUND);
    assert_eq!(shop.page("/elsewhere").await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_key_that_was_set_is_on_no_page() {
    let shop = Shop::with(|it| {
        it.key = "a-real-secret".into();
    })
    .await;
    let (_, html) = shop.page("/").await;
    assert!(
        html.contains("the one you set") && !html.contains("a-real-secret") && !html.contains(KEY)
    );
}
