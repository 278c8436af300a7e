//! Rows turned into columns, which is how a statement takes many at once.

use super::*;

/// A message that begins.
#[derive(Debug, Clone)]
pub struct Begun {
    /// The message.
    pub id: MessageId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// What the conversation is made of if this message begins it.
    pub first: Option<NewConversation>,
    /// The app.
    pub app_id: AppId,
    /// The configuration in force; none in apps drawn as a graph.
    pub app_model_config_id: Option<AppModelConfigId>,
    /// Provider of the model.
    pub model_provider: Option<String>,
    /// The model.
    pub model_id: Option<String>,
    /// JSON: the configuration of a debug run.
    pub override_model_configs: Option<String>,
    /// The app's mode.
    pub mode: String,
    /// JSON: values of the form.
    pub inputs: String,
    /// The question.
    pub query: String,
    /// `api` or `console`.
    pub from_source: &'static str,
    /// Who asks, if an app user.
    pub from_end_user_id: Option<EndUserId>,
    /// Who asks, if a console user.
    pub from_account_id: Option<AccountId>,
    /// Where the call came in.
    pub invoke_from: &'static str,
    /// See [`Past::parent_message_id`].
    pub parent_message_id: Option<MessageId>,
    /// When.
    pub created_at: NaiveDateTime,
    /// Metadata of the copy in `conversation_messages`, if one is wanted.
    pub copied: Option<Value>,
}

/// What a conversation is made of beside its first message.
#[derive(Debug, Clone)]
pub struct NewConversation {
    /// Display name.
    pub name: String,
    /// What the assistant said first.
    pub introduction: String,
}

/// A message that ended.
#[derive(Debug, Clone)]
pub struct Ended {
    /// The message.
    pub id: MessageId,
    /// The app.
    pub app_id: AppId,
    /// Its conversation.
    pub conversation_id: ConversationId,
    /// `normal` or `error`.
    pub status: &'static str,
    /// Why it failed.
    pub error: Option<String>,
    /// The answer.
    pub answer: String,
    /// JSON: the prompt; `None` leaves what is there.
    pub prompt: Option<String>,
    /// JSON: sources and annotation; `None` leaves what is there.
    pub metadata: Option<String>,
    /// Tokens of the prompt.
    pub message_tokens: i32,
    /// Price of a unit of them.
    pub message_unit_price: Decimal,
    /// The unit.
    pub message_price_unit: Decimal,
    /// Tokens of the answer.
    pub answer_tokens: i32,
    /// Price of a unit of them.
    pub answer_unit_price: Decimal,
    /// The unit.
    pub answer_price_unit: Decimal,
    /// What all of it cost.
    pub total_price: Decimal,
    /// ISO code.
    pub currency: String,
    /// Seconds.
    pub latency: f64,
    /// When.
    pub updated_at: NaiveDateTime,
    /// Metadata of the copy in `conversation_messages`, if one is wanted.
    pub copied: Option<Value>,
}

#[derive(Default)]
pub(super) struct BegunColumns {
    pub id: Vec<Uuid>,
    pub conversation: Vec<Uuid>,
    pub is_first: Vec<bool>,
    pub app: Vec<Uuid>,
    pub config: Vec<Option<Uuid>>,
    pub provider: Vec<Option<String>>,
    pub model: Vec<Option<String>>,
    pub override_configs: Vec<Option<String>>,
    pub mode: Vec<String>,
    pub name: Vec<Option<String>>,
    pub introduction: Vec<Option<String>>,
    pub inputs: Vec<String>,
    pub query: Vec<String>,
    pub source: Vec<String>,
    pub end_user: Vec<Option<Uuid>>,
    pub account: Vec<Option<Uuid>>,
    pub invoke_from: Vec<String>,
    pub parent: Vec<Option<Uuid>>,
    pub at: Vec<NaiveDateTime>,
    pub copied: Vec<Option<Value>>,
}

impl BegunColumns {
    pub(super) fn of(rows: &[Begun]) -> Self {
        let mut all = Self::default();
        for row in rows {
            all.id.push(row.id.0);
            all.conversation.push(row.conversation_id.0);
            all.is_first.push(row.first.is_some());
            all.app.push(row.app_id.0);
            all.config.push(row.app_model_config_id.map(|id| id.0));
            all.provider.push(row.model_provider.clone());
            all.model.push(row.model_id.clone());
            all.override_configs.push(row.override_model_configs.as_deref().map(text));
            all.mode.push(row.mode.clone());
            all.name.push(row.first.as_ref().map(|first| text(&first.name)));
            all.introduction.push(row.first.as_ref().map(|first| text(&first.introduction)));
            all.inputs.push(text(&row.inputs));
            all.query.push(text(&row.query));
            all.source.push(row.from_source.to_owned());
            all.end_user.push(row.from_end_user_id.map(|id| id.0));
            all.account.push(row.from_account_id.map(|id| id.0));
            all.invoke_from.push(row.invoke_from.to_owned());
            all.parent.push(row.parent_message_id.map(|id| id.0));
            all.at.push(row.created_at);
            all.copied.push(row.copied.clone());
        }
        all
    }
}

#[derive(Default)]
pub(super) struct EndedColumns {
    pub id: Vec<Uuid>,
    pub app: Vec<Uuid>,
    pub conversation: Vec<Uuid>,
    pub status: Vec<String>,
    pub error: Vec<Option<String>>,
    pub answer: Vec<String>,
    pub prompt: Vec<Option<String>>,
    pub metadata: Vec<Option<String>>,
    pub message_tokens: Vec<i32>,
    pub message_unit_price: Vec<Decimal>,
    pub message_price_unit: Vec<Decimal>,
    pub answer_tokens: Vec<i32>,
    pub answer_unit_price: Vec<Decimal>,
    pub answer_price_unit: Vec<Decimal>,
    pub total_price: Vec<Decimal>,
    pub currency: Vec<String>,
    pub latency: Vec<f64>,
    pub at: Vec<NaiveDateTime>,
    pub copied: Vec<Option<Value>>,
}

impl EndedColumns {
    pub(super) fn of(rows: &[Ended]) -> Self {
        let mut all = Self::default();
        for row in rows {
            all.id.push(row.id.0);
            all.app.push(row.app_id.0);
            all.conversation.push(row.conversation_id.0);
            all.status.push(row.status.to_owned());
            all.error.push(row.error.as_deref().map(text));
            all.answer.push(text(&row.answer));
            all.prompt.push(row.prompt.as_deref().map(text));
            all.metadata.push(row.metadata.as_deref().map(text));
            all.message_tokens.push(row.message_tokens);
            // numeric(10, 4), numeric(10, 7)
            all.message_unit_price.push(price(row.message_unit_price, 6));
            all.message_price_unit.push(price(row.message_price_unit, 3));
            all.answer_tokens.push(row.answer_tokens);
            all.answer_unit_price.push(price(row.answer_unit_price, 6));
            all.answer_price_unit.push(price(row.answer_price_unit, 3));
            all.total_price.push(price(row.total_price, 3));
            all.currency.push(row.currency.clone());
            all.latency.push(row.latency);
            all.at.push(row.updated_at);
            all.copied.push(row.copied.clone());
        }
        all
    }
}
