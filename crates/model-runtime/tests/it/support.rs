//! Providers that call a server of the test.

use std::{sync::Arc, time::Duration};

use futures::StreamExt;
use model_runtime::{
    CallContext, Credentials, InvokeError, Limits, LlmChunk, LlmRequest, LlmStream, ModelProvider,
    PromptMessage, Registry, built_in,
};
use serde_json::{Value, json};
use types::TenantId;

pub const OPENAI: &str = "langgenius/openai/openai";
pub const COMPATIBLE: &str = "langgenius/openai_api_compatible/openai_api_compatible";

pub fn ctx() -> CallContext {
    CallContext::for_user(TenantId::random(), "somebody")
}

pub fn registry() -> Registry {
    let http = net::Http::new(net::HttpOptions::default()).unwrap();
    let limits = Limits {
        first_byte: Duration::from_secs(10),
        idle: Duration::from_secs(10),
        ..Limits::default()
    };
    Registry::new(built_in(&http, limits).unwrap())
}

pub async fn provider(id: &str) -> Arc<dyn ModelProvider> {
    registry().resolve(TenantId::random(), id).await.unwrap()
}

pub fn object(value: Value) -> Credentials {
    let Value::Object(object) = value else { panic!("no object") };
    object
}

/// A call of `gpt-4o-mini` at `base` that says `text`.
pub fn request(base: &str, text: &str) -> LlmRequest {
    LlmRequest {
        model: "gpt-4o-mini".to_owned(),
        credentials: object(json!({"openai_api_key": "sk-test", "openai_api_base": base})),
        messages: vec![PromptMessage::user(text)],
        stream: true,
        ..LlmRequest::default()
    }
}

/// Everything a stream gives, up to its first error.
pub async fn all(mut stream: LlmStream) -> (Vec<LlmChunk>, Option<InvokeError>) {
    let mut chunks = Vec::new();
    while let Some(next) = stream.next().await {
        match next {
            Ok(chunk) => chunks.push(chunk),
            Err(error) => return (chunks, Some(error)),
        }
    }
    (chunks, None)
}
