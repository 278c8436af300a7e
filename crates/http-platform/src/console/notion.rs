//! `/console/api/oauth/data-source` and `/console/api/data-source/integrates`

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, Query,
    guard::{Admin, Console},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_platform::data_source::notion::{self, DataSourceOauth};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    console::api_keys::host_url,
    wire::{Done, seconds},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(begin_connection))
        .routes(routes!(finish_connection))
        .routes(routes!(bind_connection))
        .routes(routes!(sync_connection))
        .routes(routes!(list_connections))
        .routes(routes!(list_connections_again, switch_connection))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Address {
    /// Where the browser goes, or `internal`.
    data: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct CallbackQuery {
    code: Option<String>,
    error: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct BindingQuery {
    code: Option<String>,
}

/// A connection to a data source.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Integrate {
    id: Uuid,
    provider: String,
    /// Unix seconds.
    created_at: i64,
    is_bound: bool,
    disabled: bool,
    /// Where another one is begun.
    link: String,
    source_info: Workspace,
}

/// What a connection opens.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Workspace {
    workspace_name: Option<String>,
    workspace_id: Option<String>,
    workspace_icon: Option<String>,
    pages: Vec<Page>,
    total: i64,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Page {
    page_name: Option<String>,
    page_id: Option<String>,
    page_icon: Option<Icon>,
    parent_id: Option<String>,
    r#type: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Icon {
    r#type: Option<String>,
    url: Option<String>,
    emoji: Option<String>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct IntegrateList {
    data: Vec<Integrate>,
}

/// For browsers that do not follow by themselves.
const MOVED: &str =
    "<!doctype html>\n<html lang=en>\n<title>Redirecting...</title>\n<h1>Redirecting...</h1>\n";

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

impl From<&Value> for Workspace {
    fn from(info: &Value) -> Self {
        let pages = info.get("pages").and_then(Value::as_array);
        let pages: Vec<Page> = pages.into_iter().flatten().map(Into::into).collect();
        Self {
            workspace_name: text(info, "workspace_name"),
            workspace_id: text(info, "workspace_id"),
            workspace_icon: text(info, "workspace_icon"),
            total: info.get("total").and_then(Value::as_i64).unwrap_or(0),
            pages,
        }
    }
}

impl From<&Value> for Page {
    fn from(page: &Value) -> Self {
        let icon = page.get("page_icon").filter(|icon| icon.is_object());
        Self {
            page_name: text(page, "page_name"),
            page_id: text(page, "page_id"),
            page_icon: icon.map(|icon| Icon {
                r#type: text(icon, "type"),
                url: text(icon, "url"),
                emoji: text(icon, "emoji"),
            }),
            parent_id: text(page, "parent_id"),
            r#type: text(page, "type"),
        }
    }
}

impl Integrate {
    fn new(base: &str, known: &DataSourceOauth) -> Self {
        Self {
            id: known.id,
            link: format!("{base}/console/api/oauth/data-source/{}", known.provider),
            provider: known.provider.clone(),
            created_at: seconds(known.created_at),
            is_bound: true,
            disabled: known.disabled,
            source_info: (&known.source_info).into(),
        }
    }
}

/// Where the browser goes to connect; an internal integration is connected at once.
#[utoipa::path(
    get,
    path = "/console/api/oauth/data-source/{provider}",
    tag = "data-source",
    params(("provider" = String, Path)),
    responses((status = 200, body = Address), (status = "4XX", body = ErrorBody)),
)]
async fn begin_connection(
    State(state): State<AppState>,
    Admin(user): Admin,
    Path(provider): Path<String>,
) -> Result<Json<Address>, ApiError> {
    let data = notion::begin(&state.ctx, user.tenant, &provider).await?;
    Ok(Json(Address { data }))
}

/// Where the source sends the browser back to; the console goes on from there.
#[utoipa::path(
    get,
    path = "/console/api/oauth/data-source/callback/{provider}",
    tag = "data-source",
    params(("provider" = String, Path), CallbackQuery),
    responses((status = 302), (status = "4XX", body = ErrorBody)),
)]
async fn finish_connection(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    Query(query): Query<CallbackQuery>,
) -> Result<Response, ApiError> {
    notion::check_provider(&provider)?;
    let url = notion::return_url(&state.ctx, query.code.as_deref(), query.error.as_deref());
    let url = HeaderValue::from_str(&url).map_err(ApiError::internal)?;
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    let headers = [(header::LOCATION, url), (header::CONTENT_TYPE, kind)];
    Ok((StatusCode::FOUND, headers, MOVED).into_response())
}

/// Connect with the code the source sent the browser back with. Without a code nothing happens, as in the reference.
#[utoipa::path(
    get,
    path = "/console/api/oauth/data-source/binding/{provider}",
    tag = "data-source",
    params(("provider" = String, Path), BindingQuery),
    responses((status = 200, body = Option<Done>), (status = "4XX", body = ErrorBody)),
)]
async fn bind_connection(
    State(state): State<AppState>,
    Path(provider): Path<String>,
    Query(query): Query<BindingQuery>,
    user: Result<Console, ApiError>,
) -> Result<Json<Option<Done>>, ApiError> {
    notion::check_provider(&provider)?;
    let Some(code) = query.code else { return Ok(Json(None)) };
    let Console(user) = user?;
    notion::connect(&state.ctx, user.tenant, &provider, &code).await?;
    Ok(Json(Some(Done::new())))
}

/// Read again which pages a connection opens.
#[utoipa::path(
    get,
    path = "/console/api/oauth/data-source/{provider}/{binding_id}/sync",
    tag = "data-source",
    params(("provider" = String, Path), ("binding_id" = Uuid, Path)),
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn sync_connection(
    State(state): State<AppState>,
    Console(user): Console,
    Path((provider, id)): Path<(String, Uuid)>,
) -> Result<Json<Done>, ApiError> {
    notion::sync(&state.ctx, user.tenant, &provider, id).await?;
    Ok(Json(Done::new()))
}

/// The workspace's connections.
#[utoipa::path(
    get,
    path = "/console/api/data-source/integrates",
    tag = "data-source",
    responses((status = 200, body = IntegrateList), (status = "4XX", body = ErrorBody)),
)]
async fn list_connections(
    State(state): State<AppState>,
    Console(user): Console,
    headers: HeaderMap,
) -> Result<Json<IntegrateList>, ApiError> {
    let known = notion::list(&state.ctx, user.tenant).await?;
    let base = host_url(&headers, state.ctx.config.feature.respect_xforward_headers_enabled);
    Ok(Json(IntegrateList {
        data: known.iter().map(|known| Integrate::new(&base, known)).collect(),
    }))
}

/// The same: the reference lists them at this address too.
#[utoipa::path(
    get,
    path = "/console/api/data-source/integrates/{binding_id}/{action}",
    tag = "data-source",
    params(("binding_id" = Uuid, Path), ("action" = String, Path)),
    responses((status = 200, body = IntegrateList), (status = "4XX", body = ErrorBody)),
)]
async fn list_connections_again(
    state: State<AppState>,
    user: Console,
    _path: Path<(Uuid, String)>,
    headers: HeaderMap,
) -> Result<Json<IntegrateList>, ApiError> {
    list_connections(state, user, headers).await
}

/// Switch a connection on (`enable`) or off (`disable`).
#[utoipa::path(
    patch,
    path = "/console/api/data-source/integrates/{binding_id}/{action}",
    tag = "data-source",
    params(("binding_id" = Uuid, Path), ("action" = String, Path)),
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn switch_connection(
    State(state): State<AppState>,
    Console(user): Console,
    Path((id, action)): Path<(Uuid, String)>,
) -> Result<Json<Done>, ApiError> {
    match action.as_str() {
        "enable" => notion::set_disabled(&state.ctx, user.tenant, id, false).await?,
        "disable" => notion::set_disabled(&state.ctx, user.tenant, id, true).await?,
        // Another word changes nothing, as in the reference.
        _ => notion::check(&state.ctx, user.tenant, id).await?,
    }
    Ok(Json(Done::new()))
}
