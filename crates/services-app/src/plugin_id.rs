//! Ids of providers (`organisation/plugin/provider`) and of the plugins that bring them.

/// A provider's full id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderId {
    /// Who publishes the plugin.
    pub organization: String,
    /// The plugin.
    pub plugin: String,
    /// The provider within it.
    pub provider: String,
}

impl ProviderId {
    /// Reads a full id, or a bare name, which means `langgenius/name/name`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_word = |word: &str| {
            !word.is_empty()
                && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-'))
        };
        let mut parts = text.split('/');
        let id = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(name), None, None, None) => ("langgenius", name, name),
            (Some(organization), Some(plugin), Some(provider), None) => {
                (organization, plugin, provider)
            }
            _ => return None,
        };
        if ![id.0, id.1, id.2].into_iter().all(is_word) {
            return None;
        }
        Some(Self {
            organization: id.0.to_owned(),
            plugin: id.1.to_owned(),
            provider: id.2.to_owned(),
        })
    }

    /// The id of a model provider; Google's moved to the plugin `gemini`.
    #[must_use]
    pub fn of_model(text: &str) -> Option<Self> {
        let mut id = Self::parse(text)?;
        if id.organization == "langgenius" && id.provider == "google" {
            "gemini".clone_into(&mut id.plugin);
        }
        Some(id)
    }

    /// The id of a tool provider; some share their name with a model provider and moved.
    #[must_use]
    pub fn of_tool(text: &str) -> Option<Self> {
        let mut id = Self::parse(text)?;
        if id.organization == "langgenius"
            && ["jina", "siliconflow", "stepfun", "gitee_ai"].contains(&id.provider.as_str())
        {
            id.plugin = format!("{}_tool", id.provider);
        }
        Some(id)
    }

    /// `organisation/plugin`.
    #[must_use]
    pub fn plugin_id(&self) -> String {
        format!("{}/{}", self.organization, self.plugin)
    }
}

impl std::fmt::Display for ProviderId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}/{}", self.organization, self.plugin, self.provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_names_are_expanded_and_movers_found() {
        for (of, text, expected) in [
            (ProviderId::of_model as fn(&str) -> _, "openai", Some("langgenius/openai/openai")),
            (ProviderId::of_model, "google", Some("langgenius/gemini/google")),
            (ProviderId::of_model, "acme/rocket/moon", Some("acme/rocket/moon")),
            (ProviderId::of_tool, "jina", Some("langgenius/jina_tool/jina")),
            (ProviderId::of_tool, "a/b", None),
            (ProviderId::of_tool, "", None),
            (ProviderId::of_tool, "Acme", None),
        ] {
            assert_eq!(
                of(text).map(|id: ProviderId| id.to_string()).as_deref(),
                expected,
                "{text}"
            );
        }
    }
}
