//! `operator`: the line of a person who may approve over HTTP.
use std::{
    io::{self, BufRead as _, IsTerminal as _},
    process::ExitCode,
};

use super::{USAGE, complain, print};
use crate::transport::Operators;

/// Fewest characters of a password.
const LEAST: usize = 12;

pub(super) fn run(name: &str) -> ExitCode {
    if let Err(problem) = Operators::check_name(name) {
        complain(&format!("qfpay-mcp: {problem}"));
        return ExitCode::from(USAGE);
    }
    let password = match password() {
        Ok(password) => password,
        Err(problem) => {
            complain(&format!("qfpay-mcp: {problem}"));
            return ExitCode::from(USAGE);
        }
    };
    match Operators::line(name, &password) {
        Ok(line) => {
            if let Err(error) = print(&line) {
                complain(&format!("qfpay-mcp: the line could not be written: {error}"));
                return ExitCode::FAILURE;
            }
            if io::stdout().is_terminal() {
                complain("Add this line to the file that QFPAY_OPERATORS_FILE names.");
            }
            ExitCode::SUCCESS
        }
        Err(problem) => {
            complain(&format!("qfpay-mcp: {problem}"));
            ExitCode::from(USAGE)
        }
    }
}

/// Typed twice at a terminal, unseen; elsewhere the first line of the input.
fn password() -> Result<String, String> {
    let read = |it: io::Error| format!("the password cannot be read: {it}");
    let password = if io::stdin().is_terminal() {
        let password = rpassword::prompt_password("Password: ").map_err(read)?;
        let again = rpassword::prompt_password("The same again: ").map_err(read)?;
        if password != again {
            return Err("the two are not the same".to_owned());
        }
        password
    } else {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map_err(read)?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    };
    if password.chars().count() < LEAST {
        return Err(format!("the password needs at least {LEAST} characters"));
    }
    Ok(password)
}
