//! Errors in OpenAI's format.

use axum::{
    Json,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use serde_json::{Value, json};

/// An error answer.
#[derive(Debug)]
pub(crate) struct ApiError {
    pub status: StatusCode,
    pub message: String,
}

impl ApiError {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self { status, message: message.into() }
    }

    fn body(&self) -> Value {
        let (kind, code) = match self.status.as_u16() {
            401 => ("invalid_request_error", Some("invalid_api_key")),
            403 => ("invalid_request_error", Some("access_denied")),
            404 => ("invalid_request_error", Some("model_not_found")),
            408 => ("timeout", Some("timeout")),
            429 => ("requests", Some("rate_limit_exceeded")),
            500 => ("server_error", Some("internal_error")),
            503 => ("server_error", Some("overloaded")),
            501.. => ("server_error", None),
            _ => ("invalid_request_error", None),
        };
        json!({"error": {"message": self.message, "type": kind, "param": null, "code": code}})
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(self.body())).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert("retry-after", http::HeaderValue::from_static("1"));
        }
        response
    }
}
