//! Deserialisers for what Python's models take besides the exact type.

use serde::{Deserialize, Deserializer, de};
use serde_json::Value;

/// `true`, `"true"`, `1`, `"yes"`, `"on"` … and their opposites.
///
/// # Errors
/// For anything else.
pub fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    types::lax::flag(&Value::deserialize(deserializer)?)
        .ok_or_else(|| de::Error::custom("invalid type: expected a boolean"))
}

/// [`flag`], or nothing.
///
/// # Errors
/// For anything that is no flag.
pub fn optional_flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => types::lax::flag(&value)
            .map(Some)
            .ok_or_else(|| de::Error::custom("invalid type: expected a boolean")),
    }
}

/// An integer, or a string or whole float that is one.
///
/// # Errors
/// For anything else.
pub fn integer<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    parse_integer(&Value::deserialize(deserializer)?)
        .ok_or_else(|| de::Error::custom("invalid type: expected i64"))
}

/// [`integer`], or nothing.
///
/// # Errors
/// For anything that is no integer.
pub fn optional_integer<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    match Option::<Value>::deserialize(deserializer)? {
        None | Some(Value::Null) => Ok(None),
        Some(value) => parse_integer(&value)
            .map(Some)
            .ok_or_else(|| de::Error::custom("invalid type: expected i64")),
    }
}

fn parse_integer(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(flag) => Some(i64::from(*flag)),
        Value::Number(number) => number.as_i64().or_else(|| {
            number
                .as_f64()
                .filter(|float| float.fract() == 0.0 && float.abs() < 9e15)
                .map(|float| float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}
