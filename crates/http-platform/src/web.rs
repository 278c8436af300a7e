//! `/api`: web apps.

mod access;
mod features;
mod files;
mod passport;
mod remote_files;
mod site;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(access::router())
        .merge(features::router())
        .merge(files::router())
        .merge(passport::router())
        .merge(remote_files::router())
        .merge(site::router())
}
