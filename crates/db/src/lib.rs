//! Rows, SQL and migrations: the only crate with SQL text.
