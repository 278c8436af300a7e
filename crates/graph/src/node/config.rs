//! What the graph says of a node.

use std::sync::Arc;

use serde_json::Value as Json;

use crate::error::GraphError;

/// A node of the graph before it is built.
#[derive(Debug, Clone)]
pub struct NodeConfig {
    /// Id in the graph.
    pub id: Arc<str>,
    /// `data.type`.
    pub node_type: Arc<str>,
    /// `data.version`, `"1"` if absent.
    pub version: Arc<str>,
    /// `data.title`.
    pub title: Arc<str>,
    /// The whole `data` object.
    pub data: serde_json::Map<String, serde_json::Value>,
}

impl NodeConfig {
    /// The `data` object as a node's own settings type.
    ///
    /// # Errors
    /// [`GraphError::InvalidNode`] naming all fields that are missing, or the one that is wrong.
    pub fn parse<T: serde::de::DeserializeOwned>(&self) -> Result<T, GraphError> {
        let error = match serde_json::from_value(Json::Object(self.data.clone())) {
            Ok(settings) => return Ok(settings),
            Err(error) => error.to_string(),
        };
        let message = format!("Invalid settings of {} node '{}'", self.node_type, self.title);
        let missing = self.missing_fields::<T>(error.clone());
        let message = if missing.is_empty() {
            format!("{message}: {error}")
        } else {
            format!("{message}: missing {}", missing.join(", "))
        };
        Err(GraphError::InvalidNode { node_id: self.id.to_string(), message })
    }

    /// serde stops at the first missing field; each is filled in to find the next.
    fn missing_fields<T: serde::de::DeserializeOwned>(&self, mut error: String) -> Vec<String> {
        let constants = [Json::from(""), Json::from(0), Json::Array(Vec::new()), Json::Bool(false)];
        let constants = constants.into_iter().chain([Json::Object(serde_json::Map::new())]);
        let constants: Vec<Json> = constants.collect();
        let mut data = self.data.clone();
        let mut missing = Vec::new();
        while let Some(field) = missing_field(&error) {
            if data.contains_key(&field) {
                // It is missing further inside.
                missing.push(field);
                break;
            }
            missing.push(field.clone());
            let mut next = None;
            let mut fillers = constants.clone();
            while let Some(filler) = fillers.pop() {
                data.insert(field.clone(), filler);
                match serde_json::from_value::<T>(Json::Object(data.clone())) {
                    Ok(_) => return missing,
                    Err(err) => {
                        let text = err.to_string();
                        if missing_field(&text).is_some() {
                            next = Some(text);
                            break;
                        }
                        // Only certain words fit: the next try takes one of them.
                        if let Some(word) = known_word(&text)
                            && data.get(&field).and_then(Json::as_str) == Some("")
                        {
                            fillers.push(Json::from(word));
                        }
                    }
                }
            }
            match next {
                Some(text) => error = text,
                None => break,
            }
        }
        missing
    }
}

/// A word that an enumeration takes, of serde's text about one that it does not.
fn known_word(error: &str) -> Option<String> {
    let expected = error.strip_prefix("unknown variant ")?.split(", expected ").nth(1)?;
    Some(expected.split('`').nth(1)?.to_owned())
}

fn missing_field(error: &str) -> Option<String> {
    let rest = error.strip_prefix("missing field `")?;
    Some(rest.split('`').next()?.to_owned())
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "only its shape counts")]
    struct Settings {
        variables: Vec<String>,
        mode: Mode,
        text: String,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Mode {
        Fast,
        Slow,
    }

    #[test]
    fn all_missing_settings_are_named() {
        for (data, expected) in [
            (json!({}), "missing variables, mode, text"),
            (json!({"variables": []}), "missing mode, text"),
            (json!({"variables": [], "mode": "fast"}), "missing text"),
            (
                json!({"variables": [], "mode": "odd", "text": ""}),
                "unknown variant `odd`, expected `fast` or `slow`",
            ),
        ] {
            let Json::Object(data) = data else { panic!("an object") };
            let config = NodeConfig {
                id: "n".into(),
                node_type: "code".into(),
                version: "1".into(),
                title: "T".into(),
                data,
            };
            let message = config.parse::<Settings>().unwrap_err().to_string();
            assert!(message.ends_with(expected), "{message}");
        }
    }
}
