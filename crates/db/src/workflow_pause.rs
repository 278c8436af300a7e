//! `workflow_pauses` and `workflow_pause_reasons`: runs that wait.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{TenantId, WorkflowId, WorkflowRunId};
use uuid::Uuid;

use crate::Result;

/// A pause of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pause {
    /// The pause.
    pub id: Uuid,
    /// The version.
    pub workflow_id: WorkflowId,
    /// The run.
    pub workflow_run_id: WorkflowRunId,
    /// When the run went on.
    pub resumed_at: Option<NaiveDateTime>,
    /// The object with the run's state.
    pub state_object_key: String,
    /// When the run paused.
    pub created_at: NaiveDateTime,
}

/// Why a run waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reason {
    /// `human_input_required` or `scheduled_pause`.
    pub r#type: String,
    /// The form somebody has to fill in; empty without one.
    pub form_id: String,
    /// The node.
    pub node_id: String,
    /// For people.
    pub message: String,
}

/// The pause of a run, if the run is the workspace's.
#[tracing::instrument(name = "db.workflow_pause.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
) -> Result<Option<Pause>> {
    Ok(sqlx::query_as!(
        Pause,
        r#"
        SELECT p.id, p.workflow_id, p.workflow_run_id, p.resumed_at, p.state_object_key, p.created_at
        FROM workflow_pauses p
        JOIN workflow_runs r ON r.id = p.workflow_run_id
        WHERE r.tenant_id = $1 AND p.workflow_run_id = $2
        "#,
        tenant as _,
        run as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Why a run waits, if the run is the workspace's.
#[tracing::instrument(name = "db.workflow_pause.reasons", skip_all, err)]
#[boxed]
pub async fn reasons(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
) -> Result<Vec<Reason>> {
    Ok(sqlx::query_as!(
        Reason,
        r#"
        SELECT e.type_ AS "type", e.form_id, e.node_id, e.message
        FROM workflow_pause_reasons e
        JOIN workflow_pauses p ON p.id = e.pause_id
        JOIN workflow_runs r ON r.id = p.workflow_run_id
        WHERE r.tenant_id = $1 AND p.workflow_run_id = $2
        ORDER BY e.created_at, e.id
        "#,
        tenant as _,
        run as _,
    )
    .fetch_all(db)
    .await?)
}

/// A pause that is about to be noted.
#[derive(Debug, Clone, Copy)]
pub struct NewPause<'a> {
    /// The version.
    pub workflow: WorkflowId,
    /// The run.
    pub run: WorkflowRunId,
    /// The object with the run's state.
    pub state_object_key: &'a str,
    /// When.
    pub now: NaiveDateTime,
}

/// Notes that a run of the workspace waits, instead of what was noted before; answers the state object that is now
/// useless. Nothing is noted for a run of another workspace.
#[tracing::instrument(name = "db.workflow_pause.replace", skip_all, err)]
#[boxed]
pub async fn replace(
    db: &mut PgConnection,
    tenant: TenantId,
    new: NewPause<'_>,
    reasons: &[Reason],
) -> Result<Option<String>> {
    let old = delete(&mut *db, tenant, new.run).await?;
    let id = Uuid::now_v7();
    sqlx::query!(
        r#"
        INSERT INTO workflow_pauses (id, workflow_id, workflow_run_id, state_object_key, created_at, updated_at)
        SELECT $1, $2, r.id, $3, $4, $4 FROM workflow_runs r WHERE r.tenant_id = $5 AND r.id = $6
        "#,
        id,
        new.workflow as _,
        new.state_object_key,
        new.now,
        tenant as _,
        new.run as _,
    )
    .execute(&mut *db)
    .await?;
    for reason in reasons {
        sqlx::query!(
            r#"
            INSERT INTO workflow_pause_reasons (id, created_at, updated_at, pause_id, type_, form_id, node_id, message)
            SELECT $1, $2, $2, p.id, $3, $4, $5, $6 FROM workflow_pauses p WHERE p.id = $7
            "#,
            Uuid::now_v7(),
            new.now,
            reason.r#type,
            reason.form_id,
            reason.node_id,
            reason.message,
            id,
        )
        .execute(&mut *db)
        .await?;
    }
    Ok(old)
}

/// Takes a waiting run for going on; `false` if somebody else has it, or it does not wait.
#[tracing::instrument(name = "db.workflow_pause.claim", skip_all, err)]
#[boxed]
pub async fn claim(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE workflow_pauses p
        SET resumed_at = $3, updated_at = $3
        FROM workflow_runs r
        WHERE r.id = p.workflow_run_id AND r.tenant_id = $1 AND p.workflow_run_id = $2 AND p.resumed_at IS NULL
        "#,
        tenant as _,
        run as _,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Forgets the pause of a run; answers its state object.
#[tracing::instrument(name = "db.workflow_pause.delete", skip_all, err)]
#[boxed]
pub async fn delete(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
) -> Result<Option<String>> {
    sqlx::query!(
        r#"
        DELETE FROM workflow_pause_reasons e
        USING workflow_pauses p, workflow_runs r
        WHERE p.id = e.pause_id AND r.id = p.workflow_run_id AND r.tenant_id = $1 AND p.workflow_run_id = $2
        "#,
        tenant as _,
        run as _,
    )
    .execute(&mut *db)
    .await?;
    Ok(sqlx::query_scalar!(
        r#"
        DELETE FROM workflow_pauses p
        USING workflow_runs r
        WHERE r.id = p.workflow_run_id AND r.tenant_id = $1 AND p.workflow_run_id = $2
        RETURNING p.state_object_key
        "#,
        tenant as _,
        run as _,
    )
    .fetch_optional(db)
    .await?)
}
