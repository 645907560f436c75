use std::sync::Arc;

use super::*;
use crate::{
    client::pace::{Limit, Pace as _},
    ledger::{
        cluster::Postgres as Cluster,
        conformance::{OLD_EVENTS, ledger_tests, old_events_are_counted, open_new, scope},
    },
};

/// A place of its own in the database; none, and told so, where there is no PostgreSQL.
async fn place() -> Option<SecretString> {
    Some(SecretString::from(Cluster::or_skip()?.fresh().await.unwrap()))
}

ledger_tests!(place().await, |url: &SecretString, scope| {
    PostgresLedger::new(Arc::new(Database::new(url).unwrap()), scope)
});

#[tokio::test]
async fn the_audit_can_only_be_added_to() {
    let Some(url) = place().await else { return };
    let database = Arc::new(Database::new(&url).unwrap());
    let ledger = PostgresLedger::new(database.clone(), scope("m1"));
    open_new(&ledger, "A1").await.unwrap();
    for sql in ["UPDATE events SET detail = 'x'", "DELETE FROM events", "TRUNCATE events"] {
        let mut connection = database.connection().await.unwrap();
        let told = sqlx::raw_sql(sql).execute(&mut *connection).await.unwrap_err();
        assert!(told.to_string().contains("events are only ever added"), "{told}");
    }
}

/// What was written before there was a chain is counted, and the chain begins behind it.
#[tokio::test]
async fn a_ledger_from_before_the_chain_is_brought_up_to_date() {
    let Some(url) = place().await else { return };
    let pool = PgPool::connect(url.expose_secret()).await.unwrap();
    let mut before = sqlx::migrate!("src/ledger/migrations/postgres");
    before.migrations.to_mut().retain(|it| it.version < 2);
    before.run(&pool).await.unwrap();
    sqlx::raw_sql(OLD_EVENTS).execute(&pool).await.unwrap();
    let ledger = PostgresLedger::new(Arc::new(Database::new(&url).unwrap()), scope("m1"));
    open_new(&ledger, "A1").await.unwrap();
    old_events_are_counted(&ledger, 2).await;
    let remove = "DROP TRIGGER events_are_only_added ON events; DELETE FROM events WHERE id = 1";
    sqlx::raw_sql(remove).execute(&pool).await.unwrap();
    old_events_are_counted(&ledger, 1).await;
}

#[tokio::test]
async fn an_address_is_never_told_back() {
    let wrong = SecretString::from("postgres://user:secret@host:notaport/db".to_owned());
    let told = Database::new(&wrong).unwrap_err();
    assert!(!format!("{told} {told:?}").contains("secret"), "{told}");
    let right = SecretString::from("postgres://user:secret@host/db".to_owned());
    let database = Database::new(&right).unwrap();
    assert!(!format!("{database:?}").contains("secret"));
}

/// Two processes over one database keep one pace.
#[tokio::test]
async fn turns_are_shared_by_all_who_use_the_database() {
    let Some(url) = place().await else { return };
    let limits = [
        Limit { most: 3, span: Duration::from_millis(400) },
        Limit { most: 5, span: Duration::from_secs(60) },
    ];
    let pace = || {
        let database = Arc::new(Database::new(&url).unwrap());
        SharedPace::new(database, scope("m1"), &limits)
    };
    let start = std::time::Instant::now();
    let turns = (0..6).map(|_| {
        let pace = pace();
        tokio::spawn(async move { (pace.turn(Duration::from_secs(2)).await, start.elapsed()) })
    });
    let went = futures::future::join_all(turns).await;
    let mut at: Vec<Duration> = went
        .iter()
        .filter_map(|it| it.as_ref().unwrap().0.ok().map(|()| it.as_ref().unwrap().1))
        .collect();
    at.sort_unstable();
    assert_eq!(at.len(), 5, "the sixth of a minute is told to come back: {went:?}");
    let late = at.last().unwrap().saturating_sub(*at.first().unwrap());
    assert!(
        late >= Duration::from_millis(350),
        "the fourth waits for the first to be over: {at:?}"
    );
    let refused = went.iter().find_map(|it| it.as_ref().unwrap().0.err()).unwrap();
    assert!(refused.retry_after > Duration::from_secs(30), "{refused:?}");
    // Another merchant has turns of its own.
    let other = SharedPace::new(Arc::new(Database::new(&url).unwrap()), scope("m2"), &limits);
    other.turn(Duration::ZERO).await.unwrap();
}

/// Whoever waited for the row books by the time at which they have it, not by when they came.
#[tokio::test]
async fn a_turn_is_no_earlier_than_the_row_was_had() {
    let Some(url) = place().await else { return };
    let limits = [Limit { most: 5, span: Duration::from_secs(60) }];
    let database = Arc::new(Database::new(&url).unwrap());
    let pace = SharedPace::new(database.clone(), scope("m1"), &limits);
    pace.turn(Duration::ZERO).await.unwrap();
    // Somebody who is told to come back later has the row and leaves it as it was.
    let mut connection = database.connection().await.unwrap();
    let mut holder = sqlx::Connection::begin(&mut *connection).await.unwrap();
    let holds: i32 = sqlx::query_scalar("SELECT pg_backend_pid() FROM turns FOR UPDATE")
        .fetch_one(&mut *holder)
        .await
        .unwrap();
    let booking = tokio::spawn(async move { pace.turn(Duration::ZERO).await });
    let mut watcher = database.connection().await.unwrap();
    let waits =
        "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid)))";
    while !sqlx::query_scalar::<_, bool>(waits).bind(holds).fetch_one(&mut *watcher).await.unwrap()
    {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let now = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::BIGINT";
    let released: i64 = sqlx::query_scalar(now).fetch_one(&mut *watcher).await.unwrap();
    holder.rollback().await.unwrap();
    booking.await.unwrap().unwrap();
    let turns: Vec<i64> =
        sqlx::query_scalar("SELECT at_us FROM turns").fetch_one(&mut *watcher).await.unwrap();
    assert!(turns[1] >= released, "{turns:?} {released}");
}
