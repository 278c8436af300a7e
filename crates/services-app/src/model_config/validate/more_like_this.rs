//! `more_like_this` of completion apps.

use serde_json::{Value, json};
use types::lax::flag;

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
        // This block alone takes words for a flag.
        Some(value) => flag(value).ok_or_else(wrong)?,
    };
    feature.insert("enabled".to_owned(), Value::Bool(enabled));
    Ok(())
}
