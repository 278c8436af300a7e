//! `/console/api/workspaces/current/tool…`

mod builtin;
mod list;
mod oauth;

use http_core::{AppState, Json};
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().merge(list::router()).merge(builtin::router()).merge(oauth::router())
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ToolSuccess {
    result: &'static str,
}

impl ToolSuccess {
    fn new() -> Json<Self> {
        Json(Self { result: "success" })
    }
}
