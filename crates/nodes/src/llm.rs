//! `llm`: asks a model.

mod call;
mod context;
mod prompt;
pub mod structured;

use std::sync::Arc;

use async_trait::async_trait;
use graph::{
    File, GraphError, Node, NodeConfig, NodeCtx, NodeError, NodeOutput, Object, Outcome, Outputs,
    RunInfo, Usage, Value, pool::Selector,
};
use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::Value as Json;

pub(crate) use call::{Answer, ask, without_reasoning};
pub(crate) use prompt::{checked, with_files};

use crate::{
    common::{
        Fail, MemoryConfig, ModelConfig, NamedVariable, VisionConfig, file_list, nullable,
        shown_prompts, template_entries, usage_metadata, vision_files,
    },
    ports::Ports,
};

/// A node that asks a model.
pub(crate) struct Llm {
    settings: Settings,
    ports: Arc<Ports>,
}

#[derive(Deserialize)]
struct Settings {
    model: ModelConfig,
    prompt_template: PromptTemplate,
    #[serde(default, deserialize_with = "nullable")]
    prompt_config: PromptConfig,
    #[serde(default)]
    memory: Option<MemoryConfig>,
    context: ContextConfig,
    #[serde(default, deserialize_with = "nullable")]
    vision: VisionConfig,
    #[serde(default)]
    structured_output: Option<Json>,
    #[serde(default, deserialize_with = "nullable")]
    structured_output_enabled: bool,
    #[serde(default)]
    reasoning_format: Reasoning,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum PromptTemplate {
    Chat(Vec<Message>),
    Completion(Text),
}

#[derive(Deserialize)]
struct Message {
    role: model_runtime::Role,
    #[serde(flatten)]
    text: Text,
}

#[derive(Deserialize)]
struct Text {
    #[serde(default, deserialize_with = "nullable")]
    text: String,
    #[serde(default)]
    edition_type: Option<String>,
    #[serde(default)]
    jinja2_text: Option<String>,
}

impl Text {
    fn is_jinja(&self) -> bool {
        self.edition_type.as_deref() == Some("jinja2")
    }

    /// The text whose `{{#…#}}` references must exist.
    fn references(&self) -> &str {
        match &self.jinja2_text {
            Some(text) if self.is_jinja() && !text.is_empty() => text,
            _ => &self.text,
        }
    }
}

#[derive(Default, Deserialize)]
struct PromptConfig {
    #[serde(default, deserialize_with = "nullable")]
    jinja2_variables: Vec<NamedVariable>,
}

#[derive(Deserialize)]
struct ContextConfig {
    #[serde(default)]
    enabled: bool,
    #[serde(default, deserialize_with = "nullable")]
    variable_selector: Selector,
}

#[derive(Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Reasoning {
    /// The text without it, it beside.
    Separated,
    /// It stays in the text, between tags.
    #[default]
    Tagged,
}

impl Llm {
    pub(crate) fn new(config: &NodeConfig, ports: Arc<Ports>) -> Result<Self, GraphError> {
        Ok(Self { settings: config.parse()?, ports })
    }

    fn texts(&self) -> Vec<&Text> {
        match &self.settings.prompt_template {
            PromptTemplate::Chat(messages) => messages.iter().map(|it| &it.text).collect(),
            PromptTemplate::Completion(text) => vec![text],
        }
    }

    /// Fails when the prompt refers to something that is not there.
    fn check_references(&self, ctx: &NodeCtx) -> Result<(), Fail> {
        let memory = self.settings.memory.as_ref();
        let query = memory.and_then(|memory| memory.query_prompt_template.as_deref());
        for text in self.texts().into_iter().map(Text::references).chain(query) {
            for selector in template::variable::selectors(text) {
                if ctx.pool.get(&selector).is_none() {
                    let message = format!("Variable #{}# not found", selector.join("."));
                    return Err(Fail::new(message, "VariableNotFoundError"));
                }
            }
        }
        for variable in &self.settings.prompt_config.jinja2_variables {
            if ctx.pool.get(&variable.value_selector).is_none() {
                let message = format!("Variable {} not found", variable.variable);
                return Err(Fail::new(message, "VariableNotFoundError"));
            }
        }
        Ok(())
    }

    async fn execute(&self, ctx: &NodeCtx, inputs: &mut Object) -> Result<NodeOutput, Fail> {
        self.check_references(ctx)?;
        let settings = &self.settings;
        let files = vision_files(ctx, &settings.vision)?;
        if !files.is_empty() {
            let shown = files.iter().map(|file| Value::File(Arc::clone(file))).collect();
            inputs.insert("#files#".to_owned(), shown);
        }
        let context = context::fetch(&self.ports, ctx, &settings.context).await?;
        if !context.text.is_empty() {
            inputs.insert("#context#".to_owned(), Value::from(context.text.as_str()));
        }
        if !context.files.is_empty() {
            let shown = context.files.iter().cloned().map(Value::from).collect();
            inputs.insert("#context_files#".to_owned(), shown);
        }
        let model = settings.model.find(&self.ports, &ctx.run).await?;
        let (parameters, stop) = settings.model.parameters();
        let prompt = prompt::Prompt {
            ports: &self.ports,
            ctx,
            settings,
            model: &*model,
            parameters: &parameters,
            context: &context.text,
        };
        let messages = prompt.build(&files, &context.files).await?;
        let schema = self.schema()?;
        let mut call = model_runtime::source::LlmCall {
            messages: messages.clone(),
            parameters,
            tools: Vec::new(),
            stop,
            stream: true,
            user: ctx.run.user_id.clone(),
        };
        if let Some(schema) = &schema {
            let prompt = structured::Prompt {
                messages: &mut call.messages,
                parameters: &mut call.parameters,
            };
            structured::ask_for(prompt, model.provider(), model.schema(), schema);
        }
        let answer = ask(&self.ports, ctx, &*model, call, true).await?;
        let structured = match schema {
            Some(_) => Some(
                structured::parse(&answer.text)
                    .map_err(|err| Fail::new(err.to_string(), "LLMNodeError"))?,
            ),
            None => None,
        };
        let (text, reasoning) = match settings.reasoning_format {
            Reasoning::Tagged => (answer.text.clone(), String::new()),
            Reasoning::Separated => call::split_reasoning(&answer.text),
        };
        ctx.events.chunk(&[&ctx.node_id, "text"], "", true).await;
        let process_data = self.process_data(&*model, &messages, &answer);
        let mut outputs = Outputs::new();
        outputs.insert("text".to_owned(), text.into());
        outputs.insert("reasoning_content".to_owned(), reasoning.into());
        outputs.insert("usage".to_owned(), answer.usage.to_value().into());
        outputs.insert("finish_reason".to_owned(), Value::from(answer.finish_reason).into());
        if let Some(structured) = structured.filter(|it| !it.is_empty()) {
            let value = Value::from_json(Json::Object(structured));
            outputs.insert("structured_output".to_owned(), value.into());
        }
        if !answer.files.is_empty() {
            outputs.insert("files".to_owned(), file_list(answer.files));
        }
        Ok(NodeOutput {
            inputs: inputs.clone(),
            process_data,
            outputs,
            metadata: usage_metadata(&answer.usage),
            usage: Some(answer.usage),
            ..NodeOutput::default()
        })
    }

    fn schema(&self) -> Result<Option<Json>, Fail> {
        let Some(output) = self
            .settings
            .structured_output
            .as_ref()
            .filter(|_| self.settings.structured_output_enabled)
        else {
            return Ok(None);
        };
        let fail = |message: &str| Fail::new(message, "LLMNodeError");
        if output.as_object().is_none_or(serde_json::Map::is_empty) {
            return Err(fail("Please provide a valid structured output schema"));
        }
        match output.get("schema") {
            Some(schema @ Json::Object(_)) => Ok(Some(schema.clone())),
            Some(_) => Err(fail("structured_output_schema must be a JSON object")),
            None => Ok(Some(Json::Object(serde_json::Map::new()))),
        }
    }

    fn process_data(
        &self,
        model: &dyn model_runtime::source::LlmModel,
        messages: &[model_runtime::PromptMessage],
        answer: &Answer,
    ) -> Object {
        let mode = self.settings.model.mode;
        crate::common::object([
            ("model_mode", Value::from(mode.as_str())),
            ("prompts", shown_prompts(mode, messages)),
            ("usage", answer.usage.to_value()),
            ("finish_reason", Value::from(answer.finish_reason.clone())),
            ("model_provider", Value::from(model.provider())),
            ("model_name", Value::from(self.settings.model.name.as_str())),
        ])
    }
}

#[async_trait]
impl Node for Llm {
    async fn run(&self, ctx: &NodeCtx) -> Result<Outcome, NodeError> {
        let mut inputs = Object::new();
        match self.execute(ctx, &mut inputs).await {
            Ok(output) => Ok(output.into()),
            Err(fail) => Err(NodeError {
                usage: Some(Box::new(Usage::default())),
                ..fail.into_error().with_inputs(inputs)
            }),
        }
    }

    async fn prepare(&self, run: &RunInfo) -> Result<(), String> {
        let found = self.settings.model.find(&self.ports, run).await;
        found.map(|_| ()).map_err(|err| err.to_string())
    }

    fn retryable(&self) -> bool {
        true
    }

    fn variable_mapping(&self, node_id: &str) -> IndexMap<String, Selector> {
        let settings = &self.settings;
        let mut mapping = IndexMap::new();
        for text in self.texts().into_iter().filter(|text| !text.is_jinja()) {
            mapping.extend(template_entries(node_id, &text.text));
        }
        let mut add = |name: &str, selector: Selector| {
            mapping.insert(format!("{node_id}.{name}"), selector);
        };
        if let Some(memory) = &settings.memory {
            for selector in template::variable::selectors(
                memory.query_prompt_template.as_deref().unwrap_or_default(),
            ) {
                add(&format!("#{}#", selector.join(".")), selector);
            }
        }
        if settings.context.enabled {
            add("#context#", settings.context.variable_selector.clone());
        }
        if settings.vision.enabled {
            add("#files#", settings.vision.configs.variable_selector.clone());
        }
        if settings.memory.is_some() {
            add("#sys.query#", vec!["sys".to_owned(), "query".to_owned()]);
        }
        if self.texts().into_iter().any(Text::is_jinja) {
            for variable in &settings.prompt_config.jinja2_variables {
                add(&variable.variable, variable.value_selector.clone());
            }
        }
        mapping
    }
}

/// Files a model made while it answered.
type Made = Vec<File>;

#[cfg(test)]
mod tests;
