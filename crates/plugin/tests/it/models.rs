//! Models of plugins.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use model_runtime::{
    CallContext, EmbeddingInput, LlmRequest, ModelProvider, ModelRef, ModelType, PromptMessage,
    ProviderSource, collect,
};
use plugin::{Daemon, PluginModels};
use serde_json::{Value, json};
use types::TenantId;
use wiremock::{
    Mock, MockServer,
    matchers::{body_partial_json, path},
};

use crate::support::{daemon, daemon_at, good, lines, object, raised};

fn row() -> Value {
    json!({
        "id": "1", "created_at": "2025-02-01T00:00:00Z", "updated_at": "2025-02-01T00:00:00Z", "tenant_id": "t",
        "provider": "openai", "plugin_unique_identifier": "x", "plugin_id": "langgenius/openai", "declaration": {
            "provider": "openai", "label": {"en_US": "OpenAI"}, "supported_model_types": ["llm", "tts"],
            "configurate_methods": ["predefined-model"], "provider_credential_schema": null,
            "models": [{"model": "m", "label": {"en_US": "m"}, "model_type": "llm", "fetch_from": "predefined-model",
                        "model_properties": {"context_size": 10}, "parameter_rules": null, "features": null}]}})
}

async fn listing(server: &MockServer, tenant: TenantId) {
    Mock::given(path(format!("/plugin/{tenant}/management/models")))
        .respond_with(good(json!([row()])))
        .mount(server)
        .await;
}

async fn provider(daemon: Daemon, tenant: TenantId) -> Arc<dyn ModelProvider> {
    PluginModels::new(daemon).providers(tenant).await.pop().unwrap()
}

#[tokio::test]
async fn a_model_is_called_through_the_daemon() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    listing(&server, tenant).await;
    let chunk = |text: &str, usage: Value| {
        json!({"model": "m", "system_fingerprint": "", "prompt_messages": [], "delta": {
            "index": 1, "usage": usage, "finish_reason": null,
            "message": {"role": "assistant", "content": text, "name": "", "tool_calls": [], "tool_call_id": ""}}})
    };
    Mock::given(path(format!("/plugin/{tenant}/dispatch/llm/invoke")))
        .and(body_partial_json(json!({"user_id": "u", "data": {
            "provider": "openai", "model_type": "llm", "model": "m", "credentials": {"k": "v"}, "tools": null,
            "stop": ["#"], "stream": true, "model_parameters": {},
            "prompt_messages": [{"role": "user", "content": "hi", "name": null}]}})))
        .respond_with(lines(&[
            chunk("one ", Value::Null),
            chunk("two", json!({"prompt_tokens": 3, "total_tokens": 5, "total_price": "0.0000050"})),
        ]))
        .mount(&server)
        .await;
    let openai = provider(daemon, tenant).await;
    assert_eq!(openai.schema().provider, "langgenius/openai/openai");
    let ctx = CallContext::for_user(tenant, "u");
    let request = LlmRequest {
        model: "m".to_owned(),
        credentials: object(json!({"k": "v"})),
        messages: vec![PromptMessage::user("hi")],
        stop: vec!["#".to_owned()],
        stream: true,
        ..LlmRequest::default()
    };
    let answer = collect("m", openai.invoke_llm(&ctx, &request).await.unwrap()).await.unwrap();
    assert_eq!(answer.text, "one two");
    assert_eq!(
        (answer.usage.total_tokens, answer.usage.total_price.to_string().as_str()),
        (5, "0.0000050")
    );
    let model = ModelRef { model: "m", credentials: &request.credentials };
    let schema = openai.model_schema(&ctx, ModelType::Llm, model).await.unwrap().unwrap();
    assert_eq!(schema.context_size(), Some(10));
}

#[tokio::test]
async fn failures_keep_their_class() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    listing(&server, tenant).await;
    let fail = |action: &str, line: Value| {
        Mock::given(path(format!("/plugin/{tenant}/dispatch/{action}")))
            .respond_with(lines(&[line]))
    };
    fail("llm/invoke", raised("InvokeRateLimitError", "slow")).mount(&server).await;
    fail("text_embedding/invoke", raised("InvokeAuthorizationError", "no")).mount(&server).await;
    fail(
        "model/validate_provider_credentials",
        raised("CredentialsValidateFailedError", "bad key"),
    )
    .mount(&server)
    .await;
    let openai = provider(daemon, tenant).await;
    let ctx = CallContext::new(tenant);
    let error = openai.invoke_llm(&ctx, &LlmRequest::default()).await.err().unwrap();
    assert_eq!((error.class(), error.to_string().as_str()), ("InvokeRateLimitError", "slow"));
    let nothing = object(json!({}));
    let model = ModelRef { model: "m", credentials: &nothing };
    let error = openai.embed(&ctx, model, &[], EmbeddingInput::Query).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "[openai] Incorrect model credentials provided, please check and try again."
    );
    let error = openai.check_provider_credentials(&ctx, nothing).await.unwrap_err();
    assert_eq!(error.to_string(), "bad key");
}

#[tokio::test]
async fn a_daemon_that_is_away_does_not_make_callers_wait() {
    let tenant = TenantId::random();
    let nobody = PluginModels::new(daemon_at("http://127.0.0.1:9"));
    assert!(nobody.is_available());
    assert!(nobody.providers(tenant).await.is_empty());
    assert!(!nobody.is_available());

    let (server, daemon) = daemon().await;
    Mock::given(wiremock::matchers::any())
        .respond_with(good(json!([row()])).set_delay(Duration::from_secs(30)))
        .mount(&server)
        .await;
    let slow = PluginModels::new(daemon);
    let started = Instant::now();
    assert!(slow.providers(tenant).await.is_empty());
    for _ in 0..1000 {
        assert!(slow.providers(TenantId::random()).await.is_empty());
    }
    assert!(started.elapsed() < Duration::from_secs(25));
}

#[tokio::test]
async fn a_list_is_kept_until_it_is_forgotten() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    Mock::given(path(format!("/plugin/{tenant}/management/models")))
        .respond_with(good(json!([row()])))
        .expect(2)
        .mount(&server)
        .await;
    let models = PluginModels::new(daemon);
    for _ in 0..3 {
        assert_eq!(models.providers(tenant).await.len(), 1);
    }
    models.forget(tenant).await;
    assert_eq!(models.providers(tenant).await.len(), 1);
}
