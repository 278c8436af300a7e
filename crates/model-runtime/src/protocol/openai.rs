//! OpenAI's API, which most providers speak. Requests are strict, answers are read leniently: compatible servers leave
//! things out, add others, and put text where numbers belong.

mod audio;
mod chat;
mod request;
mod vectors;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Endpoint, LlmCall, Wire};
use crate::{
    entity::{ModelSchema, ModelType},
    error::InvokeError,
    llm::LlmStream,
    model::{AudioFile, AudioStream, EmbeddingInput, Embeddings, RerankRequest, RerankResult},
    upstream::{Failure, fetch, fetch_json},
};

/// OpenAI's language.
pub(crate) struct OpenAi;

#[async_trait]
impl Wire for OpenAi {
    async fn list_models(&self, endpoint: &Endpoint<'_>) -> Result<(), Failure> {
        fetch(|| endpoint.request(http::Method::GET, "models", "/models"), endpoint.limits).await?;
        Ok(())
    }

    async fn ping(
        &self,
        endpoint: &Endpoint<'_>,
        kind: ModelType,
        schema: Option<&ModelSchema>,
        _user: &str,
    ) -> Result<(), Failure> {
        let model = endpoint.remote.as_str();
        let completion = schema.is_some_and(ModelSchema::is_completion);
        let (name, path, body) = match kind {
            ModelType::Llm if completion => (
                "completions",
                "/completions",
                json!({"model": model, "prompt": "ping", "max_tokens": 5}),
            ),
            ModelType::Llm => {
                let most = request::renamed(endpoint, "max_tokens");
                let mut body =
                    json!({"model": model, "messages": [{"role": "user", "content": "ping"}]});
                if let Value::Object(body) = &mut body {
                    body.insert(most.to_owned(), 5.into());
                }
                ("chat", "/chat/completions", body)
            }
            ModelType::TextEmbedding => {
                ("embeddings", "/embeddings", json!({"model": model, "input": ["ping"]}))
            }
            ModelType::Rerank => (
                "rerank",
                "/rerank",
                json!({"model": model, "query": "ping", "documents": ["ping", "pong"]}),
            ),
            ModelType::Speech2text | ModelType::Moderation | ModelType::Tts => {
                return self.list_models(endpoint).await;
            }
        };
        fetch(|| endpoint.post(name, path, &body), endpoint.limits).await?;
        Ok(())
    }

    async fn invoke(
        &self,
        endpoint: &Endpoint<'_>,
        call: LlmCall<'_>,
    ) -> Result<LlmStream, InvokeError> {
        chat::invoke(endpoint, call).await
    }

    async fn embed(
        &self,
        endpoint: &Endpoint<'_>,
        schema: Option<&ModelSchema>,
        texts: &[String],
        _input: EmbeddingInput,
        _user: &str,
    ) -> Result<Embeddings, InvokeError> {
        vectors::embed(endpoint, schema, texts).await
    }

    async fn rerank(
        &self,
        endpoint: &Endpoint<'_>,
        request: RerankRequest<'_>,
    ) -> Result<RerankResult, InvokeError> {
        vectors::rerank(endpoint, request).await
    }

    async fn moderate(
        &self,
        endpoint: &Endpoint<'_>,
        schema: Option<&ModelSchema>,
        text: &str,
    ) -> Result<bool, InvokeError> {
        let size = schema.and_then(|schema| schema.number("max_characters_per_chunk"));
        let size = size.and_then(|size| usize::try_from(size).ok()).unwrap_or(2000).max(1);
        let most = schema.and_then(|schema| schema.number("max_chunks"));
        let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(32).max(1);
        let letters: Vec<char> = text.chars().collect();
        let pieces: Vec<String> =
            letters.chunks(size).map(|piece| piece.iter().collect()).collect();
        for batch in pieces.chunks(most) {
            // One piece goes as it is, as the reference's plugin sends it.
            let input = match batch {
                [one] => json!(one),
                several => json!(several),
            };
            let body = json!({"model": endpoint.remote, "input": input});
            let request = || endpoint.post("moderations", "/moderations", &body);
            let answer: Value = fetch_json(request, endpoint.limits)
                .await
                .map_err(|failure| endpoint.error(failure))?;
            let results = answer.get("results").and_then(Value::as_array);
            let flagged =
                |result: &Value| result.get("flagged").and_then(Value::as_bool) == Some(true);
            if results.is_some_and(|results| results.iter().any(flagged)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn transcribe(
        &self,
        endpoint: &Endpoint<'_>,
        file: AudioFile,
    ) -> Result<String, InvokeError> {
        audio::transcribe(endpoint, file).await
    }

    async fn speak(
        &self,
        endpoint: &Endpoint<'_>,
        schema: Option<&ModelSchema>,
        text: &str,
        voice: &str,
    ) -> Result<AudioStream, InvokeError> {
        audio::speak(endpoint, schema, text, voice).await
    }
}
