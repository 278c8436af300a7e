//! Which knowledge bases a configuration uses.

use serde_json::Value;
use uuid::Uuid;

use crate::json::Object;

/// Ids of the knowledge bases a configuration names, as agent tools of the old kind or for retrieval; each once.
#[must_use]
pub fn used_datasets(config: &Object) -> Vec<Uuid> {
    let tools = config.get("agent_mode").and_then(|agent| agent.get("tools"));
    let datasets =
        config.get("dataset_configs").and_then(|configs| configs.get("datasets")?.get("datasets"));
    let mut ids: Vec<Uuid> = [tools, datasets]
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_object)
        .filter(|entry| entry.len() == 1)
        .filter_map(|entry| entry.get("dataset")?.get("id")?.as_str()?.parse().ok())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_come_from_tools_and_retrieval_once_each() {
        let (a, b) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let config = json!({
            "agent_mode": {"tools": [{"dataset": {"id": a}}, {"dataset": {"id": b}, "x": 1}, {"web_reader": {}}, 4]},
            "dataset_configs": {"datasets": {"datasets": [
                {"dataset": {"id": b}}, {"dataset": {"id": a}}, {"dataset": {"id": "none"}}, {"dataset": 3},
            ]}},
        });
        assert_eq!(used_datasets(config.as_object().unwrap()), [a, b]);
        assert!(used_datasets(&Object::new()).is_empty());
    }
}
