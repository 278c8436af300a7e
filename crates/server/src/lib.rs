//! The binary: api, worker, beat, migrate and maintenance commands.
//!
//! Invariant: this crate only wires. What a request or a job does is decided below it.

pub mod cli;
pub mod gauges;
pub mod leases;
pub mod lifecycle;
mod memory;
pub mod routes;
mod serve;
pub mod shell;
pub mod wiring;
