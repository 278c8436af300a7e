//! `external_data_tools`.

use serde_json::{Value, json};

use super::{Checked, ConfigError, World};
use crate::json::{Object, or_default, truthy};

/// Checks every tool that is switched on.
///
/// The reference goes on with the tool's own settings in place of the whole configuration afterwards, which loses the
/// configuration; here it is kept.
pub(super) async fn check<W: World>(world: &W, config: &mut Object) -> Checked {
    let wrong = || ConfigError::invalid("external_data_tools must be of list type");
    let tools = or_default(config, "external_data_tools", json!([]));
    for tool in tools.as_array_mut().ok_or_else(wrong)? {
        let tool = tool.as_object_mut().ok_or_else(wrong)?;
        if !truthy(or_default(tool, "enabled", json!(false))) {
            continue;
        }
        let kind = tool
            .get("type")
            .filter(|kind| truthy(kind))
            .ok_or_else(|| ConfigError::invalid("external_data_tools[].type is required"))?;
        let kind = kind.as_str().unwrap_or_default();
        let settings = tool.get("config").and_then(Value::as_object);
        check_tool(world, kind, settings).await?;
    }
    Ok(())
}

/// Checks one tool's settings. `api` is the only kind: others are code the reference's users mount into its image.
async fn check_tool<W: World>(world: &W, kind: &str, settings: Option<&Object>) -> Checked {
    if kind != "api" {
        return Err(ConfigError::invalid(format!("Extension {kind} not found")));
    }
    let id = settings
        .and_then(|settings| settings.get("api_based_extension_id"))
        .filter(|id| truthy(id))
        .ok_or_else(|| ConfigError::invalid("api_based_extension_id is required"))?;
    let known = match id.as_str().and_then(|id| id.parse().ok()) {
        Some(id) => world.has_extension(id).await?,
        None => false,
    };
    if known { Ok(()) } else { Err(ConfigError::invalid("api_based_extension_id is invalid")) }
}
