//! Forms people fill in while a run waits: found by token, submitted once, ended when they wait too long.

use boxed::boxed;
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use db::{
    app::App,
    human_input_form::{self, Form, Held, Submission},
};
use graph::{
    nodes::validate_submission,
    pause::{FormInput, UserAction},
};
use serde::Deserialize;
use serde_json::{Map, Value};
use services_core::{Ctx, Failure, Fault};
use services_platform::web_app::{self, Front, WebAppError};
use types::{AccountId, TenantId, WorkflowRunId};
use uuid::Uuid;

use crate::queue;

pub mod letter;
pub mod preview;
pub mod store;

/// Why a form cannot be had or submitted.
#[derive(Debug, thiserror::Error)]
pub enum FormError {
    /// No form, or none for this caller.
    #[error("{0}")]
    NotFound(String),
    /// Somebody was faster.
    #[error("This form has already been submitted by another user, form_id={0}")]
    Submitted(Uuid),
    /// It waits no longer.
    #[error("This form has expired, form_id={0}")]
    Expired(Uuid),
    /// What was filled in does not fit the form.
    #[error("{0}")]
    Invalid(String),
    /// The app has no page, or its workspace is archived.
    #[error(
        "You don't have the permission to access the requested resource. It is either read-protected or not readable \
         by the server."
    )]
    Forbidden,
    /// Too many requests from one address.
    #[error("Too many form requests. Please try again later.")]
    TooMany,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for FormError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for FormError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::Submitted(_) | Self::Expired(_) => 412,
            Self::Invalid(_) => 400,
            Self::Forbidden => 403,
            Self::TooMany => 429,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound(_) => "not_found",
            Self::Submitted(_) => "human_input_form_submitted",
            Self::Expired(_) => "human_input_form_expired",
            Self::Invalid(_) => "invalid_form_data",
            Self::Forbidden => "forbidden",
            Self::TooMany => "web_form_rate_limit_exceeded",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// What a form asks, as its row keeps it.
#[derive(Debug, Clone, Deserialize)]
pub struct Definition {
    /// The template of its text.
    pub form_content: String,
    /// Fields.
    #[serde(default)]
    pub inputs: Vec<FormInput>,
    /// Buttons.
    #[serde(default)]
    pub user_actions: Vec<UserAction>,
    /// Its text with the run's values.
    pub rendered_content: String,
    /// Values of fields whose default is a variable.
    #[serde(default)]
    pub default_values: Map<String, Value>,
    /// The node's title.
    #[serde(default)]
    pub node_title: Option<String>,
    /// Whether the app's page shows it.
    #[serde(default)]
    pub display_in_ui: Option<bool>,
}

/// A form with what it asks.
#[derive(Debug, Clone)]
pub struct Shown {
    /// The form.
    pub form: Form,
    /// What it asks.
    pub definition: Definition,
}

/// A form of the public page, with the app it belongs to.
#[derive(Debug, Clone)]
pub struct Public {
    /// The form.
    pub shown: Shown,
    /// The app.
    pub app: App,
    /// Its page.
    pub front: Front,
}

fn definition(form: &Form) -> Result<Definition, FormError> {
    serde_json::from_str(&form.form_definition)
        .map_err(|err| Fault::caused("a form cannot be read", err).into())
}

async fn held(ctx: &Ctx, token: &str, missing: &str) -> Result<Held, FormError> {
    let mut conn = ctx.db.acquire().await?;
    human_input_form::find_by_credential(&mut conn, token)
        .await?
        .ok_or_else(|| FormError::NotFound(missing.to_owned()))
}

/// A form for anybody who has a token.
///
/// # Errors
/// [`FormError::NotFound`], [`FormError::Submitted`], [`FormError::Expired`], [`FormError::Forbidden`].
#[boxed]
pub async fn find_public(ctx: &Ctx, token: &str) -> Result<Public, FormError> {
    let missing = || FormError::NotFound("Form not found".to_owned());
    let Held { form, .. } = held(ctx, token, "Form not found").await?;
    check_active(ctx, &form)?;
    let app = {
        let mut conn = ctx.db.acquire().await?;
        let app = db::app::find_by_credential(&mut conn, form.app_id).await?;
        app.filter(|app| app.tenant_id == form.tenant_id).ok_or_else(missing)?
    };
    let front = web_app::front(ctx, &app).await.map_err(|err| match err {
        WebAppError::Fault(fault) => FormError::Fault(fault),
        _ => FormError::Forbidden,
    })?;
    let definition = definition(&form)?;
    Ok(Public { shown: Shown { form, definition }, app, front })
}

/// A form for a member of the workspace, by a token that was made for members.
///
/// # Errors
/// [`FormError::NotFound`], [`FormError::Submitted`].
#[boxed]
pub async fn find_for_member(ctx: &Ctx, tenant: TenantId, token: &str) -> Result<Shown, FormError> {
    let form = for_member(ctx, tenant, token).await?.form;
    if form.submitted_at.is_some() {
        return Err(FormError::Submitted(form.id));
    }
    let definition = definition(&form)?;
    Ok(Shown { form, definition })
}

async fn for_member(ctx: &Ctx, tenant: TenantId, token: &str) -> Result<Held, FormError> {
    let missing = format!("form not found, token={token}");
    let held = held(ctx, token, &missing).await?;
    if !["console", "backstage"].contains(&held.recipient_type.as_str()) {
        return Err(FormError::NotFound(missing));
    }
    if held.form.tenant_id != tenant {
        return Err(FormError::NotFound("App not found".to_owned()));
    }
    Ok(held)
}

/// What somebody fills in.
#[derive(Debug, Clone)]
pub struct Filled {
    /// The button.
    pub action: String,
    /// Values by field.
    pub inputs: Map<String, Value>,
}

/// Submits a form by a token of the public page; the run goes on.
///
/// # Errors
/// [`FormError::NotFound`], [`FormError::Submitted`], [`FormError::Expired`], [`FormError::Invalid`].
#[boxed]
pub async fn submit_public(ctx: &Ctx, token: &str, filled: Filled) -> Result<(), FormError> {
    let held = held(ctx, token, "Form not found").await?;
    submit(ctx, held, filled, None).await
}

/// Submits a form as a member of the workspace; the run goes on.
///
/// # Errors
/// As [`submit_public`].
#[boxed]
pub async fn submit_as_member(
    ctx: &Ctx,
    tenant: TenantId,
    by: AccountId,
    token: &str,
    filled: Filled,
) -> Result<(), FormError> {
    let held = for_member(ctx, tenant, token).await?;
    submit(ctx, held, filled, Some(by)).await
}

async fn submit(
    ctx: &Ctx,
    held: Held,
    filled: Filled,
    by: Option<AccountId>,
) -> Result<(), FormError> {
    let form = held.form;
    check_active(ctx, &form)?;
    let asked = definition(&form)?;
    let fits =
        validate_submission(&asked.inputs, &asked.user_actions, &filled.action, &filled.inputs);
    fits.map_err(FormError::Invalid)?;
    let data = types::pyjson::dumps(&filled.inputs)
        .map_err(|err| Fault::caused("a form's data does not serialise", err))?;
    let submission = Submission {
        action: &filled.action,
        data: &data,
        account: by,
        end_user: None,
        recipient: held.recipient_id,
        now: ctx.now_naive(),
    };
    let taken = {
        let mut conn = ctx.db.acquire().await?;
        human_input_form::submit(&mut conn, form.tenant_id, form.id, submission).await?
    };
    if !taken {
        return Err(FormError::Submitted(form.id));
    }
    match form.workflow_run_id {
        Some(run) if form.form_kind == "runtime" => Ok(queue::resume(ctx, run).await?),
        _ => Ok(()),
    }
}

fn check_active(ctx: &Ctx, form: &Form) -> Result<(), FormError> {
    if form.submitted_at.is_some() {
        return Err(FormError::Submitted(form.id));
    }
    let now = ctx.now_naive();
    let too_old = form.workflow_run_id.is_some()
        && deadline(ctx, now).is_some_and(|deadline| form.created_at <= deadline);
    if form.status != "waiting" || form.expiration_time <= now || too_old {
        return Err(FormError::Expired(form.id));
    }
    Ok(())
}

/// Forms of runs that were made at or before this wait too long, whatever their nodes say. `None`: no such limit.
fn deadline(ctx: &Ctx, now: NaiveDateTime) -> Option<NaiveDateTime> {
    let limit = ctx.config.feature.human_input_global_timeout_seconds;
    if limit <= 0 {
        return None;
    }
    now.checked_sub_signed(TimeDelta::try_seconds(limit)?)
}

/// Ends up to `limit` forms that wait too long at `now`; answers how many. Runs whose node gave up waiting go on by its timeout
/// branch, those beyond the limit for all forms end.
///
/// # Errors
/// Faults of the database and the queue. What is not ended waits for the next sweep.
#[boxed]
pub async fn sweep(ctx: &Ctx, now: NaiveDateTime, limit: i64) -> Result<usize, Fault> {
    let deadline = deadline(ctx, now);
    let forms = {
        let mut conn = ctx.db.acquire().await?;
        human_input_form::overdue(&mut conn, now, deadline, limit).await?
    };
    let mut ended = 0;
    for form in forms {
        let run = form.workflow_run_id.filter(|_| form.form_kind != "delivery_test");
        let too_old = deadline.is_some_and(|deadline| form.created_at <= deadline);
        let is_ended = match run {
            Some(run) if too_old => expire(ctx, &form, run, now).await?,
            run => time_out(ctx, &form, run, now).await?,
        };
        ended += usize::from(is_ended);
    }
    Ok(ended)
}

async fn time_out(
    ctx: &Ctx,
    form: &Form,
    run: Option<WorkflowRunId>,
    now: NaiveDateTime,
) -> Result<bool, Fault> {
    if let Some(run) = run {
        // Queued before the form ends: a queue that is away leaves the form to the next sweep, and a run that goes on
        // early sees by the time that its node waited long enough.
        queue::resume(ctx, run).await?;
    }
    let mut conn = ctx.db.acquire().await?;
    Ok(human_input_form::end(&mut conn, form.tenant_id, form.id, "timeout", now).await?)
}

/// Ends a form and the run that waits for it.
async fn expire(
    ctx: &Ctx,
    form: &Form,
    run: WorkflowRunId,
    now: NaiveDateTime,
) -> Result<bool, Fault> {
    let tenant = form.tenant_id;
    let state = {
        let mut tx = ctx.db.begin().await?;
        if !human_input_form::end(&mut tx, tenant, form.id, "expired", now).await? {
            return Ok(false);
        }
        let why = format!("Human input global timeout at node {}", form.node_id);
        let stopped = db::run_record::stop_paused(&mut tx, tenant, run, &why, now).await?;
        let state =
            if stopped { db::workflow_pause::delete(&mut tx, tenant, run).await? } else { None };
        tx.commit().await?;
        state
    };
    if let Some(key) = state
        && let Err(err) = ctx.storage.delete(&key).await
    {
        tracing::warn!(error = %err, run.id = %run, "the state of an ended run is left in the storage");
    }
    let log = {
        let mut conn = ctx.db.acquire().await?;
        db::workflow_trigger_log::find_of_run(&mut conn, tenant, run).await?
    };
    if let Some(log) = log {
        crate::trigger::dispatch::note_end(ctx, &log, run).await?;
    }
    Ok(true)
}

/// Counts a request for a public form from an address.
///
/// # Errors
/// [`FormError::TooMany`] beyond the limit. Without Redis nobody is kept out.
#[boxed]
pub async fn count_request(ctx: &Ctx, kind: Request, address: &str) -> Result<(), FormError> {
    let settings = &ctx.config.feature;
    let limit = u64::try_from(settings.web_form_submit_rate_limit_max_attempts).unwrap_or(u64::MAX);
    let span = u64::try_from(settings.web_form_submit_rate_limit_window_seconds).unwrap_or(60);
    let window = redis::Window::seconds(limit, std::time::Duration::from_secs(span));
    let prefix = match kind {
        Request::Read => "web_form_access_rate_limit",
        Request::Submit => "web_form_submit_rate_limit",
    };
    let now = ctx.now().signed_duration_since(DateTime::UNIX_EPOCH).to_std().unwrap_or_default();
    match ctx.redis.window_take(&format!("{prefix}:{address}"), &window, now).await {
        Ok(false) => Err(FormError::TooMany),
        Ok(true) => Ok(()),
        Err(err) => {
            tracing::warn!(error = %err, "requests for forms are not counted");
            Ok(())
        }
    }
}

/// What is asked of a public form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Request {
    /// To see it.
    Read,
    /// To submit it.
    Submit,
}
