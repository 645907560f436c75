//! A day or a second, as people type it, on the merchant's wall clock.
use std::str::FromStr;

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime},
    tz::TimeZone,
};

use crate::domain::time::{parse_day, parse_wire};

/// What `--since` and `--until` take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    Day(Date),
    Second(DateTime),
}

/// Why a text is none.
#[derive(Debug, thiserror::Error)]
#[error("it is neither a day nor a time; write 2026-11-23, or '2026-11-23 14:30:00'")]
pub(super) struct ParseMomentError;

impl FromStr for Moment {
    type Err = ParseMomentError;

    fn from_str(text: &str) -> Result<Self, ParseMomentError> {
        let text = text.trim();
        if text.len() == "2026-11-23".len() {
            return parse_day(text).map(Self::Day).map_err(|_| ParseMomentError);
        }
        parse_wire(text).map(Self::Second).map_err(|_| ParseMomentError)
    }
}

impl Moment {
    /// The first instant of it.
    pub(super) fn start(self, zone: &TimeZone) -> Timestamp {
        let at = match self {
            Self::Day(day) => day.at(0, 0, 0, 0),
            Self::Second(at) => at,
        };
        at.to_zoned(zone.clone()).map_or(Timestamp::MIN, |it| it.timestamp())
    }

    /// The first instant after it.
    pub(super) fn end(self, zone: &TimeZone) -> Timestamp {
        let next = match self {
            Self::Day(day) => day.tomorrow().map(Self::Day),
            Self::Second(at) => at.checked_add(1.second()).map(Self::Second),
        };
        next.map_or(Timestamp::MAX, |it| it.start(zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_and_a_second_are_on_the_merchants_wall_and_end_with_themselves() {
        let span = |text: &str, zone: &str| {
            let (moment, zone) = (text.parse::<Moment>().unwrap(), TimeZone::get(zone).unwrap());
            format!("{} .. {}", moment.start(&zone), moment.end(&zone))
        };
        insta::assert_snapshot!(span("2026-11-23", "Asia/Hong_Kong"), @"2026-11-22T16:00:00Z .. 2026-11-23T16:00:00Z");
        insta::assert_snapshot!(span("2026-11-23 14:30:05", "Asia/Hong_Kong"), @"2026-11-23T06:30:05Z .. 2026-11-23T06:30:06Z");
        // A day of 23 hours.
        insta::assert_snapshot!(span("2026-03-29", "Europe/Berlin"), @"2026-03-28T23:00:00Z .. 2026-03-29T22:00:00Z");
        insta::assert_snapshot!(span("9999-12-31", "Asia/Hong_Kong"), @"9999-12-30T16:00:00Z .. 9999-12-30T22:00:00.999999999Z");
    }

    #[test]
    fn other_ways_to_write_it_are_refused_with_the_right_one() {
        for bad in ["", "23.11.2026", "2026-11-2", "2026-13-01", "2026-11-23T14:30:05", "yesterday"]
        {
            let told = bad.parse::<Moment>().unwrap_err().to_string();
            assert!(told.contains("write 2026-11-23, or '2026-11-23 14:30:00'"), "{told}");
        }
    }
}
