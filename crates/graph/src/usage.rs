//! What a model call cost.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::value::{Object, Value};

/// Tokens and prices of model calls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields are the names on the wire")]
pub struct Usage {
    pub prompt_tokens: i64,
    pub prompt_unit_price: Decimal,
    pub prompt_price_unit: Decimal,
    pub prompt_price: Decimal,
    pub completion_tokens: i64,
    pub completion_unit_price: Decimal,
    pub completion_price_unit: Decimal,
    pub completion_price: Decimal,
    pub total_tokens: i64,
    pub total_price: Decimal,
    pub currency: String,
    /// Seconds.
    pub latency: f64,
    /// Seconds.
    pub time_to_first_token: Option<f64>,
    /// Seconds.
    pub time_to_generate: Option<f64>,
}

impl Default for Usage {
    /// No usage; prices print as `0.0`.
    fn default() -> Self {
        let zero = Decimal::new(0, 1);
        Self {
            prompt_tokens: 0,
            prompt_unit_price: zero,
            prompt_price_unit: zero,
            prompt_price: zero,
            completion_tokens: 0,
            completion_unit_price: zero,
            completion_price_unit: zero,
            completion_price: zero,
            total_tokens: 0,
            total_price: zero,
            currency: "USD".to_owned(),
            latency: 0.0,
            time_to_first_token: None,
            time_to_generate: None,
        }
    }
}

impl Usage {
    /// The sum; unit prices, currency and times to first token are `other`'s.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        if self.total_tokens == 0 {
            return other.clone();
        }
        Self {
            prompt_tokens: self.prompt_tokens.saturating_add(other.prompt_tokens),
            prompt_price: self.prompt_price.saturating_add(other.prompt_price),
            completion_tokens: self.completion_tokens.saturating_add(other.completion_tokens),
            completion_price: self.completion_price.saturating_add(other.completion_price),
            total_tokens: self.total_tokens.saturating_add(other.total_tokens),
            total_price: self.total_price.saturating_add(other.total_price),
            latency: self.latency + other.latency,
            ..other.clone()
        }
    }

    /// The mapping that nodes put into their outputs: prices are texts.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let price = |price: Decimal| Value::from(price.to_string());
        let entries: [(&str, Value); 14] = [
            ("prompt_tokens", Value::Int(self.prompt_tokens)),
            ("prompt_unit_price", price(self.prompt_unit_price)),
            ("prompt_price_unit", price(self.prompt_price_unit)),
            ("prompt_price", price(self.prompt_price)),
            ("completion_tokens", Value::Int(self.completion_tokens)),
            ("completion_unit_price", price(self.completion_unit_price)),
            ("completion_price_unit", price(self.completion_price_unit)),
            ("completion_price", price(self.completion_price)),
            ("total_tokens", Value::Int(self.total_tokens)),
            ("total_price", price(self.total_price)),
            ("currency", Value::from(self.currency.as_str())),
            ("latency", Value::Float(self.latency)),
            ("time_to_first_token", Value::from(self.time_to_first_token)),
            ("time_to_generate", Value::from(self.time_to_generate)),
        ];
        Value::object(entries.into_iter().map(|(key, it)| (key.to_owned(), it)).collect::<Object>())
    }
}
