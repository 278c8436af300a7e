//! A provider that is spoken to directly, as its declaration says.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use text::tokens::Encoding;

use crate::{
    custom,
    declaration::{Declaration, DeclarationError, ProtocolKind},
    entity::{FetchFrom, ModelSchema, ModelType},
    error::{CredentialsError, InvokeError},
    fill,
    llm::{LlmRequest, LlmStream},
    message::{Content, ContentPart, PromptMessage, PromptTool},
    model::{
        AudioFile, AudioStream, CallContext, EmbeddingInput, Embeddings, Icon, ModelProvider,
        ModelRef, RerankRequest, RerankResult,
    },
    params,
    protocol::{self, Endpoint, Wire},
    provider::{Credentials, ProviderSchema},
    upstream::{Failure, Limits},
};

/// A provider made from its declaration.
pub struct NativeProvider {
    declaration: Declaration,
    schema: ProviderSchema,
    models: Vec<Arc<ModelSchema>>,
    http: net::Http,
    limits: Limits,
}

/// All built-in providers.
///
/// # Errors
/// When a built-in declaration is wrong; a test sees to it that none is.
pub fn built_in(
    http: &net::Http,
    limits: Limits,
) -> Result<Vec<Arc<dyn ModelProvider>>, DeclarationError> {
    let declarations = Declaration::built_in()?;
    let made = declarations.into_iter().map(|declaration| {
        let provider = NativeProvider::new(declaration, http.clone(), limits)?;
        Ok(Arc::new(provider) as Arc<dyn ModelProvider>)
    });
    made.collect()
}

impl NativeProvider {
    /// The provider that a declaration describes.
    ///
    /// # Errors
    /// When the declaration contradicts itself.
    pub fn new(
        declaration: Declaration,
        http: net::Http,
        limits: Limits,
    ) -> Result<Self, DeclarationError> {
        let schema = declaration.checked_schema()?;
        let models = schema.models.iter().cloned().map(Arc::new).collect();
        Ok(Self { declaration, schema, models, http, limits })
    }

    fn declared(&self, kind: ModelType, name: &str) -> Option<Arc<ModelSchema>> {
        self.models.iter().find(|one| one.model_type == kind && one.model == name).cloned()
    }

    fn schema_of(&self, kind: ModelType, model: ModelRef<'_>) -> Option<Arc<ModelSchema>> {
        if let Some(declared) = self.declared(kind, model.model) {
            return Some(declared);
        }
        if !self.declaration.takes_custom_models()
            || !self.schema.supported_model_types.contains(&kind)
        {
            return None;
        }
        let Some(like) = self.declaration.custom_like() else {
            return Some(Arc::new(custom::schema(kind, model.model, model.credentials)));
        };
        let base = self.declared(kind, like)?;
        Some(Arc::new(ModelSchema {
            model: model.model.to_owned(),
            label: model.model.into(),
            fetch_from: FetchFrom::CustomizableModel,
            ..ModelSchema::clone(&base)
        }))
    }

    fn endpoint<'a>(&'a self, model: ModelRef<'a>) -> Result<Endpoint<'a>, InvokeError> {
        Endpoint::new(&self.declaration.protocol, &self.http, self.limits, model)
    }

    fn wire(&self) -> &'static dyn Wire {
        match self.declaration.protocol.kind {
            ProtocolKind::OpenAi => &protocol::openai::OpenAi,
            ProtocolKind::Anthropic => &protocol::anthropic::Anthropic,
            ProtocolKind::Gemini => &protocol::gemini::Gemini,
        }
    }

    fn name(&self) -> &str {
        self.schema.provider.rsplit('/').next().unwrap_or_default()
    }

    fn explained(&self) -> impl Fn(InvokeError) -> InvokeError {
        |error| error.seen_from(self.name())
    }
}

fn encoding(model: &str) -> Encoding {
    let openai = ["gpt-", "o1", "o3", "o4", "text-embedding-", "chatgpt"];
    if openai.iter().any(|start| model.starts_with(start)) {
        Encoding::Cl100k
    } else {
        Encoding::Gpt2
    }
}

#[async_trait]
impl ModelProvider for NativeProvider {
    fn schema(&self) -> &ProviderSchema {
        &self.schema
    }

    async fn icon(&self, _ctx: &CallContext, _name: &str) -> Result<Icon, InvokeError> {
        let icon = &self.declaration.icon;
        let size = if icon.text.chars().count() == 1 { 16 } else { 13 };
        let svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 32 32\"><rect width=\"32\" height=\"32\" \
             rx=\"6\" fill=\"{}\"/><text x=\"16\" y=\"22\" font-size=\"{size}\" text-anchor=\"middle\" \
             fill=\"#fff\" font-family=\"sans-serif\">{}</text></svg>",
            icon.color, icon.text
        );
        Ok(Icon { data: Bytes::from(svg), mime_type: "image/svg+xml".to_owned() })
    }

    async fn check_provider_credentials(
        &self,
        ctx: &CallContext,
        credentials: Credentials,
    ) -> Result<Credentials, CredentialsError> {
        let check = self.declaration.protocol.check_model.as_deref();
        let check = check.and_then(|name| self.models.iter().find(|model| model.model == name));
        let name = check.map_or("", |schema| schema.model.as_str());
        let endpoint = self.endpoint(ModelRef { model: name, credentials: &credentials })?;
        let checked = match check {
            Some(schema) => {
                self.wire().ping(&endpoint, schema.model_type, Some(schema), &ctx.user).await
            }
            None => self.wire().list_models(&endpoint).await,
        };
        checked.map_err(|failure| CredentialsError::Refused(failure.sdk_text()))?;
        Ok(credentials)
    }

    async fn check_model_credentials(
        &self,
        ctx: &CallContext,
        kind: ModelType,
        model: &str,
        credentials: Credentials,
    ) -> Result<Credentials, CredentialsError> {
        let model = ModelRef { model, credentials: &credentials };
        let endpoint = self.endpoint(model)?;
        let schema = self.schema_of(kind, model);
        let checked = self.wire().ping(&endpoint, kind, schema.as_deref(), &ctx.user).await;
        checked.map_err(|failure| {
            CredentialsError::Refused(match failure {
                Failure::Status { status, .. } => {
                    format!("Credentials validation failed with status code {}", status.as_u16())
                }
                other => format!("An error occurred during credentials validation: {other}"),
            })
        })?;
        Ok(credentials)
    }

    async fn model_schema(
        &self,
        _ctx: &CallContext,
        kind: ModelType,
        model: ModelRef<'_>,
    ) -> Result<Option<Arc<ModelSchema>>, InvokeError> {
        Ok(self.schema_of(kind, model))
    }

    async fn invoke_llm(
        &self,
        ctx: &CallContext,
        request: &LlmRequest,
    ) -> Result<LlmStream, InvokeError> {
        let model = ModelRef { model: &request.model, credentials: &request.credentials };
        let schema = self.schema_of(ModelType::Llm, model);
        let parameters = match &schema {
            Some(schema) => params::filter(&schema.parameter_rules, &request.parameters)
                .map_err(|error| InvokeError::Value(error.to_string()))?,
            None => request.parameters.clone(),
        };
        let endpoint = self.endpoint(model)?;
        let call = protocol::LlmCall { request, parameters, schema, user: &ctx.user };
        self.wire().invoke(&endpoint, call).await.map_err(self.explained())
    }

    async fn count_prompt_tokens(
        &self,
        _ctx: &CallContext,
        model: ModelRef<'_>,
        messages: &[PromptMessage],
        tools: &[PromptTool],
    ) -> Result<u64, InvokeError> {
        Ok(prompt_tokens(encoding(model.model), messages, tools))
    }

    async fn embed(
        &self,
        ctx: &CallContext,
        model: ModelRef<'_>,
        texts: &[String],
        input: EmbeddingInput,
    ) -> Result<Embeddings, InvokeError> {
        let schema = self.schema_of(ModelType::TextEmbedding, model);
        let endpoint = self.endpoint(model)?;
        let embedded =
            self.wire().embed(&endpoint, schema.as_deref(), texts, input, &ctx.user).await;
        embedded.map_err(self.explained())
    }

    async fn count_embedding_tokens(
        &self,
        _ctx: &CallContext,
        model: ModelRef<'_>,
        texts: &[String],
    ) -> Result<Vec<u64>, InvokeError> {
        let encoding = encoding(model.model);
        Ok(texts.iter().map(|text| encoding.count(text) as u64).collect())
    }

    async fn rerank(
        &self,
        _ctx: &CallContext,
        model: ModelRef<'_>,
        request: RerankRequest<'_>,
    ) -> Result<RerankResult, InvokeError> {
        if request.documents.is_empty() {
            return Ok(RerankResult { model: model.model.to_owned(), docs: Vec::new() });
        }
        let endpoint = self.endpoint(model)?;
        self.wire().rerank(&endpoint, request).await.map_err(self.explained())
    }

    async fn moderate(
        &self,
        _ctx: &CallContext,
        model: ModelRef<'_>,
        text: &str,
    ) -> Result<bool, InvokeError> {
        let endpoint = self.endpoint(model)?;
        let schema = self.schema_of(ModelType::Moderation, model);
        self.wire().moderate(&endpoint, schema.as_deref(), text).await.map_err(self.explained())
    }

    async fn transcribe(
        &self,
        _ctx: &CallContext,
        model: ModelRef<'_>,
        file: AudioFile,
    ) -> Result<String, InvokeError> {
        let endpoint = self.endpoint(model)?;
        self.wire().transcribe(&endpoint, file).await.map_err(self.explained())
    }

    async fn speak(
        &self,
        _ctx: &CallContext,
        model: ModelRef<'_>,
        text: &str,
        voice: &str,
    ) -> Result<AudioStream, InvokeError> {
        let schema = self.schema_of(ModelType::Tts, model);
        let default = schema.as_deref().and_then(|schema| schema.text("default_voice"));
        let known = schema
            .as_deref()
            .is_some_and(|schema| schema.voices(None).iter().any(|one| one.value == voice));
        let voice = if voice.is_empty() || (!known && default.is_some()) {
            default.or_else(|| fill::text(model.credentials, "voice")).unwrap_or("alloy")
        } else {
            voice
        };
        let endpoint = self.endpoint(model)?;
        self.wire().speak(&endpoint, schema.as_deref(), text, voice).await.map_err(self.explained())
    }
}

/// Tokens of a prompt: its texts, four for each message, a lump for each file.
pub(crate) fn prompt_tokens(
    encoding: Encoding,
    messages: &[PromptMessage],
    tools: &[PromptTool],
) -> u64 {
    let mut total = 3;
    for message in messages {
        total += 4;
        match message.content() {
            Some(Content::Text(text)) => total += encoding.count(text) as u64,
            Some(Content::Parts(parts)) => {
                for part in parts {
                    total += match part {
                        ContentPart::Text { data } => encoding.count(data) as u64,
                        _ => 85,
                    };
                }
            }
            None => {}
        }
        for call in message.tool_calls() {
            total += 4 + encoding.count(&call.function.name) as u64;
            total += encoding.count(&call.function.arguments) as u64;
        }
    }
    for tool in tools {
        total += 8 + encoding.count(&tool.name) as u64 + encoding.count(&tool.description) as u64;
        total += encoding.count(&tool.parameters.to_string()) as u64;
    }
    total
}
