//! The trait every source of models implements, native protocols and the plugin daemon alike.

use std::{pin::Pin, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use futures::Stream;
use serde::{Deserialize, Serialize};
use types::TenantId;

use crate::{
    entity::{ModelSchema, ModelType, Voice},
    error::{CredentialsError, InvokeError},
    llm::{LlmRequest, LlmStream},
    message::{ContentPart, PromptMessage, PromptTool},
    provider::{Credentials, ProviderSchema},
    usage::EmbeddingUsage,
};

/// On whose behalf a call is made.
#[derive(Debug, Clone)]
pub struct CallContext {
    /// The workspace.
    pub tenant: TenantId,
    /// The user as the provider may know them; `unknown` if nobody in particular.
    pub user: String,
}

impl CallContext {
    /// A call for nobody in particular.
    #[must_use]
    pub fn new(tenant: TenantId) -> Self {
        Self { tenant, user: "unknown".to_owned() }
    }

    /// A call for a user.
    pub fn for_user(tenant: TenantId, user: impl Into<String>) -> Self {
        Self { tenant, user: user.into() }
    }
}

/// The model to call and the credentials to call it with.
#[derive(Debug, Clone, Copy)]
pub struct ModelRef<'a> {
    /// The model's id at the provider.
    pub model: &'a str,
    /// Decrypted credentials.
    pub credentials: &'a Credentials,
}

/// What vectors are for; some models make others for questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EmbeddingInput {
    /// Texts to be found.
    #[default]
    Document,
    /// A text to find others with.
    Query,
}

/// Vectors in the order of the texts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Embeddings {
    /// The model.
    pub model: String,
    /// One vector a text.
    pub embeddings: Vec<Vec<f32>>,
    /// What it cost.
    pub usage: EmbeddingUsage,
}

/// Documents to order by how well they answer a query.
#[derive(Debug, Clone, Copy)]
pub struct RerankRequest<'a> {
    /// The question.
    pub query: &'a str,
    /// The documents.
    pub documents: &'a [String],
    /// Documents below this are left out.
    pub score_threshold: Option<f64>,
    /// At most so many.
    pub top_n: Option<u32>,
}

/// Documents, best first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RerankResult {
    /// The model.
    pub model: String,
    /// The documents.
    pub docs: Vec<RerankDocument>,
}

/// A scored document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RerankDocument {
    /// Position in the request.
    pub index: usize,
    /// The document.
    pub text: String,
    /// Usually between 0 and 1.
    pub score: f64,
}

/// Sound to transcribe.
#[derive(Debug, Clone)]
pub struct AudioFile {
    /// Name with an extension that tells the format.
    pub filename: String,
    /// Content type.
    pub mime_type: String,
    /// The file.
    pub data: Bytes,
}

/// Pieces of a sound file. Dropping it closes the connection to the provider.
pub type AudioStream = Pin<Box<dyn Stream<Item = Result<Bytes, InvokeError>> + Send>>;

/// A picture for the console.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// The file.
    pub data: Bytes,
    /// Content type.
    pub mime_type: String,
}

/// A provider of models. What it does not implement fails with [`InvokeError::Value`].
#[async_trait]
pub trait ModelProvider: Send + Sync {
    /// Its declaration; `provider` is the full id.
    fn schema(&self) -> &ProviderSchema;

    /// The file an icon name of the declaration stands for.
    ///
    /// # Errors
    /// When there is no such file or its keeper is not reached.
    async fn icon(&self, ctx: &CallContext, name: &str) -> Result<Icon, InvokeError>;

    /// Checks credentials that fit the provider's form with the provider itself. The answer is what to store.
    ///
    /// # Errors
    /// [`CredentialsError::Refused`] with the provider's words.
    async fn check_provider_credentials(
        &self,
        ctx: &CallContext,
        credentials: Credentials,
    ) -> Result<Credentials, CredentialsError>;

    /// Checks credentials that fit the form of added models by a small call. The answer is what to store.
    ///
    /// # Errors
    /// [`CredentialsError::Refused`] with the provider's words.
    async fn check_model_credentials(
        &self,
        ctx: &CallContext,
        kind: ModelType,
        model: &str,
        credentials: Credentials,
    ) -> Result<Credentials, CredentialsError>;

    /// The declared model, or what the credentials say of an added one. `None`: there is no such model.
    ///
    /// # Errors
    /// When the schema comes from elsewhere and that fails.
    async fn model_schema(
        &self,
        ctx: &CallContext,
        kind: ModelType,
        model: ModelRef<'_>,
    ) -> Result<Option<Arc<ModelSchema>>, InvokeError>;

    /// Calls a chat or completion model. Resolves when the provider has accepted the call.
    ///
    /// # Errors
    /// What the provider answers instead.
    async fn invoke_llm(
        &self,
        _ctx: &CallContext,
        _request: &LlmRequest,
    ) -> Result<LlmStream, InvokeError> {
        Err(self.unsupported(ModelType::Llm))
    }

    /// Tokens that a prompt takes, estimated where the provider does not tell.
    ///
    /// # Errors
    /// When the provider is asked and fails.
    async fn count_prompt_tokens(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        _messages: &[PromptMessage],
        _tools: &[PromptTool],
    ) -> Result<u64, InvokeError> {
        Ok(0)
    }

    /// Vectors of texts. At most [`ModelSchema::max_chunks`] texts a call.
    ///
    /// # Errors
    /// What the provider answers instead.
    async fn embed(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        _texts: &[String],
        _input: EmbeddingInput,
    ) -> Result<Embeddings, InvokeError> {
        Err(self.unsupported(ModelType::TextEmbedding))
    }

    /// Vectors of texts and pictures.
    ///
    /// # Errors
    /// What the provider answers instead.
    async fn embed_multimodal(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        _documents: &[ContentPart],
        _input: EmbeddingInput,
    ) -> Result<Embeddings, InvokeError> {
        Err(self.unsupported(ModelType::TextEmbedding))
    }

    /// Tokens of each text.
    ///
    /// # Errors
    /// When the provider is asked and fails.
    async fn count_embedding_tokens(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        texts: &[String],
    ) -> Result<Vec<u64>, InvokeError> {
        Ok(texts.iter().map(|_| 0).collect())
    }

    /// Orders documents by how well they answer a query.
    ///
    /// # Errors
    /// What the provider answers instead.
    async fn rerank(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        _request: RerankRequest<'_>,
    ) -> Result<RerankResult, InvokeError> {
        Err(self.unsupported(ModelType::Rerank))
    }

    /// Orders texts and pictures by how well they answer a query.
    ///
    /// # Errors
    /// What the provider answers instead.
    async fn rerank_multimodal(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        _query: &ContentPart,
        _documents: &[ContentPart],
        _limits: RerankLimits,
    ) -> Result<RerankResult, InvokeError> {
        Err(self.unsupported(ModelType::Rerank))
    }

    /// Whether a text is unwanted.
    ///
    /// # Errors
    /// What the provider answers instead.
    async fn moderate(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        _text: &str,
    ) -> Result<bool, InvokeError> {
        Err(self.unsupported(ModelType::Moderation))
    }

    /// The words spoken in a sound file.
    ///
    /// # Errors
    /// What the provider answers instead.
    async fn transcribe(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        _file: AudioFile,
    ) -> Result<String, InvokeError> {
        Err(self.unsupported(ModelType::Speech2text))
    }

    /// A text, spoken.
    ///
    /// # Errors
    /// What the provider answers instead.
    async fn speak(
        &self,
        _ctx: &CallContext,
        _model: ModelRef<'_>,
        _text: &str,
        _voice: &str,
    ) -> Result<AudioStream, InvokeError> {
        Err(self.unsupported(ModelType::Tts))
    }

    /// The voices of a speech model that speak a language, or all of them.
    ///
    /// # Errors
    /// When they come from elsewhere and that fails.
    async fn voices(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        language: Option<&str>,
    ) -> Result<Vec<Voice>, InvokeError> {
        let schema = self.model_schema(ctx, ModelType::Tts, model).await?;
        Ok(schema.map(|schema| schema.voices(language)).unwrap_or_default())
    }

    /// The error of a call that this provider has no models for.
    fn unsupported(&self, kind: ModelType) -> InvokeError {
        InvokeError::Value(format!("Provider {} has no {kind} models", self.schema().provider))
    }
}

/// How much of a reranking to give.
#[derive(Debug, Clone, Copy, Default)]
pub struct RerankLimits {
    /// Documents below this are left out.
    pub score_threshold: Option<f64>,
    /// At most so many.
    pub top_n: Option<u32>,
}
