//! `/v1/conversations`

use axum::extract::State;
use garde::Validate;
use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Path, Query,
    extract::NoContent,
    guard::service::{QueryUser, ServiceCall},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_conversation::{
    Engine,
    talk::{
        Participant, conversation,
        variable::{self, Variable},
    },
};
use types::ConversationId;
use utoipa_axum::{router::OpenApiRouter, routes};
use uuid::Uuid;

use crate::{
    mode,
    own::{self, ConversationListQuery, ConversationRenamePayload},
    wire::{self, Scroll, SimpleConversation},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_conversations))
        .routes(routes!(rename_conversation))
        .routes(routes!(list_conversation_variables))
        .routes(routes!(set_conversation_variable))
        .routes(routes!(delete_conversation))
}

/// The user's conversations.
#[utoipa::path(
    get,
    path = "/v1/conversations",
    operation_id = "service_list_conversations",
    tag = "conversation",
    params(ConversationListQuery, ("user" = Option<String>, Query)),
    responses((status = 200, body = Scroll<SimpleConversation>), (status = "4XX", body = ErrorBody)),
)]
async fn list_conversations(
    State(state): State<AppState>,
    QueryUser { app, end_user }: QueryUser,
    Query(mut query): Query<ConversationListQuery>,
) -> Result<Json<Scroll<SimpleConversation>>, ApiError> {
    mode::chat(&app)?;
    query.pinned = None;
    own::conversations(&state, &app, Participant::EndUser(end_user.id), "service-api", &query).await
}

/// Give a conversation another title, or let a model find one.
#[utoipa::path(
    post,
    path = "/v1/conversations/{c_id}/name",
    operation_id = "service_rename_conversation",
    tag = "conversation",
    params(("c_id" = ConversationId, Path)),
    request_body = ConversationRenamePayload,
    responses((status = 200, body = SimpleConversation), (status = "4XX", body = ErrorBody)),
)]
async fn rename_conversation(
    State(state): State<AppState>,
    engine: Part<Engine>,
    Path(id): Path<ConversationId>,
    call: ServiceCall<ConversationRenamePayload, false>,
) -> Result<Json<SimpleConversation>, ApiError> {
    mode::chat(&call.app)?;
    let who = Participant::EndUser(call.end_user.id);
    own::rename(&state, &engine, &call.app, who, id, call.body).await
}

/// Which variables of a conversation.
#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct ConversationVariablesQuery {
    #[serde(default, deserialize_with = "wire::optional_id")]
    last_id: Option<Uuid>,
    #[garde(range(min = 1, max = 100))]
    #[serde(default = "wire::twenty")]
    limit: i64,
    /// Part of the name.
    #[garde(inner(length(chars, min = 1, max = 255), custom(is_searchable)))]
    variable_name: Option<String>,
}

#[expect(clippy::ptr_arg, reason = "garde hands the field as it is")]
fn is_searchable(name: &String, _: &()) -> garde::Result {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    if !name.chars().all(is_plain) || !name.chars().any(char::is_alphanumeric) {
        return Err(garde::Error::new(
            "Value error, Variable name can only contain letters, numbers, hyphens (-), underscores (_), and periods (.)",
        ));
    }
    let lower = name.to_lowercase();
    match ["--", "xp_", "sp_"].into_iter().find(|part| lower.contains(part)) {
        Some(part) => Err(garde::Error::new(format!(
            "Value error, Variable name contains invalid characters: {part}"
        ))),
        None => Ok(()),
    }
}

/// A variable of a conversation.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct ConversationVariable {
    id: Uuid,
    name: String,
    value_type: String,
    /// As text, unless it is none.
    #[schema(value_type = Option<String>)]
    value: Value,
    description: String,
    created_at: i64,
    updated_at: i64,
}

impl From<Variable> for ConversationVariable {
    fn from(variable: Variable) -> Self {
        Self {
            id: variable.id,
            name: variable.name,
            value_type: variable.value_type,
            value: variable::as_text(variable.value),
            description: variable.description,
            created_at: wire::seconds(variable.created_at),
            updated_at: wire::seconds(variable.updated_at),
        }
    }
}

/// Variables of a conversation.
#[utoipa::path(
    get,
    path = "/v1/conversations/{c_id}/variables",
    operation_id = "service_list_conversation_variables",
    tag = "conversation",
    params(("c_id" = ConversationId, Path), ConversationVariablesQuery, ("user" = Option<String>, Query)),
    responses((status = 200, body = Scroll<ConversationVariable>), (status = "4XX", body = ErrorBody)),
)]
async fn list_conversation_variables(
    State(state): State<AppState>,
    QueryUser { app, end_user }: QueryUser,
    Path(id): Path<ConversationId>,
    Query(query): Query<ConversationVariablesQuery>,
) -> Result<Json<Scroll<ConversationVariable>>, ApiError> {
    mode::chat(&app)?;
    let wish = variable::Wish {
        after: query.last_id,
        name: query.variable_name.as_deref(),
        limit: query.limit,
    };
    let who = Participant::EndUser(end_user.id);
    Ok(Json(Scroll::of(variable::list(&state.ctx, &app, who, id, wish).await?)))
}

/// A new value.
#[derive(Debug, Clone, Deserialize, Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct ConversationVariableUpdatePayload {
    #[schema(value_type = Object)]
    value: Value,
}

/// Set a variable of a conversation.
#[utoipa::path(
    put,
    path = "/v1/conversations/{c_id}/variables/{variable_id}",
    operation_id = "service_set_conversation_variable",
    tag = "conversation",
    params(("c_id" = ConversationId, Path), ("variable_id" = Uuid, Path)),
    request_body = ConversationVariableUpdatePayload,
    responses((status = 200, body = ConversationVariable), (status = "4XX", body = ErrorBody)),
)]
async fn set_conversation_variable(
    State(state): State<AppState>,
    Path(place): Path<(ConversationId, Uuid)>,
    call: ServiceCall<ConversationVariableUpdatePayload, false>,
) -> Result<Json<ConversationVariable>, ApiError> {
    mode::chat(&call.app)?;
    let who = Participant::EndUser(call.end_user.id);
    let saved = variable::set(&state.ctx, &call.app, who, place, call.body.value).await?;
    Ok(Json(saved.into()))
}

/// A body of which only the user counts.
#[derive(Debug, Clone, Deserialize, Validate)]
#[garde(allow_unvalidated)]
struct Nothing {}

/// Delete a conversation.
#[utoipa::path(
    delete,
    path = "/v1/conversations/{c_id}",
    operation_id = "service_delete_conversation",
    tag = "conversation",
    params(("c_id" = ConversationId, Path)),
    responses((status = 204, description = "Deleted"), (status = "4XX", body = ErrorBody)),
)]
async fn delete_conversation(
    State(state): State<AppState>,
    Path(id): Path<ConversationId>,
    call: ServiceCall<Nothing, false>,
) -> Result<NoContent, ApiError> {
    mode::chat(&call.app)?;
    let who = Participant::EndUser(call.end_user.id);
    conversation::delete(&state.ctx, &call.app, who, id).await?;
    Ok(NoContent)
}
