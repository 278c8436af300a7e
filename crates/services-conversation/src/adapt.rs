//! The ports of the engine, over the services that know these things.

mod absent;
mod models;
mod moderation;
mod speech;

use std::sync::Arc;

use app_engine::ports::{ModelSource, Ports};
use services_model::Models;

pub use absent::Absent;

/// The models of workspaces, as engines see them.
#[must_use]
pub fn models(models: &Models) -> Arc<dyn ModelSource> {
    Arc::new(self::models::Source(models.clone()))
}

/// The world as far as models go; knowledge, files and extensions are added by who has them.
#[must_use]
pub fn ports(models: &Models) -> Ports {
    let absent = Arc::new(Absent);
    Ports {
        models: Arc::new(self::models::Source(models.clone())),
        retriever: absent.clone(),
        annotations: absent.clone(),
        moderator: Arc::new(moderation::Asked { models: models.clone() }),
        external_data: absent.clone(),
        files: absent,
        speaker: Arc::new(speech::Voice(models.clone())),
    }
}
