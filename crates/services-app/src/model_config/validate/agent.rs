//! `agent_mode` of agent apps.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Checked, ConfigError, World};
use crate::json::{Object, or_default, text};

const STRATEGIES: [&str; 4] = ["router", "react_router", "react", "function_call"];

/// Tools from before there were providers: the tool's name is the key of its settings.
const OLD_TOOLS: [&str; 5] =
    ["dataset", "google_search", "web_reader", "wikipedia", "current_datetime"];

pub(super) async fn check<W: World>(world: &W, config: &mut Object) -> Checked {
    let agent = basics(or_default(config, "agent_mode", json!({"enabled": false, "tools": []})))?;
    or_default(agent, "strategy", json!("router"));
    if !text(agent, "strategy").is_some_and(|word| STRATEGIES.contains(&word)) {
        return Err(ConfigError::invalid(
            "strategy in agent_mode must be in the specified strategy list",
        ));
    }
    for tool in tools(agent)? {
        let old = tool.keys().next().filter(|key| OLD_TOOLS.contains(&key.as_str())).cloned();
        match old {
            Some(key) => old_tool(world, &key, tool).await?,
            None => new_tool(tool)?,
        }
    }
    Ok(())
}

/// `agent_mode` as an object with a proper `enabled`.
pub(super) fn basics(agent: &mut Value) -> Result<&mut Object, ConfigError> {
    let agent = agent
        .as_object_mut()
        .ok_or_else(|| ConfigError::invalid("agent_mode must be of object type"))?;
    if !or_default(agent, "enabled", json!(false)).is_boolean() {
        return Err(ConfigError::invalid("enabled in agent_mode must be of boolean type"));
    }
    Ok(agent)
}

/// The tools of `agent_mode`.
pub(super) fn tools(agent: &mut Object) -> Result<Vec<&mut Object>, ConfigError> {
    let wrong = || ConfigError::invalid("tools in agent_mode must be a list of objects");
    let tools = or_default(agent, "tools", json!([])).as_array_mut().ok_or_else(wrong)?;
    tools.iter_mut().map(|tool| tool.as_object_mut().ok_or_else(wrong)).collect()
}

fn new_tool(tool: &mut Object) -> Checked {
    or_default(tool, "enabled", json!(false));
    for key in ["provider_type", "provider_id", "tool_name", "tool_parameters"] {
        if !tool.contains_key(key) {
            return Err(ConfigError::invalid(format!("{key} is required in agent_mode.tools")));
        }
    }
    Ok(())
}

/// Checks a tool of the old kind; one called `dataset` names a knowledge base.
pub(super) async fn old_tool<W: World>(world: &W, key: &str, tool: &mut Object) -> Checked {
    let settings = tool
        .get_mut(key)
        .and_then(Value::as_object_mut)
        .ok_or_else(|| ConfigError::invalid("tools in agent_mode must be a list of objects"))?;
    if !or_default(settings, "enabled", json!(false)).is_boolean() {
        return Err(ConfigError::invalid("enabled in agent_mode.tools must be of boolean type"));
    }
    if key != "dataset" {
        return Ok(());
    }
    let id = settings
        .get("id")
        .ok_or_else(|| ConfigError::invalid("id is required in dataset"))?
        .as_str()
        .and_then(|id| id.parse::<Uuid>().ok())
        .ok_or_else(|| ConfigError::invalid("id in dataset must be of UUID type"))?;
    if world.has_dataset(id.into()).await? {
        return Ok(());
    }
    Err(ConfigError::invalid("Dataset ID does not exist, please check your permission."))
}
