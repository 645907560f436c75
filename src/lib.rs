//! Payments at QFPay (Hong Kong), offered to AI agents as MCP tools.
//!
//! Modules in reading order; each one may use only those above it (`tests/it/layers.rs` holds
//! this). `ARCHITECTURE.md` tells the same in prose.
pub mod meter;

pub mod places;

pub mod spec;

pub mod domain;

pub mod clock;

pub mod client;

pub mod simulator;

pub mod ledger;

pub mod policy;

pub mod payments;

pub mod mcp;

pub mod transport;

pub mod config;

pub mod telemetry;

pub mod cli;
