//! Installations under way.

use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Query};
use plugin::{Daemon, management::InstallTask};
use serde::Serialize;
use services_tool::ToolError;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{PluginSuccess, list::PluginPageQuery};
use crate::guard::Installer;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_install_tasks))
        .routes(routes!(find_install_task))
        .routes(routes!(delete_install_task))
        .routes(routes!(delete_install_task_item))
        .routes(routes!(delete_install_tasks))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InstallTasks {
    #[schema(value_type = Vec<Object>)]
    tasks: Vec<InstallTask>,
}

/// The installations under way.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/tasks",
    tag = "plugins",
    params(PluginPageQuery),
    responses((status = 200, body = InstallTasks), (status = "4XX", body = ErrorBody)),
)]
async fn list_install_tasks(
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Query(query): Query<PluginPageQuery>,
) -> Result<Json<InstallTasks>, ApiError> {
    let tasks = daemon.list_install_tasks(user.tenant, query.page, query.page_size).await;
    Ok(Json(InstallTasks { tasks: tasks.map_err(ToolError::from)? }))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InstallTaskAnswer {
    #[schema(value_type = Object)]
    task: InstallTask,
}

/// An installation under way.
#[utoipa::path(
    get,
    path = "/console/api/workspaces/current/plugin/tasks/{task_id}",
    tag = "plugins",
    params(("task_id" = String, Path)),
    responses((status = 200, body = InstallTaskAnswer), (status = "4XX", body = ErrorBody)),
)]
async fn find_install_task(
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Path(task): Path<String>,
) -> Result<Json<InstallTaskAnswer>, ApiError> {
    let task = daemon.find_install_task(user.tenant, &task).await.map_err(ToolError::from)?;
    Ok(Json(InstallTaskAnswer { task }))
}

/// Forget an installation.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/tasks/{task_id}/delete",
    tag = "plugins",
    params(("task_id" = String, Path)),
    responses((status = 200, body = PluginSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_install_task(
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Path(task): Path<String>,
) -> Result<Json<PluginSuccess>, ApiError> {
    let success = daemon.delete_install_task(user.tenant, &task, None).await;
    Ok(PluginSuccess::of(success.map_err(ToolError::from)?))
}

/// Forget one package of an installation.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/tasks/{task_id}/delete/{*identifier}",
    tag = "plugins",
    params(("task_id" = String, Path), ("identifier" = String, Path)),
    responses((status = 200, body = PluginSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_install_task_item(
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Path((task, identifier)): Path<(String, String)>,
) -> Result<Json<PluginSuccess>, ApiError> {
    let success = daemon.delete_install_task(user.tenant, &task, Some(&identifier)).await;
    Ok(PluginSuccess::of(success.map_err(ToolError::from)?))
}

/// Forget all installations that ended.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/tasks/delete_all",
    tag = "plugins",
    responses((status = 200, body = PluginSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn delete_install_tasks(
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
) -> Result<Json<PluginSuccess>, ApiError> {
    let success = daemon.delete_install_tasks(user.tenant).await;
    Ok(PluginSuccess::of(success.map_err(ToolError::from)?))
}
