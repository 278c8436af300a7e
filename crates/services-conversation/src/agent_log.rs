//! What an agent did for an answer, round by round.

use boxed::boxed;
use chrono::{DateTime, FixedOffset, NaiveDateTime, Offset, TimeZone};
use chrono_tz::Tz;
use db::{
    app::App,
    conversation_log,
    message_list::{self, ThoughtRow},
};
use serde_json::{Map, Value, json};
use services_app::{app::AppError, meta, model_config::stored};
use services_core::{Ctx, Failure, Fault};
use types::{ConversationId, MessageId};

use crate::shown::{self, ShownFile};

/// Why there is no log.
#[derive(Debug, thiserror::Error)]
pub enum AgentLogError {
    /// The app has no such conversation.
    #[error("Conversation not found: {0}")]
    NoConversation(ConversationId),
    /// The conversation has no such message.
    #[error("Message not found: {0}")]
    NoMessage(MessageId),
    /// The app was never configured.
    #[error("App model config not found")]
    NoConfig,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for AgentLogError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for AgentLogError {
    fn status(&self) -> u16 {
        match self {
            Self::NoConversation(_) | Self::NoMessage(_) | Self::NoConfig => 400,
            Self::Fault(err) => err.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoConversation(_) | Self::NoMessage(_) | Self::NoConfig => "invalid_param",
            Self::Fault(err) => err.code(),
        }
    }
}

/// What an agent did for an answer.
#[derive(Debug, Clone)]
pub struct AgentLog {
    /// Who asked; nobody knows the names of most end users.
    pub executor: Option<String>,
    /// When it began, in the zone of whoever looks.
    pub start_time: DateTime<FixedOffset>,
    /// Seconds.
    pub elapsed_time: f64,
    /// Tokens of questions and answers.
    pub total_tokens: i32,
    /// The app's strategy.
    pub agent_mode: Value,
    /// The rounds.
    pub rounds: Vec<Round>,
    /// The message's files.
    pub files: Vec<ShownFile>,
}

/// One round: what the model said, and the tools it called.
#[derive(Debug, Clone)]
pub struct Round {
    /// Tokens.
    pub tokens: Option<i32>,
    /// The calls.
    pub calls: Vec<Call>,
    /// Their inputs, as they are kept.
    pub inputs: Option<String>,
    /// Their outputs, as they are kept.
    pub outputs: Option<String>,
    /// What the model said.
    pub thought: Option<String>,
    /// When.
    pub created_at: NaiveDateTime,
    /// Ids of files.
    pub files: Vec<String>,
}

/// One call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// Why it failed.
    pub error: Value,
    /// Seconds.
    pub time_cost: Value,
    /// The tool.
    pub name: String,
    /// Its names for people.
    pub label: Value,
    /// What it was given.
    pub input: Value,
    /// What it gave.
    pub output: Value,
    /// What the builder fixed.
    pub parameters: Value,
    /// Its icon.
    pub icon: Value,
    /// What is kept of the tool itself.
    config: Value,
}

/// What an agent did for a message of the app.
///
/// # Errors
/// [`AgentLogError`].
#[boxed]
pub async fn find(
    ctx: &Ctx,
    app: &App,
    conversation: ConversationId,
    message: MessageId,
    zone: Option<&str>,
) -> Result<AgentLog, AgentLogError> {
    let mut conn = ctx.db.acquire().await?;
    let talk = conversation_log::by_ids(&mut conn, app.id, &[conversation.0]).await?.pop();
    let talk = talk.ok_or(AgentLogError::NoConversation(conversation))?;
    let row = message_list::find(&mut conn, app.id, message).await?;
    let row = row.filter(|row| row.conversation_id == conversation);
    let row = row.ok_or(AgentLogError::NoMessage(message))?;
    let executor = match talk.from_end_user_id {
        Some(id) => db::end_user::find(&mut conn, app.tenant_id, id).await?.map(|user| user.name),
        None => talk.from_account_name.map(Some),
    };
    let config = stored::of(&mut conn, app).await?.ok_or(AgentLogError::NoConfig)?;
    let thoughts = message_list::thoughts(&mut conn, &[message.0]).await?;
    let created_at = row.created_at;
    let (elapsed_time, total_tokens) =
        (row.provider_response_latency, row.answer_tokens + row.message_tokens);
    let files = shown::of(ctx, &mut conn, app, vec![row]).await?.pop().map(|shown| shown.files);
    drop(conn);
    let mut rounds: Vec<Round> = thoughts.into_iter().map(round).collect();
    for call in rounds.iter_mut().flat_map(|round| &mut round.calls) {
        call.icon = icon(ctx, app, &call.config).await?;
    }
    let zone: Tz = zone.and_then(|zone| zone.parse().ok()).unwrap_or(Tz::UTC);
    let start_time = zone.from_utc_datetime(&created_at);
    Ok(AgentLog {
        executor: executor.unwrap_or_else(|| Some("Unknown".to_owned())),
        start_time: start_time.with_timezone(&start_time.offset().fix()),
        elapsed_time,
        total_tokens,
        agent_mode: config.agent_mode().get("strategy").cloned().unwrap_or_else(|| json!("react")),
        rounds,
        files: files.unwrap_or_default(),
    })
}

fn fault(err: AppError) -> AgentLogError {
    match err {
        AppError::Fault(fault) => AgentLogError::Fault(fault),
        _ => AgentLogError::NoConfig,
    }
}

/// A tool's icon: an address, or colour and letter. The reference fails for tools it does not know; ours have none.
async fn icon(ctx: &Ctx, app: &App, config: &Value) -> Result<Value, AgentLogError> {
    let text = |key| config.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("tool_provider_type") {
        "dataset-retrieval" => Ok("".into()),
        "api" => meta::api_icon(ctx, app, text("tool_provider")).await.map_err(fault),
        "builtin" => Ok(meta::builtin_icon(ctx, text("tool_provider")).into()),
        "plugin" if !text("tool_icon").is_empty() => {
            Ok(meta::plugin_icon(ctx, app.tenant_id, text("tool_icon")).into())
        }
        _ => Ok(config.get("tool_icon").cloned().unwrap_or_default()),
    }
}

fn round(row: ThoughtRow) -> Round {
    let object =
        |text: &str| -> Map<String, Value> { serde_json::from_str(text).unwrap_or_default() };
    let (labels, metas) = (object(&row.tool_labels_str), object(&row.tool_meta_str));
    let names: Vec<&str> =
        row.tool.as_deref().map(|names| names.split(';').collect()).unwrap_or_default();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    let empty = || Value::Object(Map::new());
    let inputs = by_tool(&names, row.tool_input.as_deref(), |_| empty());
    let outputs = by_tool(&names, row.observation.as_deref(), |text| {
        text.map_or_else(empty, std::convert::Into::into)
    });
    let calls = names.iter().zip(inputs).zip(outputs).map(|((name, input), output)| {
        let meta = metas.get(*name).cloned().unwrap_or_default();
        let part = |key| meta.get(key).cloned();
        Call {
            error: part("error").unwrap_or_default(),
            time_cost: part("time_cost").unwrap_or_else(|| 0.into()),
            name: (*name).to_owned(),
            label: labels.get(*name).cloned().unwrap_or_else(|| (*name).into()),
            input,
            output,
            parameters: part("tool_parameters").unwrap_or_else(empty),
            icon: Value::Null,
            config: part("tool_config").unwrap_or_default(),
        }
    });
    let calls = calls.collect();
    let files = row.message_files.as_deref().map(serde_json::from_str::<Vec<String>>);
    Round {
        tokens: row.tokens,
        calls,
        inputs: row.tool_input,
        outputs: row.observation,
        thought: row.thought,
        created_at: row.created_at,
        files: files.and_then(Result::ok).unwrap_or_default(),
    }
}

/// What is kept for each tool. What is kept without names belongs to the only tool; what is no JSON is `plain`'s.
fn by_tool(
    names: &[&str],
    kept: Option<&str>,
    plain: impl Fn(Option<&str>) -> Value,
) -> Vec<Value> {
    let kept = kept.filter(|text| !text.is_empty());
    let parsed = kept.map(serde_json::from_str::<Value>);
    let of = |name: &&str| match &parsed {
        None => Value::Object(Map::new()),
        Some(Err(_)) => plain(kept),
        Some(Ok(value)) => match value.get(*name) {
            Some(own) => own.clone(),
            None if names.len() == 1 => value.clone(),
            None => Value::Object(Map::new()),
        },
    };
    names.iter().map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_told_apart_by_tool() {
        let plain = |text: Option<&str>| text.map_or(Value::Null, Into::into);
        for (names, kept, expected) in [
            (vec!["a", "b"], Some(r#"{"a": 1}"#), vec![json!(1), json!({})]),
            (vec!["a"], Some(r#"{"x": 1}"#), vec![json!({"x": 1})]),
            (vec!["a"], Some("no json"), vec![json!("no json")]),
            (vec!["a"], None, vec![json!({})]),
            (vec![], Some("{}"), vec![]),
        ] {
            assert_eq!(by_tool(&names, kept, plain), expected);
        }
    }
}
