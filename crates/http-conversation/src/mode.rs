//! Which endpoints are for which apps.

use axum::http::StatusCode;
use db::app::App;
use http_core::ApiError;

/// 400 unless the app is one that people chat with.
pub(crate) fn chat(app: &App) -> Result<(), ApiError> {
    if is_chat(app) {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        "not_chat_app",
        "Please check if your app mode matches the right API route.",
    ))
}

/// 400 unless the app is a completion app.
pub(crate) fn completion(app: &App) -> Result<(), ApiError> {
    if app.mode == "completion" {
        return Ok(());
    }
    Err(ApiError::new(
        StatusCode::BAD_REQUEST,
        "not_completion_app",
        "Please check if your Completion app mode matches the right API route.",
    ))
}

pub(crate) fn is_chat(app: &App) -> bool {
    matches!(app.mode.as_str(), "chat" | "agent-chat" | "advanced-chat")
}
