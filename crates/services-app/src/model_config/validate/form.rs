//! `user_input_form`.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Value, json};

use super::{Checked, ConfigError};
use crate::json::{Object, or_default, truthy};

/// What a field of the form may be.
const KINDS: [&str; 6] =
    ["text-input", "select", "paragraph", "number", "external_data_tool", "checkbox"];

/// Names of variables: letters, digits, Chinese characters, common emoji; no digit first. The trailing line break
/// is what Python's `$` lets through.
static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^[\x{4e00}-\x{9fa5}A-Za-z_\x{1F300}-\x{1F64F}\x{1F680}-\x{1F6FF}][\x{4e00}-\x{9fa5}A-Za-z0-9_\x{1F300}-\x{1F64F}\x{1F680}-\x{1F6FF}]{0,99}$",
    )
    .ok()
});

pub(super) fn check(config: &mut Object) -> Checked {
    let form = or_default(config, "user_input_form", json!([]));
    let wrong = || ConfigError::invalid("user_input_form must be a list of objects");
    for entry in form.as_array_mut().ok_or_else(wrong)? {
        let (kind, field) =
            entry.as_object_mut().and_then(|entry| entry.iter_mut().next()).ok_or_else(wrong)?;
        if !KINDS.contains(&kind.as_str()) {
            let kinds = KINDS.join(", ");
            return Err(ConfigError::invalid(format!(
                "Keys in user_input_form list can only be {kinds}"
            )));
        }
        let is_select = kind == "select";
        let field = field.as_object_mut().ok_or_else(wrong)?;
        check_names(field)?;
        if !or_default(field, "required", json!(false)).is_boolean() {
            return Err(ConfigError::invalid(
                "required in user_input_form must be of boolean type",
            ));
        }
        if is_select {
            check_options(field)?;
        }
    }
    Ok(())
}

fn check_names(field: &Object) -> Checked {
    for name in ["label", "variable"] {
        match field.get(name) {
            None => {
                return Err(ConfigError::invalid(format!("{name} is required in user_input_form")));
            }
            Some(Value::String(_)) => {}
            Some(_) => {
                return Err(ConfigError::invalid(format!(
                    "{name} in user_input_form must be of string type"
                )));
            }
        }
    }
    let variable = field.get("variable").and_then(Value::as_str).unwrap_or_default();
    let fits = VARIABLE.as_ref().is_some_and(|pattern| pattern.is_match(variable));
    if fits {
        return Ok(());
    }
    Err(ConfigError::invalid(
        "variable in user_input_form must be a string, and cannot start with a number",
    ))
}

fn check_options(field: &mut Object) -> Checked {
    let Some(options) = or_default(field, "options", json!([])).as_array().cloned() else {
        return Err(ConfigError::invalid("options in user_input_form must be a list of strings"));
    };
    match field.get("default") {
        Some(default) if truthy(default) && !options.contains(default) => Err(
            ConfigError::invalid("default value in user_input_form must be in the options list"),
        ),
        _ => Ok(()),
    }
}
