//! Deleting runs that are older than the operator keeps them. For maintenance: all workspaces.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::WorkflowRunId;
use uuid::Uuid;

use crate::Result;

/// A run that is old enough to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Old {
    /// The run.
    pub id: WorkflowRunId,
    /// When it began.
    pub created_at: NaiveDateTime,
}

/// Which runs go.
#[derive(Debug, Clone, Copy)]
pub struct Which<'a> {
    /// Those that began before this.
    pub before: NaiveDateTime,
    /// Those after this one, in order of time and id.
    pub after: Option<Old>,
    /// Those of these workflows; `None`: of all.
    pub workflows: Option<&'a [Uuid]>,
    /// At most so many.
    pub limit: i64,
}

/// The oldest runs that have ended, by the index on time and id.
#[tracing::instrument(name = "db.run_retention.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, which: Which<'_>) -> Result<Vec<Old>> {
    let start = chrono::DateTime::UNIX_EPOCH.naive_utc();
    let after = which.after.map_or((start, Uuid::nil()), |old| (old.created_at, old.id.0));
    Ok(sqlx::query_as!(
        Old,
        r#"
        SELECT id AS "id: WorkflowRunId", created_at
        FROM workflow_runs
        WHERE created_at < $1 AND (created_at, id) > ($2, $3)
          AND status IN ('succeeded', 'failed', 'stopped', 'partial-succeeded')
          AND ($4::uuid[] IS NULL OR workflow_id = ANY($4))
        ORDER BY created_at, id
        LIMIT $5
        "#,
        which.before,
        after.0,
        after.1,
        which.workflows,
        which.limit,
    )
    .fetch_all(db)
    .await?)
}

/// What a batch of deleted runs leaves in the object storage.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Left {
    /// Runs that were deleted.
    pub runs: u64,
    /// Objects nothing refers to any more.
    pub objects: Vec<String>,
}

/// Deletes runs with their nodes, logs and pauses. Call it in a transaction.
#[tracing::instrument(name = "db.run_retention.delete", skip_all, fields(count = runs.len()), err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, runs: &[Uuid]) -> Result<Left> {
    let files: Vec<Uuid> = sqlx::query_scalar!(
        r#"
        DELETE FROM workflow_node_execution_offload o
        USING workflow_node_executions n
        WHERE n.id = o.node_execution_id AND n.workflow_run_id = ANY($1)
        RETURNING o.file_id
        "#,
        runs,
    )
    .fetch_all(&mut *db)
    .await?;
    let mut objects =
        sqlx::query_scalar!("DELETE FROM upload_files WHERE id = ANY($1) RETURNING key", &files,)
            .fetch_all(&mut *db)
            .await?;
    sqlx::query!("DELETE FROM workflow_node_executions WHERE workflow_run_id = ANY($1)", runs)
        .execute(&mut *db)
        .await?;
    sqlx::query!("DELETE FROM workflow_app_logs WHERE workflow_run_id = ANY($1)", runs)
        .execute(&mut *db)
        .await?;
    sqlx::query!(
        r#"
        DELETE FROM workflow_pause_reasons e
        USING workflow_pauses p
        WHERE p.id = e.pause_id AND p.workflow_run_id = ANY($1)
        "#,
        runs,
    )
    .execute(&mut *db)
    .await?;
    objects.extend(
        sqlx::query_scalar!(
            "DELETE FROM workflow_pauses WHERE workflow_run_id = ANY($1) RETURNING state_object_key",
            runs,
        )
        .fetch_all(&mut *db)
        .await?,
    );
    sqlx::query!("DELETE FROM workflow_trigger_logs WHERE workflow_run_id = ANY($1)", runs)
        .execute(&mut *db)
        .await?;
    let done =
        sqlx::query!("DELETE FROM workflow_runs WHERE id = ANY($1)", runs).execute(db).await?;
    Ok(Left { runs: done.rows_affected(), objects })
}

/// Deletes the messages of runs with what hangs on them, and conversations that are empty then. Annotations stay: they
/// are knowledge of the app, not a log. Call it in a transaction, before the runs go.
#[tracing::instrument(name = "db.run_retention.delete_messages", skip_all, fields(count = runs.len()), err)]
#[boxed]
pub async fn delete_messages(db: &mut PgConnection, runs: &[Uuid]) -> Result<u64> {
    // By app and time, for which there is an index; a message is made when its run is.
    let found = sqlx::query!(
        r#"
        SELECT m.id, m.conversation_id
        FROM workflow_runs r
        JOIN messages m ON m.app_id = r.app_id AND m.workflow_run_id = r.id
                       AND m.created_at BETWEEN r.created_at - interval '1 hour' AND r.created_at + interval '1 hour'
        WHERE r.id = ANY($1) AND r.type = 'chat'
        "#,
        runs,
    )
    .fetch_all(&mut *db)
    .await?;
    if found.is_empty() {
        return Ok(0);
    }
    let messages: Vec<Uuid> = found.iter().map(|row| row.id.0).collect();
    let mut conversations: Vec<Uuid> = found.iter().map(|row| row.conversation_id.0).collect();
    conversations.sort_unstable();
    conversations.dedup();
    macro_rules! of_messages {
        ($($statement:literal),+ $(,)?) => {
            $(sqlx::query!($statement, &messages).execute(&mut *db).await?;)+
        };
    }
    of_messages!(
        "DELETE FROM app_annotation_hit_histories WHERE message_id = ANY($1)",
        "DELETE FROM dataset_retriever_resources WHERE message_id = ANY($1)",
        "DELETE FROM message_agent_thoughts WHERE message_id = ANY($1)",
        "DELETE FROM message_chains WHERE message_id = ANY($1)",
        "DELETE FROM message_files WHERE message_id = ANY($1)",
        "DELETE FROM message_feedbacks WHERE message_id = ANY($1)",
        "DELETE FROM saved_messages WHERE message_id = ANY($1)",
        "UPDATE message_annotations SET message_id = NULL, conversation_id = NULL WHERE message_id = ANY($1)",
        "DELETE FROM messages WHERE id = ANY($1)",
    );
    let empty: Vec<Uuid> = sqlx::query_scalar!(
        r#"
        DELETE FROM conversations c
        WHERE c.id = ANY($1) AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.conversation_id = c.id)
        RETURNING c.id AS "id: Uuid"
        "#,
        &conversations,
    )
    .fetch_all(&mut *db)
    .await?;
    sqlx::query!(
        "DELETE FROM workflow_conversation_variables WHERE conversation_id = ANY($1)",
        &empty
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!("DELETE FROM pinned_conversations WHERE conversation_id = ANY($1)", &empty)
        .execute(db)
        .await?;
    Ok(u64::try_from(messages.len()).unwrap_or(0))
}
