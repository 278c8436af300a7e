//! Anthropic's protocol, against recorded kinds of answers.

use model_runtime::{LlmRequest, PromptMessage, PromptTool, ToolCall, collect};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{header, method, path},
};

use crate::support::{all, ctx, object, provider};

fn request(server: &MockServer) -> LlmRequest {
    LlmRequest {
        model: "claude-sonnet-4-20250514".to_owned(),
        credentials: object(json!({"anthropic_api_key": "key", "anthropic_api_url": server.uri()})),
        messages: vec![
            PromptMessage::system("Be kind."),
            PromptMessage::user("What is 1 + 1?"),
            PromptMessage::assistant("", vec![ToolCall::new("t1", "add", r#"{"a":1}"#)]),
            PromptMessage::tool("2", "t1", None),
        ],
        parameters: object(json!({"max_tokens": 100, "temperature": 0.5})),
        tools: vec![PromptTool {
            name: "add".to_owned(),
            description: "adds".to_owned(),
            parameters: json!({"type": "object"}),
        }],
        stop: vec!["###".to_owned()],
        stream: true,
    }
}

async fn server(response: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/messages"))
        .and(header("x-api-key", "key"))
        .respond_with(response)
        .mount(&server)
        .await;
    server
}

fn events(events: &[Value]) -> ResponseTemplate {
    let body: String = events
        .iter()
        .map(|event| format!("event: {}\ndata: {event}\n\n", event["type"].as_str().unwrap()))
        .collect();
    ResponseTemplate::new(200).set_body_raw(body, "text/event-stream")
}

#[tokio::test]
async fn an_answer_is_streamed() {
    let server = server(events(&[
        json!({"type": "message_start", "message": {"usage": {"input_tokens": 20, "output_tokens": 1}}}),
        json!({"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}}),
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}}),
        json!({"type": "ping"}),
        json!({"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Two"}}),
        json!({"type": "content_block_start", "index": 2, "content_block": {"type": "tool_use", "id": "t2", "name": "add", "input": {}}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{\"a\""}}),
        json!({"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ":2}"}}),
        json!({"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 10}}),
        json!({"type": "message_stop"}),
    ]))
    .await;
    let anthropic = provider("anthropic").await;
    let stream = anthropic.invoke_llm(&ctx(), &request(&server)).await.unwrap();
    let answer = collect("m", stream).await.unwrap();
    assert_eq!(answer.text, "<think>\nhm\n</think>Two");
    assert_eq!(answer.tool_calls, [ToolCall::new("t2", "add", r#"{"a":2}"#)]);
    assert_eq!(answer.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!((answer.usage.prompt_tokens, answer.usage.completion_tokens), (20, 10));
    assert_eq!(answer.usage.total_price.to_string(), "0.00021");

    let seen = server.received_requests().await.unwrap();
    let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(
        body,
        json!({
            "model": "claude-sonnet-4-20250514", "max_tokens": 100, "temperature": 0.5, "system": "Be kind.",
            "messages": [
                {"role": "user", "content": [{"type": "text", "text": "What is 1 + 1?"}]},
                {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "add", "input": {"a": 1}}]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "2"}]},
            ],
            "tools": [{"name": "add", "description": "adds", "input_schema": {"type": "object"}}],
            "stop_sequences": ["###"], "metadata": {"user_id": "somebody"}, "stream": true,
        })
    );
}

#[tokio::test]
async fn an_answer_comes_at_once() {
    let server = server(ResponseTemplate::new(200).set_body_json(json!({
        "content": [{"type": "text", "text": "Two"}, {"type": "tool_use", "id": "t2", "name": "add", "input": {"a": 2}}],
        "stop_reason": "end_turn", "usage": {"input_tokens": 20, "output_tokens": 10},
    })))
    .await;
    let anthropic = provider("anthropic").await;
    let call = LlmRequest { stream: false, ..request(&server) };
    let answer = collect("m", anthropic.invoke_llm(&ctx(), &call).await.unwrap()).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.finish_reason.as_deref()), ("Two", Some("stop")));
    assert_eq!(answer.tool_calls, [ToolCall::new("t2", "add", r#"{"a":2}"#)]);
}

#[tokio::test]
async fn an_error_within_an_answer_ends_it() {
    let server = server(events(&[
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "One"}}),
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}),
    ]))
    .await;
    let anthropic = provider("anthropic").await;
    let (chunks, error) = all(anthropic.invoke_llm(&ctx(), &request(&server)).await.unwrap()).await;
    assert_eq!(chunks.len(), 1);
    assert_eq!(error.unwrap().class(), "InvokeServerUnavailableError");
}
