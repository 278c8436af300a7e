//! `/inner/api/invoke/llm`

use axum::response::Response;
use futures::{StreamExt, future, stream};
use http_core::{ApiError, AppState, ErrorBody, Part};
use model_runtime::{
    CallContext, LlmChunk, LlmRequest, LlmResult, ModelType, PromptMessage, PromptTool, WireChunk,
    collect,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use services_model::{ModelError, Models};
use services_tool::structured::{self, Prompt};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{PluginCall, framed};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(invoke_llm)).routes(routes!(invoke_structured))
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
            .map(|(index, chunk)| chunk.map(|chunk| piece(&chunk, index)));
        return Ok(framed(chunks));
    }
    let answer = model.invoke_llm(&context, request).await.map_err(refused)?;
    let whole = collect(&body.model, answer).await.map_err(refused)?;
    let only = Ok::<WireChunk, ModelError>(as_one(whole));
    Ok(framed(stream::once(future::ready(only))))
}

/// A piece of an answer. Of plugins it comes with an empty name.
fn piece(chunk: &LlmChunk, index: usize) -> WireChunk {
    let mut piece = chunk.to_wire(i64::try_from(index).unwrap_or(i64::MAX));
    piece.delta.message.name = Some(String::new());
    piece
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeLlmWithStructuredOutput {
    #[serde(flatten)]
    llm: RequestInvokeLlm,
    /// A JSON schema.
    #[serde(default)]
    #[schema(value_type = Object)]
    structured_output_schema: Map<String, Value>,
}

#[derive(Debug, Serialize)]
struct StructuredChunk {
    #[serde(flatten)]
    chunk: WireChunk,
    structured_output: Option<Map<String, Value>>,
}

/// Call a chat model for an answer in the shape of a JSON schema. The answer is a stream of frames either way.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/llm/structured-output",
    tag = "plugin",
    request_body = RequestInvokeLlmWithStructuredOutput,
    responses((status = 200, body = String, content_type = "text/event-stream"), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_structured(
    Part(models): Part<Models>,
    call: PluginCall<RequestInvokeLlmWithStructuredOutput>,
) -> Result<Response, ApiError> {
    let PluginCall { caller, body } = call;
    let RequestInvokeLlmWithStructuredOutput { llm: body, structured_output_schema: schema } = body;
    let model = models.resolve(caller.tenant, body.model_type, &body.provider, &body.model).await?;
    let streams = body.stream.unwrap_or(true);
    let (mut messages, mut parameters) = (body.prompt_messages, body.completion_params);
    let prompt = Prompt { messages: &mut messages, parameters: &mut parameters };
    structured::ask_for(prompt, model.provider_id(), &model.schema, &Value::Object(schema));
    let request = LlmRequest {
        messages,
        parameters,
        tools: body.tools.unwrap_or_default(),
        stop: body.stop.unwrap_or_default(),
        stream: streams,
        ..LlmRequest::default()
    };
    let context = CallContext::for_user(caller.tenant, caller.user.to_string());
    if streams {
        return Ok(framed(async_stream::stream! {
            let mut chunks = match model.invoke_llm(&context, request).await {
                Ok(chunks) => chunks.enumerate(),
                Err(err) => {
                    yield Err(err.to_string());
                    return;
                }
            };
            let mut text = String::new();
            while let Some((index, chunk)) = chunks.next().await {
                match chunk {
                    Ok(chunk) => {
                        text.push_str(&chunk.text);
                        yield Ok(StructuredChunk { chunk: piece(&chunk, index), structured_output: None });
                    }
                    Err(err) => {
                        yield Err(err.to_string());
                        return;
                    }
                }
            }
            yield match structured::parse(&text) {
                Ok(object) => {
                    let end = LlmChunk { model: body.model, ..LlmChunk::default() };
                    Ok(StructuredChunk { chunk: end.to_wire(0), structured_output: Some(object) })
                }
                Err(err) => Err(err.to_string()),
            };
        }));
    }
    let answer = model.invoke_llm(&context, request).await.map_err(refused)?;
    let whole = collect(&body.model, answer).await.map_err(refused)?;
    let object = structured::parse(&whole.text);
    let object = object.map_err(|err| ApiError::invalid_param(err.to_string()))?;
    let only = StructuredChunk { chunk: as_one(whole), structured_output: Some(object) };
    Ok(framed(stream::once(future::ready(Ok::<_, ModelError>(only)))))
}

/// An answer as its only chunk.
fn as_one(whole: LlmResult) -> WireChunk {
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
    chunk.to_wire(0)
}

#[expect(clippy::needless_pass_by_value, reason = "for `map_err`")]
fn refused(err: model_runtime::InvokeError) -> ApiError {
    ApiError::invalid_param(err.to_string())
}
