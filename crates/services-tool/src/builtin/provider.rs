//! A provider and its tools, whether it comes with the server or with a plugin.

use model_runtime::ProviderId;
use plugin::{
    CredentialType,
    entity::{ProviderConfig, Tool, ToolProvider, ToolProviderDeclaration},
};

/// A provider and where it comes from.
#[derive(Debug, Clone)]
pub struct Provider {
    /// What it declares, its name in full.
    pub declaration: ToolProviderDeclaration,
    /// The plugin it comes with; `None`: it comes with the server.
    pub plugin: Option<Origin>,
}

/// A plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// `organisation/plugin`.
    pub plugin_id: String,
    /// The package.
    pub unique_identifier: String,
}

impl From<ToolProvider> for Provider {
    fn from(provider: ToolProvider) -> Self {
        let ToolProvider { plugin_unique_identifier, plugin_id, declaration, .. } = provider;
        let plugin = Origin { plugin_id, unique_identifier: plugin_unique_identifier };
        Self { declaration, plugin: Some(plugin) }
    }
}

impl Provider {
    /// Its id.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.declaration.entry.identity.name
    }

    /// A tool of it.
    #[must_use]
    pub fn tool(&self, name: &str) -> Option<&Tool> {
        self.declaration.tools.iter().find(|tool| tool.identity.name == name)
    }

    /// What it is about.
    #[must_use]
    pub fn labels(&self) -> &[String] {
        self.declaration.entry.identity.tags.as_deref().unwrap_or_default()
    }

    /// Whether its tools can be called only with credentials.
    #[must_use]
    pub fn needs_credentials(&self) -> bool {
        !self.supported_types().is_empty()
    }

    /// How credentials can be given.
    #[must_use]
    pub fn supported_types(&self) -> Vec<CredentialType> {
        [CredentialType::ApiKey, CredentialType::Oauth2]
            .into_iter()
            .filter(|kind| !self.form(*kind).is_empty())
            .collect()
    }

    /// What credentials of a type hold.
    #[must_use]
    pub fn form(&self, kind: CredentialType) -> &[ProviderConfig] {
        let entry = &self.declaration.entry;
        match kind {
            CredentialType::ApiKey => &entry.credentials_schema,
            CredentialType::Oauth2 => {
                entry.oauth_schema.as_ref().map_or(&[], |schema| &schema.credentials_schema)
            }
            CredentialType::Unauthorized => &[],
        }
    }

    /// What the settings of its OAuth client hold.
    #[must_use]
    pub fn client_form(&self) -> &[ProviderConfig] {
        let schema = self.declaration.entry.oauth_schema.as_ref();
        schema.map_or(&[], |schema| &schema.client_schema)
    }
}

/// The names rows of a provider may carry, the given one first.
pub(crate) fn names(provider: &str) -> Vec<String> {
    let mut names = vec![provider.to_owned()];
    if let Ok(id) = ProviderId::tool(provider)
        && id.organization() == "langgenius"
    {
        for name in [id.provider_name().to_owned(), id.to_string()] {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// A provider's id in the form rows are compared by.
pub(super) fn full(provider: &str) -> String {
    ProviderId::tool(provider).map_or_else(|_| provider.to_owned(), |id| id.to_string())
}
