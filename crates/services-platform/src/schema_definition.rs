//! JSON schemas the console knows the structured outputs of nodes by.

use std::sync::LazyLock;

use serde_json::Value;

static DEFINITIONS: LazyLock<Vec<Value>> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../data/schema_definitions.json")).unwrap_or_default()
});

/// Every definition: `{name, label, schema}`.
#[must_use]
pub fn list() -> &'static [Value] {
    &DEFINITIONS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_are_read_and_named() {
        let names: Vec<_> = list().iter().filter_map(|one| one.get("name")?.as_str()).collect();
        assert_eq!(names.len(), list().len());
        assert!(names.contains(&"file"), "{names:?}");
    }
}
