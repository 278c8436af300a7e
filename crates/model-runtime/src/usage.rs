//! Tokens and what they cost.

use std::time::Duration;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{decimal, entity::Pricing};

/// What a chat model's answer cost (`LLMUsage` of the reference). Serialised with prices as Python's `str(Decimal)`;
/// [`Usage::plain_json`] gives the other form the reference writes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Tokens sent.
    #[serde(default, deserialize_with = "count")]
    pub prompt_tokens: u64,
    /// Price of `prompt_price_unit⁻¹` tokens.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub prompt_unit_price: Decimal,
    /// The factor from one token to the priced amount.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub prompt_price_unit: Decimal,
    /// Cost of what was sent.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub prompt_price: Decimal,
    /// Tokens received.
    #[serde(default, deserialize_with = "count")]
    pub completion_tokens: u64,
    /// Price of `completion_price_unit⁻¹` tokens.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub completion_unit_price: Decimal,
    /// The factor from one token to the priced amount.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub completion_price_unit: Decimal,
    /// Cost of what was received.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub completion_price: Decimal,
    /// Tokens together.
    #[serde(default, deserialize_with = "count")]
    pub total_tokens: u64,
    /// Cost together.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub total_price: Decimal,
    /// ISO code.
    #[serde(default = "dollars")]
    pub currency: String,
    /// Seconds from the request to the end of the answer.
    #[serde(default)]
    pub latency: f64,
    /// Seconds to the first token, if it was measured.
    #[serde(default)]
    pub time_to_first_token: Option<f64>,
    /// Seconds from the first token to the last, if it was measured.
    #[serde(default)]
    pub time_to_generate: Option<f64>,
}

impl Default for Usage {
    fn default() -> Self {
        Self::empty()
    }
}

impl Usage {
    /// Nothing used: prices `0.0`, in dollars.
    #[must_use]
    pub fn empty() -> Self {
        let none = Decimal::new(0, 1);
        Self {
            prompt_tokens: 0,
            prompt_unit_price: none,
            prompt_price_unit: none,
            prompt_price: none,
            completion_tokens: 0,
            completion_unit_price: none,
            completion_price_unit: none,
            completion_price: none,
            total_tokens: 0,
            total_price: none,
            currency: dollars(),
            latency: 0.0,
            time_to_first_token: None,
            time_to_generate: None,
        }
    }

    /// Counts and their cost by the model's prices. Without prices everything costs `0`.
    #[must_use]
    pub fn priced(
        prompt_tokens: u64,
        completion_tokens: u64,
        pricing: Option<&Pricing>,
        latency: Duration,
    ) -> Self {
        let sent = Cost::of(prompt_tokens, pricing, pricing.map(|pricing| pricing.input));
        let received =
            Cost::of(completion_tokens, pricing, pricing.and_then(|pricing| pricing.output));
        Self {
            prompt_tokens,
            prompt_unit_price: sent.price,
            prompt_price_unit: sent.unit,
            prompt_price: sent.total,
            completion_tokens,
            completion_unit_price: received.price,
            completion_price_unit: received.unit,
            completion_price: received.total,
            total_tokens: prompt_tokens.saturating_add(completion_tokens),
            total_price: sent.total.saturating_add(received.total).normalize(),
            currency: pricing.map_or_else(dollars, |pricing| pricing.currency.clone()),
            latency: latency.as_secs_f64(),
            time_to_first_token: None,
            time_to_generate: None,
        }
    }

    /// The sum of two; an empty first one gives the other unchanged. Unit prices, currency and times are the other's.
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

    /// As a JSON object with prices as `format(Decimal, "f")`: the form in blocking answers and stored metadata.
    #[must_use]
    pub fn plain_json(&self) -> Map<String, Value> {
        let mut out = Map::new();
        let mut put = |key: &str, value: Value| {
            out.insert(key.to_owned(), value);
        };
        put("prompt_tokens", self.prompt_tokens.into());
        put("prompt_unit_price", decimal::plain(self.prompt_unit_price).into());
        put("prompt_price_unit", decimal::plain(self.prompt_price_unit).into());
        put("prompt_price", decimal::plain(self.prompt_price).into());
        put("completion_tokens", self.completion_tokens.into());
        put("completion_unit_price", decimal::plain(self.completion_unit_price).into());
        put("completion_price_unit", decimal::plain(self.completion_price_unit).into());
        put("completion_price", decimal::plain(self.completion_price).into());
        put("total_tokens", self.total_tokens.into());
        put("total_price", decimal::plain(self.total_price).into());
        put("currency", self.currency.clone().into());
        put("latency", self.latency.into());
        put("time_to_first_token", self.time_to_first_token.into());
        put("time_to_generate", self.time_to_generate.into());
        out
    }
}

/// What vectors cost (`EmbeddingUsage` of the reference).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EmbeddingUsage {
    /// Tokens sent.
    #[serde(default, deserialize_with = "count")]
    pub tokens: u64,
    /// The same.
    #[serde(default, deserialize_with = "count")]
    pub total_tokens: u64,
    /// Price of `price_unit⁻¹` tokens.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub unit_price: Decimal,
    /// The factor from one token to the priced amount.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub price_unit: Decimal,
    /// Cost.
    #[serde(default, serialize_with = "decimal::serialize", deserialize_with = "price")]
    pub total_price: Decimal,
    /// ISO code.
    #[serde(default = "dollars")]
    pub currency: String,
    /// Seconds.
    #[serde(default)]
    pub latency: f64,
}

impl EmbeddingUsage {
    /// A count and its cost by the model's prices.
    #[must_use]
    pub fn priced(tokens: u64, pricing: Option<&Pricing>, latency: Duration) -> Self {
        let cost = Cost::of(tokens, pricing, pricing.map(|pricing| pricing.input));
        Self {
            tokens,
            total_tokens: tokens,
            unit_price: cost.price,
            price_unit: cost.unit,
            total_price: cost.total,
            currency: pricing.map_or_else(dollars, |pricing| pricing.currency.clone()),
            latency: latency.as_secs_f64(),
        }
    }
}

#[derive(Default)]
struct Cost {
    price: Decimal,
    unit: Decimal,
    total: Decimal,
}

impl Cost {
    fn of(tokens: u64, pricing: Option<&Pricing>, price: Option<Decimal>) -> Self {
        let (Some(pricing), Some(price)) = (pricing, price) else { return Self::default() };
        let total = decimal::amount(tokens, price, pricing.unit);
        Self { price: price.normalize(), unit: pricing.unit.normalize(), total }
    }
}

fn dollars() -> String {
    "USD".to_owned()
}

fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let value = Option::<f64>::deserialize(deserializer)?.unwrap_or_default();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a saturating cast is wanted"
    )]
    Ok(value as u64)
}

fn price<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Decimal, D::Error> {
    Ok(Option::<Decimal>::deserialize(deserializer)?.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn mini() -> Pricing {
        serde_json::from_value(
            json!({"input": "0.15", "output": "0.6", "unit": "0.000001", "currency": "USD"}),
        )
        .unwrap()
    }

    #[test]
    fn usage_is_priced_and_printed() {
        let usage = Usage::priced(16, 8, Some(&mini()), Duration::from_millis(500));
        assert_eq!(
            serde_json::to_value(&usage).unwrap(),
            json!({
                "prompt_tokens": 16, "prompt_unit_price": "0.15", "prompt_price_unit": "0.000001",
                "prompt_price": "0.0000024", "completion_tokens": 8, "completion_unit_price": "0.6",
                "completion_price_unit": "0.000001", "completion_price": "0.0000048", "total_tokens": 24,
                "total_price": "0.0000072", "currency": "USD", "latency": 0.5,
                "time_to_first_token": null, "time_to_generate": null,
            })
        );
        assert_eq!(Usage::priced(5, 5, None, Duration::ZERO).total_price.to_string(), "0");
    }

    #[test]
    fn zeros_print_differently_in_the_two_forms() {
        let usage: Usage = serde_json::from_value(json!({
            "prompt_tokens": 1, "total_tokens": 1, "total_price": "0E-7", "prompt_price": 0,
        }))
        .unwrap();
        assert_eq!(serde_json::to_value(&usage).unwrap()["total_price"], "0E-7");
        assert_eq!(usage.plain_json()["total_price"], "0.0000000");
        assert_eq!(Usage::empty().plain_json()["total_price"], "0.0");
    }

    #[test]
    fn adding_to_nothing_gives_the_other() {
        let some = Usage::priced(16, 8, Some(&mini()), Duration::from_secs(1));
        assert_eq!(Usage::empty().plus(&some), some);
        let twice = some.plus(&some);
        assert_eq!((twice.total_tokens, twice.latency), (48, 2.0));
        assert_eq!(twice.total_price.to_string(), "0.0000144");
    }
}
