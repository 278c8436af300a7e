//! Embeddings and reranking.

use std::time::Instant;

use async_openai::types::embeddings::{CreateEmbeddingRequest, EmbeddingInput, EncodingFormat};
use base64::{Engine, prelude::BASE64_STANDARD};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use text::tokens::Encoding;

use crate::{
    entity::ModelSchema,
    error::InvokeError,
    fill,
    model::{Embeddings, RerankDocument, RerankRequest, RerankResult},
    protocol::Endpoint,
    upstream::{Failure, fetch_json},
    usage::EmbeddingUsage,
};

/// Vectors in the order of the texts.
pub(super) async fn embed(
    endpoint: &Endpoint<'_>,
    schema: Option<&ModelSchema>,
    texts: &[String],
) -> Result<Embeddings, InvokeError> {
    let started = Instant::now();
    let pricing = schema.and_then(|schema| schema.pricing.as_ref());
    if texts.is_empty() {
        return Ok(Embeddings {
            model: endpoint.model.to_owned(),
            embeddings: Vec::new(),
            usage: EmbeddingUsage::priced(0, pricing, started.elapsed()),
        });
    }
    let body = CreateEmbeddingRequest {
        model: endpoint.remote.clone(),
        input: EmbeddingInput::StringArray(texts.to_vec()),
        encoding_format: Some(EncodingFormat::Float),
        user: None,
        dimensions: fill::number(endpoint.credentials(), "dimensions")
            .and_then(|dimensions| u32::try_from(dimensions).ok()),
    };
    let request = || endpoint.post("embeddings", "/embeddings", &body);
    let fail = |failure| endpoint.error(failure);
    let mut answer: Answer = fetch_json(request, endpoint.limits).await.map_err(fail)?;
    if answer.data.len() != texts.len() {
        return Err(fail(Failure::Malformed(format!(
            "{} vectors for {} texts",
            answer.data.len(),
            texts.len()
        ))));
    }
    // The order is by index where there are indexes.
    if answer.data.iter().all(|one| one.index.is_some()) {
        answer.data.sort_by_key(|one| one.index);
    }
    let mut embeddings = Vec::with_capacity(answer.data.len());
    for one in answer.data {
        embeddings.push(one.embedding.numbers().map_err(fail)?);
    }
    let counted = answer.usage.and_then(|usage| usage.total_tokens.or(usage.prompt_tokens));
    let tokens =
        counted.unwrap_or_else(|| texts.iter().map(|text| Encoding::Gpt2.count(text) as u64).sum());
    Ok(Embeddings {
        model: endpoint.model.to_owned(),
        embeddings,
        usage: EmbeddingUsage::priced(tokens, pricing, started.elapsed()),
    })
}

#[derive(Debug, Deserialize)]
struct Answer {
    data: Vec<One>,
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Debug, Deserialize)]
struct One {
    #[serde(default)]
    index: Option<i64>,
    embedding: Vector,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Vector {
    Numbers(Vec<f32>),
    /// Little-endian `f32`s.
    Base64(String),
}

impl Vector {
    fn numbers(self) -> Result<Vec<f32>, Failure> {
        match self {
            Self::Numbers(numbers) => Ok(numbers),
            Self::Base64(text) => {
                let bytes = BASE64_STANDARD
                    .decode(text)
                    .map_err(|_| Failure::Malformed("A vector is not base64".to_owned()))?;
                let (numbers, _) = bytes.as_chunks::<4>();
                Ok(numbers.iter().map(|four| f32::from_le_bytes(*four)).collect())
            }
        }
    }
}

#[derive(Debug, Deserialize)]
struct WireUsage {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    total_tokens: Option<u64>,
}

#[derive(Debug, Serialize)]
struct RerankBody<'a> {
    model: &'a str,
    query: &'a str,
    documents: &'a [String],
    return_documents: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_n: Option<u32>,
}

/// Orders documents the way Cohere, Jina and their kin do.
pub(super) async fn rerank(
    endpoint: &Endpoint<'_>,
    request: RerankRequest<'_>,
) -> Result<RerankResult, InvokeError> {
    let body = RerankBody {
        model: &endpoint.remote,
        query: request.query,
        documents: request.documents,
        return_documents: true,
        top_n: request.top_n.filter(|most| *most != 0),
    };
    let call = || endpoint.post("rerank", "/rerank", &body);
    let answer: Value =
        fetch_json(call, endpoint.limits).await.map_err(|failure| endpoint.error(failure))?;
    let output = answer.get("output").unwrap_or(&answer);
    let results = ["results", "data"].iter().find_map(|key| output.get(key)?.as_array());
    let Some(results) = results.or_else(|| answer.as_array()) else {
        return Err(endpoint.error(Failure::Malformed("The answer has no results".to_owned())));
    };
    let mut docs = Vec::with_capacity(results.len());
    for result in results {
        let score = ["relevance_score", "score"].iter().find_map(|key| result.get(key)?.as_f64());
        let index = result.get("index").and_then(Value::as_u64);
        let index = index.and_then(|index| usize::try_from(index).ok());
        // A score for a document that was not sent is of no use to anyone.
        let (Some(score), Some(index)) = (score, index) else { continue };
        let Some(sent) = request.documents.get(index) else { continue };
        if request.score_threshold.is_none_or(|least| least <= score) {
            docs.push(RerankDocument { index, text: sent.clone(), score });
        }
    }
    Ok(RerankResult { model: endpoint.model.to_owned(), docs })
}
