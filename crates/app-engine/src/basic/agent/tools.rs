//! The tools of an agent: those its app names, and one for each knowledge base.

use std::sync::Arc;

use futures::future::join_all;
use indexmap::IndexMap;
use model_runtime::PromptTool;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::{
    basic::{
        config::Datasets,
        run::{Job, merge_sources, state::State},
    },
    ports::{Ports, Retrieval, Tool, ToolAnswer},
};

/// What models say of the argument of a knowledge base.
const QUERY: &str = "What to look for in the knowledge base.";

/// The tools of an agent, by the names models call them by.
pub(super) struct Tools(IndexMap<String, Kind>);

enum Kind {
    Tool(Arc<dyn Tool>),
    Base { id: String, declaration: PromptTool },
}

impl Tools {
    /// Opens all that can be opened. Of several with one name the last counts.
    pub async fn open(ports: &Ports, job: &Job) -> Self {
        let agent = &job.config.agent;
        let opened = agent.tools.iter().map(|choice| ports.tools.open(&job.context, choice));
        let opened = join_all(opened).await;
        let mut tools: IndexMap<String, Kind> = agent
            .tools
            .iter()
            .zip(opened)
            .filter_map(|(choice, tool)| Some((choice.tool_name.clone(), Kind::Tool(tool?))))
            .collect();
        if let Some(datasets) = &job.config.datasets {
            for base in ports.retriever.bases(&job.context, &datasets.ids).await {
                let description = if base.description.is_empty() {
                    format!("useful for when you want to answer queries about the {}", base.name)
                } else {
                    base.description.replace(['\n', '\r'], "")
                };
                let name = format!("dataset_{}", base.id.replace('-', "_"));
                let declaration = PromptTool {
                    name: name.clone(),
                    description,
                    parameters: json!({"type": "object", "properties": {"query": {"type": "string", "description": QUERY}},
                        "required": ["query"]}),
                };
                tools.insert(name, Kind::Base { id: base.id, declaration });
            }
        }
        Self(tools)
    }

    /// How models see them.
    pub fn declarations(&self) -> Vec<PromptTool> {
        let declaration = |(name, kind): (&String, &Kind)| match kind {
            Kind::Tool(tool) => PromptTool { name: name.clone(), ..tool.declaration() },
            Kind::Base { declaration, .. } => declaration.clone(),
        };
        self.0.iter().map(declaration).collect()
    }

    /// Names for people.
    pub fn label(ports: &Ports, name: &str) -> Value {
        let label = ports.tools.label(name);
        label.unwrap_or_else(|| json!({"en_US": name, "zh_Hans": name}))
    }

    /// Calls one. `arguments` are as the model gave them.
    pub async fn call(
        &self,
        ports: &Ports,
        job: &Job,
        state: &mut State,
        name: &str,
        arguments: Value,
    ) -> ToolAnswer {
        let Some(kind) = self.0.get(name) else {
            return refusal(format!("there is not a tool named {name}"), arguments);
        };
        let declaration = match kind {
            Kind::Tool(tool) => tool.declaration(),
            Kind::Base { declaration, .. } => declaration.clone(),
        };
        let arguments = match named(&declaration, arguments) {
            Ok(arguments) => arguments,
            Err(given) => {
                let told = "tool parameters validation error: the arguments are no JSON object, please check your tool \
                            parameters";
                return refusal(told.to_owned(), given);
            }
        };
        match kind {
            Kind::Tool(tool) => tool.call(&job.context, arguments).await,
            Kind::Base { id, .. } => look_up(ports, job, state, (name, id), arguments).await,
        }
    }
}

/// What a tool is told that does not come to be called.
fn refusal(text: String, arguments: Value) -> ToolAnswer {
    let meta = json!({"time_cost": 0.0, "error": text, "tool_config": {}});
    let arguments = match arguments {
        Value::Object(arguments) => arguments,
        _ => Map::new(),
    };
    ToolAnswer { text, meta, arguments, ..ToolAnswer::default() }
}

/// Arguments by name: an object, a text that holds one, or the value of the only parameter.
fn named(declaration: &PromptTool, given: Value) -> Result<Map<String, Value>, Value> {
    let text = match given {
        Value::Object(arguments) => return Ok(arguments),
        Value::Null => return Ok(Map::new()),
        Value::String(text) if text.trim().is_empty() => return Ok(Map::new()),
        Value::String(text) => text,
        other => return only(declaration, other),
    };
    if let Ok(Value::Object(arguments)) = serde_json::from_str(&text) {
        return Ok(arguments);
    }
    only(declaration, Value::String(text)).or_else(|given| {
        match template::json_repair::repair(given.as_str().unwrap_or_default()) {
            Value::Object(arguments) => Ok(arguments),
            _ => Err(given),
        }
    })
}

fn only(declaration: &PromptTool, value: Value) -> Result<Map<String, Value>, Value> {
    let properties = declaration.parameters.get("properties").and_then(Value::as_object);
    let mut names = properties.into_iter().flatten().map(|(name, _)| name);
    match (names.next(), names.next()) {
        (Some(name), None) => Ok(Map::from_iter([(name.clone(), value)])),
        _ => Err(value),
    }
}

/// Asks a knowledge base.
async fn look_up(
    ports: &Ports,
    job: &Job,
    state: &mut State,
    (name, id): (&str, &str),
    arguments: Map<String, Value>,
) -> ToolAnswer {
    let begun = Instant::now();
    let query = arguments.get("query").and_then(Value::as_str).unwrap_or_default();
    let mut error = Value::Null;
    let text = match &job.config.datasets {
        Some(all) if !query.is_empty() => {
            let mut settings = all.settings.clone();
            settings.insert("retrieval_model".to_owned(), "single".into());
            let datasets = Datasets { ids: vec![id.to_owned()], query_variable: None, settings };
            let retrieval = Retrieval {
                run: &job.context,
                datasets: &datasets,
                query,
                inputs: &job.inputs,
                model: &job.model,
                parameters: &job.config.model.parameters,
                vision: false,
                with_sources: job.config.shows_sources,
            };
            match ports.retriever.retrieve(retrieval).await {
                Ok(retrieved) => {
                    if job.config.shows_sources {
                        merge_sources(&mut state.sources, &retrieved.sources);
                    }
                    retrieved.context.unwrap_or_default()
                }
                Err(err) => {
                    error = err.message.clone().into();
                    format!("tool invoke error: {}", err.message)
                }
            }
        }
        _ => "please input query".to_owned(),
    };
    let meta = json!({
        "time_cost": begun.elapsed().as_secs_f64(),
        "error": error,
        "tool_config": {"tool_name": name, "tool_provider": "", "tool_provider_type": "dataset-retrieval",
                        "tool_parameters": {}, "tool_icon": null},
    });
    ToolAnswer { text, meta, arguments, files: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_come_in_many_shapes() {
        let one = json!({"properties": {"q": {}}});
        let two = json!({"properties": {"a": {}, "b": {}}});
        for (parameters, given, expected) in [
            (&two, json!({"a": 1}), Some(json!({"a": 1}))),
            (&two, json!("{\"a\": 1}"), Some(json!({"a": 1}))),
            (&two, json!("{'a': 1,}"), Some(json!({"a": 1}))),
            (&two, json!(""), Some(json!({}))),
            (&two, json!(null), Some(json!({}))),
            (&two, json!("word"), None),
            (&two, json!([1]), None),
            (&one, json!("word"), Some(json!({"q": "word"}))),
            (&one, json!("{\"q\": 1}"), Some(json!({"q": 1}))),
            (&one, json!(7), Some(json!({"q": 7}))),
        ] {
            let declaration = PromptTool {
                name: "t".into(),
                description: String::new(),
                parameters: parameters.clone(),
            };
            let named = named(&declaration, given.clone()).ok().map(Value::Object);
            assert_eq!(named, expected, "{given}");
        }
    }
}
