//! A world for tests: one model that answers what it is told to, files in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use graph::{
    File, FileType, Node, NodeConfig, NodeCtx, NodeError, NodeEvents, NodeFactory, NodeOutput,
    Outcome, RandomIds, RunInfo, SystemClock, TransferMethod, UserFrom, VariablePool,
};
use model_runtime::{
    ContentPart, ImageDetail, InvokeError, LlmChunk, LlmStream, Media, ModelSchema, PromptMessage,
    PromptTool, ToolCall, Usage,
    source::{LlmCall, LlmModel, ModelError, ModelSource},
};
use serde_json::{Value as Json, json};
use tokio_util::sync::CancellationToken;
use types::{AppId, TenantId};

use crate::{
    CallingNodes, CodeLimits, Embedded, HttpLimits,
    ports::{Absent, Files, History, NewFile, PortError, Ports},
};

/// What the model is told to answer, and what it was asked.
#[derive(Default)]
pub(crate) struct Script {
    pub(crate) pieces: Vec<&'static str>,
    pub(crate) tool_call: Option<ToolCall>,
    pub(crate) error: Option<InvokeError>,
    pub(crate) features: Vec<&'static str>,
    pub(crate) asked: Mutex<Vec<LlmCall>>,
    pub(crate) history: Vec<PromptMessage>,
    pub(crate) kept: Mutex<Vec<NewFile>>,
}

struct Model {
    script: Arc<Script>,
    schema: ModelSchema,
}

#[async_trait]
impl LlmModel for Model {
    fn provider(&self) -> &str {
        "langgenius/openai/openai"
    }

    fn schema(&self) -> &ModelSchema {
        &self.schema
    }

    async fn invoke(&self, call: LlmCall) -> Result<LlmStream, InvokeError> {
        self.script.asked.lock().unwrap().push(call);
        if let Some(error) = &self.script.error {
            return Err(error.clone());
        }
        let mut chunks: Vec<LlmChunk> = self
            .script
            .pieces
            .iter()
            .map(|piece| LlmChunk { text: (*piece).to_owned(), ..LlmChunk::default() })
            .collect();
        chunks.push(LlmChunk {
            usage: Some(Usage { prompt_tokens: 2, total_tokens: 3, ..Usage::empty() }),
            finish_reason: Some("stop".to_owned()),
            tool_calls: self.script.tool_call.clone().into_iter().collect(),
            ..LlmChunk::default()
        });
        Ok(futures::stream::iter(chunks.into_iter().map(Ok)).boxed())
    }

    async fn count_tokens(
        &self,
        messages: &[PromptMessage],
        _: &[PromptTool],
    ) -> Result<u64, InvokeError> {
        Ok(messages.iter().map(|message| message.text().len() as u64).sum())
    }
}

struct World(Arc<Script>);

#[async_trait]
impl ModelSource for World {
    async fn llm(
        &self,
        _: TenantId,
        _: &str,
        model: &str,
    ) -> Result<Arc<dyn LlmModel>, ModelError> {
        if model != "m" {
            return Err(ModelError::Unknown(format!("Model {model} not exist.")));
        }
        let schema = json!({"model": "m", "label": {"en_US": "m"}, "model_type": "llm",
            "features": self.0.features, "fetch_from": "predefined-model",
            "model_properties": {"mode": "chat"}, "parameter_rules": []});
        let schema = serde_json::from_value(schema).unwrap();
        Ok(Arc::new(Model { script: Arc::clone(&self.0), schema }))
    }

    async fn default_llm(&self, tenant: TenantId) -> Result<Arc<dyn LlmModel>, ModelError> {
        self.llm(tenant, "", "m").await
    }
}

#[async_trait]
impl History for World {
    async fn messages(
        &self,
        _: &RunInfo,
        _: &str,
        _: usize,
    ) -> Result<Option<Vec<PromptMessage>>, PortError> {
        Ok(Some(self.0.history.clone()))
    }
}

#[async_trait]
impl Files for World {
    async fn part(
        &self,
        _: TenantId,
        _: &File,
        detail: ImageDetail,
    ) -> Result<ContentPart, PortError> {
        let media = Media { url: "http://files/a.png".to_owned(), ..Media::default() };
        Ok(ContentPart::Image { media, detail })
    }

    async fn read(&self, _: TenantId, file: &File) -> Result<Bytes, PortError> {
        Ok(Bytes::from(file.related_id.clone().unwrap_or_default()))
    }

    async fn keep(&self, _: &RunInfo, new: NewFile) -> Result<File, PortError> {
        self.0.kept.lock().unwrap().push(new);
        Ok(file("made.bin", "made"))
    }

    async fn of_segment(&self, _: TenantId, _: &str) -> Result<Vec<File>, PortError> {
        Ok(Vec::new())
    }
}

/// A file with a name and content.
pub(crate) fn file(name: &str, content: &str) -> File {
    File {
        id: None,
        tenant_id: String::new(),
        r#type: FileType::Document,
        transfer_method: TransferMethod::LocalFile,
        remote_url: None,
        related_id: Some(content.to_owned()),
        filename: Some(name.to_owned()),
        extension: name.rsplit_once('.').map(|(_, end)| format!(".{end}")),
        mime_type: Some("text/plain".to_owned()),
        size: 1,
    }
}

/// Runs a node of `data` alone; its outcome and the text it streamed.
pub(crate) async fn run(
    script: &Arc<Script>,
    kind: &str,
    data: Json,
    pool: VariablePool,
) -> (Result<NodeOutput, NodeError>, String) {
    run_in(world(script), kind, data, pool).await
}

/// The same in a world of the test's own.
pub(crate) async fn run_in(
    ports: Ports,
    kind: &str,
    data: Json,
    pool: VariablePool,
) -> (Result<NodeOutput, NodeError>, String) {
    let node = build(ports, kind, data);
    let (events, mut receiver) = NodeEvents::channel(256);
    let ctx = NodeCtx {
        node_id: Arc::from("n"),
        title: Arc::from("n"),
        execution_id: Arc::from("e"),
        attempt: 0,
        pool: Arc::new(pool),
        run: Arc::new(RunInfo {
            tenant_id: TenantId::random(),
            app_id: AppId::random(),
            user_id: "u".to_owned(),
            user_from: UserFrom::EndUser,
            invoke_from: graph::InvokeFrom::ServiceApi,
            workflow_id: String::new(),
            workflow_run_id: String::new(),
            call_depth: 0,
        }),
        events,
        cancel: CancellationToken::new(),
        clock: Arc::new(SystemClock),
        ids: Arc::new(RandomIds),
    };
    let outcome = node.run(&ctx).await.map(|outcome| match outcome {
        Outcome::Done(output) => *output,
        Outcome::Pause(_) => panic!("no pause"),
    });
    drop(ctx);
    let mut text = String::new();
    while let Ok((_, event)) = receiver.try_recv() {
        if let graph::NodeEvent::Chunk { text: piece, .. } = event {
            text.push_str(&piece);
        }
    }
    (outcome, text)
}

/// A world with that model.
pub(crate) fn world(script: &Arc<Script>) -> Ports {
    let world = Arc::new(World(Arc::clone(script)));
    let absent = Arc::new(Absent);
    Ports {
        models: world.clone(),
        history: world.clone(),
        files: world,
        tools: absent.clone(),
        agents: absent.clone(),
        retrieval: absent.clone(),
        datasources: absent,
        code: Arc::new(Embedded::default()),
        code_limits: CodeLimits::default(),
        http: net::Http::new(net::HttpOptions::default()).unwrap(),
        http_limits: HttpLimits::default(),
    }
}

fn build(ports: Ports, kind: &str, data: Json) -> Arc<dyn Node> {
    let Json::Object(data) = data else { panic!("data is an object") };
    let config = NodeConfig {
        id: Arc::from("n"),
        node_type: Arc::from(kind),
        version: Arc::from("1"),
        title: Arc::from("n"),
        data,
    };
    CallingNodes::new(Arc::new(ports)).create(&config).unwrap().unwrap()
}

/// Named outputs as JSON.
pub(crate) fn outputs(output: &NodeOutput) -> Json {
    let entries = output.outputs.iter();
    entries.map(|(name, it)| (name.clone(), it.value.to_json(&graph::NoUrls))).collect()
}
