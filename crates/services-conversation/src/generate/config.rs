//! The saved configuration of a basic app.

use std::sync::Arc;

use app_engine::basic::config::Config;
use db::app_model_config::AppModelConfig;
use serde_json::{Map, Value, json};
use types::{AppId, AppModelConfigId};

use super::GenerateError;
use crate::{Engine, engine::Stored};

/// The configuration `id` of an app.
///
/// # Errors
/// [`GenerateError::NoConfig`], and whatever keeps runs from working with it.
pub(super) async fn load(
    engine: &Engine,
    app: AppId,
    id: Option<AppModelConfigId>,
) -> Result<Arc<Stored>, GenerateError> {
    let id = id.ok_or(GenerateError::NoConfig)?;
    let ctx = engine.ctx();
    let found = engine.configs().find((app, id), [format!("app_model_config:{id}")], async {
        let mut conn = ctx.db.acquire().await?;
        let Some(row) = db::app_model_config::find(&mut conn, app, id).await? else {
            return Ok(None);
        };
        drop(conn);
        let object = object(&row);
        let config = Arc::new(Config::read(&object)?);
        Ok::<_, GenerateError>(Some(Arc::new(Stored { config, object })))
    });
    found.await?.ok_or(GenerateError::NoConfig)
}

/// The keys runs look at, with the defaults of the reference.
fn object(row: &AppModelConfig) -> Map<String, Value> {
    let plain = |value: &Option<String>| value.clone().map_or(Value::Null, Value::String);
    let pairs = [
        ("opening_statement", plain(&row.opening_statement)),
        ("text_to_speech", parse(row.text_to_speech.as_deref(), Value::Null)),
        ("retriever_resource", parse(row.retriever_resource.as_deref(), json!({"enabled": true}))),
        ("more_like_this", parse(row.more_like_this.as_deref(), Value::Null)),
        ("sensitive_word_avoidance", parse(row.sensitive_word_avoidance.as_deref(), Value::Null)),
        ("external_data_tools", parse(row.external_data_tools.as_deref(), json!([]))),
        ("model", parse(row.model.as_deref(), json!({}))),
        ("user_input_form", parse(row.user_input_form.as_deref(), json!([]))),
        ("dataset_query_variable", plain(&row.dataset_query_variable)),
        ("pre_prompt", plain(&row.pre_prompt)),
        ("agent_mode", parse(row.agent_mode.as_deref(), Value::Null)),
        ("prompt_type", Value::String(row.prompt_type.clone())),
        ("chat_prompt_config", parse(row.chat_prompt_config.as_deref(), json!({}))),
        ("completion_prompt_config", parse(row.completion_prompt_config.as_deref(), json!({}))),
        ("dataset_configs", datasets(row)),
        ("file_upload", parse(row.file_upload.as_deref(), Value::Null)),
    ];
    pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}

/// What was saved without a retrieval model is from before there was the choice, and counts as `single` and nothing else.
fn datasets(row: &AppModelConfig) -> Value {
    let saved = parse(row.dataset_configs.as_deref(), json!({"retrieval_model": "multiple"}));
    if saved.get("retrieval_model").is_some() {
        saved
    } else {
        json!({"retrieval_model": "single"})
    }
}

fn parse(column: Option<&str>, default: Value) -> Value {
    match column {
        None | Some("") => default,
        Some(text) => serde_json::from_str(text).unwrap_or_else(|err| {
            tracing::warn!(error = %err, "a configuration column is not JSON; its default is used");
            default
        }),
    }
}
