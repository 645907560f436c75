use super::*;
use crate::ledger::{
    Ledger as _,
    conformance::{ledger_tests, scope},
};

ledger_tests!(tempfile::tempdir().ok(), |folder: &tempfile::TempDir, scope| {
    SqliteLedger::new(&folder.path().join("ledger.db"), scope)
});

#[tokio::test]
async fn a_ledger_that_is_never_used_leaves_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    drop(SqliteLedger::new(&file, scope("m1")));
    assert!(!file.exists());
}

async fn open_payment(ledger: &SqliteLedger, number: &str) -> Result<(), String> {
    let opened = crate::ledger::conformance::open_new(ledger, number).await;
    opened.map_err(|error| error.to_string())
}

#[tokio::test]
async fn a_write_that_failed_or_was_given_up_does_not_spoil_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::new(&folder.path().join("ledger.db"), scope("m1"));
    open_payment(&ledger, "A1").await.unwrap();
    // Given up in the middle of a transaction: its caller is gone.
    let writer = ledger.writer().await.unwrap();
    let given_up = writer.write(|connection| {
        Box::pin(async move {
            sqlx::raw_sql("DELETE FROM entries").execute(&mut *connection).await?;
            Err::<(), _>(LedgerError::Store("given up".into()))
        })
    });
    given_up.await.unwrap_err();
    // The disk is full: no page may be added.
    let full = writer.write(|connection| {
        Box::pin(async move {
            sqlx::raw_sql("PRAGMA max_page_count = 1").execute(&mut *connection).await?;
            let blob = "CREATE TABLE big AS SELECT zeroblob(900000)";
            sqlx::raw_sql(blob).execute(&mut *connection).await?;
            Ok(())
        })
    });
    assert!(full.await.unwrap_err().to_string().contains("full"));
    open_payment(&ledger, "A2").await.unwrap();
    assert!(ledger.find(&"A1".parse().unwrap()).await.unwrap().is_some());
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_deleted_or_replaced_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    let ledger = SqliteLedger::new(&file, scope("m1"));
    open_payment(&ledger, "A1").await.unwrap();
    std::fs::rename(&file, folder.path().join("moved.db")).unwrap();
    let told = open_payment(&ledger, "A2").await.unwrap_err();
    assert!(told.contains("was moved, deleted or emptied while in use"), "{told}");
    let emptied = folder.path().join("moved.db");
    std::fs::rename(&emptied, &file).unwrap();
    std::fs::write(&file, "").unwrap();
    assert!(open_payment(&ledger, "A2").await.is_err(), "what is written there is lost");
    std::fs::remove_file(&file).unwrap();
    open_payment(&SqliteLedger::new(&file, scope("m1")), "A2").await.unwrap();
    assert!(open_payment(&ledger, "A3").await.is_err());
}

/// Versions before the repeat guard wrote no digest of an entry's terms.
#[tokio::test]
async fn entries_of_older_versions_are_seen_by_the_repeat_guard() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    let ledger = SqliteLedger::new(&file, scope("m1"));
    open_payment(&ledger, "A1").await.unwrap();
    let mut connection = ledger.reader().await.unwrap().unwrap();
    let forget = "UPDATE entries SET digest = NULL";
    sqlx::raw_sql(forget).execute(&mut *connection).await.unwrap();
    let again = SqliteLedger::new(&file, scope("m1"));
    assert_eq!(crate::ledger::conformance::repeats(&again).await.as_deref(), Some("A1"));
}

/// What was written before there was a chain is counted, and the chain begins behind it.
#[tokio::test]
async fn a_ledger_from_before_the_chain_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ledger.db");
    let options = SqliteConnectOptions::new().filename(&file).create_if_missing(true);
    let pool = SqlitePool::connect_with(options).await.unwrap();
    let mut before = sqlx::migrate!("src/ledger/migrations/sqlite");
    before.migrations.to_mut().retain(|it| it.version < 3);
    before.run(&pool).await.unwrap();
    sqlx::raw_sql(crate::ledger::conformance::OLD_EVENTS).execute(&pool).await.unwrap();
    pool.close().await;
    let ledger = SqliteLedger::new(&file, scope("m1"));
    open_payment(&ledger, "A1").await.unwrap();
    crate::ledger::conformance::old_events_are_counted(&ledger, 2).await;
    let mut connection = ledger.reader().await.unwrap().unwrap();
    let remove = "DROP TRIGGER events_are_not_removed; DELETE FROM events WHERE id = 1";
    sqlx::raw_sql(remove).execute(&mut *connection).await.unwrap();
    crate::ledger::conformance::old_events_are_counted(&ledger, 1).await;
}

#[cfg(unix)]
#[tokio::test]
async fn the_file_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::new(&folder.path().join("ledger.db"), scope("m1"));
    open_payment(&ledger, "A1").await.unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let mode = file.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{mode:o}");
    }
}

#[tokio::test]
async fn one_damaged_entry_does_not_hide_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::new(&folder.path().join("ledger.db"), scope("m1"));
    open_payment(&ledger, "A1").await.unwrap();
    open_payment(&ledger, "A2").await.unwrap();
    let mut connection = ledger.reader().await.unwrap().unwrap();
    for spoil in ["terms = '{}'", "terms = 'no json'", "terms = '[1]'"] {
        let spoil = format!("UPDATE entries SET {spoil} WHERE number = 'A1'");
        let spoil = sqlx::AssertSqlSafe(spoil);
        sqlx::raw_sql(spoil).execute(&mut *connection).await.unwrap();
        let left = ledger.unfinished(None, 10).await.unwrap();
        assert_eq!(left.iter().map(|it| it.number().as_str()).collect::<Vec<_>>(), ["A2"]);
        let told = ledger.find(&"A1".parse().unwrap()).await.unwrap_err().to_string();
        assert_eq!(told, "the ledger's entry A1 cannot be read: its terms is damaged");
    }
}

#[tokio::test]
async fn the_audit_can_only_be_added_to() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::new(&folder.path().join("ledger.db"), scope("m1"));
    open_payment(&ledger, "A1").await.unwrap();
    for sql in ["UPDATE events SET detail = 'x'", "DELETE FROM events"] {
        let mut connection = ledger.reader().await.unwrap().unwrap();
        let told = sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap_err();
        assert!(told.to_string().contains("events are only ever added"), "{told}");
    }
}

#[tokio::test]
async fn a_commit_is_synced_to_disk() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = SqliteLedger::new(&folder.path().join("ledger.db"), scope("m1"));
    let writer = ledger.writer().await.unwrap();
    let told = writer.write(|connection| {
        Box::pin(async move {
            let mode: (String,) =
                sqlx::query_as("PRAGMA journal_mode").fetch_one(&mut *connection).await?;
            let level: (i64,) =
                sqlx::query_as("PRAGMA synchronous").fetch_one(&mut *connection).await?;
            Ok((mode.0, level.0))
        })
    });
    assert_eq!(told.await.unwrap(), ("wal".to_owned(), 2));
}
