//! `/console/api/admin`: what the operator of the cloud edition puts into Explore.

use axum::{extract::State, http::StatusCode};
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Path, Valid, guard::CloudOperator,
    validation::lax,
};
use serde::{Deserialize, Serialize};
use services_platform::explore::{
    admin::{self, Wish},
    catalogue::LANGUAGES,
};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::Done;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_explore_app))
        .routes(routes!(unlist_explore_app))
        .routes(routes!(add_explore_banner))
        .routes(routes!(remove_explore_banner))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InsertExploreAppPayload {
    app_id: String,
    desc: Option<String>,
    copyright: Option<String>,
    privacy_policy: Option<String>,
    custom_disclaimer: Option<String>,
    /// Like `en-US`.
    #[garde(custom(is_language))]
    language: String,
    category: String,
    #[serde(deserialize_with = "lax::integer")]
    #[garde(range(min = i64::from(i32::MIN), max = i64::from(i32::MAX)))]
    position: i64,
    #[serde(default, deserialize_with = "lax::flag")]
    can_trial: bool,
    #[serde(default, deserialize_with = "lax::integer")]
    #[garde(range(min = i64::from(i32::MIN), max = i64::from(i32::MAX)))]
    trial_limit: i64,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InsertExploreBannerPayload {
    category: String,
    title: String,
    description: String,
    #[serde(rename = "img-src", alias = "img_src")]
    img_src: String,
    /// Like `en-US`.
    #[serde(default = "english")]
    #[garde(custom(is_language))]
    language: String,
    link: String,
    #[serde(deserialize_with = "lax::integer")]
    #[garde(range(min = i64::from(i32::MIN), max = i64::from(i32::MAX)))]
    sort: i64,
}

/// What a banner shows, as it is stored.
#[derive(Serialize)]
struct BannerContent<'a> {
    category: &'a str,
    title: &'a str,
    description: &'a str,
    #[serde(rename = "img-src")]
    img_src: &'a str,
}

fn english() -> String {
    "en-US".to_owned()
}

fn is_language(language: &str, (): &()) -> garde::Result {
    match LANGUAGES.contains(&language) {
        true => Ok(()),
        false => {
            Err(garde::Error::new(format!("Value error, {language} is not a valid language.")))
        }
    }
}

/// Put an app into the catalogue, or change what that says of it.
#[utoipa::path(
    post,
    path = "/console/api/admin/insert-explore-apps",
    tag = "admin",
    request_body = InsertExploreAppPayload,
    responses((status = 200, body = Done), (status = 201, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn list_explore_app(
    State(state): State<AppState>,
    _: CloudOperator,
    Valid(body): Valid<InsertExploreAppPayload>,
) -> Result<(StatusCode, Json<Done>), ApiError> {
    let number = |number: i64| i32::try_from(number).unwrap_or_default();
    let wish = Wish {
        app: body.app_id,
        description: body.desc.unwrap_or_default(),
        copyright: body.copyright.unwrap_or_default(),
        privacy_policy: body.privacy_policy.unwrap_or_default(),
        custom_disclaimer: body.custom_disclaimer.unwrap_or_default(),
        language: body.language,
        category: body.category,
        position: number(body.position),
        trials: body.can_trial.then(|| number(body.trial_limit)),
    };
    let status = match admin::list_app(&state.ctx, wish).await? {
        true => StatusCode::CREATED,
        false => StatusCode::OK,
    };
    Ok((status, Json(Done::new())))
}

/// Take an app out of the catalogue.
#[utoipa::path(
    delete,
    path = "/console/api/admin/insert-explore-apps/{app_id}",
    tag = "admin",
    params(("app_id" = AppId, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn unlist_explore_app(
    State(state): State<AppState>,
    _: CloudOperator,
    Path(app): Path<AppId>,
) -> Result<NoContent, ApiError> {
    admin::unlist_app(&state.ctx, app).await?;
    Ok(NoContent)
}

/// Add a banner to the Explore page.
#[utoipa::path(
    post,
    path = "/console/api/admin/insert-explore-banner",
    tag = "admin",
    request_body = InsertExploreBannerPayload,
    responses((status = 201, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn add_explore_banner(
    State(state): State<AppState>,
    _: CloudOperator,
    Valid(body): Valid<InsertExploreBannerPayload>,
) -> Result<(StatusCode, Json<Done>), ApiError> {
    let content = BannerContent {
        category: &body.category,
        title: &body.title,
        description: &body.description,
        img_src: &body.img_src,
    };
    let content = serde_json::to_value(content).map_err(ApiError::internal)?;
    let sort = i32::try_from(body.sort).unwrap_or_default();
    admin::add_banner(&state.ctx, content, &body.link, sort, &body.language).await?;
    Ok((StatusCode::CREATED, Json(Done::new())))
}

/// Remove a banner from the Explore page.
#[utoipa::path(
    delete,
    path = "/console/api/admin/delete-explore-banner/{banner_id}",
    tag = "admin",
    params(("banner_id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn remove_explore_banner(
    State(state): State<AppState>,
    _: CloudOperator,
    Path(id): Path<Uuid>,
) -> Result<NoContent, ApiError> {
    admin::remove_banner(&state.ctx, id).await?;
    Ok(NoContent)
}
