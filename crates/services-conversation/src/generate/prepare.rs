//! Everything that is looked at before a run begins.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use app_engine::basic::{
    InvokeFrom, Mode,
    agent::PastThought,
    config::Config,
    history::{self, Turn},
    inputs,
    run::Job,
};
use db::{
    conversation::{Owner, RunConversation},
    message::{Begun, NewConversation},
    message_file::MessageFile,
};
use graph::file::File;
use types::{ConversationId, MessageId};
use uuid::Uuid;

use super::{Ask, Caller, GenerateError, RunContext, config};
use crate::{Engine, file, idempotency::Key, record};

/// Characters of a question that name a new conversation.
const NAME: usize = 20;

/// What is said to who wants an agent's answer in one piece.
const BLOCKING: &str = "Agent Chat App does not support blocking mode";

/// A run that may begin.
pub(super) struct Prepared {
    /// What the engine is to do.
    pub job: Box<Job>,
    /// The message as it begins.
    pub row: Begun,
    /// Files of the question.
    pub files: Vec<File>,
    /// Their rows.
    pub file_rows: Vec<MessageFile>,
    /// Whether the conversation is to be named.
    pub names_conversation: bool,
    /// See [`Ask::idempotency`].
    pub idempotency: Option<Key>,
}

pub(super) async fn prepare(engine: &Engine, ask: Ask) -> Result<Prepared, GenerateError> {
    let ctx = engine.ctx();
    let mode = match ask.app.mode.as_str() {
        "completion" => Mode::Completion,
        "chat" => Mode::Chat,
        "agent-chat" => Mode::Agent,
        // Graphs have an engine of their own.
        _ => return Err(GenerateError::NoConfig),
    };
    let streams =
        || ask.stream.then_some(()).ok_or_else(|| GenerateError::Invalid(BLOCKING.to_owned()));
    if mode == Mode::Agent {
        streams()?;
    }
    let is_chat = mode != Mode::Completion;
    let query = without_nul(&ask.query);
    if is_chat && query.is_empty() {
        return Err(GenerateError::Invalid("query is required".to_owned()));
    }
    let conversation = match ask.conversation {
        Some(id) if is_chat => Some(find_conversation(engine, &ask, id).await?),
        _ => None,
    };
    let config_id = match &conversation {
        Some(conversation) => conversation.app_model_config_id,
        None => ask.app.app_model_config_id,
    };
    let stored = config::load(engine, ask.app.id, config_id).await?;
    let config = match &ask.debug_config {
        Some(object) => Arc::new(Config::read(object)?),
        None => stored.config.clone(),
    };
    let mode = match mode {
        Mode::Chat if config.agent.in_chats => {
            streams()?;
            Mode::Agent
        }
        mode => mode,
    };
    let files = match &config.files {
        Some(rules) if !ask.files.is_empty() => {
            file::resolve(ctx, ask.app.tenant_id, rules, &ask.files).await?
        }
        _ => Vec::new(),
    };
    let model =
        engine.ports().models.llm(ask.app.tenant_id, &config.model.provider, &config.model.name);
    let model = model.await?;
    let values = inputs::check(&config.variables, &ask.inputs)?;
    let parent = match ask.invoke_from {
        InvokeFrom::ServiceApi if is_chat => Some(MessageId(Uuid::nil())),
        _ => ask.parent.filter(|_| is_chat),
    };
    let history = match (&conversation, mode) {
        (_, Mode::Completion) => None,
        (None, _) => Some(Vec::new()),
        (Some(conversation), _) => {
            Some(past(engine, &ask, &config, mode, conversation.id, parent).await?)
        }
    };
    let now = ctx.now_naive();
    let message = MessageId::ordered();
    let first = conversation.is_none().then(|| NewConversation {
        name: first_name(&query),
        introduction: introduction(&config.opening_statement, &values),
    });
    let (end_user, account) = match ask.caller {
        Caller::EndUser(id) => (Some(id), None),
        Caller::Account(id) => (None, Some(id)),
    };
    let mut row = Begun {
        id: message,
        conversation_id: conversation.map_or_else(ConversationId::ordered, |it| it.id),
        first,
        app_id: ask.app.id,
        app_model_config_id: config_id,
        model_provider: Some(config.model.provider.clone()),
        model_id: Some(config.model.name.clone()),
        override_model_configs: ask.debug_config.as_ref().map(config_text),
        mode: mode.as_str().to_owned(),
        inputs: serde_json::to_string(&values).unwrap_or_default(),
        query: query.clone().into_owned(),
        from_source: ask.invoke_from.source(),
        from_end_user_id: end_user,
        from_account_id: account,
        invoke_from: ask.invoke_from.as_str(),
        parent_message_id: parent,
        created_at: now,
        copied: None,
    };
    if ctx.config.own.conversation_store_enabled {
        row.copied = Some(record::metadata_of(ask.app.tenant_id, &row));
    }
    let settings = &ctx.config.feature;
    let job = Job {
        context: RunContext {
            tenant: ask.app.tenant_id,
            app: ask.app.id,
            conversation: row.conversation_id,
            message,
            user: ask.caller,
            invoke_from: ask.invoke_from,
        },
        mode,
        config,
        model,
        inputs: values,
        query: query.into_owned(),
        files: files.clone(),
        history,
        stream: ask.stream,
        moderation_step: usize::try_from(settings.moderation_buffer_size).unwrap_or(300),
        time_limit: Duration::from_secs(
            u64::try_from(settings.app_max_execution_time).unwrap_or(1200),
        ),
    };
    let names_conversation = ask.names_conversation && is_chat && row.first.is_some();
    let file_rows = file::rows(&files, message, ask.caller, now);
    let idempotency = ask.idempotency;
    Ok(Prepared { job: Box::new(job), row, files, file_rows, names_conversation, idempotency })
}

async fn find_conversation(
    engine: &Engine,
    ask: &Ask,
    id: ConversationId,
) -> Result<RunConversation, GenerateError> {
    let mut conn = engine.ctx().db.acquire().await?;
    let found =
        db::conversation::find_for_run(&mut conn, ask.app.id, id, owner(ask.caller)).await?;
    found.ok_or(GenerateError::NoConversation)
}

/// Whose conversations a caller's questions belong to.
#[must_use]
pub fn owner(caller: Caller) -> Owner {
    match caller {
        Caller::Account(id) => Owner::Account(id),
        Caller::EndUser(id) => Owner::EndUser(id),
    }
}

/// The turns that lead to the new message.
async fn past(
    engine: &Engine,
    ask: &Ask,
    config: &Config,
    mode: Mode,
    conversation: ConversationId,
    parent: Option<MessageId>,
) -> Result<Vec<Turn>, GenerateError> {
    if parent.is_none() {
        return Ok(Vec::new());
    }
    // The new message counts as one.
    let most = i64::try_from(history::MOST - 1).unwrap_or(i64::MAX);
    let mut conn = engine.ctx().db.acquire().await?;
    let rows = db::message::past(&mut conn, ask.app.id, conversation, most).await?;
    drop(conn);
    let has_files: HashSet<Uuid> =
        rows.iter().filter(|row| row.has_files).map(|row| row.id.0).collect();
    let turns = rows.into_iter().map(|row| Turn {
        id: row.id.0,
        parent: row.parent_message_id.map(|parent| parent.0),
        query: row.query,
        answer: row.answer,
        running: row.running,
        user_files: Vec::new(),
        assistant_files: Vec::new(),
        thoughts: Vec::new(),
    });
    let mut thread = history::thread(parent, turns.collect());
    if mode == Mode::Agent && !thread.is_empty() {
        recall(engine, &mut thread).await?;
    }
    let with_files: Vec<MessageId> = thread
        .iter()
        .filter(|turn| has_files.contains(&turn.id))
        .map(|turn| MessageId(turn.id))
        .collect();
    // Files of earlier turns are shown only while the app takes files.
    if !with_files.is_empty() && config.files.is_some() {
        let ctx = engine.ctx();
        let mut conn = ctx.db.acquire().await?;
        let rows = db::message_file::of_messages(&mut conn, ask.app.id, &with_files).await?;
        drop(conn);
        let mut found = file::of_past(ctx, ask.app.tenant_id, rows).await?;
        for turn in &mut thread {
            let files = found.remove(&MessageId(turn.id)).unwrap_or_default();
            (turn.user_files, turn.assistant_files) = files;
        }
    }
    Ok(thread)
}

/// Adds what an agent thought on the way to its answers.
async fn recall(engine: &Engine, thread: &mut [Turn]) -> Result<(), GenerateError> {
    let ids: Vec<Uuid> = thread.iter().map(|turn| turn.id).collect();
    let mut conn = engine.ctx().db.acquire().await?;
    let rows = db::message_list::thoughts(&mut conn, &ids).await?;
    drop(conn);
    let mut thoughts: HashMap<Uuid, Vec<PastThought>> = HashMap::new();
    for row in rows {
        thoughts.entry(row.message_id.0).or_default().push(PastThought {
            thought: row.thought.unwrap_or_default(),
            tool: row.tool.unwrap_or_default(),
            tool_input: row.tool_input.unwrap_or_default(),
            observation: row.observation.unwrap_or_default(),
        });
    }
    for turn in thread {
        turn.thoughts = thoughts.remove(&turn.id).unwrap_or_default();
    }
    Ok(())
}

/// The beginning of the question, until a model finds a better name.
#[must_use]
pub fn first_name(query: &str) -> String {
    if query.is_empty() {
        return "New conversation".to_owned();
    }
    match query.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", query.get(..end).unwrap_or_default()),
        None => query.to_owned(),
    }
}

/// What the assistant says first, with the values of the form put in. Variables that are not in the form stay as they
/// are; those that were left empty say nothing.
#[must_use]
pub fn introduction(template: &str, values: &serde_json::Map<String, serde_json::Value>) -> String {
    if template.is_empty() {
        return String::new();
    }
    template::prompt::format(template, |name| {
        values.get(name).map(|value| match value {
            serde_json::Value::Null => Cow::Borrowed(""),
            value => inputs::as_text(value),
        })
    })
}

/// A tried configuration as it is kept: without stop words, which the reference takes out first.
fn config_text(config: &serde_json::Map<String, serde_json::Value>) -> String {
    let mut config = config.clone();
    let model = config.get_mut("model").and_then(|model| model.get_mut("completion_params"));
    if let Some(parameters) = model.and_then(serde_json::Value::as_object_mut) {
        parameters.remove("stop");
    }
    types::pyjson::dumps(&config).unwrap_or_default()
}

fn without_nul(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "").into() } else { text.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_conversation_is_named_by_its_first_characters() {
        for (query, expected) in [
            ("", "New conversation"),
            ("äöüäöüäöüäöüäöüäöüäö", "äöüäöüäöüäöüäöüäöüäö"),
            ("äöüäöüäöüäöüäöüäöüäöü", "äöüäöüäöüäöüäöüäöüäö…"),
        ] {
            assert_eq!(first_name(query), expected);
        }
    }
}
