//! `/inner/api/invoke/llm`

use axum::response::Response;
use futures::{StreamExt, future, stream};
use http_core::{ApiError, AppState, ErrorBody, Part};
use model_runtime::{
    CallContext, LlmChunk, LlmRequest, ModelType, PromptMessage, PromptTool, WireChunk, collect,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use services_model::{ModelError, Models};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{PluginCall, framed};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(invoke_llm))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeLlm {
    provider: String,
    model: String,
    #[serde(default = "llm")]
    #[schema(value_type = String)]
    model_type: ModelType,
    /// Asked for and not used, as in the reference.
    #[serde(rename = "mode")]
    _mode: String,
    #[serde(default)]
    #[schema(value_type = Object)]
    completion_params: Map<String, Value>,
    #[serde(default)]
    #[schema(value_type = Vec<Object>)]
    prompt_messages: Vec<PromptMessage>,
    #[schema(value_type = Option<Vec<Object>>)]
    tools: Option<Vec<PromptTool>>,
    stop: Option<Vec<String>>,
    /// `null` streams, absence does not.
    #[serde(default = "whole")]
    stream: Option<bool>,
}

fn llm() -> ModelType {
    ModelType::Llm
}

#[expect(clippy::unnecessary_wraps, reason = "the default of an optional field")]
fn whole() -> Option<bool> {
    Some(false)
}

/// Call a chat model. The answer is a stream of frames either way.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/llm",
    tag = "plugin",
    request_body = RequestInvokeLlm,
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_llm(
    Part(models): Part<Models>,
    call: PluginCall<RequestInvokeLlm>,
) -> Result<Response, ApiError> {
    let PluginCall { caller, body } = call;
    let model = models.resolve(caller.tenant, body.model_type, &body.provider, &body.model).await?;
    let streams = body.stream.unwrap_or(true);
    let request = LlmRequest {
        messages: body.prompt_messages,
        parameters: body.completion_params,
        tools: body.tools.unwrap_or_default(),
        stop: body.stop.unwrap_or_default(),
        stream: streams,
        ..LlmRequest::default()
    };
    let context = CallContext::for_user(caller.tenant, caller.user.to_string());
    if streams {
        // What fails from here on is told inside the stream.
        let chunks = stream::once(async move { model.invoke_llm(&context, request).await })
            .flat_map(|answer| match answer {
                Ok(chunks) => chunks,
                Err(err) => stream::once(future::ready(Err(err))).boxed(),
            })
            .enumerate()
            .map(|(index, chunk)| {
                chunk.map(|chunk| chunk.to_wire(i64::try_from(index).unwrap_or(i64::MAX)))
            });
        return Ok(framed(chunks));
    }
    let answer = model.invoke_llm(&context, request).await.map_err(refused)?;
    let whole = collect(&body.model, answer).await.map_err(refused)?;
    let chunk = LlmChunk {
        model: whole.model,
        text: whole.text,
        parts: whole.parts,
        tool_calls: whole.tool_calls,
        usage: Some(whole.usage),
        finish_reason: Some(String::new()),
        system_fingerprint: whole.system_fingerprint,
        ..LlmChunk::default()
    };
    let only = Ok::<WireChunk, ModelError>(chunk.to_wire(0));
    Ok(framed(stream::once(future::ready(only))))
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(err: model_runtime::InvokeError) -> ApiError {
    ApiError::invalid_param(err.to_string())
}
