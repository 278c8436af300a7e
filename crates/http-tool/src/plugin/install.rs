//! Taking packages in, installing, upgrading and removing plugins.

use axum::{
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request, State},
    http::StatusCode,
};
use bytes::{Bytes, BytesMut};
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Valid};
use plugin::{
    Daemon, PluginModels,
    management::{BundleDependency, DecodedPackage, InstallStarted},
};
use serde::{Deserialize, Serialize};
use services_model::Models;
use services_tool::plugin_manage::{self, GithubPackage};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::PluginSuccess;
use crate::guard::Installer;

/// The rest of a form beside its file.
const FORM: usize = 1 << 20;

pub(super) fn router() -> OpenApiRouter<AppState> {
    // The operator's limits are checked while the form is read.
    let uploads = OpenApiRouter::new()
        .routes(routes!(upload_plugin_package))
        .routes(routes!(upload_plugin_bundle))
        .layer(DefaultBodyLimit::disable());
    OpenApiRouter::new()
        .merge(uploads)
        .routes(routes!(upload_plugin_from_github))
        .routes(routes!(install_plugin_packages))
        .routes(routes!(install_plugin_from_github))
        .routes(routes!(install_plugins_from_marketplace))
        .routes(routes!(upgrade_plugin_from_marketplace))
        .routes(routes!(upgrade_plugin_from_github))
        .routes(routes!(uninstall_plugin))
}

/// A form with a package, as documented.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the document only: the form is read piece by piece")]
struct PackageUpload {
    #[schema(value_type = String, format = Binary)]
    pkg: Vec<u8>,
}

/// A form with a bundle, as documented.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "for the document only: the form is read piece by piece")]
struct BundleUpload {
    #[schema(value_type = String, format = Binary)]
    bundle: Vec<u8>,
}

/// Take a package in.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/upload/pkg",
    tag = "plugins",
    request_body(content = PackageUpload, content_type = "multipart/form-data"),
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn upload_plugin_package(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    request: Request,
) -> Result<Json<DecodedPackage>, ApiError> {
    let limit = state.ctx.config.feature.plugin_max_package_size;
    let package = file(&state, request, "pkg", limit).await?;
    Ok(Json(plugin_manage::upload_package(&state.ctx, &daemon, user.tenant, package).await?))
}

/// Take a bundle in.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/upload/bundle",
    tag = "plugins",
    request_body(content = BundleUpload, content_type = "multipart/form-data"),
    responses((status = 200, body = Vec<Object>), (status = "4XX", body = ErrorBody)),
)]
async fn upload_plugin_bundle(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    request: Request,
) -> Result<Json<Vec<BundleDependency>>, ApiError> {
    let limit = state.ctx.config.feature.plugin_max_bundle_size;
    let bundle = file(&state, request, "bundle", limit).await?;
    Ok(Json(plugin_manage::upload_bundle(&state.ctx, &daemon, user.tenant, bundle).await?))
}

/// The file of a form, if it is not larger than `limit`.
async fn file(
    state: &AppState,
    request: Request,
    name: &str,
    limit: i64,
) -> Result<Bytes, ApiError> {
    let missing = || {
        ApiError::new(
            StatusCode::BAD_REQUEST,
            "bad_request_key_error",
            "The browser (or proxy) sent a request that this server could not understand.",
        )
    };
    let too_large = || ApiError::invalid_param("File size exceeds the maximum allowed size");
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut form = Multipart::from_request(request, state).await.map_err(|_| missing())?;
    let mut beside = 0;
    while let Some(mut part) = form.next_field().await.map_err(|_| missing())? {
        let is_wanted = part.name() == Some(name) && part.file_name().is_some();
        let mut content = BytesMut::new();
        while let Some(piece) = part.chunk().await.map_err(|_| missing())? {
            if is_wanted {
                if limit < content.len() + piece.len() {
                    return Err(too_large());
                }
                content.extend_from_slice(&piece);
            } else {
                beside += piece.len();
                if FORM < beside {
                    return Err(too_large());
                }
            }
        }
        if is_wanted {
            return Ok(content.freeze());
        }
    }
    Err(missing())
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct GithubUploadPayload {
    repo: String,
    version: String,
    package: String,
}

/// Take in a package of a release on GitHub.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/upload/github",
    tag = "plugins",
    request_body = GithubUploadPayload,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn upload_plugin_from_github(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<GithubUploadPayload>,
) -> Result<Json<DecodedPackage>, ApiError> {
    let place = GithubPackage { repo: &body.repo, version: &body.version, package: &body.package };
    Ok(Json(plugin_manage::upload_from_github(&state.ctx, &daemon, user.tenant, place).await?))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct PluginIdentifiersPayload {
    plugin_unique_identifiers: Vec<String>,
}

/// An installation began.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Installing {
    all_installed: bool,
    task_id: String,
}

impl From<InstallStarted> for Installing {
    fn from(started: InstallStarted) -> Self {
        Self { all_installed: started.all_installed, task_id: started.task_id }
    }
}

/// Install packages that were taken in.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/install/pkg",
    tag = "plugins",
    request_body = PluginIdentifiersPayload,
    responses((status = 200, body = Installing), (status = "4XX", body = ErrorBody)),
)]
async fn install_plugin_packages(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<PluginIdentifiersPayload>,
) -> Result<Json<Installing>, ApiError> {
    let identifiers = &body.plugin_unique_identifiers;
    let started =
        plugin_manage::install_packages(&state.ctx, &daemon, user.tenant, identifiers).await?;
    Ok(Json(started.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct GithubInstallPayload {
    plugin_unique_identifier: String,
    repo: String,
    version: String,
    package: String,
}

/// Install a package of a release on GitHub that was taken in.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/install/github",
    tag = "plugins",
    request_body = GithubInstallPayload,
    responses((status = 200, body = Installing), (status = "4XX", body = ErrorBody)),
)]
async fn install_plugin_from_github(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<GithubInstallPayload>,
) -> Result<Json<Installing>, ApiError> {
    let place = GithubPackage { repo: &body.repo, version: &body.version, package: &body.package };
    let identifier = &body.plugin_unique_identifier;
    let started =
        plugin_manage::install_from_github(&state.ctx, &daemon, user.tenant, identifier, place)
            .await?;
    Ok(Json(started.into()))
}

/// Install plugins of the marketplace.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/install/marketplace",
    tag = "plugins",
    request_body = PluginIdentifiersPayload,
    responses((status = 200, body = Installing), (status = "4XX", body = ErrorBody)),
)]
async fn install_plugins_from_marketplace(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<PluginIdentifiersPayload>,
) -> Result<Json<Installing>, ApiError> {
    let identifiers = &body.plugin_unique_identifiers;
    let started =
        plugin_manage::install_from_marketplace(&state.ctx, &daemon, user.tenant, identifiers)
            .await?;
    Ok(Json(started.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct MarketplaceUpgradePayload {
    original_plugin_unique_identifier: String,
    new_plugin_unique_identifier: String,
}

/// Put a version of the marketplace in place of another.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/upgrade/marketplace",
    tag = "plugins",
    request_body = MarketplaceUpgradePayload,
    responses((status = 200, body = Installing), (status = "4XX", body = ErrorBody)),
)]
async fn upgrade_plugin_from_marketplace(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<MarketplaceUpgradePayload>,
) -> Result<Json<Installing>, ApiError> {
    let started = plugin_manage::upgrade_from_marketplace(
        &state.ctx,
        &daemon,
        user.tenant,
        &body.original_plugin_unique_identifier,
        &body.new_plugin_unique_identifier,
    )
    .await?;
    Ok(Json(started.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct GithubUpgradePayload {
    original_plugin_unique_identifier: String,
    new_plugin_unique_identifier: String,
    repo: String,
    version: String,
    package: String,
}

/// Put a version of a release on GitHub in place of another.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/upgrade/github",
    tag = "plugins",
    request_body = GithubUpgradePayload,
    responses((status = 200, body = Installing), (status = "4XX", body = ErrorBody)),
)]
async fn upgrade_plugin_from_github(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Valid(body): Valid<GithubUpgradePayload>,
) -> Result<Json<Installing>, ApiError> {
    let started = plugin_manage::upgrade_from_github(
        &state.ctx,
        &daemon,
        user.tenant,
        &body.original_plugin_unique_identifier,
        &body.new_plugin_unique_identifier,
        GithubPackage { repo: &body.repo, version: &body.version, package: &body.package },
    )
    .await?;
    Ok(Json(started.into()))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct UninstallPayload {
    plugin_installation_id: String,
}

/// Remove a plugin.
#[utoipa::path(
    post,
    path = "/console/api/workspaces/current/plugin/uninstall",
    tag = "plugins",
    request_body = UninstallPayload,
    responses((status = 200, body = PluginSuccess), (status = "4XX", body = ErrorBody)),
)]
async fn uninstall_plugin(
    State(state): State<AppState>,
    Installer(user): Installer,
    Part(daemon): Part<Daemon>,
    Part(models): Part<Models>,
    Part(plugin_models): Part<PluginModels>,
    Valid(body): Valid<UninstallPayload>,
) -> Result<Json<PluginSuccess>, ApiError> {
    let installation = &body.plugin_installation_id;
    let success =
        plugin_manage::uninstall(&state.ctx, &models, &daemon, user.tenant, installation).await?;
    plugin_models.forget(user.tenant).await;
    Ok(PluginSuccess::of(success))
}
