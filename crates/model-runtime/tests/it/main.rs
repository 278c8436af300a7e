//! The built-in providers, and calls of them against servers in this process.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::needless_pass_by_value,
    reason = "helpers of tests fail by panicking"
)]

mod anthropic;
mod declarations;
mod gemini;
mod openai;
mod registry;
mod support;
