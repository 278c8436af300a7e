//! Annotation reply: a question that is near enough to an annotated one gets its answer, and the app's model is not asked.
//!
//! Which questions are near is told by an embedding model. Vectors are kept beside the annotations
//! (`dify_rs_annotation_vectors`) and are made again whenever they are missing, so an app that was set up by the
//! reference, whose vectors are somewhere else, replies as well.

mod index;
pub mod status;

use boxed::boxed;
use std::sync::Arc;

use app_engine::{
    basic::InvokeFrom,
    ports::{AnnotationMatch, AnnotationMatcher, RunContext},
};
use async_trait::async_trait;
use db::{
    annotation_reply::{self as rows, Asked},
    app::App,
};
use jobs::{Job, tasks};
use model_runtime::{EmbeddingInput, InvokeError};
use serde_json::json;
use services_app::app::{self, AppError};
use services_core::{Ctx, Failure, Fault, cache::Cache};
use services_model::{ModelError, Models};
use types::{AccountId, AnnotationId, AppId, TenantId};
use uuid::Uuid;

use index::Index;
use status::{Action, Status};

/// Who stands for an author whose account is gone.
const NOBODY: &str = "Dify user";

/// Why annotations do not reply.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// The app is gone.
    #[error(transparent)]
    App(#[from] AppError),
    /// The embedding model cannot be had.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The embedding model failed.
    #[error(transparent)]
    Invoke(#[from] InvokeError),
    /// There is no such job.
    #[error("The job does not exist.")]
    NoJob,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for ReplyError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<redis::RedisError> for ReplyError {
    fn from(err: redis::RedisError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for ReplyError {
    fn status(&self) -> u16 {
        match self {
            Self::App(err) => err.status(),
            Self::Model(err) => err.status(),
            Self::Invoke(_) | Self::NoJob => 400,
            Self::Fault(err) => err.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::App(err) => err.code(),
            Self::Model(err) => err.code(),
            Self::Invoke(_) => "completion_request_error",
            Self::NoJob => "invalid_param",
            Self::Fault(err) => err.code(),
        }
    }
}

/// How an app is to reply.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// How alike questions must be, from 0 to 1.
    pub score_threshold: f64,
    /// Provider of the embedding model.
    pub provider: String,
    /// The embedding model.
    pub model: String,
}

/// Lets an app reply with annotations as soon as a job has read them; the job.
///
/// # Errors
/// Faults of the ground.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn switch_on(ctx: &Ctx, app: &App, by: AccountId, wanted: Wanted) -> Result<Uuid, Fault> {
    let id = Uuid::new_v4();
    let job = Job::new(tasks::ENABLE_ANNOTATION_REPLY)
        .set("job_id", id)
        .set("app_id", app.id)
        .set("user_id", by)
        .set("tenant_id", app.tenant_id)
        .set("score_threshold", wanted.score_threshold)
        .set("embedding_provider_name", wanted.provider)
        .set("embedding_model_name", wanted.model);
    queue(ctx, Action::Enable, id, job).await
}

/// Lets an app no longer reply with annotations; the job that does it.
///
/// # Errors
/// Faults of the ground.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn switch_off(ctx: &Ctx, app: &App) -> Result<Uuid, Fault> {
    let id = Uuid::new_v4();
    let job = Job::new(tasks::DISABLE_ANNOTATION_REPLY)
        .set("job_id", id)
        .set("app_id", app.id)
        .set("tenant_id", app.tenant_id);
    queue(ctx, Action::Disable, id, job).await
}

/// Queues a job whose state people ask for.
pub(crate) async fn queue(ctx: &Ctx, action: Action, id: Uuid, job: Job) -> Result<Uuid, Fault> {
    status::put(ctx, action, id, &Status::Waiting).await?;
    let queued = ctx.jobs.enqueue(job).await;
    queued.map_err(|err| Fault::caused("a job of annotations could not be queued", err))?;
    Ok(id)
}

/// Lets everybody know that the annotations of an app, or how it uses them, changed.
pub(crate) async fn outdate(ctx: &Ctx, app: AppId) {
    ctx.invalidation().outdate(&tag(app)).await;
}

/// Has the question of an annotation read again, if its app replies with annotations.
pub(crate) async fn question_changed(
    ctx: &Ctx,
    app: &App,
    annotation: AnnotationId,
    question: &str,
    is_new: bool,
) -> Result<(), Fault> {
    outdate(ctx, app.id).await;
    let mut conn = ctx.db.acquire().await?;
    let rule = rows::rule(&mut conn, app.id).await?;
    drop(conn);
    let Some(rule) = rule else { return Ok(()) };
    let task =
        if is_new { tasks::ADD_ANNOTATION_TO_INDEX } else { tasks::UPDATE_ANNOTATION_TO_INDEX };
    let job = Job::new(task)
        .set("annotation_id", annotation)
        .set("question", question)
        .set("tenant_id", app.tenant_id)
        .set("app_id", app.id)
        .set("collection_binding_id", rule.binding);
    if let Err(err) = ctx.jobs.enqueue(job).await {
        // The next question to the app finds that a vector is missing.
        tracing::warn!(annotation.id = %annotation, error = %err, "an annotation is read later");
    }
    Ok(())
}

fn tag(app: AppId) -> String {
    format!("annotations:{app}")
}

/// The annotations of all apps, ready to be compared with questions. A clone shares what is held of them.
#[derive(Clone)]
pub struct Annotations {
    models: Models,
    indexes: Cache<AppId, Arc<Option<Index>>>,
}

/// How an app shall reply, and who wants it.
#[derive(Debug, Clone)]
pub struct Enable {
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// Who wants it.
    pub by: AccountId,
    /// How.
    pub wanted: Wanted,
}

impl Annotations {
    /// The annotations, compared by `models`.
    #[must_use]
    pub fn new(models: &Models) -> Self {
        let hub = models.ctx().invalidation();
        let weight = |held: &Arc<Option<Index>>| (**held).as_ref().map_or(64, Index::weight);
        let indexes = Cache::weighted(hub, index::MOST_BYTES, index::LIFE, weight);
        Self { models: models.clone(), indexes }
    }

    fn ctx(&self) -> &Ctx {
        self.models.ctx()
    }

    /// Reads the annotations of an app and lets it reply with them. Safe to repeat.
    ///
    /// # Errors
    /// [`ReplyError`]; the app replies as before then.
    #[tracing::instrument(skip_all, fields(app.id = %enable.app))]
    #[boxed]
    pub async fn enable(&self, enable: Enable) -> Result<(), ReplyError> {
        let Enable { tenant, app, by, wanted } = enable;
        let ctx = self.ctx();
        app::find(ctx, tenant, app).await?;
        let mut tx = ctx.db.begin().await?;
        let binding = rows::bind(&mut tx, &wanted.provider, &wanted.model, ctx.now_naive()).await?;
        tx.commit().await?;
        self.read_all(tenant, app, binding, &wanted.provider, &wanted.model).await?;
        let mut tx = ctx.db.begin().await?;
        rows::enable(&mut tx, app, binding, wanted.score_threshold, by, ctx.now_naive()).await?;
        rows::forget(&mut tx, app, Some(binding)).await?;
        tx.commit().await?;
        outdate(ctx, app).await;
        Ok(())
    }

    /// Lets an app no longer reply with annotations. Safe to repeat.
    ///
    /// # Errors
    /// [`ReplyError`].
    #[tracing::instrument(skip_all, fields(app.id = %app))]
    #[boxed]
    pub async fn disable(&self, tenant: TenantId, app: AppId) -> Result<(), ReplyError> {
        let ctx = self.ctx();
        app::find(ctx, tenant, app).await?;
        let mut tx = ctx.db.begin().await?;
        rows::disable(&mut tx, app).await?;
        tx.commit().await?;
        outdate(ctx, app).await;
        Ok(())
    }

    /// Reads what is not read yet of an app's annotations, if it replies with them. Safe to repeat.
    ///
    /// # Errors
    /// [`ReplyError`].
    #[tracing::instrument(skip_all, fields(app.id = %app))]
    #[boxed]
    pub async fn complete(&self, tenant: TenantId, app: AppId) -> Result<(), ReplyError> {
        let ctx = self.ctx();
        app::find(ctx, tenant, app).await?;
        let mut conn = ctx.db.acquire().await?;
        let rule = rows::rule(&mut conn, app).await?;
        drop(conn);
        if let Some(rule) = rule {
            self.read_all(tenant, app, rule.binding, &rule.provider, &rule.model).await?;
        }
        outdate(ctx, app).await;
        Ok(())
    }

    async fn answer(
        &self,
        run: &RunContext,
        query: &str,
    ) -> Result<Option<AnnotationMatch>, ReplyError> {
        let held = self.indexes.find(run.app, [tag(run.app)], self.load(run.app)).await?;
        let Some(index) = held.as_deref().and_then(Option::as_ref) else { return Ok(None) };
        if index.is_incomplete {
            self.complete_later(run.tenant, run.app);
        }
        if index.is_empty() {
            return Ok(None);
        }
        let rule = &index.rule;
        let texts = [query.to_owned()];
        let input = EmbeddingInput::Query;
        let asked = self.embed(run.tenant, &rule.provider, &rule.model, &texts, input).await?;
        // A threshold that was never set wants the very same question, as in the reference.
        let threshold = if rule.score_threshold == 0.0 { 1.0 } else { rule.score_threshold };
        let found = match asked.into_iter().next() {
            Some(vector) => index.nearest(vector).await,
            None => None,
        };
        let Some((annotation, score)) = found.filter(|(_, score)| threshold <= *score) else {
            return Ok(None);
        };
        let is_from_api = matches!(run.invoke_from, InvokeFrom::ServiceApi | InvokeFrom::WebApp);
        let asked = Asked {
            app: run.app,
            annotation,
            question: query,
            source: if is_from_api { "api" } else { "console" },
            score,
            message: run.message,
            user: run.user.id(),
        };
        let ctx = self.ctx();
        let mut conn = ctx.db.acquire().await?;
        let answering = rows::hit(&mut conn, asked, ctx.now_naive()).await?;
        Ok(answering.map(|answering| AnnotationMatch {
            reply: json!({
                "id": annotation,
                "account": {
                    "id": answering.account_id,
                    "name": answering.account_name.as_deref().unwrap_or(NOBODY),
                },
            }),
            answer: answering.content,
        }))
    }
}

#[async_trait]
impl AnnotationMatcher for Annotations {
    async fn find(&self, run: &RunContext, query: &str) -> Option<AnnotationMatch> {
        match self.answer(run, query).await {
            Ok(found) => found,
            Err(err) => {
                tracing::warn!(
                    app.id = %run.app,
                    error = &err as &dyn std::error::Error,
                    "annotations could not be compared with a question"
                );
                None
            }
        }
    }
}
