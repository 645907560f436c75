//! QR codes, read back by a decoder that is not ours (zbar): as a picture, and off a terminal.
use std::{
    env, fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::harness::{Client, Desk, text};

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
