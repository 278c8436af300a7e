//! `dify_setups`: whether the server was set up.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;

use crate::Result;

/// When the server was set up.
#[tracing::instrument(name = "db.setup.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection) -> Result<Option<NaiveDateTime>> {
    Ok(sqlx::query_scalar!("SELECT setup_at FROM dify_setups LIMIT 1").fetch_optional(db).await?)
}

/// Notes that the server was set up with `version`.
#[tracing::instrument(name = "db.setup.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, version: &str) -> Result<()> {
    sqlx::query!("INSERT INTO dify_setups (version) VALUES ($1)", version).execute(db).await?;
    Ok(())
}

/// Lets only one set-up run at a time, until the end of this transaction.
#[tracing::instrument(name = "db.setup.lock", skip_all, err)]
#[boxed]
pub async fn lock(db: &mut PgConnection) -> Result<()> {
    crate::lock::hold(db, "setup").await
}
