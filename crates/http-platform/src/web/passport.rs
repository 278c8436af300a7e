//! `/api/passport`

use axum::{extract::State, http::HeaderMap};
use http_core::{ApiError, AppState, ErrorBody, Json, Query};
use serde::{Deserialize, Serialize};
use services_platform::web_app;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(issue_passport))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct PassportQuery {
    /// The caller's own name for the visitor, who stays the same with it.
    user_id: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Passport {
    access_token: String,
}

/// A passport for the web app whose code is in `X-App-Code`.
#[utoipa::path(
    get,
    path = "/api/passport",
    tag = "passport",
    params(PassportQuery, ("X-App-Code" = String, Header)),
    responses((status = 200, body = Passport), (status = "4XX", body = ErrorBody)),
)]
async fn issue_passport(
    State(state): State<AppState>,
    headers: HeaderMap,
    Query(query): Query<PassportQuery>,
) -> Result<Json<Passport>, ApiError> {
    let code = headers.get("x-app-code").and_then(|code| code.to_str().ok());
    let access_token = web_app::passport(&state.ctx, code, query.user_id.as_deref()).await?;
    Ok(Json(Passport { access_token }))
}
