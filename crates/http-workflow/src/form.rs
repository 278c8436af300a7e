//! Forms of paused runs, by token: `/api/form/human_input/{form_token}` for whoever has it, the console's for members.

mod preview;
mod site;

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequest, Request, State},
    http::{HeaderMap, StatusCode},
};
use graph::pause::{FormInput, UserAction};
use http_core::{
    ApiError, AppState, ErrorBody, Json, Path, extract,
    guard::{Console, client_ip},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use services_workflow::form::{self, Filled, Public, Shown};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::epoch;
use site::FormSite;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(find_form, submit_form))
        .routes(routes!(find_form_as_member, submit_form_as_member))
        .merge(preview::router())
}

/// A form on its public page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PublicForm {
    /// Markdown.
    form_content: String,
    #[schema(value_type = Vec<Object>)]
    inputs: Vec<FormInput>,
    #[schema(value_type = Object)]
    resolved_default_values: Map<String, Value>,
    #[schema(value_type = Vec<Object>)]
    user_actions: Vec<UserAction>,
    /// Unix seconds.
    expiration_time: i64,
    site: FormSite,
}

/// A form, by its token.
#[utoipa::path(
    get,
    path = "/api/form/human_input/{form_token}",
    tag = "human input",
    params(("form_token" = String, Path)),
    responses((status = 200, body = PublicForm), (status = "4XX", body = ErrorBody)),
)]
async fn find_form(
    State(state): State<AppState>,
    Path(token): Path<String>,
    caller: Caller,
) -> Result<Json<PublicForm>, ApiError> {
    let ctx = &state.ctx;
    form::count_request(ctx, form::Request::Read, &caller.0).await?;
    let Public { shown: Shown { form, definition }, app, front } =
        form::find_public(ctx, &token).await?;
    let defaults = definition.default_values.into_iter();
    Ok(Json(PublicForm {
        form_content: definition.rendered_content,
        inputs: definition.inputs,
        resolved_default_values: defaults.map(|(key, value)| (key, as_text(value))).collect(),
        user_actions: definition.user_actions,
        expiration_time: epoch(form.expiration_time),
        site: FormSite::new(ctx, &app, front),
    }))
}

/// Values of fields are texts; others become what Python makes of them.
fn as_text(value: Value) -> Value {
    let text = match value {
        Value::String(text) => text,
        Value::Null => String::new(),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        other => types::pyjson::dumps_utf8(&other).unwrap_or_default(),
    };
    Value::String(text)
}

/// The address of a caller.
struct Caller(String);

impl axum::extract::FromRequestParts<AppState> for Caller {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut axum::http::request::Parts,
        _: &AppState,
    ) -> Result<Self, Self::Rejection> {
        let headers: &HeaderMap = &parts.headers;
        Ok(Self(client_ip(headers, parts.extensions.get::<ConnectInfo<SocketAddr>>())))
    }
}

/// What somebody fills in.
#[derive(Debug, utoipa::ToSchema)]
#[expect(dead_code, reason = "the shape of the body; `Submission` reads it")]
struct FormSubmission {
    /// Values by field.
    #[schema(value_type = Object)]
    inputs: Map<String, Value>,
    /// The button.
    action: String,
}

/// A body that fills a form in. What is missing is said as flask-restx says it.
struct Submission(Filled);

impl FromRequest<AppState> for Submission {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &AppState) -> Result<Self, ApiError> {
        let body = extract::json_body(request, state).await?;
        let missing = |field: &str| {
            let body = json!({
                "errors": {field: "Missing required parameter in the JSON body"},
                "message": "Input payload validation failed",
            });
            ApiError::with_body(StatusCode::BAD_REQUEST, body)
        };
        let inputs = body.get("inputs").and_then(Value::as_object).cloned();
        let inputs = inputs.ok_or_else(|| missing("inputs"))?;
        let action = match body.get("action") {
            Some(Value::String(action)) => action.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => return Err(missing("action")),
        };
        Ok(Self(Filled { action, inputs }))
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Nothing {}

/// Submit a form; its run goes on.
#[utoipa::path(
    post,
    path = "/api/form/human_input/{form_token}",
    tag = "human input",
    params(("form_token" = String, Path)),
    request_body = FormSubmission,
    responses((status = 200, body = Nothing), (status = "4XX", body = ErrorBody)),
)]
async fn submit_form(
    State(state): State<AppState>,
    Path(token): Path<String>,
    caller: Caller,
    Submission(filled): Submission,
) -> Result<Json<Nothing>, ApiError> {
    form::count_request(&state.ctx, form::Request::Submit, &caller.0).await?;
    form::submit_public(&state.ctx, &token, filled).await?;
    Ok(Json(Nothing {}))
}

/// A form in the console.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct MemberForm {
    /// The template.
    form_content: String,
    #[schema(value_type = Vec<Object>)]
    inputs: Vec<FormInput>,
    #[schema(value_type = Vec<Object>)]
    user_actions: Vec<UserAction>,
    /// Markdown with the run's values.
    rendered_content: String,
    /// Unix seconds.
    expiration_time: i64,
    #[schema(value_type = Object)]
    default_values: Map<String, Value>,
    node_title: Option<String>,
    display_in_ui: Option<bool>,
}

/// A form of the workspace, by a token that was made for members.
#[utoipa::path(
    get,
    path = "/console/api/form/human_input/{form_token}",
    tag = "human input",
    params(("form_token" = String, Path)),
    responses((status = 200, body = MemberForm), (status = "4XX", body = ErrorBody)),
)]
async fn find_form_as_member(
    State(state): State<AppState>,
    Console(user): Console,
    Path(token): Path<String>,
) -> Result<Json<MemberForm>, ApiError> {
    let Shown { form, definition } = form::find_for_member(&state.ctx, user.tenant, &token).await?;
    Ok(Json(MemberForm {
        form_content: definition.form_content,
        inputs: definition.inputs,
        user_actions: definition.user_actions,
        rendered_content: definition.rendered_content,
        expiration_time: epoch(form.expiration_time),
        default_values: definition.default_values,
        node_title: definition.node_title,
        display_in_ui: definition.display_in_ui,
    }))
}

/// Submit a form as a member of the workspace; its run goes on.
#[utoipa::path(
    post,
    path = "/console/api/form/human_input/{form_token}",
    tag = "human input",
    params(("form_token" = String, Path)),
    request_body = FormSubmission,
    responses((status = 200, body = Nothing), (status = "4XX", body = ErrorBody)),
)]
async fn submit_form_as_member(
    State(state): State<AppState>,
    Console(user): Console,
    Path(token): Path<String>,
    Submission(filled): Submission,
) -> Result<Json<Nothing>, ApiError> {
    let by = user.account.id;
    form::submit_as_member(&state.ctx, user.tenant, by, &token, filled).await?;
    Ok(Json(Nothing {}))
}
