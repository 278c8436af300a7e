//! Questions as vectors: made, held, compared.

use boxed::boxed;
use std::{sync::Arc, time::Duration};

use db::annotation_reply::{self as rows, Rule, Unindexed};
use model_runtime::{CallContext, EmbeddingInput, InvokeError, ModelType};
use types::{AnnotationId, AppId, TenantId};
use uuid::Uuid;

use super::{Annotations, ReplyError};

/// Bytes of vectors that are held altogether. Those of an app that has more are read for every question.
pub(super) const MOST_BYTES: u64 = 64 << 20;

/// How long vectors are held: another server of the reference may have changed what an app does.
pub(super) const LIFE: Duration = Duration::from_secs(60);

/// Questions read at once.
const BATCH: usize = 100;

/// How long an app's annotations are left alone after an attempt to read them.
const PAUSE: Duration = Duration::from_secs(60);

/// The annotations of an app as its rule compares them.
pub(super) struct Index {
    pub rule: Rule,
    /// Whether some annotation has no vector yet.
    pub is_incomplete: bool,
    vectors: Arc<[(AnnotationId, Box<[f32]>)]>,
}

impl Index {
    pub fn is_empty(&self) -> bool {
        self.vectors.is_empty()
    }

    /// Roughly its bytes.
    pub fn weight(&self) -> u32 {
        let bytes: usize = self.vectors.iter().map(|(_, vector)| 32 + 4 * vector.len()).sum();
        u32::try_from(bytes + 256).unwrap_or(u32::MAX)
    }

    /// The annotation whose question is most like `vector`, and how much, from 0 to 1.
    #[boxed]
    pub async fn nearest(&self, vector: Vec<f32>) -> Option<(AnnotationId, f64)> {
        let vectors = self.vectors.clone();
        let compared = tokio::task::spawn_blocking(move || {
            vectors
                .iter()
                .filter(|(_, other)| other.len() == vector.len())
                .map(|(id, other)| (*id, score(&vector, other)))
                .max_by(|(_, a), (_, b)| a.total_cmp(b))
        });
        compared.await.ok().flatten()
    }
}

/// How alike two vectors of length 1 are. Millionths are noise of the arithmetic.
fn score(a: &[f32], b: &[f32]) -> f64 {
    let product: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
    ((product * 1e6).round() / 1e6).clamp(0.0, 1.0)
}

impl Annotations {
    /// What is known of an app's annotations: nothing if it does not reply with them.
    pub(super) async fn load(&self, app: AppId) -> Result<Option<Arc<Option<Index>>>, ReplyError> {
        let mut conn = self.ctx().db.acquire().await?;
        let Some(rule) = rows::rule(&mut conn, app).await? else {
            return Ok(Some(Arc::new(None)));
        };
        let found = rows::vectors(&mut conn, app, rule.binding).await?;
        let is_incomplete = !rows::unindexed(&mut conn, app, rule.binding, 1).await?.is_empty();
        drop(conn);
        let vectors = found.into_iter().map(|row| (row.annotation, unpack(&row.vector)));
        Ok(Some(Arc::new(Some(Index { rule, is_incomplete, vectors: vectors.collect() }))))
    }

    /// Vectors of length 1, in the order of the texts.
    pub(super) async fn embed(
        &self,
        tenant: TenantId,
        provider: &str,
        model: &str,
        texts: &[String],
        input: EmbeddingInput,
    ) -> Result<Vec<Vec<f32>>, ReplyError> {
        let model = self.models.resolve(tenant, ModelType::TextEmbedding, provider, model).await?;
        let most = model.schema.max_chunks().and_then(|most| usize::try_from(most).ok());
        let context = CallContext::new(tenant);
        let mut vectors = Vec::with_capacity(texts.len());
        for texts in texts.chunks(most.unwrap_or(1).max(1)) {
            let made = model.provider.embed(&context, model.as_ref(), texts, input).await?;
            if made.embeddings.len() != texts.len() {
                let why = "The embedding model did not answer every text.";
                return Err(InvokeError::Provider(why.to_owned()).into());
            }
            vectors.extend(made.embeddings.into_iter().map(normal));
        }
        Ok(vectors)
    }

    /// Makes the vectors that are missing or old. Asks for the model even if there are none.
    pub(super) async fn read_all(
        &self,
        tenant: TenantId,
        app: AppId,
        binding: Uuid,
        provider: &str,
        model: &str,
    ) -> Result<(), ReplyError> {
        self.models.resolve(tenant, ModelType::TextEmbedding, provider, model).await?;
        loop {
            let mut conn = self.ctx().db.acquire().await?;
            let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
            let missing = rows::unindexed(&mut conn, app, binding, limit).await?;
            drop(conn);
            if missing.is_empty() {
                return Ok(());
            }
            let texts: Vec<String> = missing.iter().map(text).collect();
            let input = EmbeddingInput::Document;
            let vectors = self.embed(tenant, provider, model, &texts, input).await?;
            let packed: Vec<Vec<u8>> = vectors.iter().map(|vector| pack(vector)).collect();
            let mut conn = self.ctx().db.acquire().await?;
            rows::index(&mut conn, app, binding, &missing, &packed).await?;
        }
    }

    /// Has the missing vectors made beside the runs that wait for an answer now.
    pub(super) fn complete_later(&self, tenant: TenantId, app: AppId) {
        let annotations = self.clone();
        self.ctx().spawn(async move {
            let key = format!("dify_rs:annotation_index:{app}");
            match annotations.ctx().redis.set_nx_ex(&key, "1", PAUSE).await {
                Ok(true) => {}
                Ok(false) => return,
                Err(err) => {
                    tracing::warn!(error = %err, "annotations are not read without Redis");
                    return;
                }
            }
            if let Err(err) = annotations.complete(tenant, app).await {
                tracing::warn!(
                    app.id = %app,
                    error = &err as &dyn std::error::Error,
                    "annotations of an app could not be read"
                );
            }
        });
    }
}

/// What is read of an annotation. Models refuse empty texts.
fn text(row: &Unindexed) -> String {
    if row.question.trim().is_empty() { "-".to_owned() } else { row.question.clone() }
}

fn normal(vector: Vec<f32>) -> Vec<f32> {
    let length = vector.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt();
    if length == 0.0 {
        return vector;
    }
    #[expect(clippy::cast_possible_truncation, reason = "vectors are kept as f32")]
    vector.into_iter().map(|x| (f64::from(x) / length) as f32).collect()
}

fn pack(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn unpack(bytes: &[u8]) -> Box<[f32]> {
    let (numbers, _) = bytes.as_chunks::<4>();
    numbers.iter().map(|x| f32::from_le_bytes(*x)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_survive_being_packed() {
        let vector = normal(vec![3.0, -4.0, 0.0]);
        assert_eq!(*unpack(&pack(&vector)), *vector);
        assert!((score(&vector, &vector) - 1.0).abs() < f64::EPSILON);
        assert!(score(&vector, &normal(vec![4.0, 3.0, 0.0])).abs() < f64::EPSILON);
        assert_eq!(normal(vec![0.0, 0.0]), [0.0, 0.0]);
    }
}
