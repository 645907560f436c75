//! QFPay's documents as data. Every list in the product stands here, once; schemas, README
//! tables, checks and the simulator are derived from it.
//!
//! The tables know nothing of requests, ledgers or MCP. Each file names its sources.
pub mod currencies;
pub mod endpoints;
pub mod environments;
pub mod fields;
pub mod pay_types;
pub mod resp_codes;
pub mod search;

pub use currencies::{CURRENCIES, Currency};
pub use environments::{Environment, Money};
pub use fields::Field;
pub use pay_types::{Flow, PAY_TYPES, PayType};
pub use resp_codes::{RESP_CODES, RespCode};
