//! Every built-in declaration is sound.

use std::collections::HashSet;

use model_runtime::{Declaration, ModelType, ProviderId};
use serde_json::{Value, json};

#[test]
fn every_built_in_declaration_is_sound() {
    let all = Declaration::built_in().unwrap();
    assert_eq!(all[0].id, "langgenius/openai/openai");
    assert!(25 < all.len());
    let mut ids = HashSet::new();
    for declaration in &all {
        assert!(ids.insert(declaration.id.clone()), "{} is there twice", declaration.id);
        assert_eq!(ProviderId::model(&declaration.id).unwrap().to_string(), declaration.id);
        let schema = declaration.schema().unwrap();
        assert!(!schema.configurate_methods.is_empty(), "{}", declaration.id);
        for model in &schema.models {
            let name = format!("{} {}", declaration.id, model.model);
            assert!(schema.supported_model_types.contains(&model.model_type), "{name}");
            if model.model_type == ModelType::Llm {
                assert!(model.context_size().is_some(), "{name}");
                assert!(
                    model.parameter_rules.iter().any(|rule| rule.name == "max_tokens"),
                    "{name}"
                );
            }
        }
        if let Some(like) = declaration.custom_like() {
            assert!(schema.model(ModelType::Llm, like).is_some(), "{}", declaration.id);
        }
    }
}

#[test]
fn a_model_has_the_json_shape_of_the_reference() {
    let all = Declaration::built_in().unwrap();
    let schema = all[0].schema().unwrap();
    let model = serde_json::to_value(schema.model(ModelType::Llm, "o3-mini").unwrap()).unwrap();
    assert_eq!(
        model["features"],
        json!(["tool-call", "agent-thought", "stream-tool-call", "structured-output"])
    );
    assert_eq!(
        model["pricing"],
        json!({"input": "1.1", "output": "4.4", "unit": "0.000001", "currency": "USD"})
    );
    let rules = model["parameter_rules"].as_array().unwrap();
    assert_eq!(
        rules[0],
        json!({
            "name": "max_tokens", "use_template": "max_tokens",
            "label": {"zh_Hans": "max_tokens", "en_US": "max_tokens"}, "type": "int",
            "help": {"zh_Hans": "Upper limit on the length of the answer.", "en_US": "Upper limit on the length of the answer."},
            "required": false, "default": 4096, "min": 1.0, "max": 100_000.0, "precision": 0, "options": [],
        })
    );
    assert_eq!(rules[2]["help"], Value::Null);
    assert_eq!(rules[2]["use_template"], Value::Null);
}
