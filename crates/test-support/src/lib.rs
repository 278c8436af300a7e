//! Databases, servers and fakes for tests.

pub use db::testing::TestDb;
