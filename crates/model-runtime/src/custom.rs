//! The schema of a model that a workspace added, as its credentials describe it.
//!
//! All providers use the same names for the same facts: `mode`, `context_size`, `max_tokens_to_sample`,
//! `function_calling_type`, `vision_support` and so on.

use serde_json::{Map, Value, json};

use crate::{
    entity::{Feature, FetchFrom, ModelSchema, ModelType, ParameterRule, ParameterType, Pricing},
    fill::{number, text},
    i18n::I18n,
    params,
    provider::Credentials,
};

/// The schema of the added model `name`.
#[must_use]
pub fn schema(kind: ModelType, name: &str, credentials: &Credentials) -> ModelSchema {
    let size = number(credentials, "context_size").unwrap_or(4096);
    let mut properties = Map::new();
    let mut features = None;
    let mut parameter_rules = Vec::new();
    match kind {
        ModelType::Llm => {
            let known = llm_features(credentials);
            let structured = known.contains(&Feature::StructuredOutput);
            properties.insert("mode".into(), text(credentials, "mode").unwrap_or("chat").into());
            properties.insert("context_size".into(), size.into());
            let most = number(credentials, "max_tokens_to_sample")
                .or_else(|| number(credentials, "max_tokens"))
                .unwrap_or(4096);
            parameter_rules = rules(most, structured);
            features = Some(known);
        }
        ModelType::TextEmbedding => {
            properties.insert("context_size".into(), size.into());
            let chunks = number(credentials, "max_chunks").unwrap_or(1);
            properties.insert("max_chunks".into(), chunks.into());
        }
        ModelType::Rerank => {
            properties.insert("context_size".into(), size.into());
        }
        ModelType::Speech2text => {
            properties.insert("file_upload_limit".into(), 25.into());
            properties
                .insert("supported_file_extensions".into(), "flac,mp3,mp4,m4a,ogg,wav,webm".into());
        }
        ModelType::Moderation => {
            properties.insert("max_chunks".into(), 32.into());
            properties.insert("max_characters_per_chunk".into(), 2000.into());
        }
        ModelType::Tts => speech(&mut properties, credentials),
    }
    let pricing = matches!(kind, ModelType::Llm | ModelType::TextEmbedding).then(|| Pricing {
        input: price(credentials, "input_price"),
        output: (kind == ModelType::Llm).then(|| price(credentials, "output_price")),
        unit: price(credentials, "unit"),
        currency: text(credentials, "currency").unwrap_or("USD").to_owned(),
    });
    ModelSchema {
        model: name.to_owned(),
        label: I18n::same(text(credentials, "display_name").unwrap_or(name)),
        model_type: kind,
        features,
        fetch_from: FetchFrom::CustomizableModel,
        model_properties: properties,
        deprecated: false,
        parameter_rules,
        pricing,
    }
}

fn price(credentials: &Credentials, name: &str) -> rust_decimal::Decimal {
    text(credentials, name).and_then(|text| text.parse().ok()).unwrap_or_default()
}

fn llm_features(credentials: &Credentials) -> Vec<Feature> {
    let mut features = Vec::new();
    match text(credentials, "function_calling_type") {
        Some("function_call") => features.push(Feature::ToolCall),
        Some("tool_call") => features.push(Feature::MultiToolCall),
        _ => {}
    }
    let mut when = |name: &str, feature: Feature| {
        if matches!(text(credentials, name), Some("supported" | "support" | "true")) {
            features.push(feature);
        }
    };
    when("agent_thought_support", Feature::AgentThought);
    when("stream_function_calling", Feature::StreamToolCall);
    when("vision_support", Feature::Vision);
    when("document_support", Feature::Document);
    when("video_support", Feature::Video);
    when("audio_support", Feature::Audio);
    when("structured_output_support", Feature::StructuredOutput);
    features
}

fn rules(most: i64, structured: bool) -> Vec<ParameterRule> {
    let mut rules: Vec<ParameterRule> =
        ["temperature", "top_p", "presence_penalty", "frequency_penalty"]
            .into_iter()
            .filter_map(params::template)
            .collect();
    if let Some(mut rule) = params::template("max_tokens") {
        rule.default = Some(512.into());
        #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
        {
            rule.max = Some(most as f64);
        }
        rules.push(rule);
    }
    if structured {
        rules.push(ParameterRule {
            name: "response_format".to_owned(),
            use_template: None,
            label: "Response Format".into(),
            kind: ParameterType::String,
            help: Some("Format the model has to answer in.".into()),
            required: false,
            default: None,
            min: None,
            max: None,
            precision: None,
            options: ["text", "json_object", "json_schema"].map(str::to_owned).to_vec(),
        });
        rules.extend(params::template("json_schema"));
    }
    rules
}

fn speech(properties: &mut Map<String, Value>, credentials: &Credentials) {
    let voices: Vec<&str> = text(credentials, "voices")
        .unwrap_or("alloy")
        .split(',')
        .map(str::trim)
        .filter(|voice| !voice.is_empty())
        .collect();
    properties.insert("default_voice".into(), voices.first().copied().unwrap_or("alloy").into());
    let voices: Vec<Value> = voices
        .iter()
        .map(|voice| json!({"mode": voice, "name": voice, "language": ["en-US", "zh-Hans"]}))
        .collect();
    properties.insert("voices".into(), voices.into());
    properties.insert("word_limit".into(), 3500.into());
    properties.insert("audio_type".into(), "mp3".into());
    properties.insert("max_workers".into(), 5.into());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_describe_a_chat_model() {
        let given = json!({"context_size": "8192", "max_tokens_to_sample": "2048", "vision_support": "support",
                           "function_calling_type": "tool_call", "structured_output_support": "not_supported"});
        let schema = schema(ModelType::Llm, "m", given.as_object().unwrap());
        assert_eq!(schema.features, Some(vec![Feature::MultiToolCall, Feature::Vision]));
        assert_eq!(schema.context_size(), Some(8192));
        assert_eq!(
            Value::Object(schema.model_properties),
            json!({"mode": "chat", "context_size": 8192})
        );
        let last = schema.parameter_rules.last().unwrap();
        assert_eq!((last.name.as_str(), last.max), ("max_tokens", Some(2048.0)));
    }

    #[test]
    fn voices_are_listed_in_the_credentials() {
        let given = json!({"voices": "a, b"});
        let schema = schema(ModelType::Tts, "m", given.as_object().unwrap());
        assert_eq!(schema.text("default_voice"), Some("a"));
        assert_eq!(schema.voices(Some("en-US")).len(), 2);
        assert_eq!(schema.voices(Some("de-DE")).len(), 0);
    }
}
