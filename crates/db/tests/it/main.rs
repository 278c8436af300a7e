//! Tests of the database layer on a real PostgreSQL.

mod id_types;
