//! Tests of the engine as a whole.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    clippy::needless_range_loop,
    clippy::result_large_err,
    reason = "tests say it short"
)]

mod conditions;
mod containers;
mod engine;
mod executor;
mod nodes;
mod sequential;
mod simulator;
mod support;
