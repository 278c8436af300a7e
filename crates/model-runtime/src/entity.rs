//! What a model is: type, features, properties, parameter rules, prices.

use std::{fmt, str::FromStr};

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::i18n::I18n;

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ModelType {
    /// Chat or text completion.
    Llm,
    /// Vectors of texts.
    TextEmbedding,
    /// Scores of documents for a query.
    Rerank,
    /// Transcription.
    Speech2text,
    /// Flags unwanted text.
    Moderation,
    /// Speech synthesis.
    Tts,
}

impl ModelType {
    /// Every type, in the order the reference declares them.
    pub const ALL: [Self; 6] = [
        Self::Llm,
        Self::TextEmbedding,
        Self::Rerank,
        Self::Speech2text,
        Self::Moderation,
        Self::Tts,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Llm => "llm",
            Self::TextEmbedding => "text-embedding",
            Self::Rerank => "rerank",
            Self::Speech2text => "speech2text",
            Self::Moderation => "moderation",
            Self::Tts => "tts",
        }
    }

    /// The older name that database rows hold.
    #[must_use]
    pub const fn origin(self) -> &'static str {
        match self {
            Self::Llm => "text-generation",
            Self::TextEmbedding => "embeddings",
            Self::Rerank => "reranking",
            Self::Speech2text => "speech2text",
            Self::Moderation => "moderation",
            Self::Tts => "tts",
        }
    }
}

impl fmt::Display for ModelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The text names no model type, neither by its wire name nor by its stored one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("invalid origin model type {0}")]
pub struct UnknownModelType(pub String);

impl FromStr for ModelType {
    type Err = UnknownModelType;

    /// Reads the wire name and the stored one.
    fn from_str(text: &str) -> Result<Self, UnknownModelType> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text || kind.origin() == text)
            .ok_or_else(|| UnknownModelType(text.to_owned()))
    }
}

/// Where a model comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FetchFrom {
    /// The provider's declaration.
    PredefinedModel,
    /// Added by a workspace with its own credentials.
    CustomizableModel,
}

/// What a chat model can do beyond text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Feature {
    ToolCall,
    MultiToolCall,
    AgentThought,
    Vision,
    StreamToolCall,
    Document,
    Video,
    Audio,
    StructuredOutput,
}

/// The value type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum ParameterType {
    Float,
    Int,
    String,
    Boolean,
    Text,
}

/// One adjustable parameter of a model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ParameterRule {
    /// The key in `completion_params`.
    pub name: String,
    /// The common rule whose values fill what is missing here.
    #[serde(default)]
    pub use_template: Option<String>,
    /// Name to show.
    pub label: I18n,
    /// Value type.
    #[serde(rename = "type")]
    pub kind: ParameterType,
    /// Explanation to show.
    #[serde(default)]
    pub help: Option<I18n>,
    /// Whether a value must be given.
    #[serde(default)]
    pub required: bool,
    /// The value of a new configuration.
    #[serde(default)]
    pub default: Option<Value>,
    /// Least value.
    #[serde(default)]
    pub min: Option<f64>,
    /// Greatest value.
    #[serde(default)]
    pub max: Option<f64>,
    /// Decimal places.
    #[serde(default)]
    pub precision: Option<i64>,
    /// The values to choose from; empty: any.
    #[serde(default, deserialize_with = "null_as_default")]
    pub options: Vec<String>,
}

/// What tokens cost: `tokens × input × unit`, in `currency`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pricing {
    /// Price of what is sent.
    pub input: Decimal,
    /// Price of what is received.
    #[serde(default)]
    pub output: Option<Decimal>,
    /// The factor from one token to the priced amount, such as `0.000001`.
    pub unit: Decimal,
    /// ISO code.
    pub currency: String,
}

/// Everything known about a model (`AIModelEntity` of the reference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelSchema {
    /// The id at the provider.
    pub model: String,
    /// Name to show.
    pub label: I18n,
    /// What it does.
    pub model_type: ModelType,
    /// What a chat model can do; unknown names in a declaration are dropped.
    #[serde(default, deserialize_with = "known_features")]
    pub features: Option<Vec<Feature>>,
    /// Declared, or made from credentials.
    pub fetch_from: FetchFrom,
    /// `mode`, `context_size`, `max_chunks`, `voices` and so on.
    #[serde(default)]
    pub model_properties: Map<String, Value>,
    /// No longer offered for new configurations.
    #[serde(default)]
    pub deprecated: bool,
    /// Parameters.
    #[serde(default, deserialize_with = "null_as_default")]
    pub parameter_rules: Vec<ParameterRule>,
    /// Prices, if known.
    #[serde(default)]
    pub pricing: Option<Pricing>,
}

impl ModelSchema {
    /// A model with a `json_schema` parameter can answer in a given structure, whatever its declaration says.
    #[must_use]
    pub fn settled(mut self) -> Self {
        if self.parameter_rules.iter().any(|rule| rule.name == "json_schema") {
            let features = self.features.get_or_insert_default();
            if !features.contains(&Feature::StructuredOutput) {
                features.push(Feature::StructuredOutput);
            }
        }
        self
    }

    /// Whether the model has the feature.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.features.as_ref().is_some_and(|features| features.contains(&feature))
    }

    /// `model_properties.context_size`, in tokens.
    #[must_use]
    pub fn context_size(&self) -> Option<i64> {
        self.number("context_size")
    }

    /// `model_properties.max_chunks`: how many texts one embedding call takes.
    #[must_use]
    pub fn max_chunks(&self) -> Option<i64> {
        self.number("max_chunks")
    }

    /// `model_properties.mode` is `completion`: the model takes one text, not messages.
    #[must_use]
    pub fn is_completion(&self) -> bool {
        self.text("mode") == Some("completion")
    }

    /// A property that is a whole number, also when it is written as text.
    #[must_use]
    pub fn number(&self, property: &str) -> Option<i64> {
        match self.model_properties.get(property)? {
            Value::String(text) => text.trim().parse().ok(),
            #[allow(clippy::cast_possible_truncation, reason = "sizes are small whole numbers")]
            value => value.as_i64().or_else(|| value.as_f64().map(|number| number as i64)),
        }
    }

    /// A property that is a text.
    #[must_use]
    pub fn text(&self, property: &str) -> Option<&str> {
        self.model_properties.get(property)?.as_str()
    }

    /// The voices of a speech model that speak `language`; all of them without one.
    #[must_use]
    pub fn voices(&self, language: Option<&str>) -> Vec<Voice> {
        let language = language.filter(|language| !language.is_empty());
        let voices = self.model_properties.get("voices").and_then(Value::as_array);
        voices
            .into_iter()
            .flatten()
            .filter(|voice| {
                let Some(language) = language else { return true };
                let spoken = voice.get("language").and_then(Value::as_array);
                spoken.is_some_and(|spoken| spoken.iter().any(|one| one == language))
            })
            .filter_map(|voice| {
                let text = |key| voice.get(key).and_then(Value::as_str).map(str::to_owned);
                Some(Voice { name: text("name")?, value: text("mode")? })
            })
            .collect()
    }
}

/// A voice of a speech model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Voice {
    /// Name to show.
    pub name: String,
    /// The id at the provider.
    pub value: String,
}

fn null_as_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

fn known_features<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Vec<Feature>>, D::Error> {
    let names = Option::<Vec<Value>>::deserialize(deserializer)?;
    Ok(names.map(|names| {
        names.into_iter().filter_map(|name| serde_json::from_value(name).ok()).collect()
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn model_types_are_read_by_both_names() {
        for kind in ModelType::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            assert_eq!(kind.origin().parse(), Ok(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.as_str());
        }
        assert_eq!(
            "video".parse::<ModelType>().unwrap_err().to_string(),
            "invalid origin model type video"
        );
    }

    #[test]
    fn a_json_schema_parameter_means_structured_output() {
        let schema: ModelSchema = serde_json::from_value(serde_json::json!({
            "model": "m", "label": {"en_US": "m"}, "model_type": "llm", "features": ["vision", "telepathy"],
            "fetch_from": "predefined-model",
            "parameter_rules": [{"name": "json_schema", "label": {"en_US": "x"}, "type": "text"}],
        }))
        .unwrap();
        let schema = schema.settled();
        assert_eq!(schema.features, Some(vec![Feature::Vision, Feature::StructuredOutput]));
    }
}
