//! The one integration test binary; each file in this folder is one subject.
//! (`cfg(test)` is always on here; it tells Clippy that helpers may unwrap.)
#[cfg(test)]
mod adversarial;
#[cfg(test)]
mod approve;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod checkout;
#[cfg(test)]
mod cluster;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod confirm;
#[cfg(test)]
mod context;
#[cfg(test)]
mod conversation;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod harness;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod hostile;
#[cfg(test)]
mod layers;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod notifications;
#[cfg(test)]
mod orders;
#[cfg(test)]
mod postgres;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod qr;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod relay;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod service;
#[cfg(test)]
mod sizes;
#[cfg(test)]
mod soak;
#[cfg(test)]
mod stdio;
#[cfg(test)]
mod tool_schemas;
#[cfg(test)]
mod web;
