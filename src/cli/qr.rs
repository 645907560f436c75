//! What a payer scans, on a terminal: the code in half blocks, its text, and until when it can be paid.
use jiff::{Timestamp, fmt::temporal::Pieces, tz::TimeZone};
use qrcode::render::unicode::Dense1x2;
use serde_json::Value;

use super::style::Style;
use crate::{
    clock::{Clock as _, SystemClock},
    mcp::qr,
};

/// Before each row of a code.
const MARGIN: &str = "    ";

/// What a payer scans, if a reply has such: the code, its text, and how long it can be paid.
pub(super) fn of_reply(reply: &Value, style: Style) -> Option<String> {
    let text = reply.get("qrcode")?.as_str()?;
    let until = reply.get("expires_at").and_then(Value::as_str).and_then(|it| {
        let zone = TimeZone::fixed(Pieces::parse(it).ok()?.to_numeric_offset()?);
        Some(pay_before(it.parse().ok()?, SystemClock.now(), &zone))
    });
    Some(scanned(text, until.as_deref(), style))
}

/// The code of `text`, the text itself, and `until` when it can be paid.
pub(super) fn scanned(text: &str, until: Option<&str>, style: Style) -> String {
    let text_line = format!("{MARGIN}{}", style.dim(text));
    let until = until.map(|it| format!("{MARGIN}{it}"));
    [drawn(text, style), Some(text_line), until]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("\n")
}

/// `Pay before 14:32 (in 29 minutes).`
pub(super) fn pay_before(until: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let wall = until.to_zoned(zone.clone()).strftime("%H:%M");
    let left = until.duration_since(now).as_secs();
    let (left, unit) = if left < 60 { (left.max(0), "second") } else { (left / 60, "minute") };
    let s = if left == 1 { "" } else { "s" };
    if left == 0 {
        return format!("It could be paid until {wall}.");
    }
    format!("Pay before {wall} (in {left} {unit}{s}).")
}

/// The code in half blocks, dark on light whatever the terminal's colours, or why it is not drawn;
/// none for a text that is too long for a code.
fn drawn(text: &str, style: Style) -> Option<String> {
    let code = qr::code(text)?;
    let mut render = code.render::<Dense1x2>();
    // Without colour the terminal is taken to be light on dark, as most are.
    if !style.has_colour() {
        render.dark_color(Dense1x2::Light).light_color(Dense1x2::Dark);
    }
    let drawn = render.build();
    let wide = drawn.lines().next().map_or(0, |row| row.chars().count()) + MARGIN.len();
    if let Some(width) = style.width().filter(|it| *it < wide) {
        return Some(format!(
            "{MARGIN}The QR code takes {wide} columns, and this window has {width}: widen it and look \
             again, or use the text."
        ));
    }
    let row = |row: &str| format!("{MARGIN}{}", style.ink(row));
    Some(drawn.lines().map(row).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_code_is_told_as_a_time() {
        let now: Timestamp = "2026-11-23T06:02:10Z".parse().unwrap();
        let zone = TimeZone::get("Asia/Hong_Kong").unwrap();
        let told = |until: &str| pay_before(until.parse().unwrap(), now, &zone);
        insta::assert_snapshot!(told("2026-11-23T06:32:05Z"), @"Pay before 14:32 (in 29 minutes).");
        insta::assert_snapshot!(told("2026-11-23T06:03:10Z"), @"Pay before 14:03 (in 1 minute).");
        insta::assert_snapshot!(told("2026-11-23T06:02:51Z"), @"Pay before 14:02 (in 41 seconds).");
        insta::assert_snapshot!(told("2026-11-23T05:59:00Z"), @"It could be paid until 13:59.");
    }
}
