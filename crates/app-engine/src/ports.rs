//! What runs need from the world: models, knowledge, files, speech. Services implement these traits, tests fake them.

use std::sync::Arc;

use async_trait::async_trait;
use graph::file::File;
use model_runtime::{AudioStream, ContentPart, ImageDetail, PromptTool};
use serde_json::{Map, Value};
use types::{AppId, ConversationId, MessageId, TenantId, ToolFileId};

use crate::event::RunError;

pub use model_runtime::source::{LlmCall, LlmModel, ModelError, ModelSource};

/// Whose run it is, for ports that record or pay.
#[derive(Debug, Clone)]
pub struct RunContext {
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// The conversation.
    pub conversation: ConversationId,
    /// The message that is being answered.
    pub message: MessageId,
    /// Account or end user.
    pub user: crate::basic::Caller,
    /// Where the call came in.
    pub invoke_from: crate::basic::InvokeFrom,
}

/// What to look up in knowledge bases.
pub struct Retrieval<'a> {
    /// Whose run it is.
    pub run: &'a RunContext,
    /// Which knowledge bases, and how.
    pub datasets: &'a crate::basic::config::Datasets,
    /// The question.
    pub query: &'a str,
    /// Values of the form, for metadata filters.
    pub inputs: &'a Map<String, Value>,
    /// The model of the app, which may choose a knowledge base.
    pub model: &'a Arc<dyn LlmModel>,
    /// Parameters of the app's model.
    pub parameters: &'a Map<String, Value>,
    /// Whether pictures of segments are wanted.
    pub vision: bool,
    /// Whether sources are shown.
    pub with_sources: bool,
}

/// What knowledge bases say.
#[derive(Debug, Clone, Default)]
pub struct Retrieved {
    /// Text for the prompt; `None` when nothing was looked up.
    pub context: Option<String>,
    /// Sources as `message_end` shows them, without `position`.
    pub sources: Vec<Value>,
    /// Pictures of segments.
    pub files: Vec<File>,
}

/// A knowledge base, as agents are told of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnowledgeBase {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is about; may be empty.
    pub description: String,
}

/// Looks things up in knowledge bases.
#[async_trait]
pub trait Retriever: Send + Sync {
    /// Those of `ids` that can be asked, for agents that choose among them. A server without knowledge has none.
    async fn bases(&self, run: &RunContext, ids: &[String]) -> Vec<KnowledgeBase>;

    /// What the knowledge bases of a basic app say about a question.
    async fn retrieve(&self, retrieval: Retrieval<'_>) -> Result<Retrieved, RunError>;
}

/// An annotation that answers a question.
#[derive(Debug, Clone)]
pub struct AnnotationMatch {
    /// `annotation_reply` as clients see it.
    pub reply: Value,
    /// The answer.
    pub answer: String,
}

/// Finds annotations.
#[async_trait]
pub trait AnnotationMatcher: Send + Sync {
    /// The annotation that answers `query`, if the app replies with annotations and one is near enough. The hit is
    /// counted. Faults are logged by the implementation and are no match.
    async fn find(&self, run: &RunContext, query: &str) -> Option<AnnotationMatch>;
}

/// What moderation says of the inputs.
#[derive(Debug, Clone, PartialEq)]
pub enum InputVerdict {
    /// Nothing was found.
    Clean,
    /// The preset answer stands in for the model's.
    Preset(String),
    /// Inputs and query go on in another form.
    Overridden {
        /// Values of the form.
        inputs: Map<String, Value>,
        /// The question.
        query: String,
    },
}

/// What moderation says of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OutputVerdict {
    /// Nothing was found.
    Clean,
    /// The preset answer stands in for it and the model need not go on.
    Preset(String),
    /// The text goes on in another form.
    Overridden(String),
}

/// Moderation that asks somebody else: a moderation model, or an extension of the workspace.
#[async_trait]
pub trait Moderator: Send + Sync {
    /// Judges form values and question.
    async fn check_input(
        &self,
        run: &RunContext,
        rule: &crate::basic::config::Moderation,
        inputs: &Map<String, Value>,
        query: &str,
    ) -> Result<InputVerdict, RunError>;

    /// Judges an answer.
    async fn check_output(
        &self,
        run: &RunContext,
        rule: &crate::basic::config::Moderation,
        text: &str,
    ) -> Result<OutputVerdict, RunError>;
}

/// Fills variables from elsewhere.
#[async_trait]
pub trait ExternalData: Send + Sync {
    /// The value of a variable.
    async fn fetch(
        &self,
        run: &RunContext,
        variable: &crate::basic::config::ExternalVariable,
        inputs: &Map<String, Value>,
        query: &str,
    ) -> Result<String, RunError>;
}

/// Hands out files for prompts and keeps what models make.
#[async_trait]
pub trait FileStore: Send + Sync {
    /// A file as a part of a prompt: base64 or a signed address, as the installation is set up.
    async fn part(
        &self,
        tenant: TenantId,
        file: &File,
        detail: ImageDetail,
    ) -> Result<ContentPart, RunError>;

    /// Keeps a picture a model made with the message. `None` (logged) when that failed.
    async fn keep(&self, run: &RunContext, part: &ContentPart) -> Option<KeptFile>;

    /// Makes a file of a tool one of the message's. `None` (logged) when that failed.
    async fn attach(&self, run: &RunContext, made: &MadeFile) -> Option<KeptFile>;
}

/// A file a tool made, kept already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeFile {
    /// Where it is kept.
    pub id: ToolFileId,
    /// Its address within the server, extension included.
    pub path: String,
}

/// A tool an agent may call.
#[async_trait]
pub trait Tool: Send + Sync {
    /// How models see it.
    fn declaration(&self) -> PromptTool;

    /// Calls it. What goes wrong is part of the answer: the model shall read it.
    async fn call(&self, run: &RunContext, arguments: Map<String, Value>) -> ToolAnswer;
}

/// What a tool answered.
#[derive(Debug, Clone, Default)]
pub struct ToolAnswer {
    /// What the model reads.
    pub text: String,
    /// Files for the user.
    pub files: Vec<MadeFile>,
    /// What it was given: the model's arguments and those the builder fixed.
    pub arguments: Map<String, Value>,
    /// `time_cost`, `error` and `tool_config`, as thoughts keep them.
    pub meta: Value,
}

/// Opens tools for agents.
#[async_trait]
pub trait Toolbox: Send + Sync {
    /// The tool, ready to be called. `None` (logged) if it is gone or cannot be an agent's: it goes on without.
    async fn open(
        &self,
        run: &RunContext,
        choice: &crate::basic::config::ToolChoice,
    ) -> Option<Arc<dyn Tool>>;

    /// Names for people of a tool that comes with the server, by language.
    fn label(&self, tool: &str) -> Option<Value>;
}

/// Keeps what agents think.
#[async_trait]
pub trait ThoughtStore: Send + Sync {
    /// Writes a thought as it stands, anew or over what was written of it before. Faults are logged by the
    /// implementation: an answer is not lost with a thought.
    async fn save(&self, run: &RunContext, thought: &crate::basic::agent::Thought);
}

/// A file of a message that the run made.
#[derive(Debug, Clone)]
pub struct KeptFile {
    /// As `message_file` shows it.
    pub event: crate::event::MessageFile,
    /// As `message_end` lists it.
    pub listed: Value,
}

/// Speaks answers.
#[async_trait]
pub trait Speaker: Send + Sync {
    /// The voice that will speak: `wanted` if the default model has it in `language`, else its first one.
    async fn voice(
        &self,
        tenant: TenantId,
        wanted: &str,
        language: Option<&str>,
    ) -> Result<String, RunError>;

    /// A text, spoken by the workspace's default speech model.
    async fn speak(
        &self,
        tenant: TenantId,
        voice: &str,
        text: &str,
    ) -> Result<AudioStream, RunError>;
}

/// The whole world of runs.
#[derive(Clone)]
pub struct Ports {
    /// Models.
    pub models: Arc<dyn ModelSource>,
    /// Knowledge.
    pub retriever: Arc<dyn Retriever>,
    /// Annotations.
    pub annotations: Arc<dyn AnnotationMatcher>,
    /// Moderation beyond keywords.
    pub moderator: Arc<dyn Moderator>,
    /// External data.
    pub external_data: Arc<dyn ExternalData>,
    /// Files.
    pub files: Arc<dyn FileStore>,
    /// Speech.
    pub speaker: Arc<dyn Speaker>,
    /// Tools of agents.
    pub tools: Arc<dyn Toolbox>,
    /// Thoughts of agents.
    pub thoughts: Arc<dyn ThoughtStore>,
}
