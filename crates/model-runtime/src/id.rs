//! Ids of providers: `organisation/plugin/provider`.

use std::{fmt, str::FromStr};

/// A provider's id, always in full.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProviderId {
    organization: String,
    plugin: String,
    provider: String,
}

/// The text is no provider id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidProviderId {
    /// Nothing was given.
    #[error("plugin not found, please add plugin")]
    Empty,
    /// Neither one part nor three of lower-case letters, digits, `_` and `-`.
    #[error("Invalid plugin id {0}")]
    Malformed(String),
}

impl ProviderId {
    /// Reads the id of a model provider: `google` by Dify's own organisation is in the plugin `gemini`.
    ///
    /// # Errors
    /// When the text is no id.
    pub fn model(text: &str) -> Result<Self, InvalidProviderId> {
        let mut id: Self = text.parse()?;
        if id.organization == "langgenius" && id.provider == "google" {
            "gemini".clone_into(&mut id.plugin);
        }
        Ok(id)
    }

    /// Reads the id of a tool provider: some share their name with a model plugin and are in `…_tool`.
    ///
    /// # Errors
    /// When the text is no id.
    pub fn tool(text: &str) -> Result<Self, InvalidProviderId> {
        let mut id: Self = text.parse()?;
        if id.organization == "langgenius"
            && ["jina", "siliconflow", "stepfun", "gitee_ai"].contains(&id.provider.as_str())
        {
            id.plugin = format!("{}_tool", id.provider);
        }
        Ok(id)
    }

    /// The first part.
    #[must_use]
    pub fn organization(&self) -> &str {
        &self.organization
    }

    /// The first two parts, the id of the plugin.
    #[must_use]
    pub fn plugin_id(&self) -> String {
        format!("{}/{}", self.organization, self.plugin)
    }

    /// The last part.
    #[must_use]
    pub fn provider_name(&self) -> &str {
        &self.provider
    }
}

impl fmt::Display for ProviderId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.organization, self.plugin, self.provider)
    }
}

impl FromStr for ProviderId {
    type Err = InvalidProviderId;

    fn from_str(text: &str) -> Result<Self, InvalidProviderId> {
        if text.is_empty() {
            return Err(InvalidProviderId::Empty);
        }
        let part = |part: &str| {
            !part.is_empty()
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"_-".contains(&b))
        };
        let parts: Vec<&str> = text.split('/').collect();
        match parts[..] {
            [name] if part(name) => Ok(Self {
                organization: "langgenius".to_owned(),
                plugin: name.to_owned(),
                provider: name.to_owned(),
            }),
            [organization, plugin, provider] if parts.iter().all(|one| part(one)) => Ok(Self {
                organization: organization.to_owned(),
                plugin: plugin.to_owned(),
                provider: provider.to_owned(),
            }),
            _ => Err(InvalidProviderId::Malformed(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_completed() {
        let full = |text| ProviderId::model(text).unwrap().to_string();
        assert_eq!(full("openai"), "langgenius/openai/openai");
        assert_eq!(full("a/b/c"), "a/b/c");
        assert_eq!(full("google"), "langgenius/gemini/google");
        assert_eq!(full("langgenius/google/google"), "langgenius/gemini/google");
        assert_eq!(ProviderId::tool("jina").unwrap().to_string(), "langgenius/jina_tool/jina");
    }

    #[test]
    fn other_texts_are_refused() {
        assert_eq!("".parse::<ProviderId>(), Err(InvalidProviderId::Empty));
        for text in ["a/b", "A", "a/b/c/d", "a//c", "a b"] {
            assert_eq!(
                text.parse::<ProviderId>().unwrap_err().to_string(),
                format!("Invalid plugin id {text}")
            );
        }
    }
}
