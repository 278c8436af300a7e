//! Token counts and text helpers.
