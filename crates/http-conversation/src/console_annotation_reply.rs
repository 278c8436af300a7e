//! `/console/api/apps/{app_id}/annotation-reply/…`, `…/annotations/batch-import…`

use axum::{
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use garde::Validate;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, Valid, guard::Editor};
use serde::{Deserialize, Serialize};
use services_account::App;
use services_conversation::{
    annotation_import::{self, File, ImportError},
    annotation_reply::{
        self, Wanted,
        status::{self, Action},
    },
};
use services_platform::file::FileError;
use types::{AccountId, AppId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{console_annotation::find_app, form::Form};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(switch_annotation_reply))
        .routes(routes!(get_annotation_reply_status))
        .routes(routes!(import_annotations))
        .routes(routes!(get_annotation_import_status))
}

/// How an app is to reply with annotations.
#[derive(Debug, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
pub(crate) struct AnnotationReplyPayload {
    /// How alike questions must be, from 0 to 1.
    score_threshold: f64,
    /// Provider of the model that compares questions.
    embedding_provider_name: String,
    /// The model that compares questions.
    embedding_model_name: String,
}

/// A job that was queued.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AnnotationJob {
    job_id: Uuid,
    /// `waiting`.
    job_status: &'static str,
    /// How many annotations it adds.
    #[serde(skip_serializing_if = "Option::is_none")]
    record_count: Option<usize>,
}

impl AnnotationJob {
    fn waiting(job_id: Uuid) -> Self {
        Self { job_id, job_status: "waiting", record_count: None }
    }
}

/// How far a job is.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct AnnotationJobStatus {
    job_id: Uuid,
    /// `waiting`, `completed` or `error`.
    job_status: String,
    /// Why it failed.
    error_msg: String,
}

/// A file that cannot be imported, and why.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AnnotationImportRefusal {
    error_msg: String,
}

/// Lets an app reply with annotations, or no longer.
pub(crate) async fn switch(
    state: &AppState,
    app: &App,
    by: AccountId,
    action: &str,
    body: AnnotationReplyPayload,
) -> Result<Json<AnnotationJob>, ApiError> {
    let job = match of_path(action)? {
        Action::Disable => annotation_reply::switch_off(&state.ctx, app).await?,
        _ => {
            let wanted = Wanted {
                score_threshold: body.score_threshold,
                provider: body.embedding_provider_name,
                model: body.embedding_model_name,
            };
            annotation_reply::switch_on(&state.ctx, app, by, wanted).await?
        }
    };
    Ok(Json(AnnotationJob::waiting(job)))
}

/// How far a job is.
pub(crate) async fn job_status(
    state: &AppState,
    action: &str,
    job: Uuid,
) -> Result<Json<AnnotationJobStatus>, ApiError> {
    shown(state, of_path(action)?, job).await
}

async fn shown(
    state: &AppState,
    action: Action,
    job: Uuid,
) -> Result<Json<AnnotationJobStatus>, ApiError> {
    let shown = status::find(&state.ctx, action, job).await?;
    Ok(Json(AnnotationJobStatus { job_id: job, job_status: shown.status, error_msg: shown.error }))
}

fn of_path(action: &str) -> Result<Action, ApiError> {
    Action::of_path(action)
        .ok_or_else(|| ApiError::invalid_param("action has to be enable or disable"))
}

/// Let an app reply with annotations, or no longer.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/annotation-reply/{action}",
    tag = "annotation",
    params(("app_id" = AppId, Path), ("action" = String, Path, description = "`enable` or `disable`")),
    request_body = AnnotationReplyPayload,
    responses((status = 200, body = AnnotationJob), (status = "4XX", body = ErrorBody)),
)]
async fn switch_annotation_reply(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path((app, action)): Path<(AppId, String)>,
    Valid(body): Valid<AnnotationReplyPayload>,
) -> Result<Json<AnnotationJob>, ApiError> {
    let app = find_app(&state, user.tenant, app).await?;
    switch(&state, &app, user.account.id, &action, body).await
}

/// How far a switch is.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/annotation-reply/{action}/status/{job_id}",
    tag = "annotation",
    params(
        ("app_id" = AppId, Path),
        ("action" = String, Path, description = "`enable` or `disable`"),
        ("job_id" = Uuid, Path),
    ),
    responses((status = 200, body = AnnotationJobStatus), (status = "4XX", body = ErrorBody)),
)]
async fn get_annotation_reply_status(
    State(state): State<AppState>,
    _: Editor,
    Path((_app, action, job)): Path<(AppId, String, Uuid)>,
) -> Result<Json<AnnotationJobStatus>, ApiError> {
    job_status(&state, &action, job).await
}

/// Add annotations from a CSV file: a line with titles, then a question and its answer a line.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/annotations/batch-import",
    tag = "annotation",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AnnotationJob), (status = "4XX", body = ErrorBody)),
)]
async fn import_annotations(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(app): Path<AppId>,
    request: Request,
) -> Result<Response, ApiError> {
    let ctx = &state.ctx;
    annotation_import::count(ctx, user.tenant).await?;
    let form = Form::read(&state, request, annotation_import::most_bytes(ctx)).await?;
    let upload = form.file.ok_or(FileError::NoFile)?;
    if 1 < form.files {
        return Err(FileError::TooMany.into());
    }
    let app = find_app(&state, user.tenant, app).await?;
    let file = File { name: upload.name, data: upload.data };
    match annotation_import::accept(ctx, &app, user.account.id, file).await {
        Ok(accepted) => {
            let job = AnnotationJob::waiting(accepted.job);
            Ok(Json(AnnotationJob { record_count: Some(accepted.lines), ..job }).into_response())
        }
        Err(ImportError::Content(error_msg)) => {
            Ok(Json(AnnotationImportRefusal { error_msg }).into_response())
        }
        Err(err) => Err(err.into()),
    }
}

/// How far an import is.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/annotations/batch-import-status/{job_id}",
    tag = "annotation",
    params(("app_id" = AppId, Path), ("job_id" = Uuid, Path)),
    responses((status = 200, body = AnnotationJobStatus), (status = "4XX", body = ErrorBody)),
)]
async fn get_annotation_import_status(
    State(state): State<AppState>,
    _: Editor,
    Path((_app, job)): Path<(AppId, Uuid)>,
) -> Result<Json<AnnotationJobStatus>, ApiError> {
    shown(&state, Action::Import, job).await
}
