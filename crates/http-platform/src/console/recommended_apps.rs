//! `/console/api/explore/apps`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Query, guard::Console};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_app::{
    dsl::{self, Export},
    ports::Ports,
};
use services_platform::explore::catalogue::{self, Catalogue, Detail, Entry, Face};
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_recommended_apps))
        .routes(routes!(find_recommended_app))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct RecommendedAppsQuery {
    /// Like `en-US`; the user's without one.
    language: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RecommendedAppList {
    recommended_apps: Vec<RecommendedApp>,
    categories: Vec<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RecommendedApp {
    app: RecommendedAppInfo,
    app_id: Option<String>,
    description: Option<String>,
    copyright: Option<String>,
    privacy_policy: Option<String>,
    custom_disclaimer: Option<String>,
    category: Option<String>,
    position: i64,
    is_listed: Option<bool>,
    /// Whether it may be tried; null while trials are off.
    can_trial: Option<bool>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RecommendedAppInfo {
    id: Option<String>,
    name: Option<String>,
    mode: Option<String>,
    icon: Option<String>,
    icon_type: Option<String>,
    icon_url: Option<String>,
    icon_background: Option<String>,
}

impl From<Face> for RecommendedAppInfo {
    fn from(face: Face) -> Self {
        Self {
            id: face.id,
            name: face.name,
            mode: face.mode,
            icon: face.icon,
            icon_type: face.icon_type,
            icon_url: face.icon_url,
            icon_background: face.icon_background,
        }
    }
}

impl From<Entry> for RecommendedApp {
    fn from(entry: Entry) -> Self {
        Self {
            app: entry.app.unwrap_or_default().into(),
            app_id: entry.app_id,
            description: entry.description,
            copyright: entry.copyright,
            privacy_policy: entry.privacy_policy,
            custom_disclaimer: entry.custom_disclaimer,
            category: entry.category,
            position: entry.position.unwrap_or(0),
            is_listed: entry.is_listed,
            can_trial: entry.can_trial,
        }
    }
}

impl From<Catalogue> for RecommendedAppList {
    fn from(catalogue: Catalogue) -> Self {
        Self {
            recommended_apps: catalogue.recommended_apps.into_iter().map(Into::into).collect(),
            categories: catalogue.categories,
        }
    }
}

/// An app of the catalogue, ready to be made one's own.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct RecommendedAppDetail {
    id: AppId,
    name: String,
    icon: Option<String>,
    icon_background: Option<String>,
    mode: String,
    /// The app as YAML.
    export_data: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    can_trial: Option<bool>,
}

/// The catalogue.
#[utoipa::path(
    get,
    path = "/console/api/explore/apps",
    tag = "explore",
    params(RecommendedAppsQuery),
    responses((status = 200, body = RecommendedAppList), (status = "4XX", body = ErrorBody)),
)]
async fn list_recommended_apps(
    State(state): State<AppState>,
    Console(user): Console,
    Query(query): Query<RecommendedAppsQuery>,
) -> Result<Json<RecommendedAppList>, ApiError> {
    let users = user.account.interface_language.as_deref();
    let catalogue = catalogue::list(&state.ctx, query.language.as_deref(), users).await?;
    Ok(Json(catalogue.into()))
}

/// One app of the catalogue, or null.
#[utoipa::path(
    get,
    path = "/console/api/explore/apps/{app_id}",
    tag = "explore",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = Option<RecommendedAppDetail>), (status = "4XX", body = ErrorBody)),
)]
async fn find_recommended_app(
    State(state): State<AppState>,
    _: Console,
    ports: Part<Ports>,
    Path(id): Path<AppId>,
) -> Result<Json<Value>, ApiError> {
    let Some((detail, can_trial)) = catalogue::find(&state.ctx, id).await? else {
        return Ok(Json(Value::Null));
    };
    let detail = match detail {
        Detail::Told(Value::Object(mut told)) => {
            if let Some(can_trial) = can_trial {
                told.insert("can_trial".to_owned(), can_trial.into());
            }
            return Ok(Json(Value::Object(told)));
        }
        Detail::Told(_) => return Ok(Json(Value::Object(Map::new()))),
        Detail::App(app) => RecommendedAppDetail {
            export_data: dsl::export(&state.ctx, &ports, &app, &Export::default()).await?,
            id: app.id,
            name: app.name,
            icon: app.icon,
            icon_background: app.icon_background,
            mode: app.mode,
            can_trial,
        },
        Detail::Template(template) => RecommendedAppDetail {
            id: template.id(),
            name: template.name.to_owned(),
            icon: Some(template.icon.to_owned()),
            icon_background: Some(template.icon_background.to_owned()),
            mode: template.mode.to_owned(),
            export_data: template.dsl.to_owned(),
            can_trial,
        },
    };
    serde_json::to_value(detail).map(Json).map_err(ApiError::internal)
}
