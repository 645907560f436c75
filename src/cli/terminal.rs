//! A person at a terminal: whether one is there, and what they answer.
use std::io::{self, BufRead as _, IsTerminal as _, Write as _};

/// What a person answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    /// Whatever is not a yes.
    No,
    /// Nothing: the input ended.
    None,
}

/// Whether a person can be asked: what is read and what is shown is a terminal. A program behind a
/// pipe is nobody.
pub(super) fn is_there() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// Shows a text and asks.
pub(super) async fn ask(text: &str) -> Answer {
    let text = text.to_owned();
    // A person takes their time.
    let answer = tokio::task::spawn_blocking(move || {
        let mut stderr = io::stderr();
        let _ = write!(stderr, "{text}\n\nYes? [y/N] ").and_then(|()| stderr.flush());
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => Answer::None,
            Ok(_) if ["y", "yes"].contains(&line.trim().to_lowercase().as_str()) => Answer::Yes,
            Ok(_) => Answer::No,
        }
    });
    answer.await.unwrap_or(Answer::None)
}
