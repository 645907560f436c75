//! A person at a terminal: whether one is there, who it is, and what they answer.
use std::{
    io::{self, BufRead as _, IsTerminal as _, Write as _},
    time::Instant,
};

use crate::domain::question::FASTEST;

/// What a person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    /// Whatever is not a yes.
    No,
    /// Nothing: the input ended.
    None,
    /// A yes that came before anybody could have read what it is to: pasted, or a program's.
    TooFast,
}

/// Whether a person can be asked: what is read and what is shown is a terminal. A program behind a
/// pipe is nobody.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows a text and asks. What was typed before is no answer.
pub(super) async fn ask(text: &str) -> Answer {
    let text = text.to_owned();
    // A person takes their time.
    let answer = tokio::task::spawn_blocking(move || {
        let mut stderr = io::stderr();
        forget_what_was_typed();
        let _ = write!(stderr, "{text}\n\nYes? [y/N] ").and_then(|()| stderr.flush());
        let asked = Instant::now();
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => Answer::None,
            Ok(_) if !["y", "yes"].contains(&line.trim().to_lowercase().as_str()) => Answer::No,
            Ok(_) if asked.elapsed() < FASTEST => Answer::TooFast,
            Ok(_) => Answer::Yes,
        }
    });
    answer.await.unwrap_or(Answer::None)
}

#[cfg(unix)]
fn forget_what_was_typed() {
    use nix::sys::termios::{FlushArg, tcflush};
    // Where it cannot be, an answer still has to take its time.
    let _ = tcflush(io::stdin(), FlushArg::TCIFLUSH);
}

#[cfg(not(unix))]
fn forget_what_was_typed() {}

/// The name of the account that runs this, by the system and not by a variable.
#[cfg(unix)]
pub(super) fn account() -> String {
    use nix::unistd::{Uid, User};
    let uid = Uid::current();
    let user = User::from_uid(uid).ok().flatten();
    user.map_or_else(|| format!("uid {uid}"), |it| it.name)
}

#[cfg(not(unix))]
pub(super) fn account() -> String {
    "somebody at the terminal".to_owned()
}
