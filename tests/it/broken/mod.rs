//! What is promised whatever breaks: each order is charged at most once, each refund made at most
//! once, and the ledger says what is known and what is not.
//!
//! Every case has a simulator with a book of its own ([`world`]), breaks one thing at one moment,
//! lets an agent repeat its call as an agent would, recovers, and holds the ledger against the
//! book record by record ([`book`]).
use std::{
    any::Any,
    io::{self, Write as _},
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use futures::{FutureExt as _, StreamExt as _, future::BoxFuture};

pub(crate) mod book;
mod faults;
mod kills;
mod patience;
mod steps;
mod stores;
mod tmpfs;
pub(crate) mod world;

/// A case by its name.
type Case = (String, BoxFuture<'static, ()>);

/// Cases that run at once: most of each is waiting.
const AT_ONCE: usize = 8;

/// Longer than any case takes; one that waits for what never comes is named, too.
const LIMIT: Duration = Duration::from_secs(150);

/// Runs all cases and fails with the names of those that failed; says how many there were.
async fn run_all(what: &str, cases: Vec<Case>) {
    let (count, start) = (cases.len(), Instant::now());
    assert!(count > 0, "{what}: no cases");
    let running = cases.into_iter().map(|(name, case)| async move {
        let case = AssertUnwindSafe(case).catch_unwind();
        match tokio::time::timeout(LIMIT, case).await {
            Ok(ended) => ended.err().map(|panic| format!("{name}: {}", told(panic.as_ref()))),
            Err(_) => Some(format!("{name}: it did not end within {LIMIT:?}")),
        }
    });
    let ended: Vec<Option<String>> =
        futures::stream::iter(running).buffer_unordered(AT_ONCE).collect().await;
    let failed: Vec<String> = ended.into_iter().flatten().collect();
    // Not `eprintln!`, which is shown only where a test fails.
    let seconds = start.elapsed().as_secs_f32();
    let _ = writeln!(io::stderr(), "{what}: {count} cases in {seconds:.1} s");
    assert!(
        failed.is_empty(),
        "{what}: {} of {count} failed:\n\n{}",
        failed.len(),
        failed.join("\n\n")
    );
}

fn told(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|it| (*it).to_owned())).unwrap_or_default()
}
