//! Messages that are too long, too deep, too wide, or none.
use futures::StreamExt as _;
use serde_json::{Value, json};

use super::{EVE, MALLORY, Tally, Target, attacks, honest, status, wire};

attacks! {
    heads_that_are_too_long_are_refused,
    bodies_that_are_too_long_are_refused,
    bodies_without_an_end_are_given_up,
    no_nesting_breaks_the_reader,
    no_odd_json_breaks_the_reader,
    calls_that_wait_hold_little_whatever_their_messages_hold,
}

const DEEP: usize = 100_000;

async fn heads_that_are_too_long_are_refused(target: &Target) -> Tally {
    let long = "x".repeat(1 << 20);
    let many = "X-A: b\r\n".repeat(50_000);
    let heads = [
        format!("GET /{long} HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nX-A: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{long}: x\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {long}\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nHost: localhost\r\n{many}\r\n"),
        format!("{long} / HTTP/1.1\r\nHost: localhost\r\n\r\n"),
        long,
        "\r\n".repeat(100_000),
        "\0".repeat(1000),
    ];
    let all = heads.iter().flat_map(|it| std::iter::repeat_n(it.as_bytes(), 20));
    target.asked(all).await.only(&["400", "414", "431", "cut"])
}

/// A request with a body, of which more may follow.
fn post(target: &Target, path: &str, header: &str, body: &[u8]) -> Vec<u8> {
    let word = &target.words[MALLORY];
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\nContent-Type: \
         application/json\r\n{header}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

async fn bodies_that_are_too_long_are_refused(target: &Target) -> Tally {
    let over = vec![b' '; (1 << 20) + 1];
    let far_over = vec![b' '; 20 << 20];
    let claim = |length: u64| format!("Content-Length: {length}");
    let session = target.open(MALLORY).await.unwrap();
    let in_session = format!("{}\r\nMcp-Session-Id: {session}", claim((1 << 20) + 1));
    let mut all = Vec::new();
    for _ in 0..10 {
        all.push(post(target, "/mcp", &claim((1 << 20) + 1), &over));
        all.push(post(target, "/qfpay/mcp", &claim((1 << 20) + 1), &over));
        all.push(post(target, "/mcp", &in_session, &over));
        all.push(post(target, "/qfpay/notifications", &claim((1 << 20) + 1), &over));
    }
    for _ in 0..2 {
        all.push(post(target, "/mcp", &claim(20 << 20), &far_over));
        all.push(post(target, "/mcp", &claim(1 << 40), &far_over));
    }
    let tally = target.asked(all.iter().map(Vec::as_slice)).await.only(&["413"]);
    assert_eq!(target.end(MALLORY, &session).await, 204);
    tally
}

async fn bodies_without_an_end_are_given_up(target: &Target) -> Tally {
    let chunk = [b"10000\r\n".as_slice(), &b" ".repeat(1 << 16), b"\r\n"].concat();
    let endless = chunk.repeat(600);
    let tiny = b"1\r\n \r\n".repeat(100_000);
    let mut all = Vec::new();
    for path in ["/mcp", "/qfpay/notifications"] {
        for body in [&endless, &tiny] {
            all.push(post(target, path, "Transfer-Encoding: chunked", body));
        }
    }
    all.truncate(3);
    // Neither of the two lengths is believed.
    let both = "Content-Length: 2\r\nTransfer-Encoding: chunked";
    let smuggled = post(target, "/mcp", both, b"0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n");
    let two = post(target, "/mcp", "Content-Length: 2\r\nContent-Length: 4", b"{}{}");
    let odd = post(target, "/mcp", "Content-Length: +2", b"{}");
    let negative = post(target, "/mcp", "Content-Length: -2", b"{}");
    let chunks = post(target, "/mcp", "Transfer-Encoding: chunked", b"fffffffffffffffff\r\n");
    all.extend([smuggled, two, odd, negative, chunks]);
    target.asked(all.iter().map(Vec::as_slice)).await.only(&["400", "413", "503"])
}

/// Every place where something may stand, with it.
fn messages_with(what: &str) -> [String; 7] {
    let meta = serde_json::to_string(&honest::modern("x", &json!({}))["params"]["_meta"]).unwrap();
    [
        what.to_owned(),
        format!(r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{what}}}"#),
        format!(r#"{{"jsonrpc":"2.0","id":{what},"method":"ping"}}"#),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"list_pay_types","arguments":{what},"_meta":{meta}}}}}"#
        ),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"list_pay_types","arguments":{{"x":{what}}},"_meta":{meta}}}}}"#
        ),
        format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"list_pay_types","x":{what},"_meta":{meta}}}}}"#
        ),
        format!(r#"{{"jsonrpc":"2.0","id":1,"result":{what}}}"#),
    ]
}

impl Target {
    /// Sends messages, by themselves and in a session; every one is answered.
    async fn told(&self, messages: Vec<Vec<u8>>) -> Tally {
        let session = self.open(MALLORY).await.unwrap();
        let mut all = Vec::new();
        for message in messages {
            all.push(self.raw_call(MALLORY, "list_pay_types", message.clone()));
            all.push(self.post(MALLORY, "/mcp", message).header("mcp-session-id", &session));
        }
        let all = all.into_iter().map(async |it| status(&it.send().await));
        let tally: Tally = futures::stream::iter(all).buffer_unordered(8).collect().await;
        assert_eq!(self.end(MALLORY, &session).await, 204);
        tally
    }
}

async fn no_nesting_breaks_the_reader(target: &Target) -> Tally {
    let mut messages = Vec::new();
    for (open, close) in [("[", "]"), (r#"{"a":"#, "}"), ("[{\"a\":", "}]")] {
        let closed = format!("{}1{}", open.repeat(DEEP), close.repeat(DEEP));
        messages.extend(messages_with(&closed));
        messages.extend(messages_with(&open.repeat(DEEP)));
    }
    let messages = messages.into_iter().map(String::into_bytes).collect();
    target.told(messages).await.only(&["400", "413"])
}

async fn no_odd_json_breaks_the_reader(target: &Target) -> Tally {
    let keys: Vec<String> = (0..80_000).map(|it| format!("\"{it}\":0")).collect();
    let same = r#""a":0,"#.repeat(100_000);
    let wide = [
        format!("{{{}}}", keys.join(",")),
        format!("{{{same}\"a\":1}}"),
        format!("[{}0]", "0,".repeat(500_000)),
        format!("[{}{{}}]", "{},".repeat(300_000)),
        "9".repeat(1_000_000),
        format!("0.{}", "9".repeat(1_000_000)),
        "1e999999999".to_owned(),
        "-1e-999999999".to_owned(),
        "18446744073709551616".to_owned(),
        format!("\"{}\"", "\\u0000".repeat(150_000)),
        r#""\ud800""#.to_owned(),
        r#""\udc00\ud800""#.to_owned(),
        "NaN".to_owned(),
        "01".to_owned(),
        "\u{feff}{}".to_owned(),
        "{\"a\":1,}".to_owned(),
        "/**/1".to_owned(),
        "'x'".to_owned(),
    ];
    let mut messages: Vec<Vec<u8>> =
        wide.iter().flat_map(|it| messages_with(it)).map(String::into_bytes).collect();
    for bytes in [b"\xff".as_slice(), b"\xc0\x80", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\0"]
    {
        let text = messages_with("\"?\"").map(String::into_bytes);
        messages.extend(text.into_iter().map(|it| {
            let at = it.iter().rposition(|it| *it == b'?').unwrap();
            [&it[..at], bytes, &it[at + 1..]].concat()
        }));
    }
    messages.extend([b"PK\x03\x04".to_vec(), vec![0xff; 1 << 20], vec![b'"'; 1 << 20]]);
    target.told(messages).await.only(&["200", "202", "400", "404", "413"])
}

/// Waits of two principals, each with as much beside it as a message can hold.
async fn calls_that_wait_hold_little_whatever_their_messages_hold(target: &Target) -> Tally {
    target.call(MALLORY, "create_payment", &payment()).send().await.unwrap();
    let stuff = format!("[{}{{}}]", "{\"\":0},".repeat(100_000));
    let body = |stuff: &str| {
        let mut call = honest::modern("wait_for_payment", &json!({"out_trade_no": "held"}));
        call["params"]["_meta"]["io.qfpay/x"] = Value::String("stuff".to_owned());
        call.to_string().replace("\"stuff\"", stuff)
    };
    let (wide, long) = (body(&stuff), body(&format!("\"{}\"", "x".repeat(1_000_000))));
    let small = body(&format!("[{}{{}}]", "{\"\":0},".repeat(200)));
    let mut begun = Vec::new();
    // One gets as many calls as one can have, the other leaves some for honest clients.
    for (who, calls) in [(MALLORY, 600), (EVE, 300)] {
        for (body, times) in [(&wide, 40), (&long, 200), (&small, calls)] {
            let word = &target.words[who];
            let head = format!(
                "POST /mcp HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {word}\r\nContent-Type: \
                 application/json\r\nAccept: */*\r\nMcp-Protocol-Version: 2026-07-28\r\nMcp-Method: \
                 tools/call\r\nMcp-Name: wait_for_payment\r\nContent-Length: {}\r\n\r\n",
                body.len()
            );
            let bytes = [head.as_bytes(), body.as_bytes()].concat();
            for _ in 0..times {
                begun.push(wire::begun(target.address, &bytes).await);
            }
        }
    }
    target.honest_are_served().await;
    let mut tally = Tally::default();
    for mut stream in begun {
        tally.count(wire::so_far(&mut stream, "waits").await);
    }
    tally.only(&["waits", "413", "503"])
}

fn payment() -> Value {
    super::payment("held")
}
