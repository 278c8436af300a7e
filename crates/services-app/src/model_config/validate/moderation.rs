//! `sensitive_word_avoidance`.

use serde_json::{Value, json};

use super::{Checked, ConfigError, World};
use crate::json::{Object, has, or_default, text, truthy};

const MAX_PRESET: usize = 100;
const MAX_KEYWORDS: usize = 10_000;
const MAX_KEYWORD_ROWS: usize = 100;

/// Checks the block with the settings of its kind.
pub(super) async fn check<W: World>(world: &W, config: &mut Object) -> Checked {
    let Some(block) = structure(config)? else { return Ok(()) };
    let kind = block
        .get("type")
        .and_then(Value::as_str)
        .ok_or_else(|| ConfigError::invalid("sensitive_word_avoidance.type must be a string"))?;
    let none = Object::new();
    let settings = match block.get("config") {
        None | Some(Value::Null) => &none,
        Some(Value::Object(settings)) => settings,
        Some(_) => {
            return Err(ConfigError::invalid("sensitive_word_avoidance.config must be a dict"));
        }
    };
    match kind {
        "keywords" => {
            sides(settings, true)?;
            keywords(settings)
        }
        "openai_moderation" => sides(settings, true),
        "api" => {
            sides(settings, false)?;
            extension(world, settings).await
        }
        _ => Err(ConfigError::invalid(format!("Extension {kind} not found"))),
    }
}

/// Checks the block's shape alone, as drafts of workflows do; answers it if it is on.
///
/// # Errors
/// [`ConfigError::Invalid`].
pub fn structure(config: &mut Object) -> Result<Option<&Object>, ConfigError> {
    let block = or_default(config, "sensitive_word_avoidance", json!({"enabled": false}))
        .as_object_mut()
        .ok_or_else(|| ConfigError::invalid("sensitive_word_avoidance must be of dict type"))?;
    if !truthy(or_default(block, "enabled", json!(false))) {
        return Ok(None);
    }
    if !has(block, "type") {
        return Err(ConfigError::invalid("sensitive_word_avoidance.type is required"));
    }
    Ok(Some(block))
}

/// Checks what is done with inputs and outputs.
fn sides(settings: &Object, needs_preset: bool) -> Checked {
    let side = |name: &str| {
        let side = settings.get(name).and_then(Value::as_object);
        side.ok_or_else(|| ConfigError::invalid(format!("{name} must be a dict")))
    };
    let sides =
        [("inputs_config", side("inputs_config")?), ("outputs_config", side("outputs_config")?)];
    if !sides.iter().any(|(_, side)| has(side, "enabled")) {
        return Err(ConfigError::invalid(
            "At least one of inputs_config or outputs_config must be enabled",
        ));
    }
    for (name, side) in sides {
        if !needs_preset || !has(side, "enabled") {
            continue;
        }
        if !has(side, "preset_response") {
            return Err(ConfigError::invalid(format!("{name}.preset_response is required")));
        }
        let length = text(side, "preset_response").map(|text| text.chars().count());
        if length.is_none_or(|length| MAX_PRESET < length) {
            return Err(ConfigError::invalid(format!(
                "{name}.preset_response must be less than 100 characters"
            )));
        }
    }
    Ok(())
}

fn keywords(settings: &Object) -> Checked {
    let Some(words) = text(settings, "keywords").filter(|words| !words.is_empty()) else {
        return Err(ConfigError::invalid("keywords is required"));
    };
    if MAX_KEYWORDS < words.chars().count() {
        return Err(ConfigError::invalid("keywords length must be less than 10000"));
    }
    if MAX_KEYWORD_ROWS < words.split('\n').count() {
        return Err(ConfigError::invalid(
            "the number of rows for the keywords must be less than 100",
        ));
    }
    Ok(())
}

async fn extension<W: World>(world: &W, settings: &Object) -> Checked {
    let id = settings
        .get("api_based_extension_id")
        .filter(|id| truthy(id))
        .ok_or_else(|| ConfigError::invalid("api_based_extension_id is required"))?;
    let known = match id.as_str().and_then(|id| id.parse().ok()) {
        Some(id) => world.has_extension(id).await?,
        None => false,
    };
    if known {
        return Ok(());
    }
    Err(ConfigError::invalid("API-based Extension not found. Please check it again."))
}
