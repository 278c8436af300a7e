//! Parameter rules: the common ones that others are made from, and values against them.

use serde_json::{Map, Value};

use crate::{
    entity::{ParameterRule, ParameterType},
    i18n::I18n,
};

struct Template {
    name: &'static str,
    kind: ParameterType,
    default: Option<f64>,
    range: Option<(f64, f64)>,
    precision: Option<i64>,
    options: &'static [&'static str],
    help: &'static str,
}

const TEMPLATES: &[Template] = &[
    Template {
        name: "temperature",
        kind: ParameterType::Float,
        default: Some(0.0),
        range: Some((0.0, 1.0)),
        precision: Some(2),
        options: &[],
        help: "Higher values make the output more varied.",
    },
    Template {
        name: "top_p",
        kind: ParameterType::Float,
        default: Some(1.0),
        range: Some((0.0, 1.0)),
        precision: Some(2),
        options: &[],
        help: "Share of the probability mass that is sampled from.",
    },
    Template {
        name: "top_k",
        kind: ParameterType::Int,
        default: Some(50.0),
        range: Some((1.0, 100.0)),
        precision: Some(0),
        options: &[],
        help: "How many of the likeliest tokens are sampled from.",
    },
    Template {
        name: "presence_penalty",
        kind: ParameterType::Float,
        default: Some(0.0),
        range: Some((0.0, 1.0)),
        precision: Some(2),
        options: &[],
        help: "Discourages topics already mentioned.",
    },
    Template {
        name: "frequency_penalty",
        kind: ParameterType::Float,
        default: Some(0.0),
        range: Some((0.0, 1.0)),
        precision: Some(2),
        options: &[],
        help: "Discourages repeating the same words.",
    },
    Template {
        name: "max_tokens",
        kind: ParameterType::Int,
        default: Some(64.0),
        range: Some((1.0, 2048.0)),
        precision: Some(0),
        options: &[],
        help: "Upper limit on the length of the answer.",
    },
    Template {
        name: "response_format",
        kind: ParameterType::String,
        default: None,
        range: None,
        precision: None,
        options: &["JSON", "XML"],
        help: "Format the model has to answer in.",
    },
    Template {
        name: "json_schema",
        kind: ParameterType::String,
        default: None,
        range: None,
        precision: None,
        options: &[],
        help: "Schema that the answer has to follow.",
    },
];

/// The common rule of that name.
#[must_use]
pub fn template(name: &str) -> Option<ParameterRule> {
    let template = TEMPLATES.iter().find(|template| template.name == name)?;
    #[allow(clippy::cast_possible_truncation, reason = "defaults of whole numbers are whole")]
    let default = template.default.map(|default| match template.kind {
        ParameterType::Int => Value::from(default as i64),
        _ => Value::from(default),
    });
    Some(ParameterRule {
        name: name.to_owned(),
        use_template: Some(name.to_owned()),
        label: I18n::same(name),
        kind: template.kind,
        help: Some(I18n::same(template.help)),
        required: false,
        default,
        min: template.range.map(|(min, _)| min),
        max: template.range.map(|(_, max)| max),
        precision: template.precision,
        options: template.options.iter().map(|&option| option.to_owned()).collect(),
    })
}

/// A parameter does not fit its rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParameterError(String);

/// Keeps the parameters that the rules know, with values of the right type and in range. Parameters without a rule are
/// dropped, required ones filled with their default.
///
/// # Errors
/// Naming the first parameter that does not fit.
pub fn filter(
    rules: &[ParameterRule],
    parameters: &Map<String, Value>,
) -> Result<Map<String, Value>, ParameterError> {
    let mut kept = Map::new();
    for rule in rules {
        let given = parameters.get(&rule.name).filter(|value| !value.is_null());
        let template = rule.use_template.as_deref().and_then(|name| parameters.get(name));
        match given.or(template.filter(|value| !value.is_null())) {
            Some(value) => {
                kept.insert(rule.name.clone(), fit(rule, value)?);
            }
            None if rule.required => {
                let Some(default) = rule.default.clone() else {
                    return Err(ParameterError(format!(
                        "Model Parameter {} is required.",
                        rule.name
                    )));
                };
                kept.insert(rule.name.clone(), default);
            }
            None => {}
        }
    }
    Ok(kept)
}

fn fit(rule: &ParameterRule, value: &Value) -> Result<Value, ParameterError> {
    let should =
        |what: String| ParameterError(format!("Model Parameter {} should be {what}.", rule.name));
    match rule.kind {
        ParameterType::Int | ParameterType::Float => {
            let whole = rule.kind == ParameterType::Int;
            let number = match value {
                Value::Number(number) => number.as_f64(),
                Value::String(text) => text.trim().parse().ok(),
                _ => None,
            };
            let number = number
                .filter(|number: &f64| number.is_finite() && (!whole || number.fract() == 0.0))
                .ok_or_else(|| should(if whole { "int" } else { "float" }.to_owned()))?;
            if let Some(min) = rule.min.filter(|min| number < *min) {
                return Err(should(format!("greater than or equal to {min:?}")));
            }
            if let Some(max) = rule.max.filter(|max| *max < number) {
                return Err(should(format!("less than or equal to {max:?}")));
            }
            #[allow(clippy::cast_possible_truncation, reason = "whole and in range, or saturated")]
            Ok(if whole {
                Value::from(number as i64)
            } else {
                rounded(value, number, rule.precision)
            })
        }
        ParameterType::Boolean => match value {
            Value::Bool(_) => Ok(value.clone()),
            _ => Err(should("bool".to_owned())),
        },
        ParameterType::String | ParameterType::Text => {
            // A JSON schema may come as an object.
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Object(_) if rule.name == "json_schema" => value.to_string(),
                _ => return Err(should("string".to_owned())),
            };
            if !rule.options.is_empty() && !rule.options.contains(&text) {
                return Err(should(format!("one of {:?}", rule.options)));
            }
            Ok(Value::String(text))
        }
    }
}

fn rounded(value: &Value, number: f64, precision: Option<i64>) -> Value {
    let places =
        precision.and_then(|places| i32::try_from(places).ok()).filter(|places| *places <= 12);
    match places {
        Some(places) => {
            let factor = 10_f64.powi(places);
            let near = (number * factor).round() / factor;
            // Numbers that were exact stay as they were written (`1` does not become `1.0`).
            if (near - number).abs() < f64::EPSILON && value.is_number() {
                value.clone()
            } else {
                Value::from(near)
            }
        }
        None if value.is_number() => value.clone(),
        None => Value::from(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rules() -> Vec<ParameterRule> {
        let mut format = template("response_format").unwrap();
        format.options = vec!["text".into(), "json_object".into()];
        let mut rules: Vec<_> =
            ["temperature", "max_tokens", "json_schema"].into_iter().filter_map(template).collect();
        rules.push(format);
        rules
    }

    #[test]
    fn parameters_are_fitted_to_their_rules() {
        let given = json!({"temperature": 0.123, "max_tokens": "512", "seed": 1, "response_format": "text",
                           "json_schema": {"a": 1}});
        assert_eq!(
            Value::Object(filter(&rules(), given.as_object().unwrap()).unwrap()),
            json!({"temperature": 0.12, "max_tokens": 512, "json_schema": "{\"a\":1}", "response_format": "text"})
        );
        let given = json!({"temperature": 1, "max_tokens": null});
        assert_eq!(
            Value::Object(filter(&rules(), given.as_object().unwrap()).unwrap()),
            json!({"temperature": 1})
        );
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (given, message) in [
            (json!({"temperature": "warm"}), "Model Parameter temperature should be float."),
            (json!({"max_tokens": 1.5}), "Model Parameter max_tokens should be int."),
            (
                json!({"max_tokens": 0}),
                "Model Parameter max_tokens should be greater than or equal to 1.0.",
            ),
            (
                json!({"temperature": 2}),
                "Model Parameter temperature should be less than or equal to 1.0.",
            ),
            (
                json!({"response_format": "XML"}),
                "Model Parameter response_format should be one of [\"text\", \"json_object\"].",
            ),
        ] {
            let error = filter(&rules(), given.as_object().unwrap()).unwrap_err();
            assert_eq!(error.to_string(), message);
        }
    }
}
