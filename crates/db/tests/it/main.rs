//! Tests of the database layer on a real PostgreSQL (`TEST_DATABASE_URL`).

#![expect(clippy::unwrap_used, reason = "tests")]

mod analytics;
mod catalogue;
mod embedded;
mod id_types;
mod migrate;
mod pool;
mod pooler;
mod testing;
