//! Gemini's protocol, against recorded kinds of answers.

use model_runtime::{
    EmbeddingInput, LlmRequest, ModelRef, PromptMessage, PromptTool, ToolCall, collect,
};
use serde_json::{Value, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{method, path, query_param},
};

use crate::support::{ctx, object, provider};

fn request(server: &MockServer) -> LlmRequest {
    LlmRequest {
        model: "gemini-2.5-flash".to_owned(),
        credentials: object(json!({"google_api_key": "key", "google_base_url": server.uri()})),
        messages: vec![
            PromptMessage::system("Be kind."),
            PromptMessage::user("What is 1 + 1?"),
            PromptMessage::assistant("", vec![ToolCall::new("t1", "add", r#"{"a":1}"#)]),
            PromptMessage::tool("2", "t1", None),
        ],
        parameters: object(json!({"max_tokens": 100, "top_k": 5})),
        tools: vec![PromptTool {
            name: "add".to_owned(),
            description: "adds".to_owned(),
            parameters: json!({"type": "object"}),
        }],
        stop: Vec::new(),
        stream: true,
    }
}

#[tokio::test]
async fn an_answer_is_streamed() {
    let server = MockServer::start().await;
    let events = [
        json!({"candidates": [{"content": {"parts": [{"text": "hm", "thought": true}, {"text": "Two"}]}}]}),
        json!({"candidates": [{"content": {"parts": [{"functionCall": {"name": "add", "args": {"a": 2}}}]},
               "finishReason": "STOP"}],
               "usageMetadata": {"promptTokenCount": 20, "candidatesTokenCount": 6, "thoughtsTokenCount": 4}}),
    ];
    let body: String = events.iter().map(|event| format!("data: {event}\r\n\r\n")).collect();
    Mock::given(method("POST"))
        .and(path("/v1beta/models/gemini-2.5-flash:streamGenerateContent"))
        .and(query_param("alt", "sse"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(body, "text/event-stream"))
        .mount(&server)
        .await;
    let gemini = provider("google").await;
    let stream = gemini.invoke_llm(&ctx(), &request(&server)).await.unwrap();
    let answer = collect("m", stream).await.unwrap();
    assert_eq!(answer.text, "<think>\nhm\n</think>Two");
    assert_eq!(answer.tool_calls[0].function.arguments, r#"{"a":2}"#);
    assert_eq!(answer.finish_reason.as_deref(), Some("tool_calls"));
    assert_eq!((answer.usage.prompt_tokens, answer.usage.completion_tokens), (20, 10));

    let seen = server.received_requests().await.unwrap();
    let body: Value = serde_json::from_slice(&seen[0].body).unwrap();
    assert_eq!(
        body,
        json!({
            "contents": [
                {"role": "user", "parts": [{"text": "What is 1 + 1?"}]},
                {"role": "model", "parts": [{"functionCall": {"name": "add", "args": {"a": 1}}}]},
                {"role": "user", "parts": [{"functionResponse": {"name": "add", "response": {"result": "2"}}}]},
            ],
            "systemInstruction": {"parts": [{"text": "Be kind."}]},
            "tools": [{"functionDeclarations": [
                {"name": "add", "description": "adds", "parametersJsonSchema": {"type": "object"}}]}],
            "generationConfig": {"topK": 5, "maxOutputTokens": 100},
        })
    );
}

#[tokio::test]
async fn a_blocked_prompt_is_a_bad_request() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(
            ResponseTemplate::new(200)
                .set_body_json(json!({"promptFeedback": {"blockReason": "SAFETY"}})),
        )
        .mount(&server)
        .await;
    let gemini = provider("google").await;
    let call = LlmRequest { stream: false, ..request(&server) };
    let error = gemini.invoke_llm(&ctx(), &call).await.err().unwrap();
    assert_eq!(error.to_string(), "[models] Bad Request Error, The prompt was blocked: SAFETY");
}

#[tokio::test]
async fn texts_become_vectors() {
    let server = MockServer::start().await;
    Mock::given(path("/v1beta/models/gemini-embedding-001:batchEmbedContents"))
        .respond_with(
            ResponseTemplate::new(200).set_body_json(json!({"embeddings": [{"values": [0.5, 1]}]})),
        )
        .mount(&server)
        .await;
    let gemini = provider("google").await;
    let credentials = request(&server).credentials;
    let model = ModelRef { model: "gemini-embedding-001", credentials: &credentials };
    let made = gemini.embed(&ctx(), model, &["x".to_owned()], EmbeddingInput::Query).await.unwrap();
    assert_eq!(made.embeddings, [[0.5, 1.0]]);
}
