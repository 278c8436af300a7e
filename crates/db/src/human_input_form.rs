//! `human_input_forms`: what people are asked while a run waits.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, AppId, EndUserId, TenantId, WorkflowRunId};
use uuid::Uuid;

use crate::Result;

/// A form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The form.
    pub id: Uuid,
    /// The workspace.
    pub tenant_id: TenantId,
    /// The app.
    pub app_id: AppId,
    /// The run that waits; `None` for a form that tests its delivery.
    pub workflow_run_id: Option<WorkflowRunId>,
    /// `runtime` or `delivery_test`.
    pub form_kind: String,
    /// The node.
    pub node_id: String,
    /// JSON text.
    pub form_definition: String,
    /// The form's text with the run's values.
    pub rendered_content: String,
    /// `waiting`, `submitted`, `timeout` or `expired`.
    pub status: String,
    /// When the node stops waiting.
    pub expiration_time: NaiveDateTime,
    /// The action somebody chose.
    pub selected_action_id: Option<String>,
    /// JSON text of what somebody filled in.
    pub submitted_data: Option<String>,
    /// When.
    pub submitted_at: Option<NaiveDateTime>,
    /// When the form was made.
    pub created_at: NaiveDateTime,
}

/// A form and whom a token of it was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// The form.
    pub form: Form,
    /// The token's row.
    pub recipient_id: Uuid,
    /// `standalone_web_app`, `console`, `backstage`, `email_member` or `email_external`.
    pub recipient_type: String,
}

/// The form a token opens. The token is the credential: nothing else names the workspace.
#[tracing::instrument(name = "db.human_input_form.find_by_credential", skip_all, err)]
#[boxed]
pub async fn find_by_credential(db: &mut PgConnection, token: &str) -> Result<Option<Held>> {
    let row = sqlx::query!(
        r#"
        SELECT f.id, f.tenant_id, f.app_id, f.workflow_run_id AS "workflow_run_id?: WorkflowRunId", f.form_kind,
               f.node_id, f.form_definition, f.rendered_content, f.status, f.expiration_time, f.selected_action_id,
               f.submitted_data, f.submitted_at, f.created_at, r.id AS recipient_id, r.recipient_type
        FROM human_input_form_recipients r
        JOIN human_input_forms f ON f.id = r.form_id
        WHERE r.access_token = $1
        "#,
        token,
    )
    .fetch_optional(db)
    .await?;
    Ok(row.map(|row| Held {
        form: Form {
            id: row.id,
            tenant_id: row.tenant_id,
            app_id: row.app_id,
            workflow_run_id: row.workflow_run_id,
            form_kind: row.form_kind,
            node_id: row.node_id,
            form_definition: row.form_definition,
            rendered_content: row.rendered_content,
            status: row.status,
            expiration_time: row.expiration_time,
            selected_action_id: row.selected_action_id,
            submitted_data: row.submitted_data,
            submitted_at: row.submitted_at,
            created_at: row.created_at,
        },
        recipient_id: row.recipient_id,
        recipient_type: row.recipient_type,
    }))
}

/// The form of an execution of a node of a run. Forms that do not say which execution asks, as those of the reference,
/// are of any.
#[tracing::instrument(name = "db.human_input_form.find_of_node", skip_all, err)]
#[boxed]
pub async fn find_of_node(
    db: &mut PgConnection,
    tenant: TenantId,
    run: WorkflowRunId,
    node: &str,
    execution: &str,
) -> Result<Option<Form>> {
    Ok(sqlx::query_as!(
        Form,
        r#"
        SELECT id, tenant_id, app_id, workflow_run_id, form_kind, node_id, form_definition, rendered_content, status,
               expiration_time, selected_action_id, submitted_data, submitted_at, created_at
        FROM human_input_forms
        WHERE tenant_id = $1 AND workflow_run_id = $2 AND node_id = $3
          AND (strpos(form_definition, $4) > 0 OR strpos(form_definition, '"node_execution_id"') = 0)
        ORDER BY created_at DESC
        LIMIT 1
        "#,
        tenant as _,
        run as _,
        node,
        execution,
    )
    .fetch_optional(db)
    .await?)
}

/// Those of `ids` that are forms of `tenant`, in no order.
#[tracing::instrument(name = "db.human_input_form.find_many", skip_all, err)]
#[boxed]
pub async fn find_many(db: &mut PgConnection, tenant: TenantId, ids: &[Uuid]) -> Result<Vec<Form>> {
    Ok(sqlx::query_as!(
        Form,
        r#"
        SELECT id, tenant_id, app_id, workflow_run_id, form_kind, node_id, form_definition, rendered_content, status,
               expiration_time, selected_action_id, submitted_data, submitted_at, created_at
        FROM human_input_forms
        WHERE tenant_id = $1 AND id = ANY($2)
        "#,
        tenant as _,
        ids,
    )
    .fetch_all(db)
    .await?)
}

/// The form a task names by id.
#[tracing::instrument(name = "db.human_input_form.find_for_task", skip_all, err)]
#[boxed]
pub async fn find_for_task(db: &mut PgConnection, id: Uuid) -> Result<Option<Form>> {
    Ok(sqlx::query_as!(
        Form,
        r#"
        SELECT id, tenant_id, app_id, workflow_run_id, form_kind, node_id, form_definition, rendered_content, status,
               expiration_time, selected_action_id, submitted_data, submitted_at, created_at
        FROM human_input_forms
        WHERE id = $1
        "#,
        id,
    )
    .fetch_optional(db)
    .await?)
}

/// A form that is about to be made; fields as in [`Form`].
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of Form")]
pub struct NewForm<'a> {
    pub id: Uuid,
    pub tenant: TenantId,
    pub app: AppId,
    pub run: Option<WorkflowRunId>,
    pub kind: &'a str,
    pub node: &'a str,
    pub definition: &'a str,
    pub rendered_content: &'a str,
    pub expiration_time: NaiveDateTime,
    pub now: NaiveDateTime,
}

/// Adds a form that waits.
#[tracing::instrument(name = "db.human_input_form.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewForm<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO human_input_forms (id, created_at, updated_at, tenant_id, app_id, workflow_run_id, form_kind, node_id,
                                       form_definition, rendered_content, status, expiration_time)
        VALUES ($1, $2, $2, $3, $4, $5, $6, $7, $8, $9, 'waiting', $10)
        "#,
        new.id,
        new.now,
        new.tenant as _,
        new.app as _,
        new.run as _,
        new.kind,
        new.node,
        new.definition,
        new.rendered_content,
        new.expiration_time,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// What somebody submits.
#[derive(Debug, Clone, Copy)]
pub struct Submission<'a> {
    /// The action.
    pub action: &'a str,
    /// JSON text of the fields.
    pub data: &'a str,
    /// The account, if one is signed in.
    pub account: Option<AccountId>,
    /// The end user, if it is known.
    pub end_user: Option<EndUserId>,
    /// The token's row.
    pub recipient: Uuid,
    /// When.
    pub now: NaiveDateTime,
}

/// Takes a submission; `false` if the form waits no longer, so that of two submissions one counts.
#[tracing::instrument(name = "db.human_input_form.submit", skip_all, err)]
#[boxed]
pub async fn submit(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    submission: Submission<'_>,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE human_input_forms
        SET status = 'submitted', selected_action_id = $3, submitted_data = $4, submitted_at = $5,
            submission_user_id = $6, submission_end_user_id = $7, completed_by_recipient_id = $8, updated_at = $5
        WHERE tenant_id = $1 AND id = $2 AND status = 'waiting' AND expiration_time > $5
        "#,
        tenant as _,
        id,
        submission.action,
        submission.data,
        submission.now,
        submission.account as _,
        submission.end_user as _,
        submission.recipient,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Ends the waiting of a form with `timeout` or `expired`; `false` if it waits no longer.
#[tracing::instrument(name = "db.human_input_form.end", skip_all, err)]
#[boxed]
pub async fn end(
    db: &mut PgConnection,
    tenant: TenantId,
    id: Uuid,
    status: &str,
    now: NaiveDateTime,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE human_input_forms
        SET status = $3, updated_at = $4
        WHERE tenant_id = $1 AND id = $2 AND status = 'waiting'
        "#,
        tenant as _,
        id,
        status,
        now,
    )
    .execute(db)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// Up to `limit` forms that wait too long: past their own time, or made before `made_before`. For the beat: all
/// workspaces.
#[tracing::instrument(name = "db.human_input_form.overdue", skip_all, err)]
#[boxed]
pub async fn overdue(
    db: &mut PgConnection,
    now: NaiveDateTime,
    made_before: Option<NaiveDateTime>,
    limit: i64,
) -> Result<Vec<Form>> {
    Ok(sqlx::query_as!(
        Form,
        r#"
        SELECT id, tenant_id, app_id, workflow_run_id, form_kind, node_id, form_definition, rendered_content, status,
               expiration_time, selected_action_id, submitted_data, submitted_at, created_at
        FROM human_input_forms
        WHERE status = 'waiting' AND (expiration_time <= $1 OR created_at <= $2)
        ORDER BY id
        LIMIT $3
        "#,
        now,
        made_before,
        limit,
    )
    .fetch_all(db)
    .await?)
}
