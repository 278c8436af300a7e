//! What a provider is: names, icons, credential forms, its models.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{
    entity::{ModelSchema, ModelType},
    i18n::I18n,
};

/// Credentials by variable name, decrypted.
pub type Credentials = Map<String, Value>;

/// How a provider is set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConfigurateMethod {
    /// One credential for the declared models.
    PredefinedModel,
    /// Credentials for each added model.
    CustomizableModel,
}

/// The kind of a form field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum FormType {
    TextInput,
    SecretInput,
    Select,
    Radio,
    Switch,
}

/// A field is shown when another one has this value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShowOn {
    /// The other field; `__model_type` is the type of the model being added.
    pub variable: String,
    /// The value it must have.
    pub value: String,
}

/// A choice of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormOption {
    /// Name to show.
    pub label: I18n,
    /// Stored value.
    pub value: String,
    /// When it is offered.
    #[serde(default)]
    pub show_on: Vec<ShowOn>,
}

/// A field of a credential form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormField {
    /// The key in the credentials.
    pub variable: String,
    /// Name to show.
    pub label: I18n,
    /// Kind of field; secret ones are stored encrypted and shown masked.
    #[serde(rename = "type")]
    pub kind: FormType,
    /// Whether it must be filled in.
    #[serde(default = "yes")]
    pub required: bool,
    /// The value when nothing is given.
    #[serde(default)]
    pub default: Option<String>,
    /// Choices of selects and radios.
    #[serde(default)]
    pub options: Option<Vec<FormOption>>,
    /// Hint in the empty field.
    #[serde(default)]
    pub placeholder: Option<I18n>,
    /// Most characters; 0: any.
    #[serde(default)]
    pub max_length: usize,
    /// When it is shown.
    #[serde(default)]
    pub show_on: Vec<ShowOn>,
}

fn yes() -> bool {
    true
}

/// The form of a provider's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderCredentialSchema {
    /// Fields in order.
    pub credential_form_schemas: Vec<FormField>,
}

/// The field for an added model's name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelField {
    /// Name to show.
    pub label: I18n,
    /// Hint in the empty field.
    #[serde(default)]
    pub placeholder: Option<I18n>,
}

/// The form of an added model's credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelCredentialSchema {
    /// The model's name.
    pub model: ModelField,
    /// The other fields in order.
    pub credential_form_schemas: Vec<FormField>,
}

/// A link to instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Help {
    /// Text of the link.
    pub title: I18n,
    /// Address.
    pub url: I18n,
}

/// Everything known about a provider (`ProviderEntity` of the reference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProviderSchema {
    /// The full id: `organisation/plugin/provider`.
    pub provider: String,
    /// Name to show.
    pub label: I18n,
    /// One sentence.
    #[serde(default)]
    pub description: Option<I18n>,
    /// File name of the icon.
    #[serde(default)]
    pub icon_small: Option<I18n>,
    /// File name of the icon for dark themes.
    #[serde(default)]
    pub icon_small_dark: Option<I18n>,
    /// Background colour.
    #[serde(default)]
    pub background: Option<String>,
    /// Where to get credentials.
    #[serde(default)]
    pub help: Option<Help>,
    /// Types of models there can be.
    pub supported_model_types: Vec<ModelType>,
    /// How it is set up.
    pub configurate_methods: Vec<ConfigurateMethod>,
    /// Declared models.
    #[serde(default, deserialize_with = "models")]
    pub models: Vec<ModelSchema>,
    /// Form of the provider's credentials.
    #[serde(default)]
    pub provider_credential_schema: Option<ProviderCredentialSchema>,
    /// Form of an added model's credentials.
    #[serde(default)]
    pub model_credential_schema: Option<ModelCredentialSchema>,
    /// Order of models by type.
    #[serde(default)]
    pub position: Option<Map<String, Value>>,
}

impl ProviderSchema {
    /// The declared model.
    #[must_use]
    pub fn model(&self, kind: ModelType, name: &str) -> Option<&ModelSchema> {
        self.models.iter().find(|model| model.model_type == kind && model.model == name)
    }

    /// The names of secret fields of the provider's form.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let form = self.provider_credential_schema.as_ref();
        secrets(form.map_or(&[], |form| &form.credential_form_schemas))
    }

    /// The names of secret fields of an added model's form.
    pub fn model_secrets(&self) -> impl Iterator<Item = &str> {
        let form = self.model_credential_schema.as_ref();
        secrets(form.map_or(&[], |form| &form.credential_form_schemas))
    }
}

fn secrets(fields: &[FormField]) -> impl Iterator<Item = &str> {
    fields.iter().filter(|f| f.kind == FormType::SecretInput).map(|f| f.variable.as_str())
}

fn models<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ModelSchema>, D::Error> {
    let models = Option::<Vec<ModelSchema>>::deserialize(deserializer)?.unwrap_or_default();
    Ok(models.into_iter().map(ModelSchema::settled).collect())
}
