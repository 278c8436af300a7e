//! `model`.

use model_runtime::ProviderId;
use serde_json::{Value, json};

use super::{Checked, ConfigError, World};
use crate::json::Object;

/// Stop sequences a model takes at the most.
const MAX_STOPS: usize = 4;

pub(super) async fn check<W: World>(world: &W, config: &mut Object) -> Checked {
    let model = config.get_mut("model").ok_or_else(|| ConfigError::invalid("model is required"))?;
    let model = model
        .as_object_mut()
        .ok_or_else(|| ConfigError::invalid("model must be of object type"))?;

    let providers = world.providers().await?;
    let unknown = || {
        let names: Vec<_> = providers.iter().map(|name| format!("'{name}'")).collect();
        let names = names.join(", ");
        ConfigError::invalid(format!("model.provider is required and must be in [{names}]"))
    };
    let provider = model.get("provider").and_then(Value::as_str).ok_or_else(unknown)?;
    let provider = if provider.contains('/') {
        provider.to_owned()
    } else {
        ProviderId::model(provider).map_err(|_| unknown())?.to_string()
    };
    if !providers.contains(&provider) {
        return Err(unknown());
    }

    let name = model.get("name").ok_or_else(|| ConfigError::invalid("model.name is required"))?;
    let llms = world.llms(&provider).await?;
    let llm = llms
        .into_iter()
        .find(|llm| name.as_str() == Some(llm.name.as_str()))
        .ok_or_else(|| ConfigError::invalid("model.name must be in the specified model list"))?;
    model.insert("provider".to_owned(), Value::String(provider));
    model.insert("mode".to_owned(), json!(llm.mode.as_deref().unwrap_or("completion")));

    let parameters = model
        .get_mut("completion_params")
        .ok_or_else(|| ConfigError::invalid("model.completion_params is required"))?
        .as_object_mut()
        .ok_or_else(|| ConfigError::invalid("model.completion_params must be of object type"))?;
    match parameters.entry("stop").or_insert_with(|| json!([])) {
        Value::Array(stops) if stops.len() <= MAX_STOPS => Ok(()),
        Value::Array(_) => Err(ConfigError::invalid("stop sequences must be less than 4")),
        _ => Err(ConfigError::invalid("stop in model.completion_params must be of list type")),
    }
}
