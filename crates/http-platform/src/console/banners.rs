//! `/console/api/explore/banners`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_platform::explore::banner;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_banners))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct BannerQuery {
    /// Like `en-US`, which is also what languages without banners get.
    #[serde(default = "english")]
    language: String,
}

fn english() -> String {
    "en-US".to_owned()
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Banner {
    id: Uuid,
    /// What it shows; the console knows the keys.
    content: Value,
    link: String,
    sort: i32,
    status: String,
    /// ISO 8601, in UTC, without saying so.
    created_at: String,
}

/// What the Explore page shows at its top. Public, as in the reference.
#[utoipa::path(
    get,
    path = "/console/api/explore/banners",
    tag = "explore",
    params(BannerQuery),
    responses((status = 200, body = [Banner]), (status = "4XX", body = ErrorBody)),
)]
async fn list_banners(
    State(state): State<AppState>,
    Query(query): Query<BannerQuery>,
) -> Result<Json<Vec<Banner>>, ApiError> {
    let banners = banner::list(&state.ctx, &query.language).await?;
    let shown = banners.into_iter().map(|banner| Banner {
        id: banner.id,
        content: banner.content,
        link: banner.link,
        sort: banner.sort,
        status: banner.status,
        created_at: banner.created_at.format("%Y-%m-%dT%H:%M:%S%.f").to_string(),
    });
    Ok(Json(shown.collect()))
}
