//! `/console/api/{ping,setup,init,version}`: what a browser asks before anybody has an account.
//!
//! These answer errors in an envelope of their own, which hides code and message.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use http_core::{ApiError, AppState, Json, validation};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use services_account::{
    AccountError, release,
    setup::{self, SetUp, Step},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    body::{self, ClientIp, Done},
    cookies,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(ping))
        .routes(routes!(find_setup, set_up))
        .routes(routes!(find_init, validate_init))
        .routes(routes!(check_version))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Pong {
    result: &'static str,
}

/// Whether the server answers.
#[utoipa::path(get, path = "/console/api/ping", tag = "setup", responses((status = 200, body = Pong)))]
async fn ping() -> Json<Pong> {
    Json(Pong { result: "pong" })
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct SetupState {
    /// `not_started` or `finished`.
    step: &'static str,
    /// UTC, without an offset.
    setup_at: Option<String>,
}

/// Whether the server was set up.
#[utoipa::path(get, path = "/console/api/setup", tag = "setup", responses((status = 200, body = SetupState)))]
async fn find_setup(State(state): State<AppState>) -> Result<Json<SetupState>, ApiError> {
    let step = setup::step(&state.ctx).await.map_err(fast_api)?;
    Ok(Json(match step {
        Step::NotStarted => SetupState { step: "not_started", setup_at: None },
        Step::Finished(at) => SetupState {
            step: "finished",
            setup_at: at.map(|at| at.format("%Y-%m-%dT%H:%M:%S%.f").to_string()),
        },
    }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct SetupPayload {
    #[garde(custom(body::email))]
    email: String,
    /// At most 30 characters.
    #[garde(custom(body::short_name))]
    name: String,
    #[garde(custom(body::new_password))]
    password: String,
    language: Option<String>,
}

/// Make the first account and its workspace.
#[utoipa::path(
    post,
    path = "/console/api/setup",
    tag = "setup",
    request_body = SetupPayload,
    responses((status = 201, body = Done), (status = "4XX", description = "Refused")),
)]
async fn set_up(
    State(state): State<AppState>,
    ClientIp(ip): ClientIp,
    headers: HeaderMap,
    uri: Uri,
    payload: Bytes,
) -> Result<(StatusCode, Json<Done>), ApiError> {
    let ctx = &state.ctx;
    let payload: SetupPayload = read(&payload, &uri)?;
    if ctx.config.is_cloud() {
        return Err(ApiError::no_such_url().fast_api());
    }
    let told = cookies::is_init_validated(ctx, &headers);
    let init_done = setup::init_is_done(ctx, told).await.map_err(fast_api)?;
    let cmd = SetUp {
        email: &payload.email,
        name: &payload.name,
        password: &payload.password,
        language: payload.language.as_deref(),
        ip: &ip,
        init_done,
    };
    setup::set_up(ctx, cmd).await.map_err(fast_api)?;
    Ok((StatusCode::CREATED, Json(Done::SUCCESS)))
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct InitState {
    /// `not_started` or `finished`.
    status: &'static str,
}

/// Whether the init password was given or is not asked for.
#[utoipa::path(get, path = "/console/api/init", tag = "setup", responses((status = 200, body = InitState)))]
async fn find_init(
    State(state): State<AppState>,
    headers: HeaderMap,
) -> Result<Json<InitState>, ApiError> {
    let told = cookies::is_init_validated(&state.ctx, &headers);
    let done = setup::init_is_done(&state.ctx, told).await.map_err(fast_api)?;
    Ok(Json(InitState { status: if done { "finished" } else { "not_started" } }))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct InitPayload {
    /// `INIT_PASSWORD`, at most 30 characters.
    #[garde(custom(body::short_name))]
    password: String,
}

/// Give the init password.
#[utoipa::path(
    post,
    path = "/console/api/init",
    tag = "setup",
    request_body = InitPayload,
    responses((status = 201, body = Done), (status = "4XX", description = "Refused")),
)]
async fn validate_init(
    State(state): State<AppState>,
    uri: Uri,
    payload: Bytes,
) -> Result<(StatusCode, HeaderMap, Json<Done>), ApiError> {
    let ctx = &state.ctx;
    let payload: InitPayload = read(&payload, &uri)?;
    if ctx.config.is_cloud() {
        return Err(ApiError::no_such_url().fast_api());
    }
    match setup::check_init(ctx, &payload.password).await {
        Ok(()) => {
            Ok((StatusCode::CREATED, cookies::init_validated(ctx, true), Json(Done::SUCCESS)))
        }
        Err(err) => {
            let forget = matches!(err, AccountError::InitFailed);
            let mut answer = fast_api(err);
            if forget {
                for (name, value) in &cookies::init_validated(ctx, false) {
                    answer = answer.header(name.clone(), value.clone());
                }
            }
            Err(answer)
        }
    }
}

#[derive(Debug, Deserialize, garde::Validate)]
#[garde(allow_unvalidated)]
struct VersionQuery {
    current_version: String,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Version {
    version: String,
    release_date: String,
    release_notes: String,
    can_auto_update: bool,
    features: VersionFeatures,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct VersionFeatures {
    can_replace_logo: bool,
    model_load_balancing_enabled: bool,
}

/// Whether there is a newer release.
#[utoipa::path(
    get,
    path = "/console/api/version",
    tag = "setup",
    params(("current_version" = String, Query)),
    responses((status = 200, body = Version), (status = 422, description = "No version given")),
)]
async fn check_version(State(state): State<AppState>, uri: Uri) -> Result<Json<Version>, ApiError> {
    let query: VersionQuery =
        validation::query(uri.query().unwrap_or_default()).map_err(|_| unreadable("query"))?;
    let newest = release::newest(&state.ctx, &query.current_version).await;
    let config = &state.ctx.config;
    Ok(Json(Version {
        version: newest.version,
        release_date: newest.date,
        release_notes: newest.notes,
        can_auto_update: newest.can_auto_update,
        features: VersionFeatures {
            can_replace_logo: config.enterprise.can_replace_logo,
            model_load_balancing_enabled: config.feature.model_lb_enabled,
        },
    }))
}

/// A body that is no JSON counts as empty, and for no body at all the query is read.
fn read<T>(body: &Bytes, uri: &Uri) -> Result<T, ApiError>
where
    T: DeserializeOwned + garde::Validate<Context = ()>,
{
    let read = if body.is_empty() {
        validation::query(uri.query().unwrap_or_default())
    } else {
        validation::read(serde_json::from_slice(body).unwrap_or_default())
    };
    read.map_err(|_| unreadable("payload"))
}

fn unreadable(parameter: &str) -> ApiError {
    let words = format!("Validation error for parameter '{parameter}'");
    let body = serde_json::json!({
        "error": {"type": "validation_error", "message": words, "status": 422, "details": words},
    });
    ApiError::with_body(StatusCode::UNPROCESSABLE_ENTITY, body)
}

fn fast_api(err: AccountError) -> ApiError {
    ApiError::from(err).fast_api()
}
