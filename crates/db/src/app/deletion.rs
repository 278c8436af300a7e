//! Deleting what belonged to an app whose row is gone.

use boxed::boxed;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// Rows a single statement deletes at the most, so that no transaction grows with the app.
const BATCH: u64 = 1000;

/// Runs each statement until it deletes nothing more. `$1` is the app.
macro_rules! until_empty {
    ($db:ident, $app:ident, $($statement:literal),+ $(,)?) => {{
        let mut deleted = 0;
        $(
            loop {
                let rows = sqlx::query!($statement, $app as _).execute(&mut *$db).await?.rows_affected();
                deleted += rows;
                if rows < BATCH {
                    break;
                }
            }
        )+
        deleted
    }};
}

/// Deletes every row that belongs to a deleted app, 1000 at a time, and answers how many. Safe to repeat.
///
/// Nothing is deleted while the app exists. Call it outside a transaction: each batch commits by itself.
#[tracing::instrument(name = "db.app.purge", skip_all, err)]
#[boxed]
pub async fn purge(db: &mut PgConnection, tenant: TenantId, app: AppId) -> Result<u64> {
    let exists = sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM apps WHERE id = $1) AS "exists!""#,
        app as _,
    )
    .fetch_one(&mut *db)
    .await?;
    if exists {
        return Ok(0);
    }
    let mut deleted = 0;
    deleted += purge_settings(db, app).await?;
    deleted += purge_workflows(db, app).await?;
    deleted += purge_chats(db, app).await?;
    deleted += sqlx::query!(
        "DELETE FROM tag_bindings WHERE tenant_id = $1 AND target_id = $2",
        tenant as _,
        app as _,
    )
    .execute(&mut *db)
    .await?
    .rows_affected();
    Ok(deleted)
}

async fn purge_settings(db: &mut PgConnection, app: AppId) -> Result<u64> {
    Ok(until_empty!(
        db,
        app,
        "DELETE FROM app_model_configs WHERE id IN (SELECT id FROM app_model_configs WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM sites WHERE id IN (SELECT id FROM sites WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM app_mcp_servers WHERE id IN (SELECT id FROM app_mcp_servers WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM api_tokens WHERE id IN (SELECT id FROM api_tokens WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM installed_apps WHERE id IN (SELECT id FROM installed_apps WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM recommended_apps WHERE id IN (SELECT id FROM recommended_apps WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM app_annotation_hit_histories
         WHERE id IN (SELECT id FROM app_annotation_hit_histories WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM app_annotation_settings
         WHERE id IN (SELECT id FROM app_annotation_settings WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM dify_rs_annotation_vectors
         WHERE ctid IN (SELECT ctid FROM dify_rs_annotation_vectors WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM app_dataset_joins WHERE id IN (SELECT id FROM app_dataset_joins WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM trace_app_config WHERE id IN (SELECT id FROM trace_app_config WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM tool_workflow_providers
         WHERE id IN (SELECT id FROM tool_workflow_providers WHERE app_id = $1 LIMIT 1000)",
    ))
}

async fn purge_workflows(db: &mut PgConnection, app: AppId) -> Result<u64> {
    Ok(until_empty!(
        db,
        app,
        "DELETE FROM workflows WHERE id IN (SELECT id FROM workflows WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_runs WHERE id IN (SELECT id FROM workflow_runs WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_node_execution_offload
         WHERE id IN (SELECT id FROM workflow_node_execution_offload WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_node_executions
         WHERE id IN (SELECT id FROM workflow_node_executions WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_app_logs WHERE id IN (SELECT id FROM workflow_app_logs WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_conversation_variables
         WHERE (id, conversation_id) IN
               (SELECT id, conversation_id FROM workflow_conversation_variables WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_draft_variables
         WHERE id IN (SELECT id FROM workflow_draft_variables WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM app_triggers WHERE id IN (SELECT id FROM app_triggers WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_plugin_triggers
         WHERE id IN (SELECT id FROM workflow_plugin_triggers WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_webhook_triggers
         WHERE id IN (SELECT id FROM workflow_webhook_triggers WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_schedule_plans
         WHERE id IN (SELECT id FROM workflow_schedule_plans WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM workflow_trigger_logs
         WHERE id IN (SELECT id FROM workflow_trigger_logs WHERE app_id = $1 LIMIT 1000)",
    ))
}

/// Messages go after what hangs on them, so that a run that breaks off finds the rest again.
async fn purge_chats(db: &mut PgConnection, app: AppId) -> Result<u64> {
    Ok(until_empty!(
        db,
        app,
        "DELETE FROM message_feedbacks WHERE id IN (SELECT id FROM message_feedbacks WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM message_annotations WHERE id IN (SELECT id FROM message_annotations WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM saved_messages WHERE id IN (SELECT id FROM saved_messages WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM message_chains
         WHERE id IN (SELECT c.id FROM message_chains c JOIN messages m ON m.id = c.message_id
                      WHERE m.app_id = $1 LIMIT 1000)",
        "DELETE FROM message_agent_thoughts
         WHERE id IN (SELECT t.id FROM message_agent_thoughts t JOIN messages m ON m.id = t.message_id
                      WHERE m.app_id = $1 LIMIT 1000)",
        "DELETE FROM message_files
         WHERE id IN (SELECT f.id FROM message_files f JOIN messages m ON m.id = f.message_id
                      WHERE m.app_id = $1 LIMIT 1000)",
        "DELETE FROM conversation_messages
         WHERE id IN (SELECT id FROM conversation_messages
                      WHERE metadata @> jsonb_build_object('app_id', $1::uuid::text) LIMIT 1000)",
        "DELETE FROM messages WHERE id IN (SELECT id FROM messages WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM pinned_conversations
         WHERE id IN (SELECT id FROM pinned_conversations WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM conversations WHERE id IN (SELECT id FROM conversations WHERE app_id = $1 LIMIT 1000)",
        "DELETE FROM end_users WHERE id IN (SELECT id FROM end_users WHERE app_id = $1 LIMIT 1000)",
    ))
}

/// Up to 1000 files that hold draft variables too large for their row: the file's row and its key in storage.
#[tracing::instrument(name = "db.app.draft_variable_files", skip_all, err)]
#[boxed]
pub async fn draft_variable_files(
    db: &mut PgConnection,
    app: AppId,
) -> Result<Vec<(Uuid, Option<String>)>> {
    let rows = sqlx::query!(
        r#"
        SELECT f.id, u.key AS "key?"
        FROM workflow_draft_variable_files f
        LEFT JOIN upload_files u ON u.id = f.upload_file_id
        WHERE f.app_id = $1
        ORDER BY f.id
        LIMIT 1000
        "#,
        app as _,
    )
    .fetch_all(db)
    .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.key)).collect())
}

/// Deletes the rows of such files, and of the uploads behind them.
#[tracing::instrument(name = "db.app.forget_draft_variable_files", skip_all, err)]
#[boxed]
pub async fn forget_draft_variable_files(
    db: &mut PgConnection,
    app: AppId,
    files: &[Uuid],
) -> Result<()> {
    sqlx::query!(
        r#"
        WITH gone AS (
            DELETE FROM workflow_draft_variable_files WHERE app_id = $1 AND id = ANY($2) RETURNING upload_file_id
        )
        DELETE FROM upload_files WHERE id IN (SELECT upload_file_id FROM gone)
        "#,
        app as _,
        files,
    )
    .execute(db)
    .await?;
    Ok(())
}
