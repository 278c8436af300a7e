//! Locks by name, for what no row stands for.

use boxed::boxed;
use sqlx::PgConnection;

use crate::Result;

/// Holds the lock `dify_rs:{name}` until the transaction ends.
#[tracing::instrument(name = "db.lock.hold", skip_all, err)]
#[boxed]
pub(crate) async fn hold(db: &mut PgConnection, name: &str) -> Result<()> {
    sqlx::query!("SELECT pg_advisory_xact_lock(hashtextextended('dify_rs:' || $1::text, 0))", name)
        .execute(db)
        .await?;
    Ok(())
}
