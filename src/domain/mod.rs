//! Values that are valid by construction: what a payment, an order and a refund are to us.
//!
//! No serde, no clock, no environment: other layers decide how a value is written down.
#![deny(clippy::arithmetic_side_effects, clippy::as_conversions, clippy::float_arithmetic)]
pub mod amount;
pub mod budget;
pub mod digest;
pub mod ids;
pub mod order;
pub mod question;
pub mod state;
pub mod time;
pub(crate) mod words;

pub use amount::Amount;
pub use budget::{Budget, Spent};
pub use ids::{OrderNumber, Syssn};
pub use order::{Ending, PaymentTerms, RefundTerms, Shown};
pub use question::Question;
pub use state::{PaymentEvent, PaymentState, RefundEvent, RefundState};
