//! `/console/api/apps/{app_id}/advanced-chat/workflows/draft/run`: the editor of a chatflow tries its draft.

use app_engine::basic::{Caller, InvokeFrom};
use axum::{http::HeaderMap, response::Response};
use http_core::{ApiError, AppState, ErrorBody, Part, Valid, validation::JsonObject};
use serde::Deserialize;
use services_conversation::{Engine, generate::Ask};
use types::{AppId, ConversationId, MessageId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    answer,
    guard::{CHATFLOW, EditAppOf},
    request,
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(run_draft))
}

/// A question to a chatflow that is being edited.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AdvancedChatWorkflowRunPayload {
    /// Values of the start form.
    #[schema(value_type = Option<Object>)]
    inputs: Option<JsonObject>,
    #[serde(default)]
    query: String,
    #[schema(value_type = Option<Vec<Object>>)]
    files: Option<Vec<JsonObject>>,
    /// The conversation to go on in; empty: a new one.
    #[garde(custom(request::blank_or_uuid))]
    conversation_id: Option<String>,
    /// The message this one follows.
    #[garde(custom(request::blank_or_uuid))]
    parent_message_id: Option<String>,
}

/// Run the draft of a chatflow.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/advanced-chat/workflows/draft/run",
    operation_id = "run_draft_chatflow",
    tag = "debug",
    params(("app_id" = AppId, Path)),
    request_body = AdvancedChatWorkflowRunPayload,
    responses((status = 200, description = "A stream of the run"), (status = "4XX", body = ErrorBody)),
)]
async fn run_draft(
    engine: Part<Engine>,
    headers: HeaderMap,
    EditAppOf { user, app }: EditAppOf<CHATFLOW>,
    Valid(body): Valid<AdvancedChatWorkflowRunPayload>,
) -> Result<Response, ApiError> {
    let ask = Ask {
        inputs: body.inputs.unwrap_or_default(),
        query: body.query,
        files: body.files.unwrap_or_default(),
        conversation: request::id(body.conversation_id).map(ConversationId),
        parent: request::id(body.parent_message_id).map(MessageId),
        stream: true,
        ..Ask::new(app, Caller::Account(user.account.id), InvokeFrom::Debugger)
    };
    answer::ask(&engine, &headers, ask).await
}
