//! The client, against a daemon of the test.

mod daemon;
mod models;
mod support;
