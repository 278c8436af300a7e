//! Tables that grow from nothing faster than autovacuum looks at them.
//!
//! A new installation under load has thousands of rows before PostgreSQL has counted any: plans made for an empty table
//! stay in use and read all of it. Counting once in a while ends that; an old table is left to autovacuum.

use boxed::boxed;
use sqlx::{AssertSqlSafe, PgConnection};

use crate::Result;

/// Counts `tables` anew if the first of them is known to have less than half of the `written` rows. Tables that somebody
/// else counts at the moment are left out, and so are those of other owners.
#[tracing::instrument(name = "db.growth.count", skip(db), err)]
#[boxed]
pub async fn count(
    db: &mut PgConnection,
    tables: &'static [&'static str],
    written: u64,
) -> Result<()> {
    let Some(first) = tables.first() else { return Ok(()) };
    let known = sqlx::query_scalar!(
        r#"SELECT reltuples AS "known!" FROM pg_class WHERE oid = to_regclass($1)"#,
        first
    )
    .fetch_optional(&mut *db)
    .await?;
    // Rows that fit a float of 24 bits are few enough here.
    if known.is_none_or(|known| written as f32 <= known * 2.0) {
        return Ok(());
    }
    let statement = format!("ANALYZE (SKIP_LOCKED) {}", tables.join(", "));
    sqlx::query(AssertSqlSafe(statement)).persistent(false).execute(db).await?;
    Ok(())
}
