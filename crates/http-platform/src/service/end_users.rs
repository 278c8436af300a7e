//! `/v1/end-users`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Path, guard::KeyedApp};
use serde::Serialize;
use services_account::{EndUser, end_user};
use types::{AppId, EndUserId, TenantId};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_end_user))
}

/// A user of the app.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct EndUserDetail {
    id: EndUserId,
    tenant_id: TenantId,
    app_id: Option<AppId>,
    r#type: String,
    external_user_id: Option<String>,
    name: Option<String>,
    is_anonymous: bool,
    session_id: String,
    /// ISO 8601, in UTC, without saying so.
    created_at: String,
    /// The same.
    updated_at: String,
}

impl From<EndUser> for EndUserDetail {
    fn from(user: EndUser) -> Self {
        let iso = |time: chrono::NaiveDateTime| time.format("%Y-%m-%dT%H:%M:%S%.f").to_string();
        Self {
            id: user.id,
            tenant_id: user.tenant_id,
            app_id: user.app_id,
            r#type: user.r#type,
            external_user_id: user.external_user_id,
            name: user.name,
            is_anonymous: user.is_anonymous,
            session_id: user.session_id,
            created_at: iso(user.created_at),
            updated_at: iso(user.updated_at),
        }
    }
}

/// One user of the app.
#[utoipa::path(
    get,
    path = "/v1/end-users/{end_user_id}",
    tag = "end-users",
    params(("end_user_id" = EndUserId, Path)),
    responses((status = 200, body = EndUserDetail), (status = "4XX", body = ErrorBody)),
)]
async fn find_end_user(
    State(state): State<AppState>,
    KeyedApp(app): KeyedApp,
    Path(id): Path<EndUserId>,
) -> Result<Json<EndUserDetail>, ApiError> {
    Ok(Json(end_user::find(&state.ctx, &app, id).await?.into()))
}
