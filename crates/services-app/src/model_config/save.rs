//! Saving a configuration: a new row, which becomes the one in force.

use boxed::boxed;
use db::{account::Account, app::App, app_model_config::NewAppModelConfig};
use serde_json::Value;
use services_core::Ctx;

use super::{ConfigError, secrets, stored, used_datasets, validate};
use crate::{
    json::{Object, dumps, has, text},
    mode::AppMode,
    ports::Ports,
};

/// Checks a configuration and puts it in force.
///
/// # Errors
/// [`ConfigError::Invalid`] with the reference's words for the first rule that does not hold.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn save(
    ctx: &Ctx,
    ports: &Ports,
    app: &App,
    mode: AppMode,
    by: &Account,
    config: Object,
) -> Result<(), ConfigError> {
    let world = validate::Workspace { ctx, ports, tenant: app.tenant_id };
    let mut config = validate::config(&world, mode, config).await?;

    let before = {
        let mut conn = ctx.db.acquire().await?;
        stored::of(&mut conn, app).await?
    };
    let agent = before.as_ref().and_then(|stored| stored.row.agent_mode.as_deref());
    if stored::mode_with_agent(mode.as_str(), agent) == AppMode::AgentChat.as_str() {
        let known = before.as_ref().map(stored::Stored::tools).unwrap_or_default();
        secrets::keep(ctx, ports, app, &known, &mut config).await?;
    }

    let now = ctx.now_naive();
    let mut tx = ctx.db.begin().await?;
    let id = db::app_model_config::insert(&mut tx, app.id, &rows(&config), by.id, now).await?;
    db::app::set_model_config(&mut tx, app.tenant_id, app.id, id, by.id, now).await?;
    db::app_dataset_join::replace(&mut tx, app.id, &used_datasets(&config)).await?;
    tx.commit().await?;
    Ok(())
}

/// The columns of a configuration: JSON text, nothing where a value is empty.
#[must_use]
pub fn rows(config: &Object) -> NewAppModelConfig {
    let json = |key: &str| has(config, key).then(|| dumps(config.get(key).unwrap_or(&Value::Null)));
    // Columns of plain text; what is not text was not checked by anybody and keeps its JSON form.
    let plain = |key: &str| match config.get(key) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(dumps(other)),
    };
    NewAppModelConfig {
        opening_statement: plain("opening_statement"),
        suggested_questions: json("suggested_questions"),
        suggested_questions_after_answer: json("suggested_questions_after_answer"),
        speech_to_text: json("speech_to_text"),
        text_to_speech: json("text_to_speech"),
        more_like_this: json("more_like_this"),
        model: json("model"),
        user_input_form: json("user_input_form"),
        dataset_query_variable: plain("dataset_query_variable"),
        pre_prompt: plain("pre_prompt"),
        agent_mode: json("agent_mode"),
        sensitive_word_avoidance: json("sensitive_word_avoidance"),
        retriever_resource: json("retriever_resource"),
        prompt_type: text(config, "prompt_type").unwrap_or("simple").to_owned(),
        chat_prompt_config: json("chat_prompt_config"),
        completion_prompt_config: json("completion_prompt_config"),
        dataset_configs: json("dataset_configs"),
        external_data_tools: json("external_data_tools"),
        file_upload: json("file_upload"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn empty_values_are_left_out_and_json_has_pythons_form() {
        let config = json!({
            "model": {"name": "é", "completion_params": {}},
            "suggested_questions": [],
            "pre_prompt": "",
            "opening_statement": null,
            "speech_to_text": {"enabled": false},
        });
        let rows = rows(config.as_object().unwrap());
        assert_eq!(rows.model.as_deref(), Some(r#"{"name": "\u00e9", "completion_params": {}}"#));
        assert_eq!(rows.suggested_questions, None);
        assert_eq!(rows.pre_prompt.as_deref(), Some(""));
        assert_eq!(rows.opening_statement, None);
        assert_eq!(rows.speech_to_text.as_deref(), Some(r#"{"enabled": false}"#));
        assert_eq!(rows.prompt_type, "simple");
    }
}
