//! The languages that providers speak.

pub(crate) mod anthropic;
pub(crate) mod gemini;
pub(crate) mod openai;

use std::sync::Arc;

use async_trait::async_trait;
use http::Method;
use net::Call;
use serde_json::{Map, Value};

use crate::{
    declaration::{ErrorWords, Protocol},
    entity::{ModelSchema, ModelType},
    error::InvokeError,
    fill,
    llm::{LlmChunk, LlmRequest, LlmStream},
    model::{
        AudioFile, AudioStream, EmbeddingInput, Embeddings, ModelRef, RerankRequest, RerankResult,
    },
    provider::Credentials,
    upstream::{Failure, Limits},
};

/// A call of a chat model, ready to be put into a provider's words.
pub(crate) struct LlmCall<'a> {
    pub request: &'a LlmRequest,
    /// Fitted to the model's rules.
    pub parameters: Map<String, Value>,
    pub schema: Option<Arc<ModelSchema>>,
    pub user: &'a str,
}

/// A language.
#[async_trait]
pub(crate) trait Wire: Send + Sync {
    /// Asks for something that needs good credentials and costs nothing.
    async fn list_models(&self, endpoint: &Endpoint<'_>) -> Result<(), Failure>;

    /// Makes the smallest call of a model.
    async fn ping(
        &self,
        endpoint: &Endpoint<'_>,
        kind: ModelType,
        schema: Option<&ModelSchema>,
        user: &str,
    ) -> Result<(), Failure>;

    async fn invoke(
        &self,
        endpoint: &Endpoint<'_>,
        call: LlmCall<'_>,
    ) -> Result<LlmStream, InvokeError>;

    async fn embed(
        &self,
        endpoint: &Endpoint<'_>,
        schema: Option<&ModelSchema>,
        texts: &[String],
        input: EmbeddingInput,
        user: &str,
    ) -> Result<Embeddings, InvokeError>;

    async fn rerank(
        &self,
        _endpoint: &Endpoint<'_>,
        _request: RerankRequest<'_>,
    ) -> Result<RerankResult, InvokeError> {
        Err(not_spoken("rerank"))
    }

    async fn moderate(
        &self,
        _endpoint: &Endpoint<'_>,
        _schema: Option<&ModelSchema>,
        _text: &str,
    ) -> Result<bool, InvokeError> {
        Err(not_spoken("moderation"))
    }

    async fn transcribe(
        &self,
        _endpoint: &Endpoint<'_>,
        _file: AudioFile,
    ) -> Result<String, InvokeError> {
        Err(not_spoken("speech2text"))
    }

    async fn speak(
        &self,
        _endpoint: &Endpoint<'_>,
        _schema: Option<&ModelSchema>,
        _text: &str,
        _voice: &str,
    ) -> Result<AudioStream, InvokeError> {
        Err(not_spoken("tts"))
    }
}

pub(crate) fn not_spoken(kind: &str) -> InvokeError {
    InvokeError::Value(format!("The provider has no {kind} models"))
}

/// Where to call and with what, for one model.
pub(crate) struct Endpoint<'a> {
    pub protocol: &'a Protocol,
    pub limits: Limits,
    /// The model as the workspace calls it.
    pub model: &'a str,
    /// The model as the provider calls it.
    pub remote: String,
    http: &'a net::Http,
    credentials: &'a Credentials,
    base: String,
}

impl<'a> Endpoint<'a> {
    pub fn new(
        protocol: &'a Protocol,
        http: &'a net::Http,
        limits: Limits,
        model: ModelRef<'a>,
    ) -> Result<Self, InvokeError> {
        let ModelRef { model, credentials } = model;
        let base = fill::fill(&protocol.base_url, model, credentials).ok_or_else(|| {
            InvokeError::Value("The credentials lack the address of the model server".to_owned())
        })?;
        let mut base = base.trim_end_matches('/').to_owned();
        if let Some(version) = &protocol.version
            && !ends_in_version(&base)
        {
            base.push('/');
            base.push_str(version);
        }
        let remote =
            fill::fill(&protocol.model, model, credentials).unwrap_or_else(|| model.to_owned());
        Ok(Self { protocol, limits, model, remote, http, credentials, base })
    }

    /// A request of the path that the protocol usually has, or the declaration's own for `name`.
    pub fn request(&self, method: Method, name: &str, usual: &str) -> Call {
        let path = self.protocol.paths.get(name).map_or(usual, String::as_str);
        let path =
            fill::fill(path, &self.remote, self.credentials).unwrap_or_else(|| path.to_owned());
        let url = if path.contains("://") { path } else { format!("{}{path}", self.base) };
        let mut request = self.http.upstream().request(method, url);
        for (header, pattern) in &self.protocol.headers {
            if let Some(value) = fill::fill(pattern, &self.remote, self.credentials) {
                request = request.header(header, value);
            }
        }
        let query: Vec<(&String, String)> = self
            .protocol
            .query
            .iter()
            .filter_map(|(name, pattern)| {
                Some((name, fill::fill(pattern, &self.remote, self.credentials)?))
            })
            .collect();
        if query.is_empty() { request } else { request.query(&query) }
    }

    pub fn post(&self, name: &str, usual: &str, body: &impl serde::Serialize) -> Call {
        self.request(Method::POST, name, usual).json(body)
    }

    /// The error of a model call in the words this provider's plugin uses.
    pub fn error(&self, failure: Failure) -> InvokeError {
        worded(self.protocol.errors, failure)
    }

    pub const fn credentials(&self) -> &Credentials {
        self.credentials
    }
}

pub(crate) fn worded(words: ErrorWords, failure: Failure) -> InvokeError {
    match words {
        ErrorWords::Sdk => failure.invoke(),
        ErrorWords::Raw => failure.invoke_raw(),
    }
}

fn ends_in_version(base: &str) -> bool {
    let last = base.rsplit('/').next().unwrap_or_default();
    last.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Puts the tags around reasoning that the reference's plugins put there.
#[derive(Debug, Default)]
pub(crate) struct Thinking {
    open: bool,
}

impl Thinking {
    /// A chunk of reasoning and text, either of which may be empty. `None` if there is nothing to say.
    pub fn chunk(&mut self, model: &str, reasoning: &str, text: &str) -> Option<LlmChunk> {
        if reasoning.is_empty() && text.is_empty() {
            return None;
        }
        let mut out = String::with_capacity(reasoning.len() + text.len() + 9);
        if !reasoning.is_empty() {
            if !self.open {
                out.push_str("<think>\n");
                self.open = true;
            }
            out.push_str(reasoning);
        }
        if !text.is_empty() {
            out.push_str(self.close());
            out.push_str(text);
        }
        Some(LlmChunk {
            model: model.to_owned(),
            text: out,
            reasoning: (!reasoning.is_empty()).then(|| reasoning.to_owned()),
            ..LlmChunk::default()
        })
    }

    /// What ends open reasoning.
    pub const fn close(&mut self) -> &'static str {
        if self.open {
            self.open = false;
            "\n</think>"
        } else {
            ""
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_is_tagged_once() {
        let mut thinking = Thinking::default();
        let mut said = String::new();
        for (reasoning, text) in
            [("a", ""), ("b", ""), ("", ""), ("", "c"), ("", "d"), ("e", "f"), ("g", "")]
        {
            said.extend(thinking.chunk("m", reasoning, text).map(|chunk| chunk.text));
        }
        said.push_str(thinking.close());
        assert_eq!(said, "<think>\nab\n</think>cd<think>\ne\n</think>f<think>\ng\n</think>");
    }

    #[test]
    fn versions_of_addresses_are_seen() {
        for (base, has) in [
            ("http://h/v1", true),
            ("http://h/v1beta", true),
            ("http://h", false),
            ("http://h/vx", false),
        ] {
            assert_eq!(ends_in_version(base), has, "{base}");
        }
    }
}
