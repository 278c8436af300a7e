//! The ports of the engine, over the services that know these things.

mod absent;
mod extensions;
mod files;
mod models;
mod moderation;
mod speech;
mod thoughts;

use std::sync::Arc;

use app_engine::ports::{ModelSource, Ports};
use services_model::Models;

pub use absent::Absent;

use crate::annotation_reply::Annotations;

/// The models of workspaces, as engines see them.
#[must_use]
pub fn models(models: &Models) -> Arc<dyn ModelSource> {
    Arc::new(self::models::Source(models.clone()))
}

/// The world without knowledge and tools, which are added by who has them.
#[must_use]
pub fn ports(models: &Models, annotations: &Annotations) -> Ports {
    let ctx = models.ctx();
    Ports {
        models: Arc::new(self::models::Source(models.clone())),
        retriever: Arc::new(Absent),
        annotations: Arc::new(annotations.clone()),
        moderator: Arc::new(moderation::Asked {
            models: models.clone(),
            extensions: extensions::Extensions(ctx.clone()),
        }),
        external_data: Arc::new(extensions::Extensions(ctx.clone())),
        files: Arc::new(files::Files(ctx.clone())),
        speaker: Arc::new(speech::Voice(models.clone())),
        tools: Arc::new(Absent),
        thoughts: Arc::new(thoughts::Thoughts(ctx.clone())),
    }
}
