//! Parts that several kinds of plugins declare.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::or_default;

/// A text in the languages plugins are translated to; a missing one is the English one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[allow(non_snake_case, reason = "the names of the wire")]
#[allow(missing_docs, reason = "language tags")]
pub struct I18n {
    pub en_US: String,
    pub zh_Hans: String,
    pub pt_BR: String,
    pub ja_JP: String,
}

impl I18n {
    /// The same text in every language.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { en_US: text.clone(), zh_Hans: text.clone(), pt_BR: text.clone(), ja_JP: text }
    }
}

impl<'de> Deserialize<'de> for I18n {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[allow(non_snake_case, reason = "the names of the wire")]
        struct Raw {
            en_US: String,
            #[serde(default)]
            zh_Hans: Option<String>,
            #[serde(default)]
            pt_BR: Option<String>,
            #[serde(default)]
            ja_JP: Option<String>,
        }
        let Raw { en_US, zh_Hans, pt_BR, ja_JP } = Raw::deserialize(deserializer)?;
        let or_english = |text: Option<String>| {
            text.filter(|text| !text.is_empty()).unwrap_or_else(|| en_US.clone())
        };
        Ok(Self {
            zh_Hans: or_english(zh_Hans),
            pt_BR: or_english(pt_BR),
            ja_JP: or_english(ja_JP),
            en_US,
        })
    }
}

/// How a credential was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CredentialType {
    /// A key or the like.
    #[serde(alias = "api_key")]
    ApiKey,
    /// By OAuth.
    #[serde(alias = "oauth")]
    Oauth2,
    /// None is needed.
    Unauthorized,
}

impl CredentialType {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ApiKey => "api-key",
            Self::Oauth2 => "oauth2",
            Self::Unauthorized => "unauthorized",
        }
    }

    /// The name that new credentials are numbered after.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::ApiKey => "API KEY",
            Self::Oauth2 => "AUTH",
            Self::Unauthorized => "UNAUTHORIZED",
        }
    }

    /// Reads a name in any case, also the older spellings.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        match text.to_lowercase().as_str() {
            "api-key" | "api_key" => Some(Self::ApiKey),
            "oauth2" | "oauth" => Some(Self::Oauth2),
            "unauthorized" => Some(Self::Unauthorized),
            _ => None,
        }
    }
}

/// A choice of a setting.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderConfigOption {
    /// Stored value.
    pub value: String,
    /// Name to show.
    pub label: I18n,
}

/// A setting or credential that a plugin asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderConfig {
    /// `secret-input`, `text-input`, `select`, `boolean`, `app-selector`, `model-selector`, `array[tools]`.
    #[serde(rename = "type")]
    pub kind: String,
    /// Key.
    pub name: String,
    /// What a selector offers.
    #[serde(default)]
    pub scope: Option<String>,
    /// Whether it must be given.
    #[serde(default)]
    pub required: bool,
    /// Value when nothing is given.
    #[serde(default)]
    pub default: Option<Value>,
    /// Choices.
    #[serde(default)]
    pub options: Option<Vec<ProviderConfigOption>>,
    /// Whether several may be chosen.
    #[serde(default = "no")]
    pub multiple: Option<bool>,
    /// Name to show.
    #[serde(default)]
    pub label: Option<I18n>,
    /// Explanation to show.
    #[serde(default)]
    pub help: Option<I18n>,
    /// Where to read more.
    #[serde(default)]
    pub url: Option<String>,
    /// Hint in the empty field.
    #[serde(default)]
    pub placeholder: Option<I18n>,
}

#[allow(clippy::unnecessary_wraps, reason = "serde's signature")]
pub(super) fn no() -> Option<bool> {
    Some(false)
}

impl ProviderConfig {
    /// Whether its value is kept encrypted.
    #[must_use]
    pub fn is_secret(&self) -> bool {
        self.kind == "secret-input"
    }
}

/// The names of the secret fields of a form.
#[must_use]
pub fn secrets(form: &[ProviderConfig]) -> Vec<&str> {
    form.iter().filter(|field| field.is_secret()).map(|field| field.name.as_str()).collect()
}

/// What a plugin needs for OAuth.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OAuthSchema {
    /// Settings of the client.
    #[serde(default, deserialize_with = "or_default")]
    pub client_schema: Vec<ProviderConfig>,
    /// Credentials that come back.
    #[serde(default, deserialize_with = "or_default")]
    pub credentials_schema: Vec<ProviderConfig>,
}

/// A choice of a parameter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterOption {
    /// Value; numbers are read as text.
    #[serde(deserialize_with = "text")]
    pub value: String,
    /// Name to show.
    pub label: I18n,
    /// Address or content of a picture.
    #[serde(default)]
    pub icon: Option<String>,
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) => text,
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Null => "None".to_owned(),
        other => other.to_string(),
    })
}

/// Options that are no list count as none.
pub(super) fn options<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<ParameterOption>, D::Error> {
    match Value::deserialize(deserializer)? {
        list @ Value::Array(_) => serde_json::from_value(list).map_err(serde::de::Error::custom),
        _ => Ok(Vec::new()),
    }
}

/// What can write a parameter's value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AutoGenerate {
    /// `prompt_instruction`.
    #[serde(rename = "type")]
    pub kind: String,
}

/// Whether a parameter is a Jinja template.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Template {
    /// It is.
    #[serde(default)]
    pub enabled: bool,
}
