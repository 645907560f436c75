//! How commands look on a terminal: colour where it is one, plain text elsewhere.
use std::io::{self, IsTerminal as _, Write as _};

use crate::config::Vars;

/// Writes for a person to read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Style {
    terminal: bool,
    colour: bool,
}

impl Style {
    /// Colour if stdout is a terminal and nobody said <https://no-color.org>.
    pub(super) fn of_stdout(vars: Vars<'_>) -> Self {
        Self::new(io::stdout().is_terminal(), vars)
    }

    /// The same for what is told beside a result.
    pub(super) fn of_stderr(vars: Vars<'_>) -> Self {
        Self::new(io::stderr().is_terminal(), vars)
    }

    fn new(terminal: bool, vars: Vars<'_>) -> Self {
        let no_colour = vars("NO_COLOR").is_some_and(|it| !it.is_empty());
        Self { terminal, colour: terminal && !no_colour }
    }

    /// As in a file.
    #[cfg(test)]
    pub(super) const PLAIN: Self = Self { terminal: false, colour: false };

    pub(super) fn is_terminal(self) -> bool {
        self.terminal
    }

    pub(super) fn has_colour(self) -> bool {
        self.colour
    }

    /// How many characters fit into a line; none where that is no terminal.
    pub(super) fn width(self) -> Option<usize> {
        let (width, _) = terminal_size::terminal_size().filter(|_| self.terminal)?;
        Some(usize::from(width.0))
    }

    /// A line. A reader that went away is no failure.
    pub(super) fn line(self, text: &str) {
        self.over("");
        let _ = writeln!(io::stdout(), "{text}");
    }

    /// A line that the next one writes over, or a plain one where that cannot be.
    pub(super) fn progress(self, text: &str) {
        if self.terminal { self.over(text) } else { self.line(text) }
    }

    /// Writes over the line; nothing where that cannot be.
    pub(super) fn over(self, text: &str) {
        if self.terminal {
            let mut stdout = io::stdout();
            let _ = write!(stdout, "\r\x1b[2K{text}").and_then(|()| stdout.flush());
        }
    }

    pub(super) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(super) fn good(self, text: &str) -> String {
        self.paint("1;32", text)
    }

    pub(super) fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Black on white, where there is colour.
    pub(super) fn ink(self, text: &str) -> String {
        self.paint("30;107", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.colour { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
