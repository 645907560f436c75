//! Retry discipline in one place, as data: what each way a request can go wrong proves about it.
//!
//! There are two halves. This one is about exchanges without a trustworthy answer: [`Failure`] has
//! a [`Fate`], and [`next`] says whether the same request goes again. It never does where money
//! moves and the request may have been carried out. The other half is about answers: what a code,
//! read with its text, proves stands as data in [`resp_codes`](crate::spec::resp_codes), and a
//! request that was answered is never repeated here. The halves join in
//! [`payment_event`](super::payment_event) and [`refund_event`](super::refund_event): a failure
//! becomes a [`Trouble`], and a trouble or a code's verdict becomes an event:
//!
//! | it proves | half | event |
//! |---|---|---|
//! | `NotArrived`, `NotProcessed` | failure | `not_sent`: the number may be sent again |
//! | `Fate::Unknown` | failure | `lost`: in doubt until a query settles it |
//! | `Verdict::Unknown` | code | `lost`, just the same |
//! | `Verdict::Pending` | code | `accepted` |
//! | `Verdict::Done` | code | `paid` or `refunded`; `accepted` where the payer has yet to pay |
//! | `Verdict::Refused` | code | `refused`, the only "no" there is |
use std::time::Duration;

use jiff::SignedDuration;

use super::Trouble;
use crate::spec::endpoints::Effect;

/// How often one request is sent at most.
pub const MAX_ATTEMPTS: u32 = 4;
/// The longest wait between two of them; a longer `Retry-After` is handed to the caller.
pub const MAX_WAIT: Duration = Duration::from_secs(10);
/// The longest wait that is believed and told on.
pub const MAX_TOLD_WAIT: Duration = Duration::from_secs(3600);
/// How long after it was written down a request that moves money may still leave. A machine that
/// slept, or was held, wakes in the middle of a call; by then somebody may have found that QFPay has
/// no record of it, and the recovery concludes nothing from that for longer than this.
pub const LEAVES_WITHIN: SignedDuration = SignedDuration::from_mins(3);
/// The wait before the second attempt; each further one is twice the last.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// A way to be left without an answer that can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Failure {
    /// Our own HTTP client could not be made.
    ClientUnbuilt,
    /// It was written down as leaving so long ago that others may have drawn their conclusions.
    TooLate,
    /// The turn in the pace would come later than the caller can wait.
    NoTurn,
    /// Name, address, connection or TLS: not a byte of the request left.
    NoConnection,
    /// HTTP 429.
    RateLimited,
    /// HTTP 3xx: none is followed, with credentials in the request.
    Redirect,
    /// HTTP 5xx, whatever its body says.
    ServerError,
    TimedOut,
    /// The connection was cut before the answer was whole.
    Broken,
    TooLarge,
    WrongSignature,
    /// This and the following whatever else the HTTP status: a proxy answers 404, too, for what it
    /// passed on before.
    Empty,
    Html,
    NotJson,
    NotObject,
    NoRespcd,
    /// `respcd` and `txstatus` contradict each other.
    TwoStatuses,
    /// It echoes another order or amount, or not even that.
    OtherOrder,
}

/// What a failure proves about the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It never reached QFPay.
    NotArrived,
    /// QFPay said that it turned it away.
    NotProcessed,
    /// It may have been carried out.
    Unknown,
}

/// Which requests go again after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    All,
    /// Those that move no money.
    Reads,
    /// None: asked again at once, it would come to the same.
    Never,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Send the same request again after this wait.
    Again(Duration),
    GiveUp,
}

/// One failure's row.
struct Row {
    fate: Fate,
    repeat: Repeat,
    told: &'static str,
}

const fn row(fate: Fate, repeat: Repeat, told: &'static str) -> Row {
    Row { fate, repeat, told }
}

impl Failure {
    /// A word for figures.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ClientUnbuilt => "client_unbuilt",
            Self::TooLate => "too_late",
            Self::NoTurn => "no_turn",
            Self::NoConnection => "no_connection",
            Self::RateLimited => "rate_limited",
            Self::Redirect => "redirect",
            Self::ServerError => "server_error",
            Self::TimedOut => "timed_out",
            Self::Broken => "broken",
            Self::TooLarge => "too_large",
            Self::WrongSignature => "wrong_signature",
            Self::Empty => "empty",
            Self::Html => "html",
            Self::NotJson => "not_json",
            Self::NotObject => "not_object",
            Self::NoRespcd => "no_respcd",
            Self::TwoStatuses => "two_statuses",
            Self::OtherOrder => "other_order",
        }
    }

    pub const ALL: [Self; 18] = [
        Self::ClientUnbuilt,
        Self::TooLate,
        Self::NoTurn,
        Self::NoConnection,
        Self::RateLimited,
        Self::Redirect,
        Self::ServerError,
        Self::TimedOut,
        Self::Broken,
        Self::TooLarge,
        Self::WrongSignature,
        Self::Empty,
        Self::Html,
        Self::NotJson,
        Self::NotObject,
        Self::NoRespcd,
        Self::TwoStatuses,
        Self::OtherOrder,
    ];

    /// The table. To add a way to fail, add a row.
    #[rustfmt::skip]
    const fn row(self) -> Row {
        use Fate::{NotArrived, NotProcessed, Unknown};
        use Repeat::{All, Never, Reads};
        match self {
            Self::ClientUnbuilt  => row(NotArrived,   All,   "the HTTP client could not be made"),
            Self::TooLate        => row(NotArrived,   Never, "it could not leave in time, and is not sent any more"),
            Self::NoTurn         => row(NotArrived,   Never, "too many requests wait for QFPay's rate limit"),
            Self::NoConnection   => row(NotArrived,   All,   "QFPay could not be reached"),
            Self::RateLimited    => row(NotProcessed, All,   "QFPay's rate limit was reached (HTTP 429)"),
            Self::Redirect       => row(Unknown,      Reads, "a redirect came instead of an answer"),
            Self::ServerError    => row(Unknown,      Reads, "QFPay's server failed"),
            Self::TimedOut       => row(Unknown,      Reads, "QFPay did not answer in time"),
            Self::Broken         => row(Unknown,      Reads, "the connection to QFPay broke before its answer was whole"),
            Self::TooLarge       => row(Unknown,      Reads, "QFPay's answer is over 1 MiB"),
            Self::WrongSignature => row(Unknown,      Reads, "the signature of QFPay's answer is wrong"),
            Self::Empty          => row(Unknown,      Never, "QFPay's answer is empty"),
            Self::Html           => row(Unknown,      Never, "an HTML page came instead of QFPay's answer"),
            Self::NotJson        => row(Unknown,      Never, "QFPay's answer is no valid JSON; it may have been cut off"),
            Self::NotObject      => row(Unknown,      Never, "QFPay's answer is JSON, but no object"),
            Self::NoRespcd       => row(Unknown,      Never, "QFPay's answer has no respcd"),
            Self::TwoStatuses    => row(Unknown,      Never, "QFPay's answer says 0000 and another status at once"),
            Self::OtherOrder     => row(Unknown,      Never, "QFPay's answer is about another order or amount, or does not say which"),
        }
    }

    pub const fn fate(self) -> Fate {
        self.row().fate
    }

    /// The failure in words, without what this one was about.
    pub const fn told(self) -> &'static str {
        self.row().told
    }

    /// What the caller is told when nothing goes again; `retry_after` where nothing was processed.
    pub fn trouble(self, detail: Option<&str>, retry_after: Option<Duration>) -> Trouble {
        let told = self.told();
        let reason = detail.map_or_else(|| told.to_owned(), |detail| format!("{told} ({detail})"));
        match self.fate() {
            Fate::NotArrived | Fate::NotProcessed => Trouble::NotSent { reason, retry_after },
            Fate::Unknown => Trouble::Lost { reason },
        }
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        failure.trouble(None, None)
    }
}

/// What to do after attempt number `attempt` (from 1) ended so; `wait` is what the other side asked
/// for, else [`backoff`].
pub fn next(failure: Failure, effect: Effect, attempt: u32, wait: Duration) -> Next {
    let repeated = match failure.row().repeat {
        Repeat::All => true,
        Repeat::Reads => effect == Effect::Reads,
        Repeat::Never => false,
    };
    if repeated && attempt < MAX_ATTEMPTS && wait <= MAX_WAIT {
        Next::Again(wait)
    } else {
        Next::GiveUp
    }
}

/// 1, 2, 4 … seconds, less up to half, so that several senders do not come back together. `jitter`
/// is between 0 and 1.
pub fn backoff(attempt: u32, jitter: f64) -> Duration {
    let full = FIRST_WAIT * 2_u32.saturating_pow(attempt.saturating_sub(1));
    full.min(MAX_WAIT).mul_f64(1.0 - jitter.clamp(0.0, 1.0) / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes_again(failure: Failure, effect: Effect) -> &'static str {
        match next(failure, effect, 1, Duration::ZERO) {
            Next::Again(_) => "again",
            Next::GiveUp => "-",
        }
    }

    #[test]
    fn what_each_failure_proves_and_whether_a_read_or_a_move_goes_again() {
        let rows = Failure::ALL.map(|it| {
            let again = [Effect::Reads, Effect::Moves].map(|effect| goes_again(it, effect));
            let (failure, fate) = (format!("{it:?}"), format!("{:?}", it.fate()));
            let [reads, moves] = again;
            format!("{failure:<14} | {fate:<12} | reads {reads:<5} | moves {moves}")
        });
        insta::assert_snapshot!(rows.join("\n"), @"
        ClientUnbuilt  | NotArrived   | reads again | moves again
        TooLate        | NotArrived   | reads -     | moves -
        NoTurn         | NotArrived   | reads -     | moves -
        NoConnection   | NotArrived   | reads again | moves again
        RateLimited    | NotProcessed | reads again | moves again
        Redirect       | Unknown      | reads again | moves -
        ServerError    | Unknown      | reads again | moves -
        TimedOut       | Unknown      | reads again | moves -
        Broken         | Unknown      | reads again | moves -
        TooLarge       | Unknown      | reads again | moves -
        WrongSignature | Unknown      | reads again | moves -
        Empty          | Unknown      | reads -     | moves -
        Html           | Unknown      | reads -     | moves -
        NotJson        | Unknown      | reads -     | moves -
        NotObject      | Unknown      | reads -     | moves -
        NoRespcd       | Unknown      | reads -     | moves -
        TwoStatuses    | Unknown      | reads -     | moves -
        OtherOrder     | Unknown      | reads -     | moves -
        ");
    }

    #[test]
    fn what_may_have_been_carried_out_never_goes_again_where_money_moves() {
        for failure in Failure::ALL.into_iter().filter(|it| it.fate() == Fate::Unknown) {
            for attempt in 0..MAX_ATTEMPTS {
                let next = next(failure, Effect::Moves, attempt, Duration::ZERO);
                assert_eq!(next, Next::GiveUp, "{failure:?}");
            }
            assert!(matches!(Trouble::from(failure), Trouble::Lost { .. }), "{failure:?}");
        }
    }

    #[test]
    fn a_request_is_sent_four_times_at_most_and_not_after_a_long_wait() {
        let after = |attempt, wait| next(Failure::RateLimited, Effect::Moves, attempt, wait);
        let second = Duration::from_secs(1);
        let all: Vec<Next> = (1..=4).map(|it| after(it, second)).collect();
        let again = Next::Again(second);
        assert_eq!(all, [again, again, again, Next::GiveUp]);
        assert_eq!(after(1, MAX_WAIT), Next::Again(MAX_WAIT));
        assert_eq!(after(1, MAX_WAIT + second), Next::GiveUp);
    }

    #[test]
    fn each_wait_is_at_most_twice_the_last_and_jitter_takes_up_to_half_of_it() {
        let seconds = |jitter| (1..=6).map(|it| backoff(it, jitter).as_secs_f64()).collect();
        let (full, half): (Vec<f64>, Vec<f64>) = (seconds(0.0), seconds(1.0));
        assert_eq!(full, [1.0, 2.0, 4.0, 8.0, 10.0, 10.0]);
        assert_eq!(half, [0.5, 1.0, 2.0, 4.0, 5.0, 5.0]);
    }

    #[test]
    fn what_is_told_names_the_detail_and_when_to_come_back() {
        let hour = Some(Duration::from_secs(3600));
        let reason = "QFPay could not be reached (refused)".to_owned();
        let trouble = Failure::NoConnection.trouble(Some("refused"), hour);
        assert_eq!(trouble, Trouble::NotSent { reason, retry_after: hour });
        let reason = "QFPay did not answer in time".to_owned();
        assert_eq!(Failure::TimedOut.trouble(None, hour), Trouble::Lost { reason });
    }
}
