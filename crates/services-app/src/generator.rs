//! Prompts, code and schemas an LLM writes for people who build apps.

mod code;
mod modify;
mod prompts;
mod rule;
mod schema;

pub use code::code;
pub use modify::{Modification, modify};
pub use prompts::{INSTRUCTION_FOR_CODE, INSTRUCTION_FOR_PROMPT};
pub use rule::rule;
pub use schema::schema;

use serde_json::Value;
use services_core::{Failure, Fault};
use types::TenantId;

use crate::{
    ports::{Ports, Writing, WritingError},
    yaml,
};

/// The model that writes.
#[derive(Debug, Clone)]
pub struct Model {
    /// The workspace that pays.
    pub tenant: TenantId,
    /// Provider id.
    pub provider: String,
    /// Model.
    pub name: String,
    /// Parameters.
    pub parameters: Value,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum GeneratorError {
    /// There is no such provider or model.
    #[error("{0}")]
    Invalid(String),
    /// The workspace has no credentials for the provider.
    #[error("{0}")]
    NotInitialized(String),
    /// The hosted quota is used up.
    #[error(
        "Your quota for Dify Hosted Model Provider has been exhausted. Please go to Settings -> Model Provider to \
         complete your own provider credentials."
    )]
    QuotaExceeded,
    /// The model cannot be used now.
    #[error("Dify Hosted OpenAI trial currently not support the GPT-4 model.")]
    NotSupported,
    /// The request does not fit together; `{"error": …}`.
    #[error("{0}")]
    Incompatible(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for GeneratorError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for GeneratorError {
    fn status(&self) -> u16 {
        match self {
            Self::Fault(fault) => fault.status(),
            _ => 400,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_param",
            Self::NotInitialized(_) => "provider_not_initialize",
            Self::QuotaExceeded => "provider_quota_exceeded",
            Self::NotSupported => "model_currently_not_support",
            Self::Incompatible(_) => "bad_request",
            Self::Fault(fault) => fault.code(),
        }
    }

    fn data(&self) -> Option<Value> {
        match self {
            Self::Incompatible(error) => Some(serde_json::json!({"error": error})),
            _ => None,
        }
    }
}

/// What a model wrote, or the words of the provider that refused or failed.
async fn write(
    ports: &Ports,
    model: &Model,
    system: Option<&str>,
    user: String,
    parameters: Value,
) -> Result<Result<String, String>, GeneratorError> {
    let writing = Writing {
        tenant: model.tenant,
        provider: model.provider.clone(),
        model: model.name.clone(),
        system: system.map(str::to_owned),
        user,
        parameters,
    };
    match ports.writer.write(writing).await {
        Ok(text) => Ok(Ok(text)),
        Err(WritingError::Invoke(words)) => Ok(Err(words)),
        Err(WritingError::Unknown(words)) => Err(GeneratorError::Invalid(words)),
        Err(WritingError::NotInitialized(words)) => Err(GeneratorError::NotInitialized(words)),
        Err(WritingError::QuotaExceeded) => Err(GeneratorError::QuotaExceeded),
        Err(WritingError::NotSupported) => Err(GeneratorError::NotSupported),
        Err(WritingError::Fault(fault)) => Err(fault.into()),
    }
}

/// The value a model meant to write as JSON: JSON, or what reads as YAML flow, whose keys need no quotes.
fn lenient_json(text: &str) -> Option<Value> {
    let text = text.trim();
    let text = text.strip_prefix("```json").or_else(|| text.strip_prefix("```")).unwrap_or(text);
    let text = text.strip_suffix("```").unwrap_or(text);
    let value = serde_json::from_str(text).ok().or_else(|| yaml::load(text).ok())?;
    (value.is_object() || value.is_array()).then_some(value)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_read_leniently() {
        for (text, expected) in [
            (r#"{"a": 1}"#, Some(json!({"a": 1}))),
            (
                "{modified: Be nicer, message: ok}",
                Some(json!({"modified": "Be nicer", "message": "ok"})),
            ),
            ("```json\n[1]\n```", Some(json!([1]))),
            ("no json at all", None),
            ("5", None),
        ] {
            assert_eq!(lenient_json(text), expected, "{text}");
        }
    }
}
