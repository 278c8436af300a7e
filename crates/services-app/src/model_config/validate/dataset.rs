//! `dataset_configs`, `dataset_query_variable`, and what older `agent_mode`s say about knowledge.

use serde_json::{Value, json};

use super::{Checked, ConfigError, World, agent};
use crate::{
    json::{Object, has, or_default, text, truthy},
    mode::AppMode,
};

pub(super) async fn check<W: World>(world: &W, mode: AppMode, config: &mut Object) -> Checked {
    let by_agent = check_agent(world, config).await?;

    let configs = or_default(config, "dataset_configs", json!({}))
        .as_object_mut()
        .ok_or_else(|| ConfigError::invalid("dataset_configs must be of object type"))?;
    configs.entry("retrieval_model").or_insert_with(|| json!("single"));
    let datasets = or_default(configs, "datasets", json!({"strategy": "router", "datasets": []}));
    let by_retrieval = datasets.get("datasets").is_some_and(truthy);

    let needs_query = mode == AppMode::Completion && (by_agent || by_retrieval);
    if needs_query && !has(config, "dataset_query_variable") {
        return Err(ConfigError::invalid(
            "Dataset query variable is required when dataset is exist",
        ));
    }
    Ok(())
}

/// Checks `agent_mode`; answers whether an agent that is on uses knowledge.
async fn check_agent<W: World>(world: &W, config: &mut Object) -> Result<bool, ConfigError> {
    let agent = agent::basics(or_default(config, "agent_mode", json!({})))?;
    let is_on = has(agent, "enabled");
    or_default(agent, "tools", json!([]));
    or_default(agent, "strategy", json!("router"));
    let is_router = matches!(text(agent, "strategy"), Some("router" | "react_router"));
    let mut uses_knowledge = false;
    for tool in agent::tools(agent)? {
        let names_dataset = tool.keys().next().is_some_and(|key| key == "dataset");
        if is_router && names_dataset {
            agent::old_tool(world, "dataset", tool).await?;
            uses_knowledge |= tool.get("dataset").is_some_and(Value::is_object);
        }
    }
    Ok(uses_knowledge && is_on)
}
