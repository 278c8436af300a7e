//! `/inner/api/invoke/text-embedding`, `rerank`, `moderation`

use http_core::{AppState, ErrorBody, Json, Part};
use model_runtime::{
    CallContext, EmbeddingInput, Embeddings, ModelType, RerankRequest, RerankResult,
};
use serde::{Deserialize, Serialize};
use services_model::{ModelError, Models};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{Outcome, PluginCall};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(invoke_text_embedding))
        .routes(routes!(invoke_rerank))
        .routes(routes!(invoke_moderation))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeTextEmbedding {
    provider: String,
    model: String,
    #[serde(default = "embedding")]
    #[schema(value_type = String)]
    model_type: ModelType,
    texts: Vec<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeRerank {
    provider: String,
    model: String,
    #[serde(default = "rerank")]
    #[schema(value_type = String)]
    model_type: ModelType,
    query: String,
    docs: Vec<String>,
    score_threshold: f64,
    top_n: u32,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct RequestInvokeModeration {
    provider: String,
    model: String,
    #[serde(default = "moderation")]
    #[schema(value_type = String)]
    model_type: ModelType,
    text: String,
}

fn embedding() -> ModelType {
    ModelType::TextEmbedding
}

fn rerank() -> ModelType {
    ModelType::Rerank
}

fn moderation() -> ModelType {
    ModelType::Moderation
}

/// Whether a text is unwanted.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Flagged {
    result: bool,
}

/// Call an embedding model.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/text-embedding",
    tag = "plugin",
    request_body = RequestInvokeTextEmbedding,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_text_embedding(
    Part(models): Part<Models>,
    call: PluginCall<RequestInvokeTextEmbedding>,
) -> Json<Outcome<Embeddings>> {
    let PluginCall { caller, body } = call;
    let work = async {
        let model =
            models.resolve(caller.tenant, body.model_type, &body.provider, &body.model).await?;
        let context = CallContext::for_user(caller.tenant, caller.user.to_string());
        let input = EmbeddingInput::Document;
        Ok::<_, ModelError>(
            model.provider.embed(&context, model.as_ref(), &body.texts, input).await?,
        )
    };
    Outcome::of(work.await)
}

/// Call a reranking model.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/rerank",
    tag = "plugin",
    request_body = RequestInvokeRerank,
    responses((status = 200, body = Object), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_rerank(
    Part(models): Part<Models>,
    call: PluginCall<RequestInvokeRerank>,
) -> Json<Outcome<RerankResult>> {
    let PluginCall { caller, body } = call;
    let work = async {
        let model =
            models.resolve(caller.tenant, body.model_type, &body.provider, &body.model).await?;
        let context = CallContext::for_user(caller.tenant, caller.user.to_string());
        let request = RerankRequest {
            query: &body.query,
            documents: &body.docs,
            score_threshold: Some(body.score_threshold),
            top_n: Some(body.top_n),
        };
        Ok::<_, ModelError>(model.provider.rerank(&context, model.as_ref(), request).await?)
    };
    Outcome::of(work.await)
}

/// Call a moderation model.
#[utoipa::path(
    post,
    path = "/inner/api/invoke/moderation",
    tag = "plugin",
    request_body = RequestInvokeModeration,
    responses((status = 200, body = Outcome<Flagged>), (status = "4XX", body = ErrorBody)),
)]
async fn invoke_moderation(
    Part(models): Part<Models>,
    call: PluginCall<RequestInvokeModeration>,
) -> Json<Outcome<Flagged>> {
    let PluginCall { caller, body } = call;
    let work = async {
        let model =
            models.resolve(caller.tenant, body.model_type, &body.provider, &body.model).await?;
        let context = CallContext::for_user(caller.tenant, caller.user.to_string());
        let result = model.provider.moderate(&context, model.as_ref(), &body.text).await?;
        Ok::<_, ModelError>(Flagged { result })
    };
    Outcome::of(work.await)
}
