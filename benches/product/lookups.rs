//! Look-ups by number in a small and in a large ledger, of the same store and in turns.
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use qfpay_mcp::{
    domain::OrderNumber,
    ledger::{
        Caller, Happening, Ledger, Note, Scope,
        postgres::{Database, PostgresLedger},
        sqlite::SqliteLedger,
    },
    spec::Environment,
};
use sqlx::{AssertSqlSafe, Connection as _};

use super::{
    Effort, Trouble,
    desk::Desk,
    figures::{Rate, Table},
};

const SMALL: u32 = 1_000;
const LARGE: u32 = 1_000_000;

/// What fills a ledger: orders as they stand after they were paid.
const COLUMNS: &str = "INSERT INTO entries (environment, merchant, number, kind, state, version, \
     amount_minor, currency, terms, syssn, respcd, created_ms, sent_ms, updated_ms, digest, attempt)";
const VALUES: &str = "'simulator', 'bench', 'P' || n, 'payment', 'paid', 3, 100, 'HKD', \
     '{\"pay_type\": \"800201\", \"extras\": {}}', '20261123000100020000' || n, '0000', \
     1763000000000 + n, 1763000000000 + n, 1763000000000 + n, 'd' || n, 'a' || n";

pub(crate) async fn measure(effort: Effort, postgres: Option<&str>) -> Result<String, Trouble> {
    let desk = Desk::new()?;
    let mut table =
        Table::new(["", "orders", "a second", "p50", "p99", "of the small one's time"], 5);
    let mut stores = vec![("SQLite", sqlite(&desk, SMALL).await?, sqlite(&desk, LARGE).await?)];
    if let Some(url) = postgres {
        stores.push(("PostgreSQL", in_postgres(url, SMALL).await?, in_postgres(url, LARGE).await?));
    }
    for (store, small, large) in stores {
        let (mut smalls, mut larges) = (Vec::new(), Vec::new());
        // The first round only warms up.
        for at in 0..=effort.rounds {
            let few = look_up(&*small, SMALL, effort.span / 3).await?;
            let many = look_up(&*large, LARGE, effort.span / 3).await?;
            if at > 0 {
                smalls.push(few);
                larges.push(many);
            }
        }
        let (few, many) = (Rate::median(smalls), Rate::median(larges));
        let share = format!("{:.2}", few.per_second / many.per_second);
        for (orders, rate, share) in [(SMALL, few, String::new()), (LARGE, many, share)] {
            let [rate, p50, p99, _] = rate.cells();
            table.row([store.to_owned(), orders.to_string(), rate, p50, p99, share]);
        }
    }
    Ok(table.written("A look-up by number, one after another (aim: at most twice the time)"))
}

fn scope() -> Scope {
    Scope { environment: Environment::Simulator, merchant: "bench".to_owned() }
}

/// The first write makes the tables.
async fn made(ledger: &dyn Ledger) -> Result<(), Trouble> {
    let caller = Caller::own("terminal", "bench");
    let note = Note::new(&caller, Happening::Asked);
    Ok(ledger.note(None, None, note, "2026-11-23T06:30:00Z".parse()?).await?)
}

async fn sqlite(desk: &Desk, orders: u32) -> Result<Arc<dyn Ledger>, Trouble> {
    let file = desk.path().join(format!("ledger-{orders}.db"));
    let ledger = SqliteLedger::new(&file, scope());
    made(&ledger).await?;
    let mut connection =
        sqlx::SqliteConnection::connect(&format!("sqlite://{}", file.display())).await?;
    let rows = format!(
        "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < \
         {orders}) {COLUMNS} SELECT {VALUES} FROM numbers"
    );
    sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(Arc::new(ledger))
}

async fn in_postgres(url: &str, orders: u32) -> Result<Arc<dyn Ledger>, Trouble> {
    let mut connection = sqlx::PgConnection::connect(url).await?;
    let schema = format!("orders_{orders}");
    let create = AssertSqlSafe(format!("CREATE SCHEMA {schema}"));
    sqlx::raw_sql(create).execute(&mut connection).await?;
    let own = format!("{url}?options=-c%20search_path%3D{schema}");
    let ledger = PostgresLedger::new(Arc::new(Database::new(&own.into())?), scope());
    made(&ledger).await?;
    let rows = format!(
        "SET search_path = {schema}; {COLUMNS} SELECT {} FROM generate_series(1, {orders}) n; \
         ANALYZE entries",
        VALUES.replace("}'", "}'::JSONB")
    );
    sqlx::raw_sql(AssertSqlSafe(rows)).execute(&mut connection).await?;
    connection.close().await?;
    Ok(Arc::new(ledger))
}

/// Looks numbers up that are spread over the whole ledger.
async fn look_up(ledger: &dyn Ledger, orders: u32, span: Duration) -> Result<Rate, Trouble> {
    let (start, mut took) = (Instant::now(), Vec::new());
    let mut at = 1_u32;
    while start.elapsed() < span {
        at = (at + 618_033_989 % orders) % orders;
        let number: OrderNumber = format!("P{}", at + 1).parse()?;
        let before = Instant::now();
        let found = ledger.find(&number).await?;
        took.push(before.elapsed());
        if found.is_none() {
            return Err(format!("{number} is not there").into());
        }
    }
    Ok(Rate::new(took, start.elapsed(), None))
}
