//! A provider of models in a plugin.

use boxed::boxed;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::Arc,
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use model_runtime::{
    AudioFile, AudioStream, CallContext, ContentPart, Credentials, CredentialsError,
    EmbeddingInput, Embeddings, Icon, InvokeError, LlmRequest, LlmStream, ModelProvider, ModelRef,
    ModelSchema, ModelType, PromptMessage, PromptTool, ProviderId, ProviderSchema, RerankLimits,
    RerankRequest, RerankResult, Voice, WireChunk,
};
use moka::future::Cache;
use serde::Deserialize;
use serde_json::{Value, json};
use types::TenantId;

use crate::{
    client::{Daemon, Dispatch},
    entity::or_default,
    error::DaemonError,
    tool::YesNo,
};

/// An installed provider of models, as the daemon lists it.
#[derive(Debug, Clone, Deserialize)]
pub struct ModelProviderRow {
    /// Its plugin.
    pub plugin_id: String,
    /// Its short name.
    pub provider: String,
    /// What it declares.
    pub declaration: ProviderSchema,
}

/// Schemas of models that credentials describe.
#[derive(Clone)]
pub(crate) struct SchemaCache(Cache<(TenantId, u64), Arc<ModelSchema>>);

impl SchemaCache {
    pub fn new(ttl: Duration) -> Self {
        Self(Cache::builder().max_capacity(10_000).time_to_live(ttl).build())
    }
}

/// A provider of models in a plugin.
pub struct PluginProvider {
    daemon: Daemon,
    plugin_id: String,
    /// The name that the plugin knows itself by.
    name: String,
    schema: ProviderSchema,
    schemas: SchemaCache,
}

impl Daemon {
    /// All installed providers of models.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_model_providers(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<ModelProviderRow>, DaemonError> {
        let query = [("page", "1"), ("page_size", "256")];
        self.get(tenant, "management/models", &query).await
    }
}

impl PluginProvider {
    /// A provider of the list.
    pub(crate) fn new(daemon: Daemon, row: ModelProviderRow, schemas: SchemaCache) -> Self {
        let ModelProviderRow { plugin_id, provider, declaration: mut schema } = row;
        schema.provider = format!("{plugin_id}/{}", schema.provider);
        // Listed under the name that short names are completed to.
        if let Ok(id) = ProviderId::model(&schema.provider) {
            schema.provider = id.to_string();
        }
        Self { daemon, plugin_id, name: provider, schema, schemas }
    }

    fn data(&self, kind: ModelType, model: ModelRef<'_>, more: Value) -> Value {
        let mut data = json!({
            "provider": self.name, "model_type": kind, "model": model.model,
            "credentials": model.credentials,
        });
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        data
    }

    fn dispatch<'a>(&'a self, ctx: &CallContext, action: &'a str, data: Value) -> Dispatch<'a> {
        Dispatch::new(ctx.tenant, &self.plugin_id, action, &ctx.user, data)
    }

    /// Asks for one result.
    async fn ask<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        ctx: &CallContext,
        action: &str,
        data: Value,
    ) -> Result<Option<T>, InvokeError> {
        let asked = self.daemon.first(self.dispatch(ctx, action, data)).await;
        asked.map_err(|error| self.seen(error))
    }

    /// Asks for one result that there must be.
    async fn demand<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        ctx: &CallContext,
        action: &str,
        data: Value,
        what: &str,
    ) -> Result<T, InvokeError> {
        let answer = self.ask(ctx, action, data).await?;
        answer.ok_or_else(|| InvokeError::Value(format!("Failed to invoke {what}")))
    }

    fn seen(&self, error: DaemonError) -> InvokeError {
        error.invoke().seen_from(&self.name)
    }

    async fn check(
        &self,
        ctx: &CallContext,
        action: &str,
        data: Value,
        mut credentials: Credentials,
    ) -> Result<Credentials, CredentialsError> {
        let answer = self.daemon.first::<YesNo>(self.dispatch(ctx, action, data)).await;
        let answer = answer.map_err(|error| match error {
            DaemonError::CredentialsRefused(words) => CredentialsError::Refused(words),
            other => CredentialsError::Invoke(other.invoke()),
        })?;
        // Like the reference, only an error refuses credentials.
        if let Some(changed) = answer.and_then(|answer| answer.credentials) {
            credentials.extend(changed);
        }
        Ok(credentials)
    }
}

#[async_trait]
impl ModelProvider for PluginProvider {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    async fn icon(&self, ctx: &CallContext, name: &str) -> Result<Icon, InvokeError> {
        let data = self.daemon.find_asset(ctx.tenant, name).await.map_err(DaemonError::invoke)?;
        let extension = name.rsplit('.').next().unwrap_or_default();
        let mime_type = match extension {
            "jpg" | "jpeg" => "image/jpeg",
            "gif" => "image/gif",
            "bmp" => "image/bmp",
            "tiff" | "tif" => "image/tiff",
            "webp" => "image/webp",
            "svg" => "image/svg+xml",
            "ico" => "image/vnd.microsoft.icon",
            "heif" => "image/heif",
            "heic" => "image/heic",
            _ => "image/png",
        };
        Ok(Icon { data, mime_type: mime_type.to_owned() })
    }

    async fn check_provider_credentials(
        &self,
        ctx: &CallContext,
        credentials: Credentials,
    ) -> Result<Credentials, CredentialsError> {
        let data = json!({"provider": self.name, "credentials": credentials});
        self.check(ctx, "model/validate_provider_credentials", data, credentials).await
    }

    async fn check_model_credentials(
        &self,
        ctx: &CallContext,
        kind: ModelType,
        model: &str,
        credentials: Credentials,
    ) -> Result<Credentials, CredentialsError> {
        let data = self.data(kind, ModelRef { model, credentials: &credentials }, json!({}));
        self.check(ctx, "model/validate_model_credentials", data, credentials).await
    }

    async fn model_schema(
        &self,
        ctx: &CallContext,
        kind: ModelType,
        model: ModelRef<'_>,
    ) -> Result<Option<Arc<ModelSchema>>, InvokeError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            model_schema: Option<ModelSchema>,
        }
        if let Some(declared) = self.schema.model(kind, model.model) {
            return Ok(Some(Arc::new(declared.clone())));
        }
        let mut hasher = DefaultHasher::new();
        (&self.schema.provider, kind, model.model).hash(&mut hasher);
        json!(model.credentials).to_string().hash(&mut hasher);
        let key = (ctx.tenant, hasher.finish());
        if let Some(known) = self.schemas.0.get(&key).await {
            return Ok(Some(known));
        }
        let data = self.data(kind, model, json!({}));
        let answer: Option<Answer> = self.ask(ctx, "model/schema", data).await?;
        let Some(schema) = answer.and_then(|answer| answer.model_schema) else { return Ok(None) };
        let schema = Arc::new(schema.settled());
        self.schemas.0.insert(key, Arc::clone(&schema)).await;
        Ok(Some(schema))
    }

    async fn invoke_llm(
        &self,
        ctx: &CallContext,
        request: &LlmRequest,
    ) -> Result<LlmStream, InvokeError> {
        let model = ModelRef { model: &request.model, credentials: &request.credentials };
        let none_if_empty = |empty: bool, value: Value| if empty { Value::Null } else { value };
        let more = json!({
            "prompt_messages": request.messages, "model_parameters": request.parameters,
            "tools": none_if_empty(request.tools.is_empty(), json!(request.tools)),
            "stop": none_if_empty(request.stop.is_empty(), json!(request.stop)),
            "stream": request.stream,
        });
        let data = self.data(ModelType::Llm, model, more);
        let dispatch = self.dispatch(ctx, "llm/invoke", data);
        let mut chunks =
            self.daemon.stream::<WireChunk>(dispatch).await.map_err(|error| self.seen(error))?;
        // An error that comes at once is one of the call, so that another credential can be tried.
        let first = match chunks.next().await {
            Some(Err(error)) => return Err(self.seen(error)),
            first => first,
        };
        let name = self.name.clone();
        let chunks = futures::stream::iter(first).chain(chunks);
        Ok(Box::pin(chunks.map(move |chunk| {
            chunk.map(Into::into).map_err(|error| error.invoke().seen_from(&name))
        })))
    }

    async fn count_prompt_tokens(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        messages: &[PromptMessage],
        tools: &[PromptTool],
    ) -> Result<u64, InvokeError> {
        #[derive(Deserialize)]
        struct Answer {
            num_tokens: u64,
        }
        let tools = if tools.is_empty() { Value::Null } else { json!(tools) };
        let more = json!({"prompt_messages": messages, "tools": tools});
        let data = self.data(ModelType::Llm, model, more);
        let answer: Option<Answer> = self.ask(ctx, "llm/num_tokens", data).await?;
        Ok(answer.map(|answer| answer.num_tokens).unwrap_or_default())
    }

    async fn embed(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        texts: &[String],
        input: EmbeddingInput,
    ) -> Result<Embeddings, InvokeError> {
        let more = json!({"texts": texts, "input_type": input});
        let data = self.data(ModelType::TextEmbedding, model, more);
        self.demand(ctx, "text_embedding/invoke", data, "text embedding").await
    }

    async fn embed_multimodal(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        documents: &[ContentPart],
        input: EmbeddingInput,
    ) -> Result<Embeddings, InvokeError> {
        let documents: Vec<Value> = documents.iter().map(document).collect();
        let more = json!({"documents": documents, "input_type": input});
        let data = self.data(ModelType::TextEmbedding, model, more);
        self.demand(ctx, "multimodal_embedding/invoke", data, "file embedding").await
    }

    async fn count_embedding_tokens(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        texts: &[String],
    ) -> Result<Vec<u64>, InvokeError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(deserialize_with = "or_default")]
            num_tokens: Vec<u64>,
        }
        let data = self.data(ModelType::TextEmbedding, model, json!({ "texts": texts }));
        let answer: Option<Answer> = self.ask(ctx, "text_embedding/num_tokens", data).await?;
        Ok(answer.map(|answer| answer.num_tokens).unwrap_or_default())
    }

    async fn rerank(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        request: RerankRequest<'_>,
    ) -> Result<RerankResult, InvokeError> {
        let more = json!({
            "query": request.query, "docs": request.documents,
            "score_threshold": request.score_threshold, "top_n": request.top_n,
        });
        let data = self.data(ModelType::Rerank, model, more);
        self.demand(ctx, "rerank/invoke", data, "rerank").await
    }

    async fn rerank_multimodal(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        query: &ContentPart,
        documents: &[ContentPart],
        limits: RerankLimits,
    ) -> Result<RerankResult, InvokeError> {
        let documents: Vec<Value> = documents.iter().map(document).collect();
        let more = json!({
            "query": document(query), "docs": documents,
            "score_threshold": limits.score_threshold, "top_n": limits.top_n,
        });
        let data = self.data(ModelType::Rerank, model, more);
        self.demand(ctx, "multimodal_rerank/invoke", data, "multimodal rerank").await
    }

    async fn moderate(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        text: &str,
    ) -> Result<bool, InvokeError> {
        let data = self.data(ModelType::Moderation, model, json!({ "text": text }));
        let answer: YesNo = self.demand(ctx, "moderation/invoke", data, "moderation").await?;
        Ok(answer.result)
    }

    async fn transcribe(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        file: AudioFile,
    ) -> Result<String, InvokeError> {
        let more = json!({ "file": hex::encode(&file.data) });
        let data = self.data(ModelType::Speech2text, model, more);
        let answer: Text = self.demand(ctx, "speech2text/invoke", data, "speech to text").await?;
        Ok(answer.result)
    }

    async fn speak(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        text: &str,
        voice: &str,
    ) -> Result<AudioStream, InvokeError> {
        let more = json!({"tenant_id": ctx.tenant, "content_text": text, "voice": voice});
        let data = self.data(ModelType::Tts, model, more);
        let dispatch = self.dispatch(ctx, "tts/invoke", data);
        let pieces =
            self.daemon.stream::<Text>(dispatch).await.map_err(|error| self.seen(error))?;
        let name = self.name.clone();
        Ok(Box::pin(pieces.map(move |piece| {
            let piece = piece.map_err(|error| error.invoke().seen_from(&name))?;
            hex::decode(&piece.result)
                .map(Bytes::from)
                .map_err(|_| InvokeError::Value("The sound is not hexadecimal".to_owned()))
        })))
    }

    async fn voices(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        language: Option<&str>,
    ) -> Result<Vec<Voice>, InvokeError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(deserialize_with = "or_default")]
            voices: Vec<Voice>,
        }
        let data = self.data(ModelType::Tts, model, json!({ "language": language }));
        let answer: Option<Answer> = self.ask(ctx, "tts/model/voices", data).await?;
        Ok(answer.map(|answer| answer.voices).unwrap_or_default())
    }
}

#[derive(Debug, Deserialize)]
struct Text {
    result: String,
}

/// A document as multimodal models of plugins take it.
fn document(part: &ContentPart) -> Value {
    match part {
        ContentPart::Text { data } => json!({"content": data, "content_type": "text"}),
        ContentPart::Image { media, .. } => {
            json!({"content": media.base64_data, "content_type": "image"})
        }
        ContentPart::Document(media) | ContentPart::Audio(media) | ContentPart::Video(media) => {
            json!({"content": media.base64_data, "content_type": "document"})
        }
    }
}
