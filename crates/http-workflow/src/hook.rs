//! `/triggers/…`: what services outside call to start runs.
//!
//! These answers are read by machines of others: errors of a request are `{"error", "message"}`, unknown addresses pages.

use axum::{
    body::{Body, Bytes, HttpBody, to_bytes},
    extract::{DefaultBodyLimit, FromRequest, Multipart, OriginalUri, Request, State},
    http::{HeaderMap, StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
};
use http_core::{AppState, Json, Part, Path, error::chain};
use serde::Serialize;
use serde_json::{Value, json};
use services_core::{Ctx, Failure, Fault};
use services_workflow::{
    WorkflowError,
    trigger::{
        self, debug, dispatch,
        plugin::{Events, receive::Incoming},
        webhook::{self, Answer, Called},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::{Uuid, Variant};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(call_webhook))
        .routes(routes!(call_webhook_debug))
        .routes(routes!(call_plugin_endpoint))
        // Bodies have a limit of their own here.
        .layer(DefaultBodyLimit::disable())
}

/// Why a call is not taken.
enum Refused {
    /// A page: no such address, too large.
    Page(StatusCode, String),
    /// The request does not fit.
    Unfit(String),
    /// Nobody is there to see it.
    Unheard {
        /// The address that runs the published version.
        execution_url: String,
    },
    /// Ours.
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<WorkflowError> for Refused {
    fn from(err: WorkflowError) -> Self {
        match err {
            WorkflowError::Fault(fault) => Self::Fault(fault),
            other => Self::Page(StatusCode::NOT_FOUND, other.to_string()),
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct HookError {
    error: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_url: Option<String>,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, error, message, execution_url) = match self {
            Self::Page(status, text) => return page(status, &text),
            Self::Unfit(message) => (StatusCode::BAD_REQUEST, "Bad Request", message, None),
            Self::Unheard { execution_url } => (
                StatusCode::CONFLICT,
                "No active debug listener",
                "The webhook debug URL only works while the Variable Inspector is listening. Use the published webhook \
                 URL to execute the workflow in Celery."
                    .to_owned(),
                Some(execution_url),
            ),
            Self::Fault(fault) => {
                tracing::error!(error = %chain(&fault), "a webhook was not taken");
                let status = StatusCode::from_u16(fault.status());
                (
                    status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
                    "Internal server error",
                    "An internal error has occurred.".to_owned(),
                    None,
                )
            }
        };
        (status, Json(HookError { error, message, execution_url })).into_response()
    }
}

fn page(status: StatusCode, text: &str) -> Response {
    let reason = match status {
        StatusCode::PAYLOAD_TOO_LARGE => "Request Entity Too Large",
        other => other.canonical_reason().unwrap_or_default(),
    };
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let text = text.replace('"', "&#34;").replace('\'', "&#39;");
    let code = status.as_u16();
    let page = format!(
        "<!doctype html>\n<html lang=en>\n<title>{code} {reason}</title>\n<h1>{reason}</h1>\n<p>{text}</p>\n"
    );
    (status, Html(page)).into_response()
}

/// Start a run of a published workflow.
#[utoipa::path(
    method(get, post, put, patch, delete, head, options),
    path = "/triggers/webhook/{webhook_id}",
    tag = "trigger",
    params(("webhook_id" = String, Path)),
    responses(
        (status = 200, description = "What the workflow says", body = Object),
        (status = 400, body = HookError),
        (status = 404, content_type = "text/html", body = String),
    ),
)]
async fn call_webhook(
    State(state): State<AppState>,
    Path(webhook): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let ctx = &state.ctx;
    let called = webhook::find(ctx, &webhook, false).await?;
    let data = take(ctx, &called, request).await?;
    let answer = called.settings.answer();
    dispatch::webhook_called(ctx, called, &data).await?;
    Ok(respond(answer))
}

/// Start a run of the draft somebody is building, if they wait for it.
#[utoipa::path(
    method(get, post, put, patch, delete, head, options),
    path = "/triggers/webhook-debug/{webhook_id}",
    tag = "trigger",
    params(("webhook_id" = String, Path)),
    responses(
        (status = 200, description = "What the workflow says", body = Object),
        (status = 400, body = HookError),
        (status = 404, content_type = "text/html", body = String),
        (status = 409, body = HookError),
    ),
)]
async fn call_webhook_debug(
    State(state): State<AppState>,
    Path(webhook): Path<String>,
    request: Request,
) -> Result<Response, Refused> {
    let ctx = &state.ctx;
    let called = webhook::find(ctx, &webhook, true).await?;
    let data = take(ctx, &called, request).await?;
    let Called { trigger: row, settings, .. } = called;
    let now = ctx.now();
    let event = json!({
        "timestamp": now.timestamp(),
        "request_id": format!("webhook_debug_{}_{}", row.webhook_id, now.timestamp_millis()),
        "node_id": row.node_id,
        "payload": {
            "inputs": webhook::inputs(&data),
            "webhook_data": data,
            "method": data.get("method"),
        },
    });
    let pool = debug::webhook_pool(row.tenant_id, row.app_id, &row.node_id);
    if debug::dispatch(ctx, row.tenant_id, &pool, &event).await? == 0 {
        tracing::info!(app.id = %row.app_id, "a webhook was tried out while nobody waited");
        return Err(Refused::Unheard { execution_url: trigger::webhook_url(ctx, &row.webhook_id) });
    }
    Ok(respond(settings.answer()))
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    (status, Json(answer.body)).into_response()
}

/// The request as the run sees it.
async fn take(ctx: &Ctx, called: &Called, request: Request) -> Result<Value, Refused> {
    let request = read(ctx, request).await?;
    let data = webhook::process(&called.settings, &request).map_err(Refused::Unfit)?;
    Ok(webhook::keep_files(ctx, called, &request, data).await?)
}

/// A body, as far as it is no larger than the operator allows.
async fn whole(ctx: &Ctx, body: Body) -> Result<Bytes, Refused> {
    let limit = ctx.config.feature.webhook_request_body_max_size;
    let limit = usize::try_from(limit).unwrap_or(0);
    let too_large = |size: u64| {
        let text = format!(
            "Webhook request too large: {size} bytes exceeds maximum allowed size of {limit} bytes"
        );
        Refused::Page(StatusCode::PAYLOAD_TOO_LARGE, text)
    };
    let announced = body.size_hint().lower();
    if announced > limit as u64 {
        return Err(too_large(announced));
    }
    // A body that breaks off and one that is longer than it says look the same.
    to_bytes(body, limit).await.map_err(|_| too_large(limit as u64 + 1))
}

async fn read(ctx: &Ctx, request: Request) -> Result<webhook::Request, Refused> {
    let (parts, body) = request.into_parts();
    let bytes = whole(ctx, body).await?;
    let query = serde_html_form::from_str(parts.uri.query().unwrap_or_default());
    Ok(webhook::Request {
        method: parts.method.as_str().to_owned(),
        headers: headers(&parts.headers),
        query: query.unwrap_or_default(),
        body: body_of(&parts.headers, bytes).await,
    })
}

fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value.as_bytes()))).collect()
}

async fn body_of(headers: &HeaderMap, bytes: Bytes) -> webhook::Body {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    match kind {
        Some(kind) if kind.to_ascii_lowercase().starts_with("multipart/form-data") => {
            form(kind, bytes).await
        }
        _ => webhook::Body::Bytes(bytes),
    }
}

/// The parts of a form, as far as it can be read.
async fn form(kind: &str, bytes: Bytes) -> webhook::Body {
    let (mut fields, mut files) = (Vec::new(), Vec::new());
    let request = Request::builder().header(header::CONTENT_TYPE, kind).body(Body::from(bytes));
    if let Ok(request) = request
        && let Ok(mut parts) = Multipart::from_request(request, &()).await
    {
        while let Ok(Some(part)) = parts.next_field().await {
            let field = part.name().unwrap_or_default().to_owned();
            let filename = part.file_name().map(str::to_owned);
            let content_type = part.content_type().map(str::to_owned);
            let Ok(content) = part.bytes().await else { break };
            match filename {
                Some(filename) => {
                    files.push(webhook::UploadedFile { field, filename, content_type, content });
                }
                None => fields.push((field, String::from_utf8_lossy(&content).into_owned())),
            }
        }
    }
    webhook::Body::Form { fields, files }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct UnknownEndpoint {
    error: &'static str,
}

/// Tell a plugin what happened outside.
#[utoipa::path(
    method(get, post, put, patch, delete, head, options),
    path = "/triggers/plugin/{endpoint_id}",
    tag = "trigger",
    params(("endpoint_id" = String, Path)),
    responses(
        (status = 200, description = "What the plugin says"),
        (status = 400, body = HookError),
        (status = 404, description = "No plugin listens there", body = UnknownEndpoint),
    ),
)]
async fn call_plugin_endpoint(
    State(state): State<AppState>,
    events: Part<Events>,
    Path(endpoint): Path<String>,
    OriginalUri(uri): OriginalUri,
    request: Request,
) -> Response {
    let is_id = endpoint.len() == 36
        && !endpoint.bytes().any(|c| c.is_ascii_uppercase())
        && Uuid::parse_str(&endpoint)
            .is_ok_and(|id| id.get_version_num() == 4 && id.get_variant() == Variant::RFC4122);
    if !is_id {
        return page(StatusCode::NOT_FOUND, "Invalid endpoint ID");
    }
    let incoming = match incoming(&state.ctx, uri, request).await {
        Ok(incoming) => incoming,
        Err(refused) => return refused.into_response(),
    };
    match events.receive(&endpoint, &incoming).await {
        Ok(Some(answer)) => (answer.status, answer.headers, answer.body).into_response(),
        Ok(None) => {
            let answer = UnknownEndpoint { error: "Endpoint not found" };
            (StatusCode::NOT_FOUND, Json(answer)).into_response()
        }
        Err(err) if err.status() < 500 => {
            let message = err.to_string();
            let error = "Endpoint processing failed";
            let answer = HookError { error, message, execution_url: None };
            (StatusCode::BAD_REQUEST, Json(answer)).into_response()
        }
        Err(err) => {
            tracing::error!(error = %chain(&err), "an event was not taken");
            let answer = UnknownEndpoint { error: "Internal server error" };
            (StatusCode::INTERNAL_SERVER_ERROR, Json(answer)).into_response()
        }
    }
}

async fn incoming(ctx: &Ctx, uri: Uri, request: Request) -> Result<Incoming, Refused> {
    let (parts, body) = request.into_parts();
    let body = whole(ctx, body).await?;
    let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let url = match host {
        Some(host) => format!("http://{host}{target}"),
        None => target.clone(),
    };
    Ok(Incoming { method: parts.method, url, target, headers: parts.headers, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn forms_are_read_as_far_as_they_go() {
        let kind = "multipart/form-data; boundary=x";
        let whole = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
                     --x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f.txt\"\r\n\
                     Content-Type: text/plain\r\n\r\nhi\r\n--x--\r\n";
        for (sent, expected) in
            [(whole, (1, 1)), (&whole[..90], (1, 0)), ("--y", (0, 0)), ("", (0, 0))]
        {
            let webhook::Body::Form { fields, files } = form(kind, Bytes::from(sent)).await else {
                panic!("a form")
            };
            assert_eq!((fields.len(), files.len()), expected, "{sent:?}");
        }
    }
}
