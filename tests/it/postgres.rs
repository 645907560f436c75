//! The cluster that other tests stand on.
use sqlx::{Connection as _, Executor as _, PgConnection};

use crate::cluster::Postgres;

async fn run(url: &str, sql: &'static str) -> Result<u64, sqlx::Error> {
    let mut connection = PgConnection::connect(url).await?;
    let done = connection.execute(sql).await?;
    connection.close().await?;
    Ok(done.rows_affected())
}

#[tokio::test]
async fn what_is_fresh_is_seen_by_nobody_else() {
    let Some(postgres) = Postgres::or_skip() else { return };
    let (one, other) = (postgres.fresh().await.unwrap(), postgres.fresh().await.unwrap());
    run(&one, "CREATE TABLE orders (number TEXT)").await.unwrap();
    run(&one, "INSERT INTO orders VALUES ('A1')").await.unwrap();
    for elsewhere in [other.as_str(), postgres.url()] {
        let error = run(elsewhere, "SELECT * FROM orders").await.unwrap_err().to_string();
        assert!(error.contains(r#"relation "orders" does not exist"#), "{error}");
    }
    assert_eq!(run(&one, "SELECT * FROM orders").await.unwrap(), 1);
}

#[tokio::test]
async fn a_cluster_of_ones_own_is_stopped_and_remembers_what_was_committed() {
    if Postgres::or_skip().is_none() {
        return;
    }
    let mut postgres = Postgres::start(true).unwrap();
    let place = postgres.fresh().await.unwrap();
    run(&place, "CREATE TABLE orders (number TEXT)").await.unwrap();
    run(&place, "INSERT INTO orders VALUES ('A1')").await.unwrap();
    postgres.restart().unwrap();
    assert_eq!(run(&place, "SELECT * FROM orders").await.unwrap(), 1);
    postgres.stop().unwrap();
    run(&place, "SELECT 1").await.unwrap_err();
    postgres.start_again().unwrap();
    assert_eq!(run(&place, "SELECT * FROM orders").await.unwrap(), 1);
}
