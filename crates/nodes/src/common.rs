//! What nodes that call models share: settings, files, memory, usage, recorded prompts.

use std::sync::Arc;

use graph::{
    File, Metadata, NodeCtx, NodeError, Object, Segment, SegmentType, Usage, Value, pool::Selector,
};
use model_runtime::{
    Content, ContentPart, ImageDetail, InvokeError, ModelSchema, PromptMessage, Role,
    source::{LlmModel, ModelError},
};
use serde::{Deserialize, Deserializer, de::DeserializeOwned};
use serde_json::{Map, Value as Json, json};

use crate::ports::{PortError, Ports};

/// Most pairs of earlier messages that are looked at.
const MOST_TURNS: usize = 500;

/// Tokens of history for models that do not say how large their context is.
const WITHOUT_CONTEXT_SIZE: i64 = 2000;

/// Reads null as the default.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// `model` of a node.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct ModelConfig {
    pub(crate) provider: String,
    pub(crate) name: String,
    pub(crate) mode: Mode,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) completion_params: Map<String, Json>,
}

/// Kind of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    Chat,
    Completion,
}

impl Mode {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::Completion => "completion",
        }
    }
}

impl ModelConfig {
    /// The model, for a run.
    pub(crate) async fn find(
        &self,
        ports: &Ports,
        run: &graph::RunInfo,
    ) -> Result<Arc<dyn LlmModel>, ModelError> {
        ports.models.llm(run.tenant_id, &self.provider, &self.name).await
    }

    /// `completion_params` without `stop`, and `stop`.
    pub(crate) fn parameters(&self) -> (Map<String, Json>, Vec<String>) {
        let mut parameters = self.completion_params.clone();
        let stop = match parameters.remove("stop") {
            Some(Json::Array(items)) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        (parameters, stop)
    }
}

/// `memory` of a node.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct MemoryConfig {
    #[serde(default)]
    pub(crate) role_prefix: Option<RolePrefix>,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) window: Window,
    #[serde(default)]
    pub(crate) query_prompt_template: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct RolePrefix {
    pub(crate) user: String,
    pub(crate) assistant: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Window {
    #[serde(default)]
    pub(crate) enabled: bool,
    #[serde(default)]
    pub(crate) size: Option<usize>,
}

impl MemoryConfig {
    /// How many pairs of messages are remembered.
    pub(crate) fn limit(&self) -> Option<usize> {
        self.window.size.filter(|_| self.window.enabled)
    }
}

/// `vision` of a node.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct VisionConfig {
    #[serde(default)]
    pub(crate) enabled: bool,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) configs: VisionOptions,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct VisionOptions {
    #[serde(default = "system_files")]
    pub(crate) variable_selector: Selector,
    #[serde(default = "high")]
    pub(crate) detail: ImageDetail,
}

impl Default for VisionOptions {
    fn default() -> Self {
        Self { variable_selector: system_files(), detail: high() }
    }
}

fn system_files() -> Selector {
    vec!["sys".to_owned(), "files".to_owned()]
}

fn high() -> ImageDetail {
    ImageDetail::High
}

/// A named variable of a node.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct NamedVariable {
    pub(crate) variable: String,
    #[serde(default, deserialize_with = "nullable")]
    pub(crate) value_selector: Selector,
}

/// A value that a node is given: `{type, value}`.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Input {
    pub(crate) r#type: InputKind,
    #[serde(default)]
    pub(crate) value: Json,
}

/// What a value that a node is given is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum InputKind {
    /// A template.
    Mixed,
    /// A selector.
    Variable,
    /// The value itself; texts in it may be templates.
    Constant,
}

impl Input {
    /// The variable it names.
    pub(crate) fn selector(&self) -> Selector {
        match &self.value {
            Json::Array(items) => {
                items.iter().filter_map(|item| item.as_str().map(str::to_owned)).collect()
            }
            _ => Selector::new(),
        }
    }

    /// As text.
    pub(crate) fn text(&self) -> String {
        Value::from_json(self.value.clone()).py_str()
    }
}

/// Why a node of this crate fails: text and class of the reference.
#[derive(Debug, Clone)]
pub(crate) struct Fail {
    pub(crate) message: String,
    pub(crate) class: String,
}

impl Fail {
    pub(crate) fn new(message: impl Into<String>, class: &str) -> Self {
        Self { message: message.into(), class: class.to_owned() }
    }

    pub(crate) fn into_error(self) -> NodeError {
        NodeError::new(self.message, self.class)
    }
}

impl From<PortError> for Fail {
    fn from(err: PortError) -> Self {
        Self { message: err.message, class: err.error_type }
    }
}

impl From<InvokeError> for Fail {
    fn from(err: InvokeError) -> Self {
        Self::new(err.to_string(), err.class())
    }
}

impl From<ModelError> for Fail {
    fn from(err: ModelError) -> Self {
        let class = match &err {
            ModelError::NotInitialized(_) => "ProviderTokenNotInitError",
            ModelError::QuotaExceeded(_) => "QuotaExceededError",
            ModelError::NotSupported(_) => "ModelCurrentlyNotSupportError",
            ModelError::Unknown(_) => "ModelNotExistError",
            ModelError::Fault(_) => "ValueError",
        };
        Self::new(err.to_string(), class)
    }
}

/// The files that a vision setting points at.
pub(crate) fn vision_files(ctx: &NodeCtx, vision: &VisionConfig) -> Result<Vec<Arc<File>>, Fail> {
    if !vision.enabled {
        return Ok(Vec::new());
    }
    let Some(found) = ctx.pool.get(&vision.configs.variable_selector) else {
        return Ok(Vec::new());
    };
    match (&found.value, found.kind) {
        (Value::File(file), _) => Ok(vec![Arc::clone(file)]),
        (Value::Null, _) => Ok(Vec::new()),
        (Value::Array(items), SegmentType::ArrayFile | SegmentType::ArrayAny) => {
            Ok(items.iter().filter_map(|item| item.as_file().cloned()).collect())
        }
        _ => {
            let message = format!("Invalid variable type: {}", found.kind);
            Err(Fail::new(message, "InvalidVariableTypeError"))
        }
    }
}

/// Named values from pairs.
pub(crate) fn object<const N: usize>(entries: [(&str, Value); N]) -> Object {
    entries.into_iter().map(|(key, it)| (key.to_owned(), it)).collect()
}

/// Usage of a model as the engine counts it.
pub(crate) fn engine_usage(usage: &model_runtime::Usage) -> Usage {
    let count = |tokens: u64| i64::try_from(tokens).unwrap_or(i64::MAX);
    Usage {
        prompt_tokens: count(usage.prompt_tokens),
        prompt_unit_price: usage.prompt_unit_price,
        prompt_price_unit: usage.prompt_price_unit,
        prompt_price: usage.prompt_price,
        completion_tokens: count(usage.completion_tokens),
        completion_unit_price: usage.completion_unit_price,
        completion_price_unit: usage.completion_price_unit,
        completion_price: usage.completion_price,
        total_tokens: count(usage.total_tokens),
        total_price: usage.total_price,
        currency: usage.currency.clone(),
        latency: usage.latency,
        time_to_first_token: usage.time_to_first_token,
        time_to_generate: usage.time_to_generate,
    }
}

/// What a model took, as `execution_metadata`.
pub(crate) fn usage_metadata(usage: &Usage) -> Metadata {
    Metadata::of_usage(usage)
}

/// What was said before, cut to what fits into the model's context.
pub(crate) async fn history(
    ports: &Ports,
    ctx: &NodeCtx,
    model: &dyn LlmModel,
    parameters: &Map<String, Json>,
    limit: Option<usize>,
    beside: i64,
) -> Result<Vec<PromptMessage>, Fail> {
    let Some(conversation) = ctx.pool.system().conversation_id.clone() else {
        return Ok(Vec::new());
    };
    let budget = budget(model.schema(), parameters, beside);
    said_before(ports, ctx, &conversation, model, limit, budget).await
}

/// What was said before for whoever cuts it further: as much as goes into the context of any model.
pub(crate) async fn short_history(
    ports: &Ports,
    ctx: &NodeCtx,
    model: &dyn LlmModel,
    limit: Option<usize>,
) -> Result<Vec<PromptMessage>, Fail> {
    let Some(conversation) = ctx.pool.system().conversation_id.clone() else {
        return Ok(Vec::new());
    };
    said_before(ports, ctx, &conversation, model, limit, WITHOUT_CONTEXT_SIZE).await
}

async fn said_before(
    ports: &Ports,
    ctx: &NodeCtx,
    conversation: &str,
    model: &dyn LlmModel,
    limit: Option<usize>,
    budget: i64,
) -> Result<Vec<PromptMessage>, Fail> {
    let limit = limit.filter(|limit| *limit > 0).unwrap_or(MOST_TURNS).min(MOST_TURNS);
    let found = ports.history.messages(&ctx.run, conversation, limit).await?;
    let mut messages = found.unwrap_or_default();
    trim(model, budget, &mut messages).await?;
    Ok(messages)
}

fn budget(schema: &ModelSchema, parameters: &Map<String, Json>, beside: i64) -> i64 {
    let Some(context) = schema.context_size() else { return WITHOUT_CONTEXT_SIZE };
    let mut answer = 0;
    for rule in &schema.parameter_rules {
        let template = rule.use_template.as_deref();
        if rule.name == "max_tokens" || template == Some("max_tokens") {
            let set = |name: &str| parameters.get(name).and_then(Json::as_i64).filter(|n| *n != 0);
            answer = set(&rule.name).or_else(|| set(template.unwrap_or_default())).unwrap_or(0);
        }
    }
    (context - answer - beside).max(0)
}

async fn trim(
    model: &dyn LlmModel,
    budget: i64,
    messages: &mut Vec<PromptMessage>,
) -> Result<(), Fail> {
    // A token is at least one byte of text: most histories need not be counted.
    let is_text = messages.iter().all(|it| matches!(it.content(), None | Some(Content::Text(_))));
    let bytes: usize = messages.iter().map(|it| it.text().len() + 8).sum();
    if messages.len() < 2 || (is_text && i64::try_from(bytes).unwrap_or(i64::MAX) <= budget) {
        return Ok(());
    }
    let mut each = Vec::with_capacity(messages.len());
    for message in messages.iter() {
        let tokens = model.count_tokens(std::slice::from_ref(message), &[]).await?;
        each.push(i64::try_from(tokens).unwrap_or(i64::MAX));
    }
    let mut total: i64 = each.iter().fold(0, |sum, it| sum.saturating_add(*it));
    let mut drop = 0;
    for tokens in each.iter().take(messages.len() - 1) {
        if total <= budget {
            break;
        }
        total = total.saturating_sub(*tokens);
        drop += 1;
    }
    messages.drain(..drop);
    Ok(())
}

/// Messages as text, one line each.
pub(crate) fn history_text(messages: &[PromptMessage], user: &str, assistant: &str) -> String {
    let mut lines = Vec::with_capacity(messages.len());
    for message in messages {
        let role = match message.role() {
            Role::User => user,
            Role::Assistant => assistant,
            Role::System | Role::Tool => continue,
        };
        let said = match message.content() {
            Some(Content::Parts(parts)) => {
                let parts = parts.iter().filter_map(|part| match part {
                    ContentPart::Text { data } => Some(data.as_str()),
                    ContentPart::Image { .. } => Some("[image]"),
                    _ => None,
                });
                parts.collect::<Vec<_>>().join("\n")
            }
            Some(Content::Text(text)) => text.clone(),
            None => String::new(),
        };
        lines.push(format!("{role}: {said}"));
    }
    lines.join("\n")
}

/// A prompt as `process_data` shows it: files are cut short.
pub(crate) fn shown_prompts(mode: Mode, messages: &[PromptMessage]) -> Value {
    let shown: Vec<Json> = match mode {
        Mode::Chat => {
            // Calls of an assistant's message are shown with the messages after it as well, as in the reference.
            let mut calls: Vec<Json> = Vec::new();
            messages
                .iter()
                .map(|message| {
                    if message.role() == Role::Assistant {
                        calls = message
                            .tool_calls()
                            .iter()
                            .map(|call| {
                                json!({"id": call.id, "type": "function", "function": {
                                    "name": call.function.name, "arguments": call.function.arguments}})
                            })
                            .collect();
                    }
                    let files = shown_files(message.content());
                    let role = message.role().as_str();
                    let mut shown = json!({"role": role, "text": message.text(), "files": files});
                    if let (false, Some(shown)) = (calls.is_empty(), shown.as_object_mut()) {
                        shown.insert("tool_calls".to_owned(), Json::Array(calls.clone()));
                    }
                    shown
                })
                .collect()
        }
        Mode::Completion => messages
            .first()
            .map(|message| {
                let files = shown_files(message.content());
                if files.is_empty() {
                    json!({"role": "user", "text": message.text()})
                } else {
                    json!({"role": "user", "text": message.text(), "files": files})
                }
            })
            .into_iter()
            .collect(),
    };
    Value::from_json(Json::Array(shown))
}

fn shown_files(content: Option<&Content>) -> Vec<Json> {
    let Some(Content::Parts(parts)) = content else { return Vec::new() };
    let cut = |data: String| {
        let chars: Vec<char> = data.chars().collect();
        let head: String = chars.iter().take(10).collect();
        let tail: String = chars.iter().skip(chars.len().saturating_sub(10)).collect();
        format!("{head}...[TRUNCATED]...{tail}")
    };
    parts
        .iter()
        .filter_map(|part| match part {
            ContentPart::Image { media, detail } => {
                Some(json!({"type": "image", "data": cut(media.data_url()), "detail": detail}))
            }
            ContentPart::Audio(media) => Some(
                json!({"type": "audio", "data": cut(media.data_url()), "format": media.format}),
            ),
            _ => None,
        })
        .collect()
}

/// A list of files as a value of the pool.
pub(crate) fn file_list(files: impl IntoIterator<Item = File>) -> Segment {
    let files = files.into_iter().map(Value::from).collect();
    Segment::new(SegmentType::ArrayFile, Value::array(files))
}

/// One entry `"{node}.#{a.b}#"` for each reference in `template`.
pub(crate) fn template_entries(
    node_id: &str,
    template: &str,
) -> impl Iterator<Item = (String, Selector)> {
    template::variable::selectors(template)
        .into_iter()
        .map(move |selector| (format!("{node_id}.#{}#", selector.join(".")), selector))
        .collect::<Vec<_>>()
        .into_iter()
}
