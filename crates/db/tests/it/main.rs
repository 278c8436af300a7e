//! Tests of the database layer on a real PostgreSQL (`TEST_DATABASE_URL`).

mod catalogue;
mod id_types;
mod migrate;
mod pool;
mod testing;
