//! Imports that wait for the user's word, in Redis, in the reference's layout.

use serde::{Deserialize, Serialize};
use services_core::{Ctx, Fault};
use types::AppId;

use super::{Overrides, WAIT};

/// An import that waits.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Pending {
    pub import_mode: String,
    pub yaml_content: String,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    #[serde(default)]
    pub icon_type: Option<String>,
    #[serde(default)]
    pub icon: Option<String>,
    #[serde(default)]
    pub icon_background: Option<String>,
    #[serde(default)]
    pub app_id: Option<AppId>,
}

impl Pending {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            name: self.name.clone(),
            description: self.description.clone(),
            icon_type: self.icon_type.clone(),
            icon: self.icon.clone(),
            icon_background: self.icon_background.clone(),
        }
    }
}

pub(super) async fn keep(ctx: &Ctx, import: &str, pending: &Pending) -> Result<(), Fault> {
    let note = serde_json::to_vec(pending)
        .map_err(|err| Fault::caused("an import does not serialise", err))?;
    ctx.redis.set_ex(&key(import), &note, WAIT).await?;
    Ok(())
}

pub(super) async fn find(ctx: &Ctx, import: &str) -> Result<Option<Pending>, Fault> {
    let note = ctx.redis.get(&key(import)).await?;
    Ok(note.and_then(|note| serde_json::from_slice(&note).ok()))
}

pub(super) async fn forget(ctx: &Ctx, import: &str) -> Result<(), Fault> {
    ctx.redis.del(&[&key(import)]).await?;
    Ok(())
}

fn key(import: &str) -> String {
    format!("app_import_info:{import}")
}
