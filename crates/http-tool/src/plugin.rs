//! `/console/api/workspaces/current/plugin/…`

mod install;
mod list;
mod option;
mod setting;
mod task;

use http_core::{AppState, Json};
pub(crate) use list::picture;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(list::router())
        .merge(install::router())
        .merge(task::router())
        .merge(setting::router())
        .merge(option::router())
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PluginSuccess {
    success: bool,
}

impl PluginSuccess {
    fn of(success: bool) -> Json<Self> {
        Json(Self { success })
    }
}
