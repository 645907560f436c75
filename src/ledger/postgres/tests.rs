use std::sync::Arc;

use super::*;
use crate::ledger::{cluster::Postgres as Cluster, conformance::ledger_tests};

/// A place of its own in the database; none, and told so, where there is no PostgreSQL.
async fn place() -> Option<SecretString> {
    Some(SecretString::from(Cluster::or_skip()?.fresh().await.unwrap()))
}

ledger_tests!(place().await, |url: &SecretString, scope| {
    PostgresLedger::new(Arc::new(Database::new(url).unwrap()), scope)
});
