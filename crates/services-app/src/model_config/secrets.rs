//! Secret parameters of an agent's tools: encrypted in the row, masked in the console.

use boxed::boxed;
use std::collections::HashMap;

use db::app::App;
use serde_json::Value;
use services_core::{Ctx, Fault, tenant_secret};

use super::ConfigError;
use crate::{
    json::{Object, text, type_name, validation_text},
    ports::Ports,
};

/// Kinds of tool providers an agent's tool may name.
const PROVIDER_TYPES: [&str; 7] =
    ["plugin", "builtin", "workflow", "api", "app", "dataset-retrieval", "mcp"];

/// What names a tool of an agent.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AgentTool {
    /// See [`PROVIDER_TYPES`].
    pub provider_type: String,
    /// Id of the provider.
    pub provider_id: String,
    /// Name of the tool.
    pub tool_name: String,
}

impl AgentTool {
    /// The tool an entry of `agent_mode.tools` names; entries of the old kind name none.
    #[must_use]
    pub fn of(entry: &Object) -> Option<Self> {
        if entry.len() <= 3 {
            return None;
        }
        Self::read(entry).ok()
    }

    /// The tool an entry names, or what is wrong with it in the reference's words.
    fn read(entry: &Object) -> Result<Self, String> {
        let mut faults = Vec::new();
        let mut field = |name: &str| match entry.get(name) {
            None => {
                faults.push((name.to_owned(), "Field required [type=missing]".to_owned()));
                String::new()
            }
            Some(Value::String(text)) => {
                if name == "provider_type" && !PROVIDER_TYPES.contains(&text.as_str()) {
                    let options = PROVIDER_TYPES.map(|kind| format!("'{kind}'")).join(", ");
                    faults
                        .push((name.to_owned(), format!("Input should be {options} [type=enum]")));
                }
                text.clone()
            }
            Some(other) => {
                let kind = type_name(other);
                let message =
                    format!("Input should be a valid string [type=string_type, input_type={kind}]");
                faults.push((name.to_owned(), message));
                String::new()
            }
        };
        let tool = Self {
            provider_type: field("provider_type"),
            provider_id: field("provider_id"),
            tool_name: field("tool_name"),
        };
        if faults.is_empty() { Ok(tool) } else { Err(validation_text("AgentToolEntity", &faults)) }
    }
}

/// Shows the secrets of an agent's tools masked.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn mask(
    ctx: &Ctx,
    ports: &Ports,
    app: &App,
    agent_mode: &mut Value,
) -> Result<(), Fault> {
    let Some(tools) = agent_mode.get_mut("tools").and_then(Value::as_array_mut) else {
        return Ok(());
    };
    for entry in tools.iter_mut().filter_map(Value::as_object_mut) {
        let Some(tool) = AgentTool::of(entry) else { continue };
        let secrets = secret_names(ports, app, &tool).await?;
        let Some(parameters) = parameters(entry).filter(|_| !secrets.is_empty()) else { continue };
        for name in secrets {
            if let Some(Value::String(value)) = parameters.get_mut(&name) {
                let clear = tenant_secret::decrypt(ctx, app.tenant_id, value).await?;
                *value = masked(clear.as_deref().unwrap_or_default());
            }
        }
    }
    Ok(())
}

/// Encrypts the secrets of a new configuration's tools. A secret that comes back masked is the one in `known`.
pub(super) async fn keep(
    ctx: &Ctx,
    ports: &Ports,
    app: &App,
    known: &[Object],
    config: &mut Object,
) -> Result<(), ConfigError> {
    let mut before: HashMap<AgentTool, &Object> = HashMap::new();
    for entry in known {
        if let (Some(tool), Some(Value::Object(parameters))) =
            (AgentTool::of(entry), entry.get("tool_parameters"))
        {
            before.insert(tool, parameters);
        }
    }
    let tools = config
        .get_mut("agent_mode")
        .and_then(|agent| agent.get_mut("tools"))
        .and_then(Value::as_array_mut);
    for entry in tools.into_iter().flatten().filter_map(Value::as_object_mut) {
        // Agents take no tools of the old kind any more: naming one is refused here, as in the reference.
        let tool = AgentTool::read(entry).map_err(ConfigError::Invalid)?;
        let secrets = secret_names(ports, app, &tool).await?;
        let Some(parameters) = parameters(entry).filter(|_| !secrets.is_empty()) else { continue };
        for name in secrets {
            let Some(Value::String(value)) = parameters.get_mut(&name) else { continue };
            let stored = before.get(&tool).and_then(|known| text(known, &name));
            if let Some(stored) = stored {
                let clear = tenant_secret::decrypt(ctx, app.tenant_id, stored).await?;
                if clear.is_some_and(|clear| masked(&clear) == *value) {
                    stored.clone_into(value);
                    continue;
                }
            }
            *value = tenant_secret::encrypt(ctx, app.tenant_id, value).await?;
        }
    }
    Ok(())
}

async fn secret_names(ports: &Ports, app: &App, tool: &AgentTool) -> Result<Vec<String>, Fault> {
    let names = ports
        .tools
        .secret_parameters(app.tenant_id, &tool.provider_type, &tool.provider_id, &tool.tool_name)
        .await?;
    // A tool that is gone has no secrets anybody could name; its parameters stay as they are.
    Ok(names.unwrap_or_default())
}

fn parameters(entry: &mut Object) -> Option<&mut Object> {
    entry.get_mut("tool_parameters").and_then(Value::as_object_mut)
}

/// The mask of a tool's secret: two letters at each end of a long one.
fn masked(secret: &str) -> String {
    let letters: Vec<char> = secret.chars().collect();
    match letters.len() {
        0..=6 => "*".repeat(letters.len()),
        count => {
            let (first, rest) = letters.split_at(2);
            let (_, last) = rest.split_at(count - 4);
            format!(
                "{}{}{}",
                first.iter().collect::<String>(),
                "*".repeat(count - 4),
                last.iter().collect::<String>()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_secrets_keep_their_ends() {
        for (secret, expected) in [
            ("", ""),
            ("abc", "***"),
            ("abcdef", "******"),
            ("abcdefg", "ab***fg"),
            ("é234567", "é2***67"),
        ] {
            assert_eq!(masked(secret), expected);
        }
    }

    #[test]
    fn an_old_tool_is_refused_naming_every_missing_field() {
        let old = json!({"dataset": {"enabled": true}});
        let message = AgentTool::read(old.as_object().unwrap()).unwrap_err();
        assert!(
            message.starts_with(
                "3 validation errors for AgentToolEntity\nprovider_type\n  Field required"
            ),
            "{message}"
        );
        assert_eq!(AgentTool::of(old.as_object().unwrap()), None);
    }
}
