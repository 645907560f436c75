//! The book as tests, benchmarks and tools see it: what QFPay believes, whatever its answers said.
use super::{
    BookError, Settings,
    book::{Book, Filter, Trade},
};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Payment,
    Refund,
}

/// One payment or refund, as it stood at the moment of reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub kind: Kind,
    /// The merchant's number.
    pub out_trade_no: String,
    /// QFPay's number.
    pub syssn: String,
    /// The payment's syssn, of a refund.
    pub origssn: Option<String>,
    /// Minor units.
    pub amount: u64,
    pub currency: String,
    /// How it stands: 0000 paid or refunded, a pending code, or what ended it.
    pub respcd: String,
    /// 0 none, 1 reversed, 2 closed, 3 refunded, 5 refunded in part.
    pub cancel: String,
    /// Refunded by now, minor units.
    pub refunded: u64,
}

impl From<Trade> for Entry {
    fn from(trade: Trade) -> Self {
        Self {
            kind: if trade.is_payment() { Kind::Payment } else { Kind::Refund },
            cancel: trade.cancel().to_owned(),
            amount: trade.txamt.unsigned_abs(),
            refunded: trade.refunded.unsigned_abs(),
            out_trade_no: trade.out_trade_no,
            syssn: trade.syssn,
            origssn: trade.origssn,
            currency: trade.txcurrcd,
            respcd: trade.respcd,
        }
    }
}

/// Every payment and refund that a simulator with these settings would have, oldest first, from the
/// file of its book; no simulator has to run.
pub async fn read_book(settings: &Settings) -> Result<Vec<Entry>, BookError> {
    let book = Book::open_to_read(&settings.book).await?;
    let entries = all(&book, settings).await;
    book.close().await;
    entries
}

pub(super) async fn all(book: &Book, settings: &Settings) -> Result<Vec<Entry>, BookError> {
    let merchant = Some(settings.merchant());
    let everything = Filter { merchant, limit: u32::MAX, ..Filter::default() };
    let trades = book.select(settings.clock.now().as_millisecond(), &everything).await?;
    Ok(trades.into_iter().rev().map(Entry::from).collect())
}
