//! Annotations: reading them for annotation reply, and adding them from files.

use jobs::{Job, JobFailure, Registry, tasks};
use services_conversation::{
    annotation_import::{self, Import},
    annotation_reply::{
        Annotations, Enable, ReplyError, Wanted,
        status::{self, Action, Status},
    },
};
use services_core::{Ctx, Failure};
use uuid::Uuid;

use crate::failure::{of_fault, of_service};

/// Adds the handlers of this module.
#[must_use]
pub fn register(mut registry: Registry, ctx: &Ctx, annotations: &Annotations) -> Registry {
    for task in [
        tasks::ADD_ANNOTATION_TO_INDEX,
        tasks::UPDATE_ANNOTATION_TO_INDEX,
        tasks::DELETE_ANNOTATION_INDEX,
    ] {
        let annotations = annotations.clone();
        registry = registry.on(task, move |job, _| {
            let annotations = annotations.clone();
            async move {
                let done = annotations.complete(job.get("tenant_id")?, job.get("app_id")?).await;
                done.map_err(of_service)
            }
        });
    }
    let world = (ctx.clone(), annotations.clone());
    registry = registry.on(tasks::ENABLE_ANNOTATION_REPLY, move |job, _| {
        let (ctx, annotations) = world.clone();
        async move {
            let done = annotations.enable(enable(&job)?).await;
            say(&ctx, Action::Enable, job.get("job_id")?, done).await
        }
    });
    let world = (ctx.clone(), annotations.clone());
    registry = registry.on(tasks::DISABLE_ANNOTATION_REPLY, move |job, _| {
        let (ctx, annotations) = world.clone();
        async move {
            let done = annotations.disable(job.get("tenant_id")?, job.get("app_id")?).await;
            say(&ctx, Action::Disable, job.get("job_id")?, done).await
        }
    });
    let world = (ctx.clone(), annotations.clone());
    registry.on(tasks::BATCH_IMPORT_ANNOTATIONS, move |job, _| {
        let (ctx, annotations) = world.clone();
        async move { import(&ctx, &annotations, &job).await }
    })
}

fn enable(job: &Job) -> Result<Enable, JobFailure> {
    Ok(Enable {
        tenant: job.get("tenant_id")?,
        app: job.get("app_id")?,
        by: job.get("user_id")?,
        wanted: Wanted {
            score_threshold: job.get("score_threshold")?,
            provider: job.get("embedding_provider_name")?,
            model: job.get("embedding_model_name")?,
        },
    })
}

async fn import(ctx: &Ctx, annotations: &Annotations, job: &Job) -> Result<(), JobFailure> {
    let import = Import {
        job: job.get("job_id")?,
        tenant: job.get("tenant_id")?,
        app: job.get("app_id")?,
        by: job.get("user_id")?,
        lines: job.get("content_list")?,
    };
    let done = match annotation_import::import(ctx, &import).await {
        Ok(()) => annotations.complete(import.tenant, import.app).await,
        Err(err) => Err(err.into()),
    };
    annotation_import::ended(ctx, &import, &outcome(&done)).await.map_err(of_fault)?;
    done.map_err(of_service)
}

/// Tells people who wait how a job ended. What may pass is tried again, and told again.
async fn say(
    ctx: &Ctx,
    action: Action,
    job: Uuid,
    done: Result<(), ReplyError>,
) -> Result<(), JobFailure> {
    status::put(ctx, action, job, &outcome(&done)).await.map_err(of_fault)?;
    done.map_err(of_service)
}

fn outcome(done: &Result<(), ReplyError>) -> Status {
    match done {
        Ok(()) => Status::Completed,
        Err(err) if 500 <= err.status() => Status::Failed("Internal Server Error".to_owned()),
        Err(err) => Status::Failed(err.to_string()),
    }
}
