//! Where state is kept, and how long what is in it is waited for.
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use jiff::SignedDuration;
use secrecy::SecretString;

use super::{LedgerAt, Reader, variables as var};
use crate::spec::Environment;

/// An address in some form or other, rather than the path of a file.
fn looks_like_an_address(text: &str) -> bool {
    text.contains("://") || text.starts_with("postgres") || text.contains("password=")
}

impl Reader<'_> {
    pub(super) fn state_dir(&mut self) -> PathBuf {
        if let Some(dir) = self.get(var::STATE_DIR) {
            return PathBuf::from(dir);
        }
        let base = [("XDG_STATE_HOME", ""), ("LOCALAPPDATA", ""), ("HOME", ".local/state")];
        let found = base.iter().find_map(|(name, below)| {
            let dir = (self.vars)(name).filter(|it| !it.is_empty())?;
            Some(PathBuf::from(dir).join(below).join("qfpay-mcp"))
        });
        found.unwrap_or_else(|| {
            self.problems.push(format!(
                "there is no home directory to keep state in; set {} to a directory",
                var::STATE_DIR
            ));
            PathBuf::new()
        })
    }

    pub(super) fn ledger(&mut self, state_dir: &Path) -> LedgerAt {
        let given = match (self.get(var::LEDGER), self.get(var::LEDGER_FILE)) {
            (Some(given), None) => Some(given),
            (None, Some(file)) => self.read_file(var::LEDGER_FILE, &file),
            (Some(_), Some(_)) => {
                let (one, other) = (var::LEDGER, var::LEDGER_FILE);
                self.problems.push(format!("{one} and {other} are both set; unset one"));
                None
            }
            (None, None) => None,
        };
        match given {
            Some(url) if ["postgres://", "postgresql://"].iter().any(|it| url.starts_with(it)) => {
                LedgerAt::Postgres(SecretString::from(url))
            }
            // Not told back: an address may hold a password.
            Some(url) if looks_like_an_address(&url) => {
                self.problems.push(format!(
                    "{} is an address, but not of PostgreSQL; use \
                     postgres://user:password@host/database, or the path of a file",
                    var::LEDGER
                ));
                LedgerAt::File(PathBuf::new())
            }
            Some(file) => LedgerAt::File(PathBuf::from(file)),
            None => LedgerAt::File(state_dir.join("ledger.db")),
        }
    }

    /// What a file holds, without blanks around it.
    pub(super) fn read_file(&mut self, name: &str, file: &str) -> Option<String> {
        match std::fs::read_to_string(file) {
            Ok(text) if !text.trim().is_empty() => return Some(text.trim().to_owned()),
            Ok(_) => self.problems.push(format!("{name}: the file `{file}` is empty")),
            Err(error) => {
                self.problems.push(format!("{name}: the file `{file}` cannot be read ({error})"));
            }
        }
        None
    }

    /// Where money is real, ten minutes are the least: QFPay's own orders time out after that
    /// (contract §6).
    pub(super) fn give_up_after(&mut self, environment: Environment) -> SignedDuration {
        let least = if environment == Environment::Simulator { 1 } else { 10 };
        SignedDuration::from_mins(self.whole(var::GIVE_UP_MINUTES, 120, least..=10_080))
    }

    pub(super) fn recovery(&mut self) -> Option<Duration> {
        let given = self.get(var::RECOVERY_SECONDS).unwrap_or_else(|| "60".to_owned());
        if given == "off" {
            return None;
        }
        let seconds = given.parse().ok().filter(|it| (5..=3600).contains(it));
        let seconds = seconds.unwrap_or_else(|| {
            let name = var::RECOVERY_SECONDS;
            self.problems
                .push(format!("{name} is `{given}`; use a whole number from 5 to 3600, or off"));
            60
        });
        Some(Duration::from_secs(seconds))
    }
}
