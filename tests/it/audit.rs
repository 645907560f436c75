//! The audit as people and auditors read it: by day, whole, and found out when it is not.
use serde_json::{Value, json};
use sqlx::Connection as _;

use crate::{
    cluster::Postgres,
    harness::{Client, Desk},
};

/// A desk with six rows of audit in one of the stores, whose locks are off.
struct Tampered {
    desk: Desk,
    url: Option<String>,
}

/// What the stores do so that nobody tampers by mistake.
const UNLOCK_SQLITE: &str = "DROP TRIGGER events_are_not_changed; DROP TRIGGER \
    events_are_not_removed; DROP TRIGGER chain_is_not_changed; DROP TRIGGER chain_is_not_removed";
const UNLOCK_POSTGRES: &str = "DROP TRIGGER events_are_only_added ON events; \
    DROP TRIGGER chain_is_only_added_to ON chain; DROP TRIGGER events_are_chained ON events";

impl Tampered {
    async fn new(postgres: Option<&Postgres>) -> Self {
        let url = match postgres {
            Some(postgres) => Some(postgres.fresh().await.unwrap()),
            None => None,
        };
        let it = Self { desk: Desk::new(), url };
        let client = Client::of(it.command()).await;
        for number in ["A1", "A2", "A3"] {
            let arguments = json!({"amount": 1050, "currency": "HKD", "pay_type": "800201",
                                   "out_trade_no": number});
            client.reply("create_payment", arguments).await;
        }
        client.end().await;
        // Rows that came about at once are hung into PostgreSQL's chain by whoever comes next.
        it.verified(&[]).await;
        it.sql(if it.url.is_some() { UNLOCK_POSTGRES } else { UNLOCK_SQLITE }).await;
        it
    }

    fn command(&self) -> tokio::process::Command {
        let mut command = self.desk.command();
        // It would add rows of its own.
        command.env("QFPAY_RECOVERY_SECONDS", "off");
        if let Some(url) = &self.url {
            command.env("QFPAY_LEDGER", url);
        }
        command
    }

    async fn sql(&self, sql: &'static str) {
        if let Some(url) = &self.url {
            let mut connection = sqlx::PgConnection::connect(url).await.unwrap();
            sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
            return;
        }
        let url = format!("sqlite://{}", self.desk.path().join("ledger.db").display());
        let mut connection = sqlx::SqliteConnection::connect(&url).await.unwrap();
        sqlx::raw_sql(sql).execute(&mut connection).await.unwrap();
    }

    /// What `audit verify` prints, without the place, and its exit code.
    async fn verified(&self, more: &[&str]) -> (String, i32) {
        let done = self.command().args(["audit", "verify"]).args(more).output().await.unwrap();
        let printed = String::from_utf8(done.stdout).unwrap();
        let printed = printed.split(" (simulator").next().unwrap().trim().to_owned();
        (printed, done.status.code().unwrap())
    }
}

/// One row a case: what is done to the audit => what is found.
async fn found(postgres: Option<&Postgres>) -> String {
    let whole = Tampered::new(postgres).await;
    let printed = whole.command().args(["audit", "verify"]).output().await.unwrap().stdout;
    let printed = String::from_utf8(printed).unwrap();
    let head = printed.split("head  ").nth(1).unwrap().trim().to_owned();
    assert!(head.starts_with("6:"), "{printed}");
    let mut told = vec![format!("nothing => {}", whole.verified(&["--head", &head]).await.0)];
    let cases = [
        "UPDATE events SET detail = 'nothing to see' WHERE id = 2",
        "UPDATE events SET at_ms = at_ms + 1 WHERE id = 3",
        "UPDATE events SET principal = 'alice' WHERE id = 1",
        "UPDATE events SET principal = '', number = 'A9' WHERE id = 6",
        "DELETE FROM events WHERE id = 3",
        "DELETE FROM events WHERE id = 6",
        "DELETE FROM chain WHERE event_id = 3; DELETE FROM events WHERE id = 3",
        "DELETE FROM chain WHERE event_id <= 2; DELETE FROM events WHERE id <= 2",
        "DELETE FROM chain WHERE event_id = 4",
        "UPDATE chain SET hash = 'x' WHERE seq = 2",
        "INSERT INTO events (environment, merchant, at_ms, what, tool, transport) SELECT \
         environment, merchant, at_ms, 'approved', 'approve', 'terminal' FROM events WHERE id = 1",
    ];
    for case in cases {
        let it = Tampered::new(postgres).await;
        it.sql(case).await;
        let (printed, status) = it.verified(&[]).await;
        assert_eq!(status, 1, "{case}: {printed}");
        told.push(format!("{case} => {printed}"));
    }
    // Cut off at the end, link and all, it is whole by itself, but not what was noted.
    whole.sql("DELETE FROM chain WHERE event_id = 6; DELETE FROM events WHERE id = 6").await;
    let (printed, status) = whole.verified(&[]).await;
    assert!(printed.starts_with("All 5 rows are as written") && status == 0, "{printed}");
    let (printed, status) = whole.verified(&["--head", &head]).await;
    assert_eq!(status, 1);
    told.push(format!("the end cut off, with --head => {printed}"));
    told.join("\n")
}

#[tokio::test]
async fn whatever_is_changed_removed_or_slipped_in_is_found_on_sqlite() {
    insta::assert_snapshot!(found(None).await, @"
    nothing => All 6 rows are as written
    UPDATE events SET detail = 'nothing to see' WHERE id = 2 => FOUND row 2 (answered, A1) was changed, or the one before it
    The audit of 6 rows is not as it was written.
    UPDATE events SET at_ms = at_ms + 1 WHERE id = 3 => FOUND row 3 (sent, A2) was changed, or the one before it
    The audit of 6 rows is not as it was written.
    UPDATE events SET principal = 'alice' WHERE id = 1 => FOUND row 1 (sent, A1) was changed, or the one before it
    The audit of 6 rows is not as it was written.
    UPDATE events SET principal = '', number = 'A9' WHERE id = 6 => FOUND row 6 (answered, A9) was changed, or the one before it
    The audit of 6 rows is not as it was written.
    DELETE FROM events WHERE id = 3 => FOUND row 3 was removed
    The audit of 6 rows is not as it was written.
    DELETE FROM events WHERE id = 6 => FOUND row 6 was removed
    The audit of 6 rows is not as it was written.
    DELETE FROM chain WHERE event_id = 3; DELETE FROM events WHERE id = 3 => FOUND row 3 is missing from the chain
    The audit of 6 rows is not as it was written.
    DELETE FROM chain WHERE event_id <= 2; DELETE FROM events WHERE id <= 2 => FOUND rows 1 to 2 are missing from the chain
    The audit of 6 rows is not as it was written.
    DELETE FROM chain WHERE event_id = 4 => FOUND row 4 is missing from the chain
    FOUND 1 row beside the chain: slipped in, or cut out of it
    The audit of 6 rows is not as it was written.
    UPDATE chain SET hash = 'x' WHERE seq = 2 => FOUND row 2 (answered, A1) was changed, or the one before it
    FOUND row 3 (sent, A2) was changed, or the one before it
    The audit of 6 rows is not as it was written.
    INSERT INTO events (environment, merchant, at_ms, what, tool, transport) SELECT environment, merchant, at_ms, 'approved', 'approve', 'terminal' FROM events WHERE id = 1 => FOUND 1 row beside the chain: slipped in, or cut out of it
    The audit of 6 rows is not as it was written.
    the end cut off, with --head => FOUND row 6, whose hash was noted, is missing
    The audit of 5 rows is not as it was written.
    ");
}

#[tokio::test]
async fn whatever_is_changed_removed_or_slipped_in_is_found_on_postgres() {
    let Some(postgres) = Postgres::or_skip() else { return };
    assert_eq!(found(Some(postgres)).await, found(None).await);
}

#[tokio::test]
async fn the_audit_is_listed_by_day_for_people_and_for_programs() {
    let desk = Tampered::new(None).await.desk;
    let (printed, status) = desk.run(&["audit"]).await;
    assert_eq!((printed.lines().count(), status), (7, 0), "{printed}");
    assert!(printed.lines().nth(1).unwrap().contains("sent            A1"), "{printed}");
    let (printed, _) = desk.run(&["audit", "--json"]).await;
    let rows: Vec<Value> = serde_json::from_str(&printed).unwrap();
    let row = &rows[0];
    assert_eq!(
        (&row["what"], &row["number"], &row["to"]),
        (&json!("sent"), &json!("A1"), &json!("sent"))
    );
    assert_eq!(row["terms"]["amount"], 1050);
    assert_eq!(row["tool"], "create_payment");
    let (printed, status) = desk.run(&["audit", "--day", "2020-01-01"]).await;
    assert!(printed.starts_with("Nothing happened in that time") && status == 0, "{printed}");
    let (printed, _) = desk.run(&["audit", "--json", "--until", "2020-01-01"]).await;
    assert_eq!(printed, "[]\n");
    let (_, status) = desk.run(&["audit", "--day", "yesterday"]).await;
    assert_eq!(status, 2);
    let (_, status) = desk.run(&["audit", "verify", "--head", "6"]).await;
    assert_eq!(status, 2);
}
