//! Which plugins an app needs, and which of them are missing.

use boxed::boxed;
use model_runtime::ProviderId;
use serde_json::{Value, json};
use services_core::{Ctx, Fault};
use types::AppId;

use super::{DslError, WAIT};
use crate::{
    json::{Object, text, truthy, validation_text},
    ports::{PluginDependency, Ports},
};

/// Plugins (`organisation/plugin`) a configuration of a basic app needs, each once.
#[must_use]
pub fn of_config(config: &Object) -> Vec<String> {
    let mut found = Found::default();
    let datasets =
        config.get("dataset_configs").and_then(|configs| configs.get("datasets")?.get("datasets"));
    for dataset in datasets.and_then(Value::as_array).into_iter().flatten() {
        found.model(dataset.get("reranking_model").and_then(|m| m.get("reranking_provider_name")));
    }
    let tools = config.get("agent_mode").and_then(|agent| agent.get("tools"));
    for tool in tools.and_then(Value::as_array).into_iter().flatten() {
        found.tool(tool.get("provider_id"));
    }
    found.model(config.get("model").and_then(|model| model.get("provider")));
    found.0
}

/// Plugins a graph needs, each once.
#[must_use]
pub fn of_graph(graph: &Object) -> Vec<String> {
    let mut found = Found::default();
    let nodes = graph.get("nodes").and_then(Value::as_array);
    for data in nodes.into_iter().flatten().filter_map(|node| node.get("data")?.as_object()) {
        match text(data, "type") {
            Some("tool") => found.tool(data.get("provider_id")),
            Some("llm" | "question-classifier" | "parameter-extractor") => {
                found.model(data.get("model").and_then(|model| model.get("provider")));
            }
            Some("knowledge-retrieval") => found.retrieval(data),
            _ => {}
        }
    }
    found.0
}

#[derive(Default)]
struct Found(Vec<String>);

impl Found {
    fn add<E>(&mut self, id: Option<Result<ProviderId, E>>) {
        if let Some(plugin) = id.and_then(Result::ok).map(|id| id.plugin_id())
            && !self.0.contains(&plugin)
        {
            self.0.push(plugin);
        }
    }

    fn model(&mut self, provider: Option<&Value>) {
        self.add(provider.and_then(Value::as_str).map(ProviderId::model));
    }

    fn tool(&mut self, provider: Option<&Value>) {
        self.add(provider.and_then(Value::as_str).map(ProviderId::tool));
    }

    fn retrieval(&mut self, data: &Object) {
        if text(data, "retrieval_mode") == Some("single") {
            let single = data.get("single_retrieval_config");
            return self.model(single.and_then(|config| config.get("model")?.get("provider")));
        }
        let Some(multiple) = data.get("multiple_retrieval_config") else { return };
        let mode =
            multiple.get("reranking_mode").and_then(Value::as_str).unwrap_or("reranking_model");
        match mode {
            "reranking_model" => {
                self.model(multiple.get("reranking_model").and_then(|model| model.get("provider")));
            }
            "weighted_score" => {
                let weights = multiple.get("weights");
                self.model(weights.and_then(|weights| {
                    weights.get("vector_setting")?.get("embedding_provider_name")
                }));
            }
            _ => {}
        }
    }
}

/// The `dependencies` of a text.
///
/// # Errors
/// [`DslError::Invalid`] for an entry that is none.
pub(super) fn read(list: &Value) -> Result<Vec<PluginDependency>, DslError> {
    let entries = list.as_array().map(Vec::as_slice).unwrap_or_default();
    entries.iter().map(read_one).collect()
}

fn read_one(entry: &Value) -> Result<PluginDependency, DslError> {
    let dependency: Option<PluginDependency> = serde_json::from_value(entry.clone()).ok();
    let is_known = |d: &PluginDependency| {
        ["github", "marketplace", "package"].contains(&d.r#type.as_str())
            && unique_identifier(d).is_some()
    };
    let mut dependency = dependency.filter(is_known).ok_or_else(|| {
        let fault = (
            "value".to_owned(),
            "Input should name a plugin's version [type=value_error]".to_owned(),
        );
        DslError::Invalid(validation_text("PluginDependency", &[fault]))
    })?;
    if dependency.r#type != "github"
        && let Some(value) = dependency.value.as_object_mut()
    {
        value.entry("version").or_insert(Value::Null);
    }
    Ok(dependency)
}

/// How the plugin daemon calls a dependency's version.
fn unique_identifier(dependency: &PluginDependency) -> Option<&str> {
    [
        "github_plugin_unique_identifier",
        "marketplace_plugin_unique_identifier",
        "plugin_unique_identifier",
    ]
    .into_iter()
    .find_map(|key| dependency.value.get(key)?.as_str())
}

/// Remembers what an imported app needs, for [`missing`].
pub(super) async fn remember(
    ctx: &Ctx,
    app: AppId,
    dependencies: &[PluginDependency],
) -> Result<(), Fault> {
    if dependencies.is_empty() {
        return Ok(());
    }
    let note = json!({"dependencies": dependencies, "app_id": app});
    ctx.redis.set_ex(&key(app), note.to_string().as_bytes(), WAIT).await?;
    Ok(())
}

/// Plugins an app that was imported within the last ten minutes needs and the workspace does not have.
///
/// # Errors
/// [`DslError::Invalid`] with what the plugin daemon refuses.
#[boxed]
pub async fn missing(
    ctx: &Ctx,
    ports: &Ports,
    app: &db::app::App,
) -> Result<Vec<PluginDependency>, DslError> {
    let note = ctx.redis.get(&key(app.id)).await.map_err(Fault::from)?;
    let note: Value = note.and_then(|note| serde_json::from_slice(&note).ok()).unwrap_or_default();
    let dependencies = read(note.get("dependencies").unwrap_or(&Value::Null))?;
    let wanted: Vec<String> =
        dependencies.iter().filter_map(unique_identifier).map(str::to_owned).collect();
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let missing = ports.plugins.missing(app.tenant_id, &wanted).await?;
    Ok(dependencies
        .into_iter()
        .filter_map(|mut dependency| {
            let id = unique_identifier(&dependency)?.to_owned();
            let gone = missing.iter().find(|plugin| plugin.unique_identifier == id)?;
            if dependency.r#type == "marketplace"
                && let (Some(version), Some(value)) =
                    (version_in(&id), dependency.value.as_object_mut())
            {
                value.insert("version".to_owned(), Value::String(version));
            }
            dependency.current_identifier = Some(gone.current_identifier.clone());
            Some(dependency)
        })
        .collect())
}

/// The version in `organisation/plugin:1.2.3@checksum`.
fn version_in(identifier: &str) -> Option<String> {
    let after = identifier.split_once(':')?.1;
    let version = after.split('@').next()?;
    let numbers = version.split(['+', '-']).next()?;
    let is_version = numbers.split('.').count() == 3
        && numbers.split('.').all(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
    is_version.then(|| version.to_owned())
}

/// Whether a text names its plugins.
pub(super) fn are_named(list: Option<&Value>) -> bool {
    list.is_some_and(truthy)
}

fn key(app: AppId) -> String {
    format!("app_check_dependencies:{app}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plugins_of_a_graph_are_found_once() {
        let graph = json!({"nodes": [
            {"data": {"type": "llm", "model": {"provider": "openai"}}},
            {"data": {"type": "parameter-extractor", "model": {"provider": "langgenius/openai/openai"}}},
            {"data": {"type": "tool", "provider_id": "jina"}},
            {"data": {"type": "tool", "provider_id": "6c0a…"}},
            {"data": {"type": "knowledge-retrieval", "retrieval_mode": "multiple", "multiple_retrieval_config":
                {"reranking_mode": "weighted_score", "weights": {"vector_setting": {"embedding_provider_name": "a/b/c"}}}}},
            {"data": {}},
        ]});
        assert_eq!(
            of_graph(graph.as_object().unwrap()),
            ["langgenius/openai", "langgenius/jina_tool", "a/b"]
        );
    }

    #[test]
    fn versions_are_cut_out_of_identifiers() {
        for (id, expected) in [
            ("acme/rocket:0.0.1@00", Some("0.0.1")),
            ("acme/rocket:0.0.1-rc.1", Some("0.0.1-rc.1")),
            ("acme/rocket:1.2@00", None),
            ("acme/rocket", None),
        ] {
            assert_eq!(version_in(id).as_deref(), expected, "{id}");
        }
    }
}
