//! `prompt_type`, `pre_prompt`, `chat_prompt_config`, `completion_prompt_config`.

use serde_json::{Value, json};

use super::{Checked, ConfigError};
use crate::{
    json::{Object, has, or_default, text},
    mode::AppMode,
};

/// Messages of an expert chat prompt at the most.
const MAX_MESSAGES: usize = 10;

pub(super) fn check(mode: AppMode, config: &mut Object) -> Checked {
    let prompt_type = or_default(config, "prompt_type", json!("simple"));
    let is_advanced = match prompt_type.as_str() {
        Some("simple") => false,
        Some("advanced") => true,
        _ => return Err(ConfigError::invalid("prompt_type must be in ['simple', 'advanced']")),
    };
    for key in ["chat_prompt_config", "completion_prompt_config"] {
        if !or_default(config, key, json!({})).is_object() {
            return Err(ConfigError::invalid(format!("{key} must be of object type")));
        }
    }
    if is_advanced {
        return check_advanced(mode, config);
    }
    if or_default(config, "pre_prompt", json!("")).is_string() {
        Ok(())
    } else {
        Err(ConfigError::invalid("pre_prompt must be of string type"))
    }
}

fn check_advanced(mode: AppMode, config: &mut Object) -> Checked {
    if !has(config, "chat_prompt_config") && !has(config, "completion_prompt_config") {
        return Err(ConfigError::invalid(
            "chat_prompt_config or completion_prompt_config is required when prompt_type is advanced",
        ));
    }
    let model = config.get("model").and_then(Value::as_object);
    match model.and_then(|model| text(model, "mode")) {
        Some("completion") => {
            if mode == AppMode::Chat {
                name_speakers(config);
            }
            Ok(())
        }
        Some("chat") => {
            let messages = config.get("chat_prompt_config").and_then(|prompt| prompt.get("prompt"));
            let messages = messages.and_then(Value::as_array).ok_or_else(|| {
                ConfigError::invalid("chat_prompt_config.prompt must be a list of messages")
            })?;
            if MAX_MESSAGES < messages.len() {
                return Err(ConfigError::invalid("prompt messages must be less than 10"));
            }
            Ok(())
        }
        _ => Err(ConfigError::invalid(
            "model.mode must be in ['completion', 'chat'] when prompt_type is advanced",
        )),
    }
}

/// Names the speakers of a chat's history where the prompt leaves them out.
fn name_speakers(config: &mut Object) {
    let prompt = or_default(config, "completion_prompt_config", json!({}));
    let Some(prompt) = prompt.as_object_mut() else { return };
    let Some(roles) = or_default(prompt, "conversation_histories_role", json!({})).as_object_mut()
    else {
        return;
    };
    or_default(roles, "user_prefix", json!("Human"));
    or_default(roles, "assistant_prefix", json!("Assistant"));
}
