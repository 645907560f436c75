//! Times as QFPay writes them, and the calendar rules its queries follow.
use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};

/// 24 hours; the `hh` of QFPay's pages is a trap.
const WIRE: &str = "%Y-%m-%d %H:%M:%S";
/// Most characters of a wrong day that are told back.
const MAX_ECHO: usize = 40;

/// Why a text is not a time, and what to send instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{given}` is not a time; write it as YYYY-MM-DD HH:mm:ss, for example `2026-11-23 14:30:00`"
)]
pub struct ParseTimeError {
    given: String,
}

/// Why a text is not a day, and what to send instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{given}` is not a day; write it as YYYY-MM-DD, for example `2026-11-23`")]
pub struct ParseDayError {
    given: String,
}

/// Reads a day of the calendar.
pub fn parse_day(text: &str) -> Result<Date, ParseDayError> {
    let exact = text.len() == "2026-11-23".len();
    let parsed = Date::strptime("%Y-%m-%d", text).ok().filter(|_| exact);
    let given = || text.chars().take(MAX_ECHO).collect();
    parsed.ok_or_else(|| ParseDayError { given: given() })
}

/// QFPay's own clock: `sysdtm`, `paydtm` and query windows are always UTC+8.
pub fn qfpay_zone() -> TimeZone {
    TimeZone::fixed(jiff::tz::offset(8))
}

/// `at` on the wall in `zone`, as sent in `txdtm`.
pub fn wire(at: Timestamp, zone: &TimeZone) -> String {
    format_wire(at.to_zoned(zone.clone()).datetime())
}

/// A date and time as QFPay writes it.
pub fn format_wire(at: DateTime) -> String {
    at.strftime(WIRE).to_string()
}

/// Reads a date and time as QFPay writes it.
pub fn parse_wire(text: &str) -> Result<DateTime, ParseTimeError> {
    let exact = text.len() == 19;
    let parsed = DateTime::strptime(WIRE, text).ok().filter(|_| exact);
    parsed.ok_or_else(|| ParseTimeError { given: text.to_owned() })
}

/// A span of time inside one calendar month, which is all that one query may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub start: DateTime,
    pub end: DateTime,
}

impl Window {
    /// The calendar month of `day`.
    pub fn month_of(day: Date) -> Self {
        let start = day.first_of_month().at(0, 0, 0, 0);
        Self { start, end: day.last_of_month().at(23, 59, 59, 0) }
    }

    /// The windows, oldest first, that together cover `start` to `end`, a month each at most;
    /// none when `end` is before `start`, and never more than `most`.
    pub fn by_month(start: DateTime, end: DateTime, most: usize) -> Vec<Self> {
        let mut windows = Vec::new();
        let mut from = start;
        while from <= end && windows.len() < most {
            let month = Self::month_of(from.date());
            windows.push(Self { start: from, end: month.end.min(end) });
            let Ok(next) = from.date().last_of_month().tomorrow() else { break };
            from = next.at(0, 0, 0, 0);
        }
        windows
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::datetime;

    use super::*;

    #[test]
    fn the_wire_has_24_hours_in_hong_kong() {
        let at: Timestamp = "2026-11-23T06:30:05Z".parse().unwrap();
        let zone = TimeZone::get("Asia/Hong_Kong").unwrap();
        assert_eq!(wire(at, &zone), "2026-11-23 14:30:05");
        assert_eq!(wire(at, &qfpay_zone()), "2026-11-23 14:30:05");
        assert_eq!(parse_wire("2026-11-23 14:30:05"), Ok(datetime(2026, 11, 23, 14, 30, 5, 0)));
    }

    #[test]
    fn other_ways_to_write_a_time_are_refused_with_the_right_one() {
        for bad in
            ["", "2026-11-23", "2026-11-23T14:30:05", "2026-13-01 00:00:00", "2026-11-23 2:30:05"]
        {
            let error = parse_wire(bad).unwrap_err().to_string();
            assert!(error.contains("YYYY-MM-DD HH:mm:ss"), "{error}");
        }
    }

    #[test]
    fn a_day_is_written_in_one_way() {
        assert_eq!(parse_day("2026-11-23"), Ok(jiff::civil::date(2026, 11, 23)));
        for bad in ["", "2026-11-2", "2026-02-29", "23-11-2026", "yesterday!", "2026-11-23 "] {
            let error = parse_day(bad).unwrap_err().to_string();
            assert!(error.contains("YYYY-MM-DD"), "{error}");
        }
    }

    #[test]
    fn a_window_is_cut_at_the_ends_of_months() {
        let cut = Window::by_month(
            datetime(2026, 10, 30, 12, 0, 0, 0),
            datetime(2026, 12, 1, 0, 0, 0, 0),
            12,
        );
        let say: Vec<String> = cut
            .iter()
            .map(|it| format!("{} .. {}", format_wire(it.start), format_wire(it.end)))
            .collect();
        assert_eq!(
            say,
            [
                "2026-10-30 12:00:00 .. 2026-10-31 23:59:59",
                "2026-11-01 00:00:00 .. 2026-11-30 23:59:59",
                "2026-12-01 00:00:00 .. 2026-12-01 00:00:00",
            ]
        );
        assert!(Window::by_month(cut[1].start, cut[0].start, 12).is_empty());
    }
}
