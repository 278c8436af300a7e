//! `/console/api/apps/{app_id}/copy`, `…/export`

use axum::{extract::State, http::StatusCode};
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Query, Valid, validation::lax};
use serde::{Deserialize, Serialize};
use services_app::{
    Ports, app, detail,
    dsl::{self, Export, Overrides},
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{guard::EditApp, host::HostUrl, wire::AppDetailWithSite};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(copy_app)).routes(routes!(export_app))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct CopyAppPayload {
    name: Option<String>,
    #[garde(length(chars, max = 400))]
    description: Option<String>,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
}

/// Make a copy of an app, with its secrets.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/copy",
    tag = "app",
    params(("app_id" = AppId, Path)),
    request_body = CopyAppPayload,
    responses((status = 201, body = AppDetailWithSite), (status = "4XX", body = ErrorBody)),
)]
async fn copy_app(
    State(state): State<AppState>,
    ports: Part<Ports>,
    EditApp { user, app }: EditApp,
    HostUrl(host): HostUrl,
    Valid(body): Valid<CopyAppPayload>,
) -> Result<(StatusCode, Json<AppDetailWithSite>), ApiError> {
    let overrides = Overrides {
        name: body.name,
        description: body.description,
        icon_type: body.icon_type,
        icon: body.icon,
        icon_background: body.icon_background,
    };
    let copy = dsl::copy(&state.ctx, &ports, &app, &user.account, overrides).await?;
    let copy = app::find(&state.ctx, copy.tenant_id, copy.id).await?;
    let full = detail::full(&state.ctx, &ports, copy).await?;
    let detail = AppDetailWithSite::new(full, &host, &state.ctx.config);
    Ok((StatusCode::CREATED, Json(detail)))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct AppExportQuery {
    /// Secrets in the clear.
    #[serde(default, deserialize_with = "lax::flag")]
    include_secret: bool,
    /// A published version instead of the draft.
    workflow_id: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppExportResponse {
    /// YAML.
    data: String,
}

/// An app as DSL text.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/export",
    tag = "app",
    params(("app_id" = AppId, Path), AppExportQuery),
    responses((status = 200, body = AppExportResponse), (status = "4XX", body = ErrorBody)),
)]
async fn export_app(
    State(state): State<AppState>,
    ports: Part<Ports>,
    EditApp { app, .. }: EditApp,
    Query(query): Query<AppExportQuery>,
) -> Result<Json<AppExportResponse>, ApiError> {
    let what = Export { with_secrets: query.include_secret, workflow: query.workflow_id };
    let data = dsl::export(&state.ctx, &ports, &app, &what).await?;
    Ok(Json(AppExportResponse { data }))
}
