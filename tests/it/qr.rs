//! QR codes, read back by a decoder that is not ours (zbar): as a picture, and off a terminal.
use std::{
    env, fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use crate::harness::{Client, Desk, binary, text};

/// zbar's reader of pictures, in Debian's `zbar-tools`; none where it is not installed, which in CI
/// is a failure.
fn zbar_or_skip() -> Option<Command> {
    let mut zbar = Command::new("zbarimg");
    zbar.args(["--quiet", "--raw", "--nodbus", "-Sdisable", "-Sqrcode.enable"]);
    if Command::new("zbarimg").arg("--version").output().is_ok() {
        return Some(zbar);
    }
    assert!(env::var_os("CI").is_none(), "zbarimg is not installed");
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("a test");
    // Not `eprintln!`, which is shown only where a test fails.
    let _ = writeln!(io::stderr(), "skipped: {test}: zbarimg is not installed");
    None
}

/// The text of the one code in a picture.
fn read(mut zbar: Command, picture: &Path) -> String {
    let read = zbar.arg(picture).output().unwrap();
    assert!(read.status.success(), "no code in {}: {read:?}", picture.display());
    String::from_utf8(read.stdout).unwrap().trim_end().to_owned()
}

fn payment(pay_type: &str, number: &str) -> Value {
    json!({"amount": 1050, "currency": "HKD", "pay_type": pay_type, "out_trade_no": number})
}

async fn never_pays(desk: &Desk) -> Client {
    let mut command = desk.command();
    command.env("QFPAY_SIMULATOR_PAYER_SECONDS", "never");
    Client::of(command).await
}

#[tokio::test]
async fn the_picture_in_a_reply_is_the_code_that_its_text_holds() {
    let desk = Desk::new();
    let client = never_pays(&desk).await;
    let mut pictures = Vec::new();
    for _ in 0..2 {
        let result = client.result("create_payment", payment("800201", "A1")).await;
        let reply = result.structured_content.clone().unwrap();
        assert_eq!(serde_json::from_str::<Value>(&text(&result)).unwrap(), reply);
        let [first, picture] = result.content.as_slice() else { panic!("{result:#?}") };
        assert!(first.as_text().is_some(), "the text comes first");
        let picture = picture.as_image().unwrap();
        assert_eq!(picture.mime_type, "image/png");
        let png = BASE64_STANDARD.decode(&picture.data).unwrap();
        assert!(png.len() < 2048, "{} bytes", png.len());
        pictures.push((png, reply["qrcode"].as_str().unwrap().to_owned()));
    }
    assert_eq!(pictures[0], pictures[1], "what is replayed has its picture, too");
    let Some(zbar) = zbar_or_skip() else { return };
    let file = desk.path().join("code.png");
    fs::write(&file, &pictures[0].0).unwrap();
    assert_eq!(read(zbar, &file), pictures[0].1);
}

#[tokio::test]
async fn what_nobody_scans_has_no_picture() {
    let desk = Desk::new();
    let client = desk.client().await;
    let mut by_code = payment("800208", "A1");
    by_code["auth_code"] = json!("284957201938475610");
    for arguments in [by_code, payment("800712", "A2")] {
        let result = client.result("create_payment", arguments).await;
        assert_eq!((result.is_error, result.content.len()), (Some(false), 1), "{result:#?}");
    }
    // Paid by now: there is nothing to scan any more.
    client.result("create_payment", payment("800201", "A3")).await;
    client.result("query_transaction", json!({"out_trade_no": "A3"})).await;
    let result = client.result("create_payment", payment("800201", "A3")).await;
    assert_eq!(result.structured_content.as_ref().unwrap()["status"], "paid");
    assert_eq!(result.content.len(), 1, "{result:#?}");
}

/// The colours of a terminal where nobody says otherwise: text, and what is behind it.
#[derive(Clone, Copy)]
struct Theme {
    text: u8,
    behind: u8,
}

const DARK: Theme = Theme { text: 220, behind: 20 };
const LIGHT: Theme = Theme { text: 40, behind: 250 };

/// What a terminal shows, as a picture (PGM): a cell is two squares, one above the other. Of texts
/// only half blocks are drawn.
fn photograph(shown: &str, theme: Theme) -> String {
    const SQUARE: usize = 6;
    let mut rows: Vec<Vec<u8>> = Vec::new();
    for line in shown.lines() {
        let (mut now, mut upper, mut lower) = (theme, Vec::new(), Vec::new());
        let mut cells = line.chars();
        while let Some(cell) = cells.next() {
            if cell == '\u{1b}' {
                let code: String = cells.by_ref().take_while(|it| !it.is_alphabetic()).collect();
                now = match code.as_str() {
                    "[0" => theme,
                    "[30;107" => Theme { text: 0, behind: 255 },
                    _ => now,
                };
                continue;
            }
            let (above, below) = match cell {
                '█' => (now.text, now.text),
                '▀' => (now.text, now.behind),
                '▄' => (now.behind, now.text),
                _ => (now.behind, now.behind),
            };
            upper.push(above);
            lower.push(below);
        }
        rows.extend([upper, lower]);
    }
    let wide = rows.iter().map(Vec::len).max().unwrap();
    let mut picture = format!("P2\n{} {}\n255\n", wide * SQUARE, rows.len() * SQUARE);
    for row in rows {
        let squares = row.into_iter().chain(std::iter::repeat(theme.behind)).take(wide);
        let pixels: String = squares.map(|it| format!("{it} ").repeat(SQUARE)).collect();
        picture += &format!("{pixels}\n").repeat(SQUARE);
    }
    picture
}

/// What a command shows in a terminal of so many columns.
async fn at_a_terminal(desk: &Desk, columns: u16, arguments: &[&str]) -> String {
    let (mut pty, pts) = pty_process::open().unwrap();
    pty.resize(pty_process::Size::new(50, columns)).unwrap();
    let command = pty_process::Command::new(binary())
        .env_clear()
        .env("HOME", desk.path())
        .env("QFPAY_STATE_DIR", desk.path())
        .env("QFPAY_ENV", "simulator")
        .env("QFPAY_SIMULATOR_PAYER_SECONDS", "never")
        .args(arguments);
    let mut child = command.spawn(pts).unwrap();
    let mut shown = Vec::new();
    // The other end reports an error once the program has gone.
    while pty.read_buf(&mut shown).await.is_ok_and(|it| 0 < it) {}
    assert!(child.wait().await.unwrap().success());
    String::from_utf8(shown).unwrap().replace("\r\n", "\n")
}

#[tokio::test]
async fn the_code_on_a_terminal_is_the_code_of_the_order() {
    let desk = Desk::new();
    let pay = payment("800201", "A1").to_string();
    let called = at_a_terminal(&desk, 120, &["call", "create_payment", &pay]).await;
    let (json, _) = called.split_once("\n}").unwrap();
    let reply: Value = serde_json::from_str(&format!("{json}}}")).unwrap();
    let shown = at_a_terminal(&desk, 120, &["orders", "show", "A1"]).await;
    let (plain, _) = desk.run(&["orders", "show", "A1", "--qr"]).await;
    for told in [&called, &shown, &plain] {
        assert!(told.contains("Pay before ") && told.contains(" minutes)."), "{told}");
        assert!(told.contains(reply["qrcode"].as_str().unwrap()), "{told}");
    }
    let (piped, _) = desk.run(&["orders", "show", "A1"]).await;
    assert!(!piped.contains('█'), "{piped}");
    let narrow = at_a_terminal(&desk, 30, &["orders", "show", "A1"]).await;
    assert!(narrow.contains("and this window has 30: widen it"), "{narrow}");
    assert!(!narrow.contains('█') && narrow.contains("Pay before "), "{narrow}");
    for (shown, theme) in [(called, DARK), (shown.clone(), LIGHT), (shown, DARK), (plain, DARK)] {
        let Some(zbar) = zbar_or_skip() else { return };
        let file = desk.path().join("terminal.pgm");
        fs::write(&file, photograph(&shown, theme)).unwrap();
        assert_eq!(read(zbar, &file), reply["qrcode"].as_str().unwrap());
    }
}

#[tokio::test]
async fn what_is_paid_is_not_drawn_any_more() {
    let desk = Desk::new();
    let client = desk.client().await;
    client.reply("create_payment", payment("800201", "A1")).await;
    client.reply("query_transaction", json!({"out_trade_no": "A1"})).await;
    let (shown, _) = desk.run(&["orders", "show", "A1", "--qr"]).await;
    assert!(shown.contains("paid") && !shown.contains('█'), "{shown}");
}
