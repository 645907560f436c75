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
/// otherwise before; all of it as seen from `clock.now`.
const SELECT: &str = " AS now)
SELECT t.*, p.out_trade_no AS orig_out_trade_no,
    CASE WHEN t.settled IS NOT NULL THEN t.settled
         WHEN t.pays_ms <= now AND t.pays_ms < t.expires_ms THEN '0000'
         WHEN t.expires_ms <= now THEN '1181'
         ELSE t.waiting END AS respcd,
    CASE WHEN t.settled = '0000' THEN t.settled_ms
         WHEN t.settled IS NULL AND t.pays_ms <= now AND t.pays_ms < t.expires_ms THEN t.pays_ms
         END AS paid_ms,
    COALESCE((SELECT SUM(r.txamt) FROM trades r WHERE r.origssn = t.syssn), 0) AS promised,
    COALESCE((SELECT SUM(r.txamt) FROM trades r
              WHERE r.origssn = t.syssn AND r.pays_ms <= now), 0) AS refunded
FROM clock, trades t LEFT JOIN trades p ON p.syssn = t.origssn
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
    let mut query = QueryBuilder::<Sqlite>::new("WITH clock AS (SELECT ");
    query.push_bind(now_ms).push(SELECT);
    if let Some(merchant) = &filter.merchant {
        query.push(" AND t.merchant = ").push_bind(merchant);
    }
    one_of(&mut query, "t.syssn", &filter.syssn);
    one_of(&mut query, "t.out_trade_no", &filter.out_trade_no);
    one_of(&mut query, "t.pay_type", &filter.pay_type);
    if let Some((first, last)) = &filter.sysdtm {
        query.push(" AND t.sysdtm BETWEEN ").push_bind(first).push(" AND ").push_bind(last);
    }
    if let Some(respcd) = &filter.respcd {
        query.push(" AND respcd = ").push_bind(respcd);
    }
    if filter.due {
        query.push(" AND t.notify_due_ms <= now ORDER BY t.notify_due_ms");
    } else {
        query.push(" ORDER BY t.serial DESC");
    }
    query.push(" LIMIT ").push_bind(filter.limit.max(1));
    query.push(" OFFSET ").push_bind(filter.offset);
    Ok(query.build_query_as().fetch_all(executor).await?)
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
