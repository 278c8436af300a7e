//! `/inner/api/fetch/app/info`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json};
use serde::{Deserialize, Serialize};
use services_app::{
    app::{self, AppError},
    json::Object,
    parameters,
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Outcome, PluginCall};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(fetch_app_info))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestFetchAppInfo {
    app_id: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppInfo {
    /// Form and features, as the service API tells them.
    data: Object,
}

/// Form and features of an app of the workspace.
#[utoipa::path(
    post,
    path = "/inner/api/fetch/app/info",
    tag = "plugin",
    request_body = RequestFetchAppInfo,
    responses((status = 200, body = Outcome<AppInfo>), (status = "4XX", body = ErrorBody)),
)]
async fn fetch_app_info(
    State(state): State<AppState>,
    call: PluginCall<RequestFetchAppInfo>,
) -> Result<Json<Outcome<AppInfo>>, ApiError> {
    let PluginCall { caller, body } = call;
    let unknown = || ApiError::invalid_param("app not found");
    let id = body.app_id.parse().map_err(|_| unknown())?;
    let app = match app::find(&state.ctx, caller.tenant, id).await {
        Ok(app) => app,
        Err(AppError::Fault(fault)) => return Err(fault.into()),
        Err(_) => return Err(unknown()),
    };
    let data = match parameters::of(&state.ctx, &app).await {
        Ok(data) => data,
        Err(AppError::Fault(fault)) => return Err(fault.into()),
        Err(_) => return Err(ApiError::invalid_param("unexpected app type")),
    };
    Ok(Outcome::of(Ok::<_, std::convert::Infallible>(AppInfo { data })))
}
