//! Conversations over HTTP: asking, stopping, coming back, and what is kept of them.

mod answer;
mod audio;
mod console_agent;
mod console_annotation;
mod console_annotation_reply;
mod console_chatflow;
mod console_completion;
mod console_log;
mod console_message;
mod console_statistic;
mod explore_completion;
mod explore_conversation;
mod explore_message;
mod explore_saved_message;
mod form;
mod guard;
mod mode;
mod own;
mod request;
mod service_annotation;
mod service_completion;
mod service_conversation;
mod service_message;
mod web_completion;
mod web_conversation;
mod web_message;
mod web_saved_message;
mod wire;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

/// The routes of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(service_completion::router())
        .merge(web_completion::router())
        .merge(service_annotation::router())
        .merge(service_conversation::router())
        .merge(service_message::router())
        .merge(web_conversation::router())
        .merge(web_message::router())
        .merge(web_saved_message::router())
        .merge(explore_conversation::router())
        .merge(explore_message::router())
        .merge(explore_saved_message::router())
        .merge(console_agent::router())
        .merge(console_annotation::router())
        .merge(console_annotation_reply::router())
        .merge(console_log::router())
        .merge(console_message::router())
        .merge(console_statistic::router())
        .merge(console_chatflow::router())
        .merge(console_completion::router())
        .merge(explore_completion::router())
        .merge(audio::router())
}
