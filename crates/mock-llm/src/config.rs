//! Settings: from the environment at the start, by `/__config` later.

use clap::Args;
use serde::{Deserialize, Serialize};

/// Settings of the server.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Config {
    /// Pieces of every answer; 0: as many as it has.
    #[arg(long, env = "MOCK_TOKENS", default_value_t = 0)]
    pub tokens: usize,
    /// Milliseconds before the first piece.
    #[arg(long, env = "MOCK_TTFT_MS", default_value_t = 0.0)]
    pub ttft_ms: f64,
    /// Milliseconds between pieces.
    #[arg(long, env = "MOCK_TOKEN_DELAY_MS", default_value_t = 0.0)]
    pub token_delay_ms: f64,
    /// Dimensions of vectors.
    #[arg(long, env = "MOCK_EMBED_DIMS", default_value_t = 384)]
    pub embed_dims: usize,
    /// Milliseconds before vectors are given.
    #[arg(long, env = "MOCK_EMBED_DELAY_MS", default_value_t = 0.0)]
    pub embed_delay_ms: f64,
    /// Words that moderation flags.
    #[arg(long, env = "MOCK_FLAG_WORDS", default_value = "flagme,badword,forbidden-phrase")]
    pub flag_words: String,
    /// Whether prompts that the API sends on its own are recognised.
    #[arg(long, env = "MOCK_SMART", default_value_t = 1, value_parser = clap::value_parser!(u8))]
    #[serde(deserialize_with = "flag", serialize_with = "as_flag")]
    pub smart: u8,
    /// The only key accepted; empty: every key is.
    #[arg(long, env = "MOCK_API_KEY", default_value = "")]
    #[serde(skip)]
    pub api_key: String,
    /// How many requests are remembered.
    #[arg(long, env = "MOCK_LOG_SIZE", default_value_t = 500)]
    #[serde(skip)]
    pub log_size: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            tokens: 0,
            ttft_ms: 0.0,
            token_delay_ms: 0.0,
            embed_dims: 384,
            embed_delay_ms: 0.0,
            flag_words: "flagme,badword,forbidden-phrase".to_owned(),
            smart: 1,
            api_key: String::new(),
            log_size: 500,
        }
    }
}

fn flag<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    use serde_json::Value;
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(yes) => u8::from(yes),
        Value::Number(number) => u8::from(number.as_f64() != Some(0.0)),
        Value::String(text) => u8::from(!matches!(text.as_str(), "" | "0" | "false")),
        _ => 0,
    })
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde's signature")]
fn as_flag<S: serde::Serializer>(value: &u8, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_bool(*value != 0)
}
