//! `/console/api/installed-apps`

use axum::extract::State;
use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Path, Query, Valid, guard::Console,
    validation::lax,
};
use serde::{Deserialize, Serialize};
use services_account::session::SignedIn;
use services_app::{json::Object, meta, parameters};
use services_core::Ctx;
use services_platform::{
    explore::installed::{self, ShownApp, Viewer},
    feature::{self, Resource},
    links,
};
use types::{AppId, TenantId};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::wire::seconds;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_installed_apps, install_app))
        .routes(routes!(update_installed_app, uninstall_app))
        .routes(routes!(find_installed_app_parameters))
        .routes(routes!(find_installed_app_meta))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct InstalledAppsListQuery {
    /// Only this app.
    app_id: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InstalledAppCreatePayload {
    app_id: String,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InstalledAppUpdatePayload {
    #[serde(default, deserialize_with = "lax::optional_flag")]
    is_pinned: Option<bool>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InstalledAppInfo {
    id: AppId,
    name: String,
    mode: String,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    icon_url: Option<String>,
    use_icon_as_answer_icon: bool,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InstalledApp {
    id: Uuid,
    app: InstalledAppInfo,
    app_owner_tenant_id: TenantId,
    is_pinned: bool,
    /// Unix seconds.
    last_used_at: Option<i64>,
    /// Whether the user may edit it.
    editable: bool,
    /// Whether it is the workspace's own. (The name says the opposite; the console knows.)
    uninstallable: bool,
}

impl InstalledApp {
    fn new(ctx: &Ctx, user: &SignedIn, shown: ShownApp) -> Self {
        let icon_url = links::icon(ctx, shown.icon_type.as_deref(), shown.icon.as_deref());
        Self {
            id: shown.id,
            app: InstalledAppInfo {
                id: shown.app_id,
                name: shown.name,
                mode: shown.mode,
                icon_type: shown.icon_type,
                icon: shown.icon,
                icon_background: shown.icon_background,
                icon_url,
                use_icon_as_answer_icon: shown.use_icon_as_answer_icon,
            },
            app_owner_tenant_id: shown.app_owner_tenant_id,
            is_pinned: shown.is_pinned,
            last_used_at: shown.last_used_at.map(seconds),
            editable: user.role.is_privileged(),
            uninstallable: shown.app_owner_tenant_id == user.tenant,
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InstalledAppList {
    installed_apps: Vec<InstalledApp>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Message {
    message: &'static str,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct DoneMessage {
    result: &'static str,
    message: &'static str,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InstalledAppMeta {
    /// By tool: a link, or colour and letter.
    tool_icons: Object,
}

fn viewer(user: &SignedIn) -> Viewer {
    Viewer { tenant: user.tenant, account: user.account.id }
}

/// The apps on the workspace's Explore page: pinned ones first, then the last used.
#[utoipa::path(
    get,
    path = "/console/api/installed-apps",
    tag = "explore",
    params(InstalledAppsListQuery),
    responses((status = 200, body = InstalledAppList), (status = "4XX", body = ErrorBody)),
)]
async fn list_installed_apps(
    State(state): State<AppState>,
    Console(user): Console,
    Query(query): Query<InstalledAppsListQuery>,
) -> Result<Json<InstalledAppList>, ApiError> {
    let asked = query.app_id.filter(|app| !app.is_empty());
    // What is no id is no app's.
    let app = asked.map(|app| app.parse().unwrap_or(AppId(Uuid::nil())));
    let shown = installed::list(&state.ctx, viewer(&user), app).await?;
    let installed_apps =
        shown.into_iter().map(|shown| InstalledApp::new(&state.ctx, &user, shown)).collect();
    Ok(Json(InstalledAppList { installed_apps }))
}

/// Put an app of the catalogue on the workspace's Explore page.
#[utoipa::path(
    post,
    path = "/console/api/installed-apps",
    tag = "explore",
    request_body = InstalledAppCreatePayload,
    responses((status = 200, body = Message), (status = "4XX", body = ErrorBody)),
)]
async fn install_app(
    State(state): State<AppState>,
    Console(user): Console,
    Valid(body): Valid<InstalledAppCreatePayload>,
) -> Result<Json<Message>, ApiError> {
    feature::check_room(&state.ctx, user.tenant, Resource::Apps).await?;
    installed::install(&state.ctx, user.tenant, &body.app_id).await?;
    Ok(Json(Message { message: "App installed successfully" }))
}

/// Pin an app to the sidebar, or unpin it.
#[utoipa::path(
    patch,
    path = "/console/api/installed-apps/{installed_app_id}",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    request_body = InstalledAppUpdatePayload,
    responses((status = 200, body = DoneMessage), (status = "4XX", body = ErrorBody)),
)]
async fn update_installed_app(
    State(state): State<AppState>,
    Console(user): Console,
    Path(id): Path<Uuid>,
    Valid(body): Valid<InstalledAppUpdatePayload>,
) -> Result<Json<DoneMessage>, ApiError> {
    installed::set_pinned(&state.ctx, viewer(&user), id, body.is_pinned).await?;
    Ok(Json(DoneMessage { result: "success", message: "App info updated successfully" }))
}

/// Take another workspace's app off the Explore page.
#[utoipa::path(
    delete,
    path = "/console/api/installed-apps/{installed_app_id}",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn uninstall_app(
    State(state): State<AppState>,
    Console(user): Console,
    Path(id): Path<Uuid>,
) -> Result<NoContent, ApiError> {
    installed::uninstall(&state.ctx, viewer(&user), id).await?;
    Ok(NoContent)
}

/// Form, features and upload limits of an installed app.
#[utoipa::path(
    get,
    path = "/console/api/installed-apps/{installed_app_id}/parameters",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn find_installed_app_parameters(
    State(state): State<AppState>,
    Console(user): Console,
    Path(id): Path<Uuid>,
) -> Result<Json<Object>, ApiError> {
    let (_, app) = installed::find(&state.ctx, viewer(&user), id).await?;
    Ok(Json(parameters::of(&state.ctx, &app).await?))
}

/// Icons of the tools an installed app uses.
#[utoipa::path(
    get,
    path = "/console/api/installed-apps/{installed_app_id}/meta",
    tag = "explore",
    params(("installed_app_id" = Uuid, Path)),
    responses((status = 200, body = InstalledAppMeta), (status = "4XX", body = ErrorBody)),
)]
async fn find_installed_app_meta(
    State(state): State<AppState>,
    Console(user): Console,
    Path(id): Path<Uuid>,
) -> Result<Json<InstalledAppMeta>, ApiError> {
    let (_, app) = installed::find(&state.ctx, viewer(&user), id).await?;
    Ok(Json(InstalledAppMeta { tool_icons: meta::tool_icons(&state.ctx, &app).await? }))
}
