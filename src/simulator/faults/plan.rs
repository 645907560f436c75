//! How often each fault strikes, and whom: drawn from a seed, so that a failure can be had again.
use std::{collections::BTreeSet, fmt, str::FromStr, time::Duration};

use sha2::{Digest as _, Sha256};

use super::Fault;
use crate::spec::endpoints::Endpoint;

/// How late a late answer is where nothing says so.
pub(super) const LATE: Duration = Duration::from_secs(5);
/// Rates are of so many requests.
const OF: u64 = 1000;
const LATE_MS_MAX: u64 = 600_000;
const SEED: &str = "seed";
const LATE_MS: &str = "late_ms";
const EXAMPLE: &str = "seed=7,lost_answer=50";

/// How often each fault strikes.
///
/// It is written as `seed=7,lost_answer=50,rate_limited=20,late_ms=1500`: rates are in requests of
/// a thousand. Which request is struck depends on the seed, the endpoint, the order's number and
/// how often that endpoint was asked for that number, and on nothing else: not on time, and not on
/// what else goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Faults {
    seed: u64,
    /// Of a thousand requests, in the order of [`Fault::ALL`].
    rates: [u64; Fault::ALL.len()],
    late: Duration,
}

/// Why a text is no [`Faults`]: all that is wrong with it, and what to write instead.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct FaultsError(Vec<String>);

impl Faults {
    /// The fault that strikes a request to `endpoint` for `number`, which was asked for `asked`
    /// times before.
    pub fn draw(&self, endpoint: Endpoint, number: &str, asked: u64) -> Option<Fault> {
        let seeds = [&self.seed.to_string(), endpoint.path(), &asked.to_string(), number];
        let mut drawn = digest(&seeds) % OF;
        let mut rated = Fault::ALL.into_iter().zip(self.rates);
        let struck = rated.find(|(_, rate)| {
            let is_struck = drawn < *rate;
            drawn = drawn.saturating_sub(*rate);
            is_struck
        });
        struck.map(|it| it.0).filter(|it| it.strikes(endpoint))
    }

    /// What the requests to `endpoint` for `number` are counted under. A number may be as long as a
    /// body, a digest is not.
    pub(super) fn key(endpoint: Endpoint, number: &str) -> u64 {
        digest(&[endpoint.path(), number])
    }

    pub(super) fn late(&self) -> Duration {
        self.late
    }
}

/// The first eight bytes of the SHA-256 of the lines `parts`.
fn digest(parts: &[&str]) -> u64 {
    let digest = Sha256::digest(parts.join("\n"));
    digest.iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte))
}

impl FromStr for Faults {
    type Err = FaultsError;

    fn from_str(text: &str) -> Result<Self, FaultsError> {
        let mut faults = Self { seed: 0, rates: [0; Fault::ALL.len()], late: LATE };
        let mut problems = Vec::new();
        let mut names = BTreeSet::new();
        for item in text.split(',').map(str::trim) {
            match item.split_once('=').map(|(name, value)| (name.trim(), value.trim())) {
                None => problems
                    .push(format!("`{item}` is not a name and a number; for example `{EXAMPLE}`")),
                Some((name, _)) if !names.insert(name) => {
                    problems.push(format!("`{name}` is given twice; give it once"));
                }
                Some((name, value)) => problems.extend(faults.set(name, value).err()),
            }
        }
        let sum: u64 = faults.rates.iter().sum();
        if sum > OF {
            problems.push(format!("the rates add up to {sum}; they may add up to {OF} at most"));
        }
        if problems.is_empty() { Ok(faults) } else { Err(FaultsError(problems)) }
    }
}

impl Faults {
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let whole = |least, most, of: &str| {
            let number = value.parse::<u64>().ok().filter(|it| (least..=most).contains(it));
            let number = number.filter(|_| value.bytes().all(|b| b.is_ascii_digit()));
            number.ok_or_else(|| {
                format!("{name}: `{value}` is not allowed; send {of} from {least} to {most}")
            })
        };
        match name {
            SEED => self.seed = whole(0, u64::MAX, "a whole number")?,
            LATE_MS => {
                self.late = Duration::from_millis(whole(0, LATE_MS_MAX, "milliseconds")?);
            }
            _ => {
                let mut rated = Fault::ALL.into_iter().zip(&mut self.rates);
                let Some((_, rate)) = rated.find(|(it, _)| it.word() == name) else {
                    return Err(format!("`{name}` is no fault; use {}", names()));
                };
                *rate = whole(0, OF, "requests of a thousand,")?;
            }
        }
        Ok(())
    }
}

/// Everything that has a name.
fn names() -> String {
    let words = Fault::ALL.map(Fault::word);
    format!("{}, or {SEED} and {LATE_MS}", words.join(", "))
}

/// As it is read, rates of nought left out.
impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{SEED}={}", self.seed)?;
        for (fault, rate) in Fault::ALL.into_iter().zip(self.rates).filter(|(_, rate)| *rate > 0) {
            write!(f, ",{}={rate}", fault.word())?;
        }
        write!(f, ",{LATE_MS}={}", self.late.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_written_the_same() {
        for text in ["seed=0,late_ms=5000", "seed=7,lost_answer=50,rate_limited=20,late_ms=1500"] {
            assert_eq!(text.parse::<Faults>().unwrap().to_string(), text);
        }
        let loose: Faults = " lost_answer = 1000 , seed=1".parse().unwrap();
        assert_eq!(loose.to_string(), "seed=1,lost_answer=1000,late_ms=5000");
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let error = |text: &str| text.parse::<Faults>().unwrap_err();
        insta::assert_snapshot!(error(""), @"`` is not a name and a number; for example `seed=7,lost_answer=50`");
        insta::assert_snapshot!(error("seed=-1,late_ms=600001,lost_answer=5%,html_502=+1"), @"seed: `-1` is not allowed; send a whole number from 0 to 18446744073709551615; late_ms: `600001` is not allowed; send milliseconds from 0 to 600000; lost_answer: `5%` is not allowed; send requests of a thousand, from 0 to 1000; html_502: `+1` is not allowed; send requests of a thousand, from 0 to 1000");
        insta::assert_snapshot!(error("lost_answer=700,html_502=301,seed=1,seed=2,7"), @"`seed` is given twice; give it once; `7` is not a name and a number; for example `seed=7,lost_answer=50`; the rates add up to 1001; they may add up to 1000 at most");
        insta::assert_snapshot!(error("lost=1"), @"`lost` is no fault; use lost_request, lost_answer, late_answer, rate_limited, rate_limited_bare, error_500, error_500_undone, html_502, truncated, wrong_signature, processing, unknown_code, duplicate_1251, duplicate_1102, duplicate_2011, or seed and late_ms");
    }

    #[test]
    fn each_fault_strikes_as_often_as_it_is_rated() {
        let faults: Faults = "seed=7,lost_answer=50,html_502=200,processing=100".parse().unwrap();
        let mut counts = [0; Fault::ALL.len()];
        for at in 0..10_000 {
            if let Some(fault) = faults.draw(Endpoint::Payment, &format!("A{at}"), 0) {
                counts[fault as usize] += 1;
            }
            let asked = faults.draw(Endpoint::Query, &format!("A{at}"), 0);
            assert_ne!(asked, Some(Fault::Processing));
        }
        let share = |fault: Fault| (counts[fault as usize] + 50) / 100;
        let shares = [Fault::LostAnswer, Fault::Html502, Fault::Processing].map(share);
        assert_eq!(shares, [5, 20, 10]);
        assert_eq!(counts.iter().filter(|it| **it > 0).count(), 3);
    }

    /// A soak's report names a seed; the seed must mean the same tomorrow.
    #[test]
    fn a_seed_means_the_same_for_ever() {
        let draw = |seed: u64| {
            let faults: Faults = format!("seed={seed},lost_answer=500").parse().unwrap();
            let of = |at: u64| faults.draw(Endpoint::Payment, "A1", at).map_or('.', |_| 'x');
            (0..16).map(of).collect::<String>()
        };
        insta::assert_snapshot!([draw(7), draw(8)].join("\n"), @r"
        ....x..xx..xx.xx
        x.xxx.xxx.xxxxx.
        ");
    }
}
