//! Behaviour of the egress client against servers made here.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a test may fail by panicking, also in its helpers"
)]

mod calls;
mod server;
