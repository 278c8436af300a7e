//! `dify_rs_running` and `dify_rs_processes`: which run belongs to which process, and which processes live.

use boxed::boxed;
use std::time::Duration;

use sqlx::{PgConnection, postgres::types::PgInterval};
use uuid::Uuid;

use crate::{DbError, Result};

/// What runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The answer to a message of a chat or completion.
    Message,
    /// A workflow.
    WorkflowRun,
}

impl Kind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::WorkflowRun => "workflow_run",
        }
    }
}

/// Notes that `process` runs `id`. Belongs into the transaction that stores the run as running.
#[tracing::instrument(name = "db.running.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, kind: Kind, id: Uuid, process: Uuid) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO dify_rs_running (kind, id, process_id) VALUES ($1, $2, $3)
        ON CONFLICT (kind, id) DO UPDATE SET process_id = EXCLUDED.process_id, started_at = now()
        "#,
        kind.as_str(),
        id,
        process,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that none of `ids` runs any more. Belongs into the transaction that stores their end.
#[tracing::instrument(name = "db.running.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, kind: Kind, ids: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM dify_rs_running WHERE kind = $1 AND id = ANY($2)",
        kind.as_str(),
        ids
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Notes that `process` lives, and forgets processes that have not been seen for a day and run nothing.
#[tracing::instrument(name = "db.running.heartbeat", skip_all, err)]
#[boxed]
pub async fn heartbeat(db: &mut PgConnection, process: Uuid) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO dify_rs_processes (id) VALUES ($1)
        ON CONFLICT (id) DO UPDATE SET seen_at = now()
        "#,
        process,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        DELETE FROM dify_rs_processes
        WHERE seen_at < now() - interval '1 day'
          AND NOT EXISTS (SELECT 1 FROM dify_rs_running WHERE process_id = dify_rs_processes.id)
        "#
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Runs of processes that were not seen for `lease`, at most `limit`. The rows are locked until the transaction ends, and
/// rows that somebody else has locked are passed over, so that several nodes may ask at once.
#[tracing::instrument(name = "db.running.abandoned", skip_all, err)]
#[boxed]
pub async fn abandoned(
    db: &mut PgConnection,
    kind: Kind,
    lease: Duration,
    limit: i64,
) -> Result<Vec<Uuid>> {
    let lease =
        PgInterval::try_from(lease).map_err(|err| DbError::from(sqlx::Error::Encode(err)))?;
    Ok(sqlx::query_scalar!(
        r#"
        SELECT r.id
        FROM dify_rs_running r LEFT JOIN dify_rs_processes p ON p.id = r.process_id
        WHERE r.kind = $1 AND coalesce(p.seen_at, r.started_at) < now() - $2::interval
        ORDER BY r.started_at
        LIMIT $3
        FOR UPDATE OF r SKIP LOCKED
        "#,
        kind.as_str(),
        lease,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// Which of `ids` are still marked as running in `process`. The rows are locked as those of [`abandoned`] are.
#[tracing::instrument(name = "db.running.lost", skip_all, err)]
#[boxed]
pub async fn lost(
    db: &mut PgConnection,
    kind: Kind,
    process: Uuid,
    ids: &[Uuid],
) -> Result<Vec<Uuid>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT id FROM dify_rs_running
        WHERE kind = $1 AND process_id = $2 AND id = ANY($3)
        FOR UPDATE SKIP LOCKED
        "#,
        kind.as_str(),
        process,
        ids,
    )
    .fetch_all(db)
    .await?)
}
