//! A world for tests: a model that says what it is told to, and nothing else.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures::StreamExt;
use graph::file::File;
use model_runtime::{
    AudioStream, ContentPart, ImageDetail, InvokeError, LlmChunk, LlmStream, ModelSchema,
    PromptMessage, PromptTool, ToolCall, Usage,
};
use serde_json::{Map, Value, json};
use types::{AccountId, AppId, ConversationId, MessageId, TenantId};

use crate::{
    basic::{
        Caller, InvokeFrom, Mode,
        agent::Thought,
        config::{Config, ExternalVariable, Moderation, ToolChoice},
        run::Job,
    },
    event::{MessageFile, RunError},
    ports::*,
};

/// What the model does after its words.
#[derive(Clone, Default)]
pub enum Then {
    #[default]
    End,
    Fail(InvokeError),
    Hang,
}

#[derive(Clone)]
pub struct Model {
    pub schema: ModelSchema,
    pub words: Vec<&'static str>,
    pub then: Then,
    pub calls: Arc<Mutex<Vec<LlmCall>>>,
    /// What it says to the first calls, before it says its words: a text, and calls of tools with their arguments.
    pub rounds: Vec<Round>,
}

/// A text, and calls of tools with their arguments.
pub type Round = (&'static str, Vec<(&'static str, &'static str)>);

impl Model {
    /// A model that says these things one after the other, and then its words.
    pub fn in_rounds(rounds: Vec<Round>, words: &[&'static str]) -> Self {
        Self { rounds, ..Self::saying(words) }
    }

    pub fn saying(words: &[&'static str]) -> Self {
        let schema = json!({"model": "m", "label": {"en_US": "m"}, "model_type": "llm", "fetch_from": "predefined-model",
            "model_properties": {"context_size": 100, "mode": "chat"},
            "parameter_rules": [{"name": "max_tokens", "label": {"en_US": "x"}, "type": "int"}]});
        Self {
            schema: serde_json::from_value(schema).unwrap(),
            words: words.to_vec(),
            then: Then::End,
            calls: Arc::default(),
            rounds: Vec::new(),
        }
    }
}

#[async_trait]
impl LlmModel for Model {
    fn provider(&self) -> &str {
        "acme/acme/acme"
    }

    fn schema(&self) -> &ModelSchema {
        &self.schema
    }

    async fn invoke(&self, call: LlmCall) -> Result<LlmStream, InvokeError> {
        let round = {
            let mut calls = self.calls.lock().unwrap();
            calls.push(call);
            calls.len()
        };
        let usage = Usage::priced(3, 2, None, std::time::Duration::ZERO);
        if let Some((text, calls)) = self.rounds.get(round - 1) {
            let call = |(n, (name, arguments)): (usize, &(&str, &str))| {
                ToolCall::new(format!("call-{round}-{n}"), *name, *arguments)
            };
            let mut chunks: Vec<_> = text
                .split_inclusive(' ')
                .map(|word| LlmChunk { text: word.to_owned(), ..LlmChunk::default() })
                .collect();
            let tool_calls = calls.iter().enumerate().map(call).collect();
            chunks.push(LlmChunk { tool_calls, usage: Some(usage), ..LlmChunk::default() });
            return Ok(futures::stream::iter(chunks.into_iter().map(Ok)).boxed());
        }
        let words = self
            .words
            .clone()
            .into_iter()
            .map(|word| Ok(LlmChunk { text: word.to_owned(), ..LlmChunk::default() }));
        let words = futures::stream::iter(words);
        Ok(match self.then.clone() {
            Then::End => {
                let last = LlmChunk { usage: Some(usage), ..LlmChunk::default() };
                words.chain(futures::stream::iter([Ok(last)])).boxed()
            }
            Then::Fail(err) => words.chain(futures::stream::iter([Err(err)])).boxed(),
            Then::Hang => words.chain(futures::stream::pending()).boxed(),
        })
    }

    /// A token a word.
    async fn count_tokens(
        &self,
        messages: &[PromptMessage],
        _: &[PromptTool],
    ) -> Result<u64, InvokeError> {
        Ok(messages.iter().map(|message| message.text().split_whitespace().count() as u64).sum())
    }
}

#[async_trait]
impl ModelSource for Model {
    async fn llm(&self, _: TenantId, _: &str, _: &str) -> Result<Arc<dyn LlmModel>, ModelError> {
        Ok(Arc::new(self.clone()))
    }

    async fn default_llm(&self, _: TenantId) -> Result<Arc<dyn LlmModel>, ModelError> {
        Ok(Arc::new(self.clone()))
    }
}

/// Everything that is not a model: knows one fact, one annotation and one variable, and has a tool that repeats what it
/// is given. Keeps what was thought.
#[derive(Default)]
pub struct World {
    pub thoughts: Arc<Mutex<Vec<Thought>>>,
}

#[async_trait]
impl Retriever for World {
    async fn bases(&self, _: &RunContext, ids: &[String]) -> Vec<KnowledgeBase> {
        let base = |id: &String| KnowledgeBase {
            id: id.clone(),
            name: "Facts".into(),
            description: String::new(),
        };
        ids.iter().map(base).collect()
    }

    async fn retrieve(&self, retrieval: Retrieval<'_>) -> Result<Retrieved, RunError> {
        let source =
            |segment: &str| json!({"dataset_id": "d", "document_id": "1", "segment_id": segment});
        Ok(Retrieved {
            context: Some(format!("fact about {}", retrieval.query)),
            sources: vec![source("a"), source("b")],
            files: Vec::new(),
        })
    }
}

#[async_trait]
impl AnnotationMatcher for World {
    async fn find(&self, _: &RunContext, query: &str) -> Option<AnnotationMatch> {
        (query == "known")
            .then(|| AnnotationMatch { reply: json!({"id": "a"}), answer: "noted".into() })
    }
}

#[async_trait]
impl Moderator for World {
    async fn check_input(
        &self,
        _: &RunContext,
        _: &Moderation,
        inputs: &Map<String, Value>,
        query: &str,
    ) -> Result<InputVerdict, RunError> {
        Ok(InputVerdict::Overridden { inputs: inputs.clone(), query: query.replace("bad", "***") })
    }

    async fn check_output(
        &self,
        _: &RunContext,
        _: &Moderation,
        text: &str,
    ) -> Result<OutputVerdict, RunError> {
        Ok(if text.contains("bad") {
            OutputVerdict::Overridden(text.replace("bad", "***"))
        } else {
            OutputVerdict::Clean
        })
    }
}

#[async_trait]
impl ExternalData for World {
    async fn fetch(
        &self,
        _: &RunContext,
        variable: &ExternalVariable,
        _: &Map<String, Value>,
        _: &str,
    ) -> Result<String, RunError> {
        Ok(format!("<{}>", variable.name))
    }
}

#[async_trait]
impl FileStore for World {
    async fn part(
        &self,
        _: TenantId,
        file: &File,
        _: ImageDetail,
    ) -> Result<ContentPart, RunError> {
        Ok(ContentPart::text(format!("[{}]", file.filename.clone().unwrap_or_default())))
    }

    async fn keep(&self, _: &RunContext, _: &ContentPart) -> Option<KeptFile> {
        None
    }

    async fn attach(&self, _: &RunContext, made: &MadeFile) -> Option<KeptFile> {
        let event = MessageFile {
            id: "kept".into(),
            r#type: "image".into(),
            belongs_to: "assistant".into(),
            url: made.path.clone(),
        };
        Some(KeptFile { event, listed: json!(made.path) })
    }
}

/// Repeats its arguments, and makes a picture if asked to.
struct Echo;

#[async_trait]
impl Tool for Echo {
    fn declaration(&self) -> PromptTool {
        let parameters =
            json!({"type": "object", "properties": {"text": {"type": "string"}, "picture": {}}});
        PromptTool { name: "echo".into(), description: "Repeats.".into(), parameters }
    }

    async fn call(&self, _: &RunContext, mut arguments: Map<String, Value>) -> ToolAnswer {
        let text = arguments.get("text").and_then(Value::as_str).unwrap_or_default().to_owned();
        if text == "hang" {
            std::future::pending::<()>().await;
        }
        let made = MadeFile { id: types::ToolFileId::random(), path: "/p.png".into() };
        let files = if arguments.contains_key("picture") { vec![made] } else { Vec::new() };
        arguments.insert("loud".into(), true.into());
        let meta = json!({"time_cost": 0.5, "error": null, "tool_config": {"tool_name": "echo"}});
        ToolAnswer { text: text.to_uppercase(), files, arguments, meta }
    }
}

#[async_trait]
impl Toolbox for World {
    async fn open(&self, _: &RunContext, choice: &ToolChoice) -> Option<Arc<dyn Tool>> {
        (choice.tool_name == "echo").then(|| Arc::new(Echo) as Arc<dyn Tool>)
    }

    fn label(&self, tool: &str) -> Option<Value> {
        (tool == "echo").then(|| json!({"en_US": "Echo"}))
    }
}

#[async_trait]
impl ThoughtStore for World {
    async fn save(&self, _: &RunContext, thought: &Thought) {
        let mut thoughts = self.thoughts.lock().unwrap();
        match thoughts.iter_mut().find(|known| known.id == thought.id) {
            Some(known) => *known = thought.clone(),
            None => thoughts.push(thought.clone()),
        }
    }
}

#[async_trait]
impl Speaker for World {
    async fn voice(&self, _: TenantId, wanted: &str, _: Option<&str>) -> Result<String, RunError> {
        Ok(wanted.to_owned())
    }

    async fn speak(&self, _: TenantId, _: &str, text: &str) -> Result<AudioStream, RunError> {
        let sound = bytes::Bytes::from(text.to_uppercase());
        Ok(futures::stream::iter([Ok(sound)]).boxed())
    }
}

/// The ports of a world with this model.
pub fn ports(model: &Model) -> Ports {
    ports_of(model, World::default())
}

/// The ports of this world.
pub fn ports_of(model: &Model, world: World) -> Ports {
    let world = Arc::new(world);
    Ports {
        models: Arc::new(model.clone()),
        retriever: world.clone(),
        annotations: world.clone(),
        moderator: world.clone(),
        external_data: world.clone(),
        files: world.clone(),
        speaker: world.clone(),
        tools: world.clone(),
        thoughts: world,
    }
}

/// A question to an app of this configuration.
pub fn job(model: &Model, mode: Mode, config: &Value, query: &str) -> Job {
    Job {
        context: RunContext {
            tenant: TenantId::random(),
            app: AppId::random(),
            conversation: ConversationId::random(),
            message: MessageId::random(),
            user: Caller::Account(AccountId::random()),
            invoke_from: InvokeFrom::Debugger,
        },
        mode,
        config: Arc::new(Config::read(config.as_object().unwrap()).unwrap()),
        model: Arc::new(model.clone()),
        inputs: Map::new(),
        query: query.to_owned(),
        files: Vec::new(),
        history: Some(Vec::new()),
        stream: true,
        moderation_step: 1,
        time_limit: Duration::from_secs(60),
    }
}
