//! `agent_mode`: how an agent works, and which tools it has.

use serde_json::Value;

use super::{Object, child, flag, list, text};

/// Most rounds, whatever an app asks for.
const MOST_ROUNDS: u64 = 99;

/// Rounds of apps that say nothing.
const ROUNDS: u64 = 10;

/// How a model is brought to call tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// By the calls its provider knows.
    FunctionCall,
    /// By a text of thoughts, actions and observations.
    React,
}

/// How an agent works.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// How its model calls tools, unless the model decides.
    pub strategy: Strategy,
    /// Its tools; those that are off are left out.
    pub tools: Vec<ToolChoice>,
    /// Rounds with tools; one without follows.
    pub rounds: usize,
    /// The prompt of a ReAct agent, where the app has its own.
    pub prompt: Option<String>,
    /// Whether it is one even in a chat app, as those from before there were agent apps are.
    pub in_chats: bool,
}

/// A tool as the app names it.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolChoice {
    /// `builtin`, `plugin`, `api`, `workflow` or `mcp`.
    pub provider_type: String,
    /// The provider.
    pub provider_id: String,
    /// The tool; models see it under this name.
    pub tool_name: String,
    /// What the builder set, secrets encrypted.
    pub parameters: Object,
    /// The credential to use instead of the default one.
    pub credential: Option<String>,
}

impl Agent {
    /// Reads `agent_mode` of a configuration whose model is `provider`'s. What is missing has the reference's defaults;
    /// strategies of old (`router`, `react_router`), with which it fails, count as none.
    #[must_use]
    pub fn read(object: &Object, provider: &str) -> Self {
        let none = Object::new();
        let agent = child(object, "agent_mode").unwrap_or(&none);
        let strategy = text(agent, "strategy").unwrap_or_default();
        let is_openai = provider.rsplit('/').next() == Some("openai");
        let rounds = agent.get("max_iteration").and_then(Value::as_i64);
        let rounds = rounds.map_or(ROUNDS, |rounds| u64::try_from(rounds).unwrap_or(0));
        Self {
            strategy: match strategy {
                "function_call" => Strategy::FunctionCall,
                "cot" | "react" => Strategy::React,
                _ if is_openai => Strategy::FunctionCall,
                _ => Strategy::React,
            },
            tools: list(agent, "tools").iter().filter_map(choice).collect(),
            rounds: usize::try_from(rounds.min(MOST_ROUNDS)).unwrap_or_default(),
            prompt: child(agent, "prompt")
                .and_then(|prompt| text(prompt, "first_prompt"))
                .filter(|prompt| !prompt.trim().is_empty())
                .map(str::to_owned),
            in_chats: flag(Some(agent), "enabled") && matches!(strategy, "function_call" | "react"),
        }
    }
}

/// Entries of the old kind (`{"dataset": …}`) have fewer members and name no tool.
fn choice(entry: &Value) -> Option<ToolChoice> {
    let entry =
        entry.as_object().filter(|entry| 4 <= entry.len() && flag(Some(entry), "enabled"))?;
    let name = |key| text(entry, key).map(str::to_owned);
    Some(ToolChoice {
        provider_type: name("provider_type")?,
        provider_id: name("provider_id")?,
        tool_name: name("tool_name")?,
        parameters: child(entry, "tool_parameters").cloned().unwrap_or_default(),
        credential: name("credential_id").filter(|id| !id.is_empty()),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(agent_mode: Value, provider: &str) -> Agent {
        Agent::read(json!({ "agent_mode": agent_mode }).as_object().unwrap(), provider)
    }

    #[test]
    fn the_strategy_is_what_is_said_or_what_suits_the_provider() {
        for (strategy, provider, expected, in_chats) in [
            (json!("function_call"), "x", Strategy::FunctionCall, true),
            (json!("react"), "a/openai/openai", Strategy::React, true),
            (json!("cot"), "x", Strategy::React, false),
            (json!("router"), "a/openai/openai", Strategy::FunctionCall, false),
            (json!(null), "openai", Strategy::FunctionCall, false),
            (json!("react_router"), "x", Strategy::React, false),
        ] {
            let agent = read(json!({"enabled": true, "strategy": strategy}), provider);
            assert_eq!((agent.strategy, agent.in_chats), (expected, in_chats), "{strategy}");
        }
        assert!(!read(json!({"enabled": false, "strategy": "react"}), "x").in_chats);
    }

    #[test]
    fn rounds_and_tools_are_within_reason() {
        for (given, expected) in [
            (json!(null), 10),
            (json!(3), 3),
            (json!(500), 99),
            (json!(-1), 0),
            (json!("many"), 10),
        ] {
            assert_eq!(read(json!({"max_iteration": given}), "x").rounds, expected, "{given}");
        }
        let tool = json!({"enabled": true, "provider_type": "builtin", "provider_id": "time", "tool_name": "now",
            "tool_parameters": {"a": 1}, "credential_id": ""});
        let mut off = tool.clone();
        off["enabled"] = json!(false);
        let agent = read(
            json!({"tools": [tool, off, {"dataset": {"enabled": true}}, {"a": 1, "b": 2, "c": 3, "enabled": true}],
                   "prompt": {"first_prompt": "Do it."}}),
            "x",
        );
        assert_eq!(agent.tools.len(), 1);
        assert_eq!(agent.tools[0].parameters, *json!({"a": 1}).as_object().unwrap());
        assert_eq!(
            (agent.tools[0].credential.clone(), agent.prompt.as_deref()),
            (None, Some("Do it."))
        );
    }
}
