//! A saved configuration as the reference reads it: JSON columns with their defaults.

use boxed::boxed;
use db::{
    app::{AnnotationReply, App},
    app_model_config::AppModelConfig,
};
use serde_json::{Value, json};
use services_core::{Ctx, Fault};

use crate::json::{Object, text, truthy};

/// The configuration of an app with every key, and its annotation reply.
#[derive(Debug, Clone)]
pub struct Stored {
    /// The row.
    pub row: AppModelConfig,
    /// See [`db::app::annotation_reply`].
    pub annotation_reply: Option<AnnotationReply>,
}

/// The configuration in force of an app; `None` if there is none.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn of(conn: &mut db::PgConnection, app: &App) -> Result<Option<Stored>, Fault> {
    let Some(id) = app.app_model_config_id else { return Ok(None) };
    let Some(row) = db::app_model_config::find(conn, app.id, id).await? else { return Ok(None) };
    let annotation_reply = db::app::annotation_reply(conn, app.id).await?;
    Ok(Some(Stored { row, annotation_reply }))
}

/// [`of`], and whether the app counts as an agent: if so its row is made one, as reading it does in the reference.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn load(ctx: &Ctx, app: &mut App) -> Result<Option<Stored>, Fault> {
    let mut conn = ctx.db.acquire().await?;
    let stored = of(&mut conn, app).await?;
    let agent = stored.as_ref().and_then(|stored| stored.row.agent_mode.as_deref());
    let mode = mode_with_agent(&app.mode, agent);
    if mode != app.mode {
        db::app::set_mode(&mut conn, app.tenant_id, app.id, &mode).await?;
        app.mode = mode;
    }
    Ok(stored)
}

/// The mode of an app whose `agent_mode` (JSON) is `agent`: a chat app that uses tools is an agent.
#[must_use]
pub fn mode_with_agent(mode: &str, agent: Option<&str>) -> String {
    let uses_tools = || {
        let agent = agent.and_then(|agent| serde_json::from_str::<Object>(agent).ok());
        agent.is_some_and(|agent| {
            agent.get("enabled").is_some_and(truthy)
                && matches!(text(&agent, "strategy"), Some("function_call" | "react"))
        })
    };
    if mode == "chat" && uses_tools() { "agent-chat".to_owned() } else { mode.to_owned() }
}

impl Stored {
    /// `opening_statement` and the others that are plain text.
    fn plain(value: Option<&String>) -> Value {
        value.map_or(Value::Null, |text| Value::String(text.clone()))
    }

    /// Every key of the configuration in the reference's order.
    #[must_use]
    pub fn to_object(&self) -> Object {
        let row = &self.row;
        let pairs = [
            ("opening_statement", Self::plain(row.opening_statement.as_ref())),
            ("suggested_questions", parse(&row.suggested_questions, || json!([]))),
            ("suggested_questions_after_answer", parse(&row.suggested_questions_after_answer, off)),
            ("speech_to_text", parse(&row.speech_to_text, off)),
            ("text_to_speech", parse(&row.text_to_speech, off)),
            ("retriever_resource", parse(&row.retriever_resource, || json!({"enabled": true}))),
            ("annotation_reply", self.annotation_reply()),
            ("more_like_this", parse(&row.more_like_this, off)),
            (
                "sensitive_word_avoidance",
                parse(
                    &row.sensitive_word_avoidance,
                    || json!({"enabled": false, "type": "", "config": {}}),
                ),
            ),
            ("external_data_tools", parse(&row.external_data_tools, || json!([]))),
            ("model", parse(&row.model, || json!({}))),
            ("user_input_form", parse(&row.user_input_form, || json!([]))),
            ("dataset_query_variable", Self::plain(row.dataset_query_variable.as_ref())),
            ("pre_prompt", Self::plain(row.pre_prompt.as_ref())),
            ("agent_mode", self.agent_mode()),
            ("prompt_type", Value::String(row.prompt_type.clone())),
            ("chat_prompt_config", parse(&row.chat_prompt_config, || json!({}))),
            ("completion_prompt_config", parse(&row.completion_prompt_config, || json!({}))),
            ("dataset_configs", self.dataset_configs()),
            ("file_upload", parse(&row.file_upload, images_off)),
        ];
        pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// `annotation_reply`.
    #[must_use]
    pub fn annotation_reply(&self) -> Value {
        match &self.annotation_reply {
            None => off(),
            Some(reply) => json!({
                "id": reply.id,
                "enabled": true,
                "score_threshold": reply.score_threshold,
                "embedding_model": {
                    "embedding_provider_name": reply.provider_name,
                    "embedding_model_name": reply.model_name,
                },
            }),
        }
    }

    /// `agent_mode`.
    #[must_use]
    pub fn agent_mode(&self) -> Value {
        parse(
            &self.row.agent_mode,
            || json!({"enabled": false, "strategy": null, "tools": [], "prompt": null}),
        )
    }

    /// The tools of `agent_mode`.
    #[must_use]
    pub fn tools(&self) -> Vec<Object> {
        match self.agent_mode().get_mut("tools").map(Value::take) {
            Some(Value::Array(tools)) => tools
                .into_iter()
                .filter_map(|tool| match tool {
                    Value::Object(tool) => Some(tool),
                    _ => None,
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// `dataset_configs`. What was saved without a retrieval model reads as `single` and nothing else: that is how
    /// the reference treats configurations from before it had the choice.
    #[must_use]
    pub fn dataset_configs(&self) -> Value {
        let saved = parse(&self.row.dataset_configs, || json!({"retrieval_model": "multiple"}));
        if saved.get("retrieval_model").is_some() {
            saved
        } else {
            json!({"retrieval_model": "single"})
        }
    }
}

fn off() -> Value {
    json!({"enabled": false})
}

/// `file_upload` of an app that never had one.
#[must_use]
pub fn images_off() -> Value {
    json!({
        "image": {
            "enabled": false,
            "number_limits": 3,
            "detail": "high",
            "transfer_methods": ["remote_url", "local_file"],
        }
    })
}

/// A JSON column, or its default when it is empty (or, which no writer leaves behind, unreadable).
#[must_use]
pub fn parse(column: &Option<String>, default: impl FnOnce() -> Value) -> Value {
    match column.as_deref() {
        None | Some("") => default(),
        Some(text) => serde_json::from_str(text).unwrap_or_else(|err| {
            tracing::warn!(error = %err, "a configuration column is not JSON; its default is used");
            default()
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_chat_apps_that_use_tools_become_agents() {
        for (mode, agent, expected) in [
            ("chat", Some(r#"{"enabled": true, "strategy": "function_call"}"#), "agent-chat"),
            ("chat", Some(r#"{"enabled": true, "strategy": "react"}"#), "agent-chat"),
            ("chat", Some(r#"{"enabled": true, "strategy": "router"}"#), "chat"),
            ("chat", Some(r#"{"enabled": false, "strategy": "react"}"#), "chat"),
            ("chat", Some("{"), "chat"),
            ("chat", None, "chat"),
            ("completion", Some(r#"{"enabled": true, "strategy": "react"}"#), "completion"),
        ] {
            assert_eq!(mode_with_agent(mode, agent), expected, "{mode} {agent:?}");
        }
    }

    #[test]
    fn an_empty_column_is_its_default_and_so_is_a_broken_one() {
        let images = images_off;
        assert_eq!(parse(&None, images), images_off());
        assert_eq!(parse(&Some(String::new()), images), images_off());
        assert_eq!(parse(&Some("{".to_owned()), images), images_off());
        assert_eq!(parse(&Some("{}".to_owned()), images), json!({}));
    }
}
