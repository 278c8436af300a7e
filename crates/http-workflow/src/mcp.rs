//! `/mcp/server/{server_code}/mcp`: an app as an MCP server. The code in the path is the credential.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use http_core::{ApiError, AppState, ErrorBody, Json, Part, Path, Valid, validation::JsonObject};
use mcp::server::{self, Message};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use services_conversation::Engine;
use services_workflow::{mcp as offered, run::Runs};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(call_mcp_server))
}

/// A JSON-RPC message.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct MCPRequestPayload {
    /// `2.0`.
    #[serde(rename = "jsonrpc")]
    _jsonrpc: String,
    method: String,
    #[schema(value_type = Option<Object>)]
    params: Option<JsonObject>,
    /// Left out: nobody waits for an answer.
    id: Option<RequestId>,
}

/// What an answer is told apart by.
#[derive(Debug, Deserialize, Serialize, utoipa::ToSchema)]
#[serde(untagged)]
enum RequestId {
    Number(i64),
    Text(String),
}

impl From<RequestId> for Value {
    fn from(id: RequestId) -> Self {
        match id {
            RequestId::Number(number) => number.into(),
            RequestId::Text(text) => text.into(),
        }
    }
}

/// Ask an app that is offered as an MCP server.
#[utoipa::path(
    post,
    path = "/mcp/server/{server_code}/mcp",
    tag = "mcp",
    params(("server_code" = String, Path)),
    request_body = MCPRequestPayload,
    responses(
        (status = 200, description = "A JSON-RPC answer", body = Object),
        (status = 202, description = "A notification was taken"),
        (status = "4XX", body = ErrorBody),
    ),
)]
async fn call_mcp_server(
    State(state): State<AppState>,
    runs: Part<Runs>,
    engine: Part<Engine>,
    Path(code): Path<String>,
    Valid(body): Valid<MCPRequestPayload>,
) -> Result<Response, ApiError> {
    let offered = offered::find(&state.ctx, &code).await?;
    let params = body.params.as_ref();
    let (id, result) = match Message::read(&body.method, params, body.id.map(Value::from)) {
        Ok(Message::Notification) => {
            let kind = [(header::CONTENT_TYPE, "application/json")];
            return Ok((StatusCode::ACCEPTED, kind).into_response());
        }
        Ok(Message::Request { id, call }) => {
            (id, offered::answer(&runs, &engine, offered, call).await)
        }
        Err((id, refusal)) => (id, Err(refusal)),
    };
    Ok(Json(server::response(id, result)).into_response())
}
