//! `workflow_schedule_plans`: when the schedule node of an app fires next.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// The schedule of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchedulePlan {
    /// The plan.
    pub id: Uuid,
    /// The app.
    pub app_id: AppId,
    /// The schedule node.
    pub node_id: String,
    /// The workspace.
    pub tenant_id: TenantId,
    /// Five fields, or `@daily` and the like.
    pub cron_expression: String,
    /// IANA name.
    pub timezone: String,
    /// UTC.
    pub next_run_at: Option<NaiveDateTime>,
}

/// What a published version makes of the plan.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of SchedulePlan")]
pub struct PlanChange<'a> {
    pub node_id: &'a str,
    pub cron_expression: &'a str,
    pub timezone: &'a str,
    pub next_run_at: NaiveDateTime,
    pub now: NaiveDateTime,
}

/// The plan of an app.
#[tracing::instrument(name = "db.workflow_schedule_plan.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
) -> Result<Option<SchedulePlan>> {
    Ok(sqlx::query_as!(
        SchedulePlan,
        r#"
        SELECT id, app_id, node_id, tenant_id, cron_expression, timezone, next_run_at
        FROM workflow_schedule_plans
        WHERE tenant_id = $1 AND app_id = $2
        LIMIT 1
        "#,
        tenant as _,
        app as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Makes `change` the only plan of an app.
#[tracing::instrument(name = "db.workflow_schedule_plan.replace", skip_all, err)]
#[boxed]
pub async fn replace(
    db: &mut PgConnection,
    tenant: TenantId,
    app: AppId,
    change: PlanChange<'_>,
) -> Result<()> {
    let updated = sqlx::query!(
        r#"
        UPDATE workflow_schedule_plans
        SET node_id = $3, cron_expression = $4, timezone = $5, next_run_at = $6, updated_at = $7
        WHERE tenant_id = $1 AND app_id = $2
        "#,
        tenant as _,
        app as _,
        change.node_id,
        change.cron_expression,
        change.timezone,
        change.next_run_at,
        change.now,
    )
    .execute(&mut *db)
    .await?;
    if updated.rows_affected() > 0 {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO workflow_schedule_plans (id, app_id, node_id, tenant_id, cron_expression, timezone, next_run_at,
                                             created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)
        "#,
        Uuid::now_v7(),
        app as _,
        change.node_id,
        tenant as _,
        change.cron_expression,
        change.timezone,
        change.next_run_at,
        change.now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Drops the plan of an app.
#[tracing::instrument(name = "db.workflow_schedule_plan.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, app: AppId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM workflow_schedule_plans WHERE tenant_id = $1 AND app_id = $2",
        tenant as _,
        app as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Locks up to `limit` plans that are due and on, those that wait longest first; plans another node has locked are
/// passed over. Held until the transaction ends, so that a plan fires on one node only. For the beat: all workspaces.
#[tracing::instrument(name = "db.workflow_schedule_plan.lock_due", skip_all, err)]
#[boxed]
pub async fn lock_due(
    db: &mut PgConnection,
    now: NaiveDateTime,
    limit: i64,
) -> Result<Vec<SchedulePlan>> {
    Ok(sqlx::query_as!(
        SchedulePlan,
        r#"
        SELECT p.id, p.app_id, p.node_id, p.tenant_id, p.cron_expression, p.timezone, p.next_run_at
        FROM workflow_schedule_plans p
        WHERE p.next_run_at <= $1
          AND EXISTS (
              SELECT 1 FROM app_triggers t
              WHERE t.tenant_id = p.tenant_id AND t.app_id = p.app_id AND t.node_id = p.node_id
                AND t.trigger_type = 'trigger-schedule' AND t.status = 'enabled')
        ORDER BY p.next_run_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
        "#,
        now,
        limit,
    )
    .fetch_all(db)
    .await?)
}

/// Moves a plan to its next time; `None` if it has none.
#[tracing::instrument(name = "db.workflow_schedule_plan.advance", skip_all, err)]
#[boxed]
pub async fn advance(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    next: Option<NaiveDateTime>,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        "UPDATE workflow_schedule_plans SET next_run_at = $3, updated_at = $4 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id,
        next,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// The plan a task names by id.
#[tracing::instrument(name = "db.workflow_schedule_plan.find_for_task", skip_all, err)]
#[boxed]
pub async fn find_for_task(db: &mut PgConnection, id: Uuid) -> Result<Option<SchedulePlan>> {
    Ok(sqlx::query_as!(
        SchedulePlan,
        r#"
        SELECT id, app_id, node_id, tenant_id, cron_expression, timezone, next_run_at
        FROM workflow_schedule_plans
        WHERE id = $1
        "#,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// Whom scheduled runs of a workspace are made for: its owner, else one of its admins.
#[tracing::instrument(name = "db.workflow_schedule_plan.runner", skip_all, err)]
#[boxed]
pub async fn runner(db: &mut PgConnection, tenant: TenantId) -> Result<Option<types::AccountId>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT j.account_id
        FROM tenant_account_joins j JOIN accounts a ON a.id = j.account_id
        WHERE j.tenant_id = $1 AND j.role IN ('owner', 'admin')
        ORDER BY j.role DESC
        LIMIT 1
        "#,
        tenant as _,
    )
    .fetch_optional(db)
    .await?)
}
