//! Reading the book: one statement, which computes how each trade stands now.
use sqlx::{QueryBuilder, Sqlite, SqliteExecutor};

use super::{Book, BookError, Trade};

/// Which trades to read. An empty list filters nothing.
#[derive(Debug, Default)]
pub(crate) struct Filter {
    /// None: of every merchant in the book.
    pub(crate) merchant: Option<String>,
    pub(crate) syssn: Vec<String>,
    pub(crate) out_trade_no: Vec<String>,
    pub(crate) pay_type: Vec<String>,
    pub(crate) respcd: Option<String>,
    /// First and last `sysdtm`, both included, as QFPay writes times.
    pub(crate) sysdtm: Option<(String, String)>,
    /// Notifications due until now, oldest first.
    pub(crate) due: bool,
    /// Most trades to read; 0 means one.
    pub(crate) limit: u32,
    pub(crate) offset: u32,
}

impl Filter {
    /// The trade with this number.
    pub(crate) fn number(out_trade_no: &str) -> Self {
        Self { out_trade_no: vec![out_trade_no.to_owned()], ..Self::default() }
    }

    /// The trade with this syssn.
    pub(crate) fn syssn(syssn: &str) -> Self {
        Self { syssn: vec![syssn.to_owned()], ..Self::default() }
    }
}

/// A payment is paid when its payer's moment has come before its expiry, unless somebody decided
/// otherwise before; all of it as seen from the clock. The clock is no table of the join: SQLite
/// would sort the whole book where an index has the order.
const SELECT: &str = " AS now)
SELECT t.*, p.out_trade_no AS orig_out_trade_no,
    CASE WHEN t.settled IS NOT NULL THEN t.settled
         WHEN t.pays_ms <= (SELECT now FROM clock) AND t.pays_ms < t.expires_ms THEN '0000'
         WHEN t.expires_ms <= (SELECT now FROM clock) THEN '1181'
         ELSE t.waiting END AS respcd,
    CASE WHEN t.settled = '0000' THEN t.settled_ms
         WHEN t.settled IS NULL AND t.pays_ms <= (SELECT now FROM clock)
              AND t.pays_ms < t.expires_ms THEN t.pays_ms
         END AS paid_ms,
    COALESCE((SELECT SUM(r.txamt) FROM trades r WHERE r.origssn = t.syssn), 0) AS promised,
    COALESCE((SELECT SUM(r.txamt) FROM trades r
              WHERE r.origssn = t.syssn AND r.pays_ms <= (SELECT now FROM clock)), 0) AS refunded
FROM trades t LEFT JOIN trades p ON p.syssn = t.origssn
WHERE TRUE";

impl Book {
    /// The trades that fit `filter`, as they stand at `now_ms`, newest first.
    pub(crate) async fn select(
        &self,
        now_ms: i64,
        filter: &Filter,
    ) -> Result<Vec<Trade>, BookError> {
        select(&self.readers, now_ms, filter).await
    }

    /// The trade with this syssn, whoever's it is.
    pub(crate) async fn find(&self, now_ms: i64, syssn: &str) -> Result<Option<Trade>, BookError> {
        Ok(self.select(now_ms, &Filter::syssn(syssn)).await?.pop())
    }
}

pub(super) async fn select(
    executor: impl SqliteExecutor<'_>,
    now_ms: i64,
    filter: &Filter,
) -> Result<Vec<Trade>, BookError> {
    Ok(statement(now_ms, filter).build_query_as().fetch_all(executor).await?)
}

/// Numbers find their trades at once; a unary plus keeps SQLite from the index of times, by which
/// it would read the whole month for them.
fn statement(now_ms: i64, filter: &Filter) -> QueryBuilder<Sqlite> {
    let by_syssn = !filter.syssn.is_empty();
    let by_number = by_syssn || !filter.out_trade_no.is_empty();
    let plus = |is_hidden: bool| if is_hidden { "+" } else { "" };
    let mut query = QueryBuilder::<Sqlite>::new("WITH clock AS (SELECT ");
    query.push_bind(now_ms).push(SELECT);
    if let Some(merchant) = &filter.merchant {
        query.push(" AND ").push(plus(by_syssn)).push("t.merchant = ");
        query.push_bind(merchant.clone());
    }
    one_of(&mut query, "t.syssn", &filter.syssn);
    one_of(&mut query, "t.out_trade_no", &filter.out_trade_no);
    one_of(&mut query, "t.pay_type", &filter.pay_type);
    if let Some((first, last)) = &filter.sysdtm {
        query.push(" AND ").push(plus(by_number)).push("t.sysdtm BETWEEN ");
        query.push_bind(first.clone()).push(" AND ").push_bind(last.clone());
    }
    if let Some(respcd) = &filter.respcd {
        query.push(" AND respcd = ").push_bind(respcd.clone());
    }
    query.push(match filter {
        _ if filter.due => {
            " AND t.notify_due_ms <= (SELECT now FROM clock) ORDER BY t.notify_due_ms"
        }
        _ if by_number => " ORDER BY +t.serial DESC",
        Filter { sysdtm: Some(_), .. } => " ORDER BY t.sysdtm DESC, t.serial DESC",
        _ => " ORDER BY t.serial DESC",
    });
    query.push(" LIMIT ").push_bind(filter.limit.max(1));
    query.push(" OFFSET ").push_bind(filter.offset);
    query
}

fn one_of(query: &mut QueryBuilder<Sqlite>, column: &str, values: &[String]) {
    if values.is_empty() {
        return;
    }
    query.push(" AND ").push(column).push(" IN (");
    let mut list = query.separated(", ");
    for value in values {
        list.push_bind(value.clone());
    }
    query.push(")");
}

#[cfg(test)]
mod tests {
    use sqlx::{AssertSqlSafe, Row as _};

    use super::*;

    /// How SQLite finds the trades of `filter`: the lines of its plan about them.
    async fn plan(book: &Book, filter: Filter) -> String {
        let sql = format!("EXPLAIN QUERY PLAN {}", statement(0, &filter).sql().as_str());
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&book.readers).await.unwrap();
        let lines = rows.iter().map(|it| it.get::<String, _>("detail"));
        let lines = lines.filter(|it| format!("{it} ").contains(" t ") || it.contains("ORDER BY"));
        lines.collect::<Vec<_>>().join("; ")
    }

    /// With hundreds of thousands of trades, what reads them all is too slow.
    #[tokio::test]
    async fn no_filter_reads_more_trades_than_it_has_to() {
        let dir = tempfile::tempdir().unwrap();
        let book = Book::open(&dir.path().join("book.db")).await.unwrap();
        let merchant = || Some("m".to_owned());
        let month = || Some(("2026-11-01 00:00:00".to_owned(), "2026-11-30 23:59:59".to_owned()));
        let many = || (0..100).map(|it| it.to_string()).collect::<Vec<_>>();
        let filters = [
            Filter {
                merchant: merchant(),
                out_trade_no: many(),
                sysdtm: month(),
                ..Filter::default()
            },
            Filter { merchant: merchant(), syssn: many(), sysdtm: month(), ..Filter::default() },
            Filter { merchant: merchant(), sysdtm: month(), ..Filter::default() },
            Filter { merchant: merchant(), ..Filter::number("A1") },
            Filter { due: true, ..Filter::default() },
            Filter::default(),
        ];
        let mut plans = Vec::new();
        for filter in filters {
            plans.push(plan(&book, filter).await);
        }
        insta::assert_snapshot!(plans.join("\n"), @r"
        SEARCH t USING INDEX trades_of_number (merchant=? AND out_trade_no=?); USE TEMP B-TREE FOR ORDER BY
        SEARCH t USING INDEX sqlite_autoindex_trades_1 (syssn=?); USE TEMP B-TREE FOR ORDER BY
        SEARCH t USING INDEX trades_sysdtm (merchant=? AND sysdtm>? AND sysdtm<?)
        SEARCH t USING INDEX trades_of_number (merchant=? AND out_trade_no=?); USE TEMP B-TREE FOR ORDER BY
        SEARCH t USING INDEX trades_notify (notify_due_ms<?)
        SCAN t
        ");
    }
}
