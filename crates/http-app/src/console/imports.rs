//! `/console/api/apps/imports`

use axum::{extract::State, http::StatusCode};
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Valid, guard::Editor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_app::{
    Ports,
    dsl::{self, Import, Imported, Overrides, Status, dependency},
    ports::PluginDependency,
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::guard::EditApp;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(import_app))
        .routes(routes!(confirm_import))
        .routes(routes!(check_import_dependencies))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AppImportPayload {
    /// `yaml-content` or `yaml-url`.
    mode: String,
    yaml_content: Option<String>,
    yaml_url: Option<String>,
    name: Option<String>,
    description: Option<String>,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    /// The app to replace.
    app_id: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppImport {
    id: String,
    /// `completed`, `completed-with-warnings`, `pending` or `failed`.
    status: &'static str,
    app_id: Option<AppId>,
    app_mode: Option<String>,
    current_dsl_version: &'static str,
    imported_dsl_version: String,
    error: String,
}

impl From<Imported> for AppImport {
    fn from(imported: Imported) -> Self {
        Self {
            id: imported.id,
            status: imported.status.as_str(),
            app_id: imported.app,
            app_mode: imported.mode,
            current_dsl_version: dsl::VERSION,
            imported_dsl_version: imported.version,
            error: imported.error,
        }
    }
}

/// 400 for a failed import, 202 for one that waits.
fn status_of(imported: &Imported) -> StatusCode {
    match imported.status {
        Status::Failed => StatusCode::BAD_REQUEST,
        Status::Pending => StatusCode::ACCEPTED,
        Status::Completed | Status::CompletedWithWarnings => StatusCode::OK,
    }
}

/// Make an app from a DSL text, or replace one.
#[utoipa::path(
    post,
    path = "/console/api/apps/imports",
    tag = "app",
    request_body = AppImportPayload,
    responses(
        (status = 200, body = AppImport),
        (status = 202, body = AppImport),
        (status = 400, body = AppImport),
        (status = "4XX", body = ErrorBody),
    ),
)]
async fn import_app(
    State(state): State<AppState>,
    Editor(user): Editor,
    Valid(body): Valid<AppImportPayload>,
) -> Result<(StatusCode, Json<AppImport>), ApiError> {
    let app = match body.app_id.as_deref().filter(|id| !id.is_empty()) {
        None => None,
        Some(id) => Some(id.parse().map_err(|_| ApiError::invalid_param("App not found"))?),
    };
    let cmd = Import {
        mode: body.mode,
        yaml_content: body.yaml_content,
        yaml_url: body.yaml_url,
        overrides: Overrides {
            name: body.name,
            description: body.description,
            icon_type: body.icon_type,
            icon: body.icon,
            icon_background: body.icon_background,
        },
        app,
    };
    let imported = dsl::import(&state.ctx, user.tenant, &user.account, cmd).await?;
    Ok((status_of(&imported), Json(imported.into())))
}

/// Do an import that waited to be confirmed.
#[utoipa::path(
    post,
    path = "/console/api/apps/imports/{import_id}/confirm",
    tag = "app",
    params(("import_id" = String, Path)),
    responses(
        (status = 200, body = AppImport),
        (status = 400, body = AppImport),
        (status = "4XX", body = ErrorBody),
    ),
)]
async fn confirm_import(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<AppImport>), ApiError> {
    let imported = dsl::confirm(&state.ctx, user.tenant, &user.account, &id).await?;
    Ok((status_of(&imported), Json(imported.into())))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppImportCheckDependencies {
    leaked_dependencies: Vec<LeakedDependency>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct LeakedDependency {
    /// `github`, `marketplace` or `package`.
    r#type: String,
    #[schema(value_type = Object)]
    value: Value,
    /// The version that is installed instead; empty without one.
    current_identifier: Option<String>,
}

impl From<PluginDependency> for LeakedDependency {
    fn from(dependency: PluginDependency) -> Self {
        Self {
            r#type: dependency.r#type,
            value: dependency.value,
            current_identifier: dependency.current_identifier,
        }
    }
}

/// Plugins a just imported app needs and the workspace does not have.
#[utoipa::path(
    get,
    path = "/console/api/apps/imports/{app_id}/check-dependencies",
    tag = "app",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AppImportCheckDependencies), (status = "4XX", body = ErrorBody)),
)]
async fn check_import_dependencies(
    State(state): State<AppState>,
    ports: Part<Ports>,
    EditApp { app, .. }: EditApp,
) -> Result<Json<AppImportCheckDependencies>, ApiError> {
    let missing = dependency::missing(&state.ctx, &ports, &app).await?;
    let leaked_dependencies = missing.into_iter().map(Into::into).collect();
    Ok(Json(AppImportCheckDependencies { leaked_dependencies }))
}
