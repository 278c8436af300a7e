//! `/console/api/apps/{app_id}/agent/logs`

use axum::extract::State;
use garde::Validate;
use http_core::{ApiError, AppState, ErrorBody, Json, Query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_conversation::agent_log::{self, AgentLog, Call, Round};
use types::{AppId, ConversationId, MessageId};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    guard::{AGENT, AppOf},
    wire::{self, MessageFile},
};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_agent_log))
}

#[derive(Debug, Deserialize, Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct AgentLogQuery {
    #[serde(deserialize_with = "wire::id")]
    message_id: MessageId,
    #[serde(deserialize_with = "wire::id")]
    conversation_id: ConversationId,
}

/// What an agent did for an answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AgentLogDetail {
    meta: AgentLogMeta,
    iterations: Vec<AgentRound>,
    files: Vec<MessageFile>,
}

/// What is known of the whole answer.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AgentLogMeta {
    /// Always `success`.
    status: &'static str,
    executor: Option<String>,
    /// ISO 8601, in the time zone of whoever asks.
    start_time: String,
    /// Seconds.
    elapsed_time: f64,
    total_tokens: i32,
    #[schema(value_type = Option<String>)]
    agent_mode: Value,
    /// How many rounds there were.
    iterations: usize,
}

/// One round of an agent.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AgentRound {
    tokens: Option<i32>,
    tool_calls: Vec<AgentToolCall>,
    tool_raw: AgentToolRaw,
    thought: Option<String>,
    /// ISO 8601, UTC.
    created_at: String,
    files: Vec<String>,
}

/// One call of a tool.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AgentToolCall {
    /// `success` or `error`.
    status: &'static str,
    #[schema(value_type = Option<String>)]
    error: Value,
    /// Seconds.
    #[schema(value_type = f64)]
    time_cost: Value,
    tool_name: String,
    tool_label: Value,
    tool_input: Value,
    tool_output: Value,
    tool_parameters: Value,
    tool_icon: Value,
}

/// Inputs and outputs as they are kept.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AgentToolRaw {
    inputs: Option<String>,
    outputs: Option<String>,
}

impl From<Call> for AgentToolCall {
    fn from(call: Call) -> Self {
        let failed = call.error.as_str().is_some_and(|error| !error.is_empty());
        Self {
            status: if failed { "error" } else { "success" },
            error: call.error,
            time_cost: call.time_cost,
            tool_name: call.name,
            tool_label: call.label,
            tool_input: call.input,
            tool_output: call.output,
            tool_parameters: call.parameters,
            tool_icon: call.icon,
        }
    }
}

impl From<Round> for AgentRound {
    fn from(round: Round) -> Self {
        Self {
            tokens: round.tokens,
            tool_calls: round.calls.into_iter().map(Into::into).collect(),
            tool_raw: AgentToolRaw { inputs: round.inputs, outputs: round.outputs },
            thought: round.thought,
            created_at: round.created_at.format("%Y-%m-%dT%H:%M:%S%.6f").to_string(),
            files: round.files,
        }
    }
}

impl From<AgentLog> for AgentLogDetail {
    fn from(log: AgentLog) -> Self {
        Self {
            meta: AgentLogMeta {
                status: "success",
                executor: log.executor,
                start_time: log.start_time.format("%Y-%m-%dT%H:%M:%S%.6f%:z").to_string(),
                elapsed_time: log.elapsed_time,
                total_tokens: log.total_tokens,
                agent_mode: log.agent_mode,
                iterations: log.rounds.len(),
            },
            iterations: log.rounds.into_iter().map(Into::into).collect(),
            files: log.files.into_iter().map(Into::into).collect(),
        }
    }
}

/// What an agent did for an answer.
#[utoipa::path(
    get,
    path = "/console/api/apps/{app_id}/agent/logs",
    tag = "log",
    params(("app_id" = AppId, Path), AgentLogQuery),
    responses((status = 200, body = AgentLogDetail), (status = "4XX", body = ErrorBody)),
)]
async fn get_agent_log(
    State(state): State<AppState>,
    AppOf { user, app }: AppOf<AGENT>,
    Query(query): Query<AgentLogQuery>,
) -> Result<Json<AgentLogDetail>, ApiError> {
    let zone = user.account.timezone.as_deref();
    let (conversation, message) = (query.conversation_id, query.message_id);
    Ok(Json(agent_log::find(&state.ctx, &app, conversation, message, zone).await?.into()))
}
