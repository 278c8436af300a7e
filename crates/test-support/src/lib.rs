//! Databases, servers and fakes for tests.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be prepared has failed"
)]

pub mod app;
mod boot;
pub mod chaos;
pub mod client;
pub mod listener;
pub mod server;

pub use app::{Answer, TestApp, TestUser};
pub use client::{Client, Reply};
pub use db::testing::TestDb;
pub use listener::Listener;
pub use server::TestServer;
