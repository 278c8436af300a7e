//! The error envelopes of the reference's API families, and the one place where a fault is logged.

use std::error::Error;

use axum::{
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value};
use services_core::Failure;

/// The envelope of most endpoints.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub struct ErrorBody {
    /// Machine-readable, snake case.
    pub code: String,
    /// For people.
    pub message: String,
    /// The HTTP status again.
    pub status: u16,
}

/// An answer that says why there is no other.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    envelope: Envelope,
    headers: Vec<(HeaderName, HeaderValue)>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

#[derive(Debug)]
enum Envelope {
    /// `{"code","message","status"}`: console, `/v1`, `/api`, `/files`, `/inner/api`, `/mcp`.
    Standard,
    /// Any JSON the reference answers at that place instead.
    Body(Value),
    /// `{"error":{"type","message","status"}}`: setup, init, ping and version of the console.
    FastApi,
    /// The page of an unknown path.
    Html,
}

impl ApiError {
    /// An error in the standard envelope.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            envelope: Envelope::Standard,
            headers: Vec::new(),
            source: None,
        }
    }

    /// A fault of ours: logged with its chain, shown without.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let mut error =
            Self::new(StatusCode::INTERNAL_SERVER_ERROR, "unknown", "Internal Server Error");
        error.source = Some(source.into());
        error
    }

    /// 400 `invalid_param`: what the reference answers to a value it cannot use.
    pub fn invalid_param(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_param", message)
    }

    /// 400 `bad_request`.
    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", message)
    }

    /// 401 `unauthorized`.
    pub fn unauthorized(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", message)
    }

    /// 403 with the reference's general text.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "You don't have the permission to access the requested resource. It is either read-protected or not \
             readable by the server.",
        )
    }

    /// 404 `not_found`.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// 404 with the reference's general text, as an edition gate answers.
    #[must_use]
    pub fn no_such_url() -> Self {
        Self::not_found(NO_SUCH_URL)
    }

    /// The HTML page of an unknown path, or of an id in a path that is none.
    #[must_use]
    pub fn unknown_path() -> Self {
        let mut error = Self::no_such_url();
        error.envelope = Envelope::Html;
        error
    }

    /// `body` as it is, where the reference leaves its own envelope.
    pub fn with_body(status: StatusCode, body: Value) -> Self {
        let mut error = Self::new(status, "", "");
        error.envelope = Envelope::Body(body);
        error
    }

    /// 401 of an endpoint that wants a signed-in user and found none.
    #[must_use]
    pub fn login_required() -> Self {
        let mut body = Map::new();
        body.insert("code".into(), "unauthorized".into());
        body.insert("message".into(), "Unauthorized.".into());
        Self::with_body(StatusCode::UNAUTHORIZED, Value::Object(body))
    }

    /// `{"message": …}` and nothing else, as flask-restx's `abort` answers.
    pub fn bare(status: StatusCode, message: impl Into<String>) -> Self {
        let mut body = Map::new();
        body.insert("message".into(), Value::String(message.into()));
        Self::with_body(status, Value::Object(body))
    }

    /// The same error in the envelope of the FastOpenAPI routes, which hides code and message.
    #[must_use]
    pub fn fast_api(mut self) -> Self {
        self.envelope = Envelope::FastApi;
        self
    }

    /// Adds a response header.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The message of the answer.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// What the reference says of a path it does not know.
pub const NO_SUCH_URL: &str = "The requested URL was not found on the server. If you entered the URL manually please \
                               check your spelling and try again.";

impl<E: Failure> From<E> for ApiError {
    fn from(err: E) -> Self {
        let status =
            StatusCode::from_u16(err.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if status == StatusCode::INTERNAL_SERVER_ERROR && err.code() == "internal_server_error" {
            return Self::internal(err);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let mut error = Self::new(status, err.code(), "Service temporarily unavailable.");
            error.source = Some(Box::new(err));
            return error;
        }
        match err.data() {
            Some(body) => Self::with_body(status, body),
            None => Self::new(status, err.code(), err.to_string()),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if let Some(source) = &self.source {
            tracing::error!(
                status = self.status.as_u16(),
                error = %chain(source.as_ref()),
                "request failed"
            );
        }
        let mut response = match self.envelope {
            Envelope::Standard => (
                self.status,
                axum::Json(ErrorBody {
                    code: self.code.to_owned(),
                    message: self.message,
                    status: self.status.as_u16(),
                }),
            )
                .into_response(),
            Envelope::Body(body) => (self.status, axum::Json(body)).into_response(),
            Envelope::FastApi => {
                (self.status, axum::Json(FastApiError::of(self.status))).into_response()
            }
            Envelope::Html => {
                (self.status, axum::response::Html(page(self.status))).into_response()
            }
        };
        let headers = response.headers_mut();
        for (name, value) in self.headers {
            headers.append(name, value);
        }
        if self.status == StatusCode::UNAUTHORIZED && !self.code.is_empty() {
            headers
                .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"api\""));
        }
        response
    }
}

/// An error and everything that caused it, in one line.
pub fn chain(err: &(dyn Error + 'static)) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}

fn page(status: StatusCode) -> String {
    let reason = status.canonical_reason().unwrap_or_default();
    let code = status.as_u16();
    format!(
        "<!doctype html>\n<html lang=en>\n<title>{code} {reason}</title>\n<h1>{reason}</h1>\n<p>{NO_SUCH_URL}</p>\n"
    )
}

#[derive(Serialize)]
struct FastApiError {
    error: FastApiErrorBody,
}

#[derive(Serialize)]
struct FastApiErrorBody {
    r#type: &'static str,
    message: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'static str>,
}

impl FastApiError {
    fn of(status: StatusCode) -> Self {
        let kind = match status.as_u16() {
            400 => "bad_request",
            401 => "authentication_error",
            403 => "authorization_error",
            404 => "resource_not_found",
            409 => "resource_conflict",
            422 => "validation_error",
            503 => "service_unavailable",
            _ => "internal_server_error",
        };
        Self {
            error: FastApiErrorBody {
                r#type: kind,
                message: status.canonical_reason().unwrap_or("Internal Server Error"),
                status: status.as_u16(),
                details: None,
            },
        }
    }
}
