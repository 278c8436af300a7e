//! `/console/api`.

mod admin;
mod api_keys;
mod banners;
mod crawler_keys;
mod extensions;
mod features;
mod files;
mod installed_apps;
mod notifications;
mod notion;
mod recommended_apps;
mod remote_files;
mod spec;
mod tags;
mod trial_apps;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(admin::router())
        .merge(api_keys::router())
        .merge(banners::router())
        .merge(crawler_keys::router())
        .merge(extensions::router())
        .merge(features::router())
        .merge(files::router())
        .merge(installed_apps::router())
        .merge(notifications::router())
        .merge(notion::router())
        .merge(recommended_apps::router())
        .merge(remote_files::router())
        .merge(spec::router())
        .merge(tags::router())
        .merge(trial_apps::router())
}
