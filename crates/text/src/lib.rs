//! Token counts and text helpers.

pub mod tokens;
