//! The signed HTTP core: from terms to requests, from bytes to events.
//!
//! Everything that speaks QFPay's wire lives here; nothing below knows HTTP, nothing above knows
//! the wire.
pub mod params;
pub mod sign;
