//! More answers like one a completion app gave.

use app_engine::basic::{Caller, InvokeFrom};
use boxed::boxed;
use db::{app::App, message_file::MessageFile};
use serde_json::{Map, Value, json};
use types::MessageId;

use super::{Ask, GenerateError, Started, config, prepare, start};
use crate::Engine;

/// How far answers like one may stray from it.
const TEMPERATURE: f64 = 0.9;

/// Which answer more are wanted of.
#[derive(Debug, Clone)]
pub struct Like {
    /// The app.
    pub app: App,
    /// The message.
    pub message: MessageId,
    /// Who asks; the message has to be theirs.
    pub caller: Caller,
    /// Where the call came in.
    pub invoke_from: InvokeFrom,
    /// Whether the client wants the answer piece by piece.
    pub stream: bool,
}

/// Asks the question of a message again, as a new message with the configuration of the old one.
///
/// # Errors
/// [`GenerateError::NoMessage`], [`GenerateError::MoreLikeThisDisabled`], and as [`start`].
#[boxed]
pub async fn more_like(engine: &Engine, like: Like) -> Result<Started, GenerateError> {
    let Like { app, message, caller, invoke_from, stream } = like;
    let (template, files) = {
        let mut conn = engine.ctx().db.acquire().await?;
        let owner = prepare::owner(caller);
        let template = db::message::template(&mut conn, app.id, message, owner).await?;
        let template = template.ok_or(GenerateError::NoMessage)?;
        (template, db::message_file::of_messages(&mut conn, app.id, &[message]).await?)
    };
    let current = config::load(engine, app.id, app.app_model_config_id).await;
    let current = current.map_err(|err| match err {
        GenerateError::NoConfig => GenerateError::MoreLikeThisDisabled,
        other => other,
    })?;
    if !current.config.more_like_this {
        return Err(GenerateError::MoreLikeThisDisabled);
    }
    let stored = config::load(engine, app.id, template.app_model_config_id).await?;
    let mut object = stored.object.clone();
    if let Some(model) = object.get_mut("model").and_then(Value::as_object_mut) {
        let parameters = model.entry("completion_params").or_insert_with(|| json!({}));
        if let Some(parameters) = parameters.as_object_mut() {
            parameters.insert("temperature".to_owned(), json!(TEMPERATURE));
        }
    }
    let is_sent = |row: &&MessageFile| row.belongs_to.as_deref() != Some("assistant");
    let ask = Ask {
        inputs: template.inputs.as_object().cloned().unwrap_or_default(),
        query: template.query,
        files: files.iter().filter(is_sent).map(named).collect(),
        stream,
        debug_config: Some(object),
        ..Ask::new(app, caller, invoke_from)
    };
    start(engine, ask).await
}

/// A file as clients name it.
fn named(row: &MessageFile) -> Map<String, Value> {
    let related =
        if row.transfer_method == "tool_file" { "tool_file_id" } else { "upload_file_id" };
    let mut mapping = Map::new();
    mapping.insert("type".to_owned(), row.r#type.clone().into());
    mapping.insert("transfer_method".to_owned(), row.transfer_method.clone().into());
    if let Some(url) = &row.url {
        mapping.insert("url".to_owned(), url.clone().into());
    }
    if let Some(id) = row.upload_file_id {
        mapping.insert(related.to_owned(), id.to_string().into());
    }
    mapping
}
