//! `more_like_this` of completion apps.

use serde_json::{Value, json};

use super::{Checked, ConfigError};
use crate::json::Object;

pub(super) fn check(config: &mut Object) -> Checked {
    let wrong = || {
        ConfigError::invalid(
            "more_like_this must be of dict type and enabled in more_like_this must be of boolean type",
        )
    };
    let feature = config.entry("more_like_this").or_insert_with(|| json!({"enabled": false}));
    let feature = feature.as_object_mut().ok_or_else(wrong)?;
    let enabled = match feature.get("enabled") {
        None => false,
        Some(value) => flag(value).ok_or_else(wrong)?,
    };
    feature.insert("enabled".to_owned(), Value::Bool(enabled));
    Ok(())
}

/// A flag as pydantic reads one: this block alone takes words for it.
fn flag(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => match number.as_f64() {
            Some(1.0) => Some(true),
            Some(0.0) => Some(false),
            _ => None,
        },
        Value::String(word) => match word.to_ascii_lowercase().as_str() {
            "1" | "true" | "t" | "yes" | "y" | "on" => Some(true),
            "0" | "false" | "f" | "no" | "n" | "off" => Some(false),
            _ => None,
        },
        _ => None,
    }
}
