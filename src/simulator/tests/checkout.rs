//! The hosted checkout page. Its address is signed and written here by hand, as another merchant's
//! program would.
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::*;

/// 14:45 in Hong Kong, a quarter of an hour after [`NOON`].
const ENDS: &str = "1795416300000";

fn terms() -> Vec<(&'static str, &'static str)> {
    vec![
        ("appcode", APP_CODE),
        ("sign_type", "sha256"),
        ("paysource", "shop_checkout"),
        ("txamt", "1050"),
        ("txcurrcd", "HKD"),
        ("out_trade_no", "A1"),
        ("txdtm", "2026-11-23 14:30:00"),
        ("goods_name", "Tea & <cake>"),
        ("return_url", "https://shop.example/thanks?a=1&b=2"),
        ("failed_url", "https://shop.example/sorry"),
        ("notify_url", "https://shop.example/qfpay"),
        ("checkout_expired_time", ENDS),
        ("lang", "en"),
    ]
}

/// What stands behind the `?`, signed.
fn signed(terms: &[(&str, &str)]) -> String {
    let kept = terms.iter().copied().filter(|(name, _)| *name != "lang");
    let signature = sign::sign(kept, SignType::Sha256, &KEY.into()).to_lowercase();
    let terms = terms.iter().copied().chain([("sign", signature.as_str())]);
    let pairs = terms
        .map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, NON_ALPHANUMERIC)));
    pairs.collect::<Vec<_>>().join("&")
}

/// The terms with one of them changed, added, or left out.
fn with(name: &'static str, value: Option<&'static str>) -> String {
    let mut terms = terms();
    terms.retain(|it| it.0 != name);
    terms.extend(value.map(|it| (name, it)));
    signed(&terms)
}

impl Shop {
    async fn opened(&self, query: &str) -> (StatusCode, String) {
        self.press("open", &[("query", query)]).await
    }

    async fn choose(&self, query: &str, pay_type: &str, act: &str) -> (StatusCode, String) {
        self.press("choose", &[("query", query), ("pay_type", pay_type), ("act", act)]).await
    }

    /// What the page answers, or where it leads.
    async fn press(&self, what: &str, form: &[(&str, &str)]) -> (StatusCode, String) {
        let url = format!("{}/checkstand/{what}", self.simulator.url());
        let pressed = self.http.post(url).form(form).header("origin", self.simulator.url());
        let pressed = pressed.send().await.unwrap();
        let (status, to) = (pressed.status(), pressed.headers().get("location").cloned());
        let body = match to {
            Some(to) => to.to_str().unwrap().to_owned(),
            None => pressed.text().await.unwrap(),
        };
        (status, body)
    }
}

#[tokio::test]
async fn the_address_leads_to_a_page_whose_own_script_hands_over_what_no_browser_sends() {
    let shop = Shop::open().await;
    let response = shop.http.get(format!("{}/checkstand/", shop.simulator.url()));
    let response = response.send().await.unwrap();
    insta::assert_snapshot!(response.headers()["content-security-policy"].to_str().unwrap(), @"default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; script-src 'self'");
    let html = response.text().await.unwrap();
    assert!(html.contains("src=\"/checkstand/page.js\"") && html.contains("name=query"), "{html}");
    let (status, script) = shop.page("/checkstand/page.js").await;
    assert_eq!(status, StatusCode::OK);
    assert!(script.contains("location.hash") && script.contains("submit()"), "{script}");
}

#[tokio::test]
async fn looking_at_the_page_makes_no_order() {
    let shop = Shop::open().await;
    let (status, html) = shop.opened(&signed(&terms())).await;
    assert_eq!(status, StatusCode::OK, "{html}");
    for part in [
        "HKD 10.50",
        "Tea &amp; &lt;cake&gt;",
        ">A1<",
        "2026-11-23 14:45:00",
        "value=802801 checked",
        "value=806527>",
        "value=800714>",
        "name=act value=pay",
        "name=act value=fail",
        "name=act value=wait",
    ] {
        assert!(html.contains(part), "{part}: {html}");
    }
    assert!(!html.contains("<script") && !html.contains("shop.example/thanks"), "{html}");
    assert_eq!(shop.states("A1").await, [""; 0]);
}

#[tokio::test]
async fn a_wrong_signature_is_all_the_payer_is_told() {
    let shop = Shop::open().await;
    let right = signed(&terms());
    let wrong = [
        right.replace("txamt=1050", "txamt=1"),
        right.replace("&lang=en", "") + "&udid=till",
        right.replace("sha256", "MD5"),
        right.replace(&format!("appcode={}", APP_CODE.replace('-', "%2D")), "appcode=other"),
        // A form would read this as a blank; a page's script does not.
        right.replace("%20", "+"),
        right.split("&sign=").next().unwrap().to_owned(),
        "no pairs".to_owned(),
        String::new(),
    ];
    for query in wrong {
        assert_ne!(query, right);
        let (status, html) = shop.opened(&query).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{query}");
        assert!(html.contains("QFSign_Error"), "{html}");
        assert_eq!(shop.choose(&query, "802801", "pay").await.0, StatusCode::FORBIDDEN);
    }
    // The language is not signed.
    let (status, _) = shop.opened(&right.replace("lang=en", "lang=zh-hk")).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(shop.states("A1").await, [""; 0]);
}

#[tokio::test]
async fn what_is_missing_or_wrong_is_named() {
    let shop = Shop::open().await;
    for (query, said) in [
        (with("return_url", None), "return_url: missing"),
        (with("failed_url", None), "failed_url: missing"),
        (with("notify_url", None), "notify_url: missing"),
        (with("paysource", Some("shop")), "paysource: must end in _checkout"),
        (with("txdtm", None), "txdtm: missing"),
        (with("txamt", Some("0")), "txamt: "),
        (with("mchntid", Some("M1")), "mchntid: sent, but this account has none"),
        (with("checkout_expired_time", Some("soon")), "checkout_expired_time: `soon`"),
    ] {
        let (status, html) = shop.opened(&query).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{said}");
        assert!(html.contains(said), "{said}: {html}");
    }
    let shop = Shop::with(|it| it.mchid = Some("M1".to_owned())).await;
    assert_eq!(shop.opened(&with("mchntid", Some("M1"))).await.0, StatusCode::OK);
    let (_, html) = shop.opened(&with("mchid", Some("M1"))).await;
    assert!(html.contains("mchntid: missing"), "{html}");
}

#[tokio::test]
async fn a_choice_is_an_order_and_leads_back_to_the_page() {
    let shop = Shop::open().await;
    let query = signed(&terms());
    let (status, to) = shop.choose(&query, "802801", "fail").await;
    assert_eq!((status, to), (StatusCode::SEE_OTHER, format!("/checkstand/#/?{query}")));
    assert_eq!(shop.states("A1").await, ["payment 1205 0"]);
    let (_, html) = shop.opened(&query).await;
    assert!(html.contains("href=\"https://shop.example/sorry\"") && html.contains("name=act"));
    shop.choose(&query, "800714", "wait").await;
    shop.choose(&query, "806527", "pay").await;
    let newest_first = ["payment 0000 0", "payment 1143 0", "payment 1205 0"];
    assert_eq!(shop.states("A1").await, newest_first);
    let (_, html) = shop.opened(&query).await;
    let thanks = "href=\"https://shop.example/thanks?a=1&amp;b=2\"";
    assert!(html.contains(thanks) && !html.contains("name=act"), "{html}");
    let found = shop.query(&[("out_trade_no", "A1")]).await;
    let types: Vec<String> =
        found["data"].as_array().unwrap().iter().map(|it| text(it, "pay_type")).collect();
    assert_eq!(types, ["806527", "800714", "802801"]);
    // Another tab, which does not know.
    shop.choose(&query, "802801", "pay").await;
    assert_eq!(shop.states("A1").await.iter().filter(|it| it.contains("0000")).count(), 2);
}

#[tokio::test]
async fn nobody_pays_by_themselves_what_nobody_chose() {
    let shop = Shop::with(|it| it.payer = Payer::Pays { after: Duration::ZERO }).await;
    let query = signed(&terms());
    shop.opened(&query).await;
    assert_eq!(shop.states("A1").await, [""; 0]);
    shop.choose(&query, "802801", "wait").await;
    shop.clock.pass(10.seconds());
    assert_eq!(shop.states("A1").await, ["payment 1143 0"]);
}

#[tokio::test]
async fn a_page_whose_time_is_up_takes_no_choice() {
    let shop = Shop::open().await;
    for (query, minutes) in [(signed(&terms()), 15), (with("checkout_expired_time", Some("20")), 5)]
    {
        shop.clock.pass(minutes.minutes());
        let (_, html) = shop.opened(&query).await;
        assert!(html.contains("Ended") && !html.contains("name=act"), "{html}");
        let (status, html) = shop.choose(&query, "802801", "pay").await;
        assert_eq!(status, StatusCode::BAD_REQUEST);
        assert!(html.contains("the page has ended"), "{html}");
    }
    assert_eq!(shop.states("A1").await, [""; 0]);
}

#[tokio::test]
async fn a_number_is_a_pages_or_a_calls_and_never_both() {
    let shop = Shop::with(|it| it.duplicate = Duplicate::Echo).await;
    let query = signed(&terms());
    shop.choose(&query, "802801", "fail").await;
    let used = shop.pay("A1", "1050").await;
    assert!(said(&used).contains("is used"), "{used}");
    shop.pay("A2", "1050").await;
    let (status, html) = shop.choose(&with("out_trade_no", Some("A2")), "802801", "pay").await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(html.contains("out_trade_no: used by an order"), "{html}");
    assert_eq!(shop.states("A1,A2").await, ["payment 1143 0", "payment 1205 0"]);
}

/// Its numbers were unique by an index.
#[tokio::test]
async fn a_book_of_before_takes_several_attempts_as_well() {
    let shop = Shop::open().await;
    let old = "DROP INDEX trades_of_number;
        CREATE UNIQUE INDEX trades_number ON trades (merchant, out_trade_no)";
    let file = format!("sqlite://{}", shop.dir.path().join("book.db").display());
    let pool = sqlx::SqlitePool::connect(&file).await.unwrap();
    sqlx::raw_sql(old).execute(&pool).await.unwrap();
    pool.close().await;
    let later = shop.beside().await;
    let query = signed(&terms());
    for _ in 0..2 {
        assert_eq!(later.choose(&query, "802801", "fail").await.0, StatusCode::SEE_OTHER);
    }
    assert_eq!(later.states("A1").await.len(), 2);
}
