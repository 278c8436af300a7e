//! `dify_setups`: whether the server was set up.

use chrono::NaiveDateTime;
use sqlx::PgConnection;

use crate::Result;

/// When the server was set up.
#[tracing::instrument(name = "db.setup.find", skip_all, err)]
pub async fn find(db: &mut PgConnection) -> Result<Option<NaiveDateTime>> {
    Ok(sqlx::query_scalar!("SELECT setup_at FROM dify_setups LIMIT 1").fetch_optional(db).await?)
}
