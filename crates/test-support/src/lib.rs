//! Databases, servers and fakes for tests.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot be prepared has failed"
)]

pub mod app;
pub mod listener;

pub use app::{Answer, TestApp, TestUser};
pub use db::testing::TestDb;
pub use listener::Listener;
