//! What the builders of an app see of its conversations.

use boxed::boxed;
use std::collections::HashMap;

use chrono::{NaiveDateTime, Timelike};
use db::{
    app::App,
    conversation_list::Sort,
    conversation_log::{self, LogFilter, Logged},
    message_list,
};
use serde_json::{Map, Value};
use services_core::{Ctx, Fault};
use types::{AccountId, ConversationId, Limit, MessageId, Page};
use uuid::Uuid;

use crate::{
    shown::{self, Shown},
    talk::{Part, TalkError},
    time_range::TimeRange,
};

/// Which conversations a page shows.
#[derive(Debug, Clone, Copy)]
pub struct Wish<'a> {
    /// Part of a question, an answer, a title or a user's name.
    pub keyword: Option<&'a str>,
    /// When.
    pub range: TimeRange,
    /// Whether it has annotations.
    pub annotated: Option<bool>,
    /// The order.
    pub sort: Sort,
    /// Which page.
    pub window: Limit,
}

/// A page of the app's conversations.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(ctx: &Ctx, app: &App, wish: Wish<'_>) -> Result<Page<Logged>, Fault> {
    let keyword = wish.keyword.filter(|keyword| !keyword.is_empty()).map(db::like::escape);
    let to_last_second = |end: NaiveDateTime| end.with_second(59).unwrap_or(end);
    let filter = LogFilter {
        is_completion: app.mode == "completion",
        keyword: keyword.as_deref(),
        start: wish.range.start,
        end: wish.range.end.map(to_last_second),
        annotated: wish.annotated,
        without_debugger: app.mode == "advanced-chat",
        sort: wish.sort,
    };
    let mut conn = ctx.db.acquire_replica().await?;
    let window = wish.window;
    let (ids, total) =
        conversation_log::page(&mut conn, app.id, &filter, window.offset(), window.limit).await?;
    let mut rows: HashMap<Uuid, Logged> = conversation_log::by_ids(&mut conn, app.id, &ids)
        .await?
        .into_iter()
        .map(|row| (row.id.0, row))
        .collect();
    Ok(Page::new(window, total, ids.iter().filter_map(|id| rows.remove(id)).collect()))
}

/// The annotations of a page of conversations, one each.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn first_annotations(
    ctx: &Ctx,
    app: &App,
    rows: &[Logged],
) -> Result<HashMap<MessageId, message_list::NoteRow>, Fault> {
    let ids: Vec<Uuid> =
        rows.iter().filter_map(|row| row.first_message_id.map(|id| id.0)).collect();
    let mut conn = ctx.db.acquire().await?;
    let notes = message_list::annotations(&mut conn, app.id, &ids).await?;
    Ok(notes.into_iter().map(|note| (note.message_id, note)).collect())
}

/// A conversation of the app, which counts as read from now on, and the configuration it runs with.
///
/// # Errors
/// [`TalkError::NoConversation`].
#[boxed]
pub async fn find(
    ctx: &Ctx,
    app: &App,
    reader: AccountId,
    id: ConversationId,
) -> Result<(Logged, Map<String, Value>), TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let found = conversation_log::by_ids(&mut conn, app.id, &[id.0]).await?.pop();
    let found = found.ok_or(TalkError::NoConversation)?;
    conversation_log::mark_read(&mut conn, app.id, id, reader, ctx.now_naive()).await?;
    drop(conn);
    let config = config(ctx, app, &found).await?;
    Ok((found, config))
}

/// The configurations of a page of conversations.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn configs(
    ctx: &Ctx,
    app: &App,
    rows: &[Logged],
) -> Result<HashMap<ConversationId, Map<String, Value>>, Fault> {
    // Nearly all of a page share one configuration, which is read once.
    let mut known: HashMap<types::AppModelConfigId, Map<String, Value>> = HashMap::new();
    let mut found = HashMap::new();
    for row in rows {
        let is_own = row.override_model_configs.as_deref().is_some_and(|text| !text.is_empty());
        let config = match row.app_model_config_id.filter(|_| !is_own) {
            Some(id) => match known.get(&id) {
                Some(config) => config.clone(),
                None => {
                    let config = config(ctx, app, row).await?;
                    known.insert(id, config.clone());
                    config
                }
            },
            None => config(ctx, app, row).await?,
        };
        found.insert(row.id, config);
    }
    Ok(found)
}

/// The configuration a conversation runs with: its own, or the one of its app when it began.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn config(ctx: &Ctx, app: &App, row: &Logged) -> Result<Map<String, Value>, Fault> {
    let own = row.override_model_configs.as_deref().filter(|text| !text.is_empty());
    if let Some(own) = own {
        return Ok(serde_json::from_str(own).unwrap_or_default());
    }
    let Some(id) = row.app_model_config_id else { return Ok(Map::new()) };
    let mut conn = ctx.db.acquire().await?;
    let found = db::app_model_config::find(&mut conn, app.id, id).await?;
    Ok(found.map(|found| stored(&found)).unwrap_or_default())
}

fn stored(row: &db::app_model_config::AppModelConfig) -> Map<String, Value> {
    let read = |text: &Option<String>, default: Value| match text.as_deref() {
        None | Some("") => default,
        Some(text) => serde_json::from_str(text).unwrap_or(default),
    };
    let plain = |text: &Option<String>| text.clone().map_or(Value::Null, Value::String);
    let list = || Value::Array(Vec::new());
    let agent =
        serde_json::json!({"enabled": false, "strategy": null, "tools": [], "prompt": null});
    [
        ("opening_statement", plain(&row.opening_statement)),
        ("suggested_questions", read(&row.suggested_questions, list())),
        ("model", read(&row.model, Value::Object(Map::new()))),
        ("user_input_form", read(&row.user_input_form, list())),
        ("pre_prompt", plain(&row.pre_prompt)),
        ("agent_mode", read(&row.agent_mode, agent)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect()
}

/// Messages of any conversation of the app, oldest first.
///
/// # Errors
/// [`TalkError::NoConversation`], [`TalkError::NoFirstMessage`].
#[boxed]
pub async fn messages(
    ctx: &Ctx,
    app: &App,
    conversation: ConversationId,
    before: Option<MessageId>,
    limit: i64,
) -> Result<Part<Shown>, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let found = conversation_log::by_ids(&mut conn, app.id, &[conversation.0]).await?;
    if found.is_empty() {
        return Err(TalkError::NoConversation);
    }
    let before = match before {
        None => None,
        Some(id) => {
            let found = message_list::find(&mut conn, app.id, id).await?;
            let found = found.filter(|row| row.conversation_id == conversation);
            Some(found.ok_or(TalkError::NoFirstMessage)?)
        }
    };
    let rows =
        message_list::page(&mut conn, app.id, conversation, before.as_ref(), limit + 1).await?;
    let mut part = Part::of(limit, rows);
    part.data.reverse();
    let data = shown::of(ctx, &mut conn, app, part.data).await?;
    Ok(Part { limit, has_more: part.has_more, data })
}

/// Any message of the app.
///
/// # Errors
/// [`TalkError::NoMessage`].
#[boxed]
pub async fn message(ctx: &Ctx, app: &App, id: MessageId) -> Result<Shown, TalkError> {
    let mut conn = ctx.db.acquire().await?;
    let row = message_list::find(&mut conn, app.id, id).await?.ok_or(TalkError::NoMessage)?;
    shown::of(ctx, &mut conn, app, vec![row]).await?.pop().ok_or(TalkError::NoMessage)
}
