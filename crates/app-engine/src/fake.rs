//! A world for tests: a model that says what it is told to, and nothing else.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use futures::StreamExt;
use graph::file::File;
use model_runtime::{
    AudioStream, ContentPart, ImageDetail, InvokeError, LlmChunk, LlmStream, ModelSchema,
    PromptMessage, PromptTool, Usage,
};
use serde_json::{Map, Value, json};
use types::TenantId;

use crate::{
    basic::config::{ExternalVariable, Moderation},
    event::RunError,
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
}

impl Model {
    pub fn saying(words: &[&'static str]) -> Self {
        let schema = json!({"model": "m", "label": {"en_US": "m"}, "model_type": "llm", "fetch_from": "predefined-model",
            "model_properties": {"context_size": 100, "mode": "chat"},
            "parameter_rules": [{"name": "max_tokens", "label": {"en_US": "x"}, "type": "int"}]});
        Self {
            schema: serde_json::from_value(schema).unwrap(),
            words: words.to_vec(),
            then: Then::End,
            calls: Arc::default(),
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
        self.calls.lock().unwrap().push(call);
        let words = self
            .words
            .clone()
            .into_iter()
            .map(|word| Ok(LlmChunk { text: word.to_owned(), ..LlmChunk::default() }));
        let words = futures::stream::iter(words);
        Ok(match self.then.clone() {
            Then::End => {
                let usage = Usage::priced(3, 2, None, std::time::Duration::ZERO);
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

/// Everything that is not a model: knows one fact, one annotation and one variable.
pub struct World;

#[async_trait]
impl Retriever for World {
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
    let world = Arc::new(World);
    Ports {
        models: Arc::new(model.clone()),
        retriever: world.clone(),
        annotations: world.clone(),
        moderator: world.clone(),
        external_data: world.clone(),
        files: world.clone(),
        speaker: world,
    }
}
