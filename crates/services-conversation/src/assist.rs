//! What a model does beside answering: new titles of conversations, questions that could follow.

use boxed::boxed;
use std::time::Duration;

use db::{app::App, message_list::MessageRow};
use model_runtime::{CallContext, LlmRequest, ModelType, PromptMessage, collect};
use serde_json::{Map, Value, json};
use services_core::{Ctx, Failure, Fault};
use services_model::{ModelError, Models};
use types::{ConversationId, MessageId, TenantId};

use crate::{
    Engine,
    generate::naming,
    talk::{Participant, TalkError, conversation, message},
};

/// How long a model may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Messages that follow-up questions are found from.
const REMEMBERED: i64 = 3;

/// Tokens of those messages.
const MOST_TOKENS: usize = 3000;

const QUESTIONS: &str = "Read the conversation above and write the three questions its human is most likely to ask next. \
    Keep each under 20 words, in the language of the assistant's last answer.\n\
    Answer with a JSON list of strings and nothing else, like:\n[\"question1\",\"question2\",\"question3\"]";

/// Why there are no follow-up questions.
#[derive(Debug, thiserror::Error)]
pub enum AssistError {
    /// No such message, or another's.
    #[error("Message not found")]
    NoMessage,
    /// Its conversation is gone.
    #[error("Conversation not found")]
    NoConversation,
    /// The app does not offer them.
    #[error("Function Suggested questions after answer disabled.")]
    Disabled,
    /// The app has no configuration.
    #[error("did not find app model config")]
    NoConfig,
    /// The workspace has no model to ask.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<TalkError> for AssistError {
    fn from(err: TalkError) -> Self {
        match err {
            TalkError::NoConversation => Self::NoConversation,
            TalkError::Fault(fault) => Self::Fault(fault),
            // What is looked for here are messages and their conversations.
            _ => Self::NoMessage,
        }
    }
}

impl From<db::DbError> for AssistError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for AssistError {
    fn status(&self) -> u16 {
        match self {
            Self::NoMessage | Self::NoConversation => 404,
            Self::Disabled => 403,
            Self::NoConfig => 400,
            Self::Model(err) => err.status(),
            Self::Fault(err) => err.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NoMessage | Self::NoConversation => "not_found",
            Self::Disabled => "app_suggested_questions_after_answer_disabled",
            Self::NoConfig => "invalid_param",
            Self::Model(err) => err.code(),
            Self::Fault(err) => err.code(),
        }
    }
}

/// Lets a model find a title for the participant's conversation. When it cannot, the title stays.
///
/// # Errors
/// [`TalkError::NoConversation`], [`TalkError::NoMessage`].
#[boxed]
pub async fn name(
    engine: &Engine,
    app: &App,
    who: Participant,
    id: ConversationId,
) -> Result<db::conversation_list::ConversationRow, TalkError> {
    let ctx = engine.ctx();
    let query = conversation::first_query(ctx, app, who, id).await?;
    match naming::find(engine, app.tenant_id, &query).await {
        Ok(title) => conversation::rename(ctx, app, who, id, &title).await,
        Err(reason) => {
            tracing::info!(conversation.id = %id, %reason, "no title was found for a conversation");
            conversation::find(ctx, app, who, id).await
        }
    }
}

/// Questions that could follow the participant's message; none when the model writes none.
///
/// # Errors
/// [`AssistError`].
#[boxed]
pub async fn questions(
    models: &Models,
    app: &App,
    who: Participant,
    id: MessageId,
    is_debugging: bool,
) -> Result<Vec<String>, AssistError> {
    let ctx = models.ctx();
    let row = message::find(ctx, app, who, id).await?;
    conversation::find(ctx, app, who, row.conversation_id).await?;
    match offered(ctx, app, row.conversation_id, is_debugging).await? {
        Offer::Yes => {}
        Offer::No => return Err(AssistError::Disabled),
        Offer::NoWorkflow => return Ok(Vec::new()),
    }
    let mut conn = ctx.db.acquire().await?;
    let mut past =
        db::message_list::page(&mut conn, app.id, row.conversation_id, None, REMEMBERED).await?;
    drop(conn);
    past.reverse();
    let direct = &ctx.config.direct;
    let wanted = direct.suggested_questions_prompt.as_deref().filter(|text| !text.is_empty());
    let prompt = format!("{}\n{}\nquestions:\n", history(&past), wanted.unwrap_or(QUESTIONS));
    let parameters = [
        ("max_tokens", json!(direct.suggested_questions_max_tokens)),
        ("temperature", json!(direct.suggested_questions_temperature)),
    ];
    match ask(models, app.tenant_id, prompt, &parameters).await {
        Ok(answer) => Ok(list(&answer)),
        Err(reason) => {
            tracing::info!(message.id = %id, %reason, "no follow-up questions were found");
            Ok(Vec::new())
        }
    }
}

enum Offer {
    Yes,
    No,
    NoWorkflow,
}

/// Whether the app offers follow-up questions in this conversation.
async fn offered(
    ctx: &Ctx,
    app: &App,
    id: ConversationId,
    is_debugging: bool,
) -> Result<Offer, AssistError> {
    let mut conn = ctx.db.acquire().await?;
    let enabled = |features: &Value| {
        features
            .pointer("/suggested_questions_after_answer/enabled")
            .and_then(Value::as_bool)
            .unwrap_or_default()
    };
    if app.mode == "advanced-chat" {
        let workflow = if is_debugging {
            db::workflow::find_draft(&mut conn, app.tenant_id, app.id).await?
        } else {
            match app.workflow_id {
                Some(id) => db::workflow::find(&mut conn, app.tenant_id, app.id, id).await?,
                None => None,
            }
        };
        let Some(workflow) = workflow else { return Ok(Offer::NoWorkflow) };
        let features: Value = serde_json::from_str(&workflow.features).unwrap_or_default();
        return Ok(if enabled(&features) { Offer::Yes } else { Offer::No });
    }
    let logged = db::conversation_log::by_ids(&mut conn, app.id, &[id.0]).await?.pop();
    let logged = logged.ok_or(TalkError::NoConversation)?;
    let overridden = logged.override_model_configs.filter(|text| !text.is_empty());
    let is_on = match overridden {
        Some(text) => enabled(&serde_json::from_str(&text).unwrap_or_default()),
        None => {
            let config = match logged.app_model_config_id {
                Some(id) => db::app_model_config::find(&mut conn, app.id, id).await?,
                None => None,
            };
            let config = config.ok_or(AssistError::NoConfig)?;
            let feature: Option<Value> = config
                .suggested_questions_after_answer
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok());
            feature
                .and_then(|feature| feature.get("enabled").and_then(Value::as_bool))
                .unwrap_or_default()
        }
    };
    Ok(if is_on { Offer::Yes } else { Offer::No })
}

/// What the workspace's default model answers, or why it does not.
async fn ask(
    models: &Models,
    tenant: TenantId,
    prompt: String,
    parameters: &[(&str, Value)],
) -> Result<String, String> {
    let model =
        models.default_model(tenant, ModelType::Llm).await.map_err(|err| err.to_string())?;
    let parameters: Map<String, Value> =
        parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let request = LlmRequest {
        messages: vec![PromptMessage::user(prompt)],
        parameters,
        ..LlmRequest::default()
    };
    let answer = async {
        let stream = model.invoke_llm(&CallContext::new(tenant), request).await?;
        collect(&model.model, stream).await
    };
    match tokio::time::timeout(PATIENCE, answer).await {
        Ok(Ok(answer)) => Ok(answer.text),
        Ok(Err(err)) => Err(err.to_string()),
        Err(_) => Err("the model took too long".to_owned()),
    }
}

/// The latest messages that fit, oldest first.
fn history(past: &[MessageRow]) -> String {
    let mut turns: Vec<String> = past
        .iter()
        .filter(|row| !row.answer.is_empty())
        .map(|row| format!("Human: {}\nAssistant: {}", row.query, row.answer))
        .collect();
    while 1 < turns.len() && MOST_TOKENS < text::tokens::count(&turns.join("\n")) {
        turns.remove(0);
    }
    turns.join("\n")
}

/// The first list in an answer, without what is no text.
fn list(answer: &str) -> Vec<String> {
    let found = answer.find('[').and_then(|from| {
        let rest = answer.get(from..)?;
        serde_json::Deserializer::from_str(rest).into_iter::<Vec<Value>>().next()?.ok()
    });
    let items = found.unwrap_or_default().into_iter();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn questions_are_found_in_whatever_models_write() {
        for (answer, expected) in [
            (r#"["a?", "b?"]"#, vec!["a?", "b?"]),
            ("Sure:\n```json\n[\"a?\", 1]\n``` [x]", vec!["a?"]),
            ("no list", vec![]),
            ("[broken", vec![]),
        ] {
            assert_eq!(list(answer), expected, "{answer}");
        }
    }
}
