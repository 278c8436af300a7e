//! Declaration files: what one provider offers and how it is spoken to.
//!
//! Each file in `declarations/` is one provider. It is built in, so a provider that speaks a known protocol is added by
//! adding its file.

use indexmap::IndexMap;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    entity::{Feature, FetchFrom, ModelSchema, ModelType, ParameterRule, ParameterType, Pricing},
    i18n::I18n,
    id::ProviderId,
    params,
    provider::{
        ConfigurateMethod, FormField, FormOption, FormType, Help, ModelCredentialSchema,
        ModelField, ProviderCredentialSchema, ProviderSchema, ShowOn,
    },
};

mod built_in {
    include!(concat!(env!("OUT_DIR"), "/declarations.rs"));
}

/// The file is no declaration.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {reason}")]
pub struct DeclarationError {
    file: String,
    reason: String,
}

/// A provider as its file describes it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Declaration {
    /// Full id.
    pub id: String,
    /// Name to show.
    pub label: I18n,
    /// One sentence.
    #[serde(default)]
    pub description: Option<I18n>,
    /// How its icon is drawn.
    pub icon: IconSpec,
    /// Background colour.
    #[serde(default)]
    pub background: Option<String>,
    /// Where to get credentials.
    #[serde(default)]
    pub help: Option<Help>,
    /// Types of models there can be.
    pub model_types: Vec<ModelType>,
    /// Form of the provider's credentials; without it models are set up one by one.
    #[serde(default)]
    credentials: Option<Vec<Field>>,
    /// Names and form of added models; without it none can be added.
    #[serde(default)]
    custom: Option<Custom>,
    /// Order of models by type.
    #[serde(default)]
    position: Option<Map<String, Value>>,
    /// Named parameter rules of this file.
    #[serde(default)]
    rules: IndexMap<String, Rule>,
    /// Declared models.
    #[serde(default)]
    models: Vec<Model>,
    /// How it is spoken to.
    pub protocol: Protocol,
}

/// An icon: letters on a colour.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IconSpec {
    /// One or two letters.
    pub text: String,
    /// Background.
    pub color: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Custom {
    label: I18n,
    #[serde(default)]
    placeholder: Option<I18n>,
    /// Absent: the provider's own form.
    #[serde(default)]
    credentials: Option<Vec<Field>>,
    /// An added chat model is like this declared one; absent: its schema is made from its credentials.
    #[serde(default)]
    like: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Field {
    variable: String,
    label: I18n,
    #[serde(rename = "type", default = "text_input")]
    kind: FormType,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    default: Option<String>,
    /// Value and label of each choice.
    #[serde(default)]
    options: IndexMap<String, I18n>,
    #[serde(default)]
    placeholder: Option<I18n>,
    #[serde(default)]
    max_length: usize,
    /// The model type it is for; absent: every one.
    #[serde(default)]
    only: Option<ModelType>,
    #[serde(default)]
    show_on: Vec<ShowOn>,
}

fn text_input() -> FormType {
    FormType::TextInput
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Model {
    model: String,
    #[serde(default)]
    label: Option<I18n>,
    #[serde(rename = "type", default = "llm")]
    kind: ModelType,
    #[serde(default)]
    features: Option<Vec<Feature>>,
    #[serde(default)]
    properties: Map<String, Value>,
    #[serde(default)]
    parameters: Vec<Parameter>,
    #[serde(default)]
    pricing: Option<Price>,
    #[serde(default)]
    deprecated: bool,
}

fn llm() -> ModelType {
    ModelType::Llm
}

/// Prices as texts, since a number in YAML would be read as a float.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Price {
    input: String,
    #[serde(default)]
    output: Option<String>,
    unit: String,
    #[serde(default)]
    currency: Option<String>,
}

/// A rule by name (a rule of this file or a common one), or in full.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
enum Parameter {
    Named(String),
    Rule(Box<Rule>),
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    #[serde(default)]
    name: Option<String>,
    /// The common rule it starts from; absent: the one of its name, if any. `none`: no common rule.
    #[serde(default)]
    template: Option<String>,
    #[serde(default)]
    label: Option<I18n>,
    #[serde(rename = "type", default)]
    kind: Option<ParameterType>,
    #[serde(default)]
    help: Option<I18n>,
    #[serde(default)]
    required: Option<bool>,
    #[serde(default)]
    default: Option<Value>,
    #[serde(default)]
    min: Option<f64>,
    #[serde(default)]
    max: Option<f64>,
    #[serde(default)]
    precision: Option<i64>,
    #[serde(default)]
    options: Option<Vec<String>>,
}

/// How a provider is spoken to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Protocol {
    /// The language.
    pub kind: ProtocolKind,
    /// Address up to the paths below, with places for credentials (see [`crate::fill`]).
    pub base_url: String,
    /// Added to an address that does not end in a version (`/v1`).
    #[serde(default)]
    pub version: Option<String>,
    /// Headers, with places for credentials; those without a value are left out.
    #[serde(default)]
    pub headers: IndexMap<String, String>,
    /// Query parameters, with places for credentials.
    #[serde(default)]
    pub query: IndexMap<String, String>,
    /// The model's name at the endpoint.
    #[serde(default = "model_name")]
    pub model: String,
    /// Paths that differ from the usual: `chat`, `completions`, `embeddings`, `rerank`, `moderations`, `speech`,
    /// `transcriptions`, `models`. A full address is taken as it is.
    #[serde(default)]
    pub paths: IndexMap<String, String>,
    /// Whether `stream_options` may be sent.
    #[serde(default = "yes")]
    pub stream_usage: bool,
    /// Parameters that some models know by another name.
    #[serde(default)]
    pub rename: Vec<Rename>,
    /// How errors are worded.
    #[serde(default)]
    pub errors: ErrorWords,
    /// A model to check credentials with, where there is no list of models to ask for.
    #[serde(default)]
    pub check_model: Option<String>,
}

fn model_name() -> String {
    "{model}".to_owned()
}

fn yes() -> bool {
    true
}

/// A parameter that is sent under another name.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rename {
    /// Beginnings of the model names it is for.
    pub models: Vec<String>,
    /// Our name.
    pub from: String,
    /// Theirs.
    pub to: String,
}

/// A language that providers speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProtocolKind {
    /// OpenAI's, which most speak; reranking as Cohere and Jina do.
    OpenAi,
    /// Anthropic's Messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
}

/// How errors are worded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ErrorWords {
    /// As OpenAI's Python client does.
    #[default]
    Sdk,
    /// With the status and the body as they are.
    Raw,
}

impl Declaration {
    /// Reads a declaration; `file` is for the error.
    ///
    /// # Errors
    /// When it is not YAML, or does not have the form, or contradicts itself.
    pub fn parse(file: &str, text: &str) -> Result<Self, DeclarationError> {
        let wrong = |reason: String| DeclarationError { file: file.to_owned(), reason };
        let declaration: Self =
            serde_saphyr::from_str(text).map_err(|error| wrong(error.to_string()))?;
        ProviderId::model(&declaration.id).map_err(|error| wrong(error.to_string()))?;
        declaration.schema().map_err(wrong)?;
        Ok(declaration)
    }

    /// Every built-in declaration, the two that the reference's documentation starts with first, then by name.
    ///
    /// # Errors
    /// When a built-in file is wrong; a test sees to it that none is.
    pub fn built_in() -> Result<Vec<Self>, DeclarationError> {
        let mut all = Vec::with_capacity(built_in::FILES.len());
        for (file, text) in built_in::FILES {
            all.push(Self::parse(file, text)?);
        }
        let rank = |one: &Self| match one.id.as_str() {
            "langgenius/openai/openai" => 0,
            "langgenius/openai_api_compatible/openai_api_compatible" => 1,
            _ => 2,
        };
        all.sort_by_key(rank);
        Ok(all)
    }

    /// [`Declaration::schema`] with an error that names the provider.
    ///
    /// # Errors
    /// What is wrong with the declaration.
    pub fn checked_schema(&self) -> Result<ProviderSchema, DeclarationError> {
        self.schema().map_err(|reason| DeclarationError { file: self.id.clone(), reason })
    }

    /// The declared chat model that added ones are like.
    #[must_use]
    pub fn custom_like(&self) -> Option<&str> {
        self.custom.as_ref()?.like.as_deref()
    }

    /// Whether models can be added.
    #[must_use]
    pub const fn takes_custom_models(&self) -> bool {
        self.custom.is_some()
    }

    /// What the rest of the server sees.
    ///
    /// # Errors
    /// What is wrong with the declaration.
    pub fn schema(&self) -> Result<ProviderSchema, String> {
        let form = |fields: &[Field]| fields.iter().map(Field::schema).collect::<Vec<_>>();
        let own = self.credentials.as_deref().map(form);
        let custom = self.custom.as_ref().map(|custom| ModelCredentialSchema {
            model: ModelField {
                label: custom.label.clone(),
                placeholder: custom.placeholder.clone(),
            },
            credential_form_schemas: match &custom.credentials {
                Some(fields) => form(fields),
                None => own.clone().unwrap_or_default(),
            },
        });
        let mut configurate_methods = Vec::new();
        if own.is_some() {
            configurate_methods.push(ConfigurateMethod::PredefinedModel);
        }
        if custom.is_some() {
            configurate_methods.push(ConfigurateMethod::CustomizableModel);
        }
        let mut models = Vec::with_capacity(self.models.len());
        for model in &self.models {
            models.push(self.model(model)?.settled());
        }
        Ok(ProviderSchema {
            provider: self.id.clone(),
            label: self.label.clone(),
            description: self.description.clone(),
            icon_small: Some(I18n::same("icon.svg")),
            icon_small_dark: None,
            background: self.background.clone(),
            help: self.help.clone(),
            supported_model_types: self.model_types.clone(),
            configurate_methods,
            models,
            provider_credential_schema: own
                .map(|fields| ProviderCredentialSchema { credential_form_schemas: fields }),
            model_credential_schema: custom,
            position: self.position.clone(),
        })
    }

    fn model(&self, model: &Model) -> Result<ModelSchema, String> {
        let mut parameter_rules = Vec::with_capacity(model.parameters.len());
        for parameter in &model.parameters {
            parameter_rules.push(match parameter {
                Parameter::Named(name) => match self.rules.get(name) {
                    Some(rule) => rule.settled(Some(name))?,
                    None => params::template(name).ok_or_else(|| format!("no rule {name}"))?,
                },
                Parameter::Rule(rule) => rule.settled(None)?,
            });
        }
        Ok(ModelSchema {
            model: model.model.clone(),
            label: model.label.clone().unwrap_or_else(|| I18n::same(model.model.clone())),
            model_type: model.kind,
            features: model.features.clone(),
            fetch_from: FetchFrom::PredefinedModel,
            model_properties: model.properties.clone(),
            deprecated: model.deprecated,
            parameter_rules,
            pricing: model.pricing.as_ref().map(Price::settled).transpose()?,
        })
    }
}

impl Price {
    fn settled(&self) -> Result<Pricing, String> {
        let number = |text: &str| text.parse().map_err(|_| format!("no price: {text}"));
        Ok(Pricing {
            input: number(&self.input)?,
            output: self.output.as_deref().map(number).transpose()?,
            unit: number(&self.unit)?,
            currency: self.currency.clone().unwrap_or_else(|| "USD".to_owned()),
        })
    }
}

impl Rule {
    fn settled(&self, name: Option<&str>) -> Result<ParameterRule, String> {
        let name = self.name.as_deref().or(name).ok_or("a rule without a name")?;
        let base = match self.template.as_deref() {
            Some("none") => None,
            Some(template) => {
                Some(params::template(template).ok_or_else(|| format!("no template {template}"))?)
            }
            None => params::template(name),
        };
        let mut rule = base.unwrap_or_else(|| ParameterRule {
            name: name.to_owned(),
            use_template: None,
            label: I18n::same(name),
            kind: ParameterType::String,
            help: None,
            required: false,
            default: None,
            min: None,
            max: None,
            precision: None,
            options: Vec::new(),
        });
        name.clone_into(&mut rule.name);
        if let Some(label) = &self.label {
            rule.label = label.clone();
        }
        rule.kind = self.kind.unwrap_or(rule.kind);
        rule.help = self.help.clone().or(rule.help);
        rule.required = self.required.unwrap_or(rule.required);
        rule.default = self.default.clone().or(rule.default);
        rule.min = self.min.or(rule.min);
        rule.max = self.max.or(rule.max);
        rule.precision = self.precision.or(rule.precision);
        rule.options = self.options.clone().unwrap_or(rule.options);
        Ok(rule)
    }
}

impl Field {
    fn schema(&self) -> FormField {
        let only = self.only.map(|kind| ShowOn {
            variable: "__model_type".to_owned(),
            value: kind.as_str().to_owned(),
        });
        FormField {
            variable: self.variable.clone(),
            label: self.label.clone(),
            kind: self.kind,
            required: self.required,
            default: self.default.clone(),
            options: Some(
                self.options
                    .iter()
                    .map(|(value, label)| FormOption {
                        label: label.clone(),
                        value: value.clone(),
                        show_on: Vec::new(),
                    })
                    .collect(),
            ),
            placeholder: self.placeholder.clone(),
            max_length: self.max_length,
            show_on: only.into_iter().chain(self.show_on.iter().cloned()).collect(),
        }
    }
}
