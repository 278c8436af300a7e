//! Prompt and model of a basic app as an LLM node.

use serde_json::{Value, json};

use super::ConvertError;
use crate::{
    json::{Object, text, truthy},
    mode::AppMode,
    prompt_template,
};

/// Where the graph holds what the prompt calls by name.
pub(super) struct Names<'a> {
    /// Variables of the start node.
    pub form: &'a [Value],
    /// Variables of external data, and the code node that holds each.
    pub lookups: &'a [(String, String)],
}

impl Names<'_> {
    /// The prompt with the graph's references for its variables.
    fn refer(&self, prompt: &str) -> String {
        let form = self.form.iter().filter_map(|field| field.get("variable")?.as_str());
        let mut prompt = form.fold(prompt.to_owned(), |prompt, name| {
            prompt.replace(&format!("{{{{{name}}}}}"), &format!("{{{{#start.{name}#}}}}"))
        });
        for (name, node) in self.lookups {
            let reference = format!("{{{{#{node}.result#}}}}");
            prompt = prompt.replace(&format!("{{{{{name}}}}}"), &reference);
        }
        prompt
    }
}

/// The model of a configuration as a node names it: its stop sequences last among the parameters.
pub(super) fn model(config: &Object) -> Value {
    let none = Object::new();
    let model = config.get("model").and_then(Value::as_object).unwrap_or(&none);
    let pick = |key: &str| model.get(key).cloned().unwrap_or_default();
    let mut parameters =
        model.get("completion_params").and_then(Value::as_object).cloned().unwrap_or_default();
    let stop = parameters.shift_remove("stop").unwrap_or_else(|| json!([]));
    parameters.insert("stop".to_owned(), stop);
    json!({
        "provider": pick("provider"),
        "name": pick("name"),
        "mode": pick("mode"),
        "completion_params": parameters,
    })
}

/// The data of the LLM node.
pub(super) fn node(
    target: AppMode,
    config: &Object,
    has_knowledge: bool,
    names: &Names<'_>,
) -> Result<Value, ConvertError> {
    let model = model(config);
    let model_name = model.get("name").and_then(Value::as_str).unwrap_or_default();
    let is_chat = model.get("mode").and_then(Value::as_str) == Some("chat");
    let is_simple = text(config, "prompt_type") != Some("advanced");
    let (prompt, roles) = match (is_chat, is_simple) {
        (_, true) => simple(config, model_name, is_chat, has_knowledge, names)?,
        (true, false) => (advanced_chat(config, names)?, Value::Null),
        (false, false) => advanced_completion(config, names),
    };
    let memory = (target == AppMode::AdvancedChat)
        .then(|| json!({"role_prefix": roles, "window": {"enabled": false}}));
    let selector = has_knowledge.then(|| json!(["knowledge_retrieval", "result"]));
    let upload = config.get("file_upload").filter(|u| u.get("enabled").is_some_and(truthy));
    let detail = upload.map(|upload| {
        let detail = upload.get("image").and_then(|image| image.get("detail"));
        json!({"detail": detail.cloned().unwrap_or_else(|| json!("high"))})
    });
    Ok(json!({
        "title": "LLM",
        "type": "llm",
        "model": model,
        "prompt_template": prompt,
        "memory": memory,
        "context": {"enabled": has_knowledge, "variable_selector": selector},
        "vision": {
            "enabled": upload.is_some(),
            "variable_selector": upload.map(|_| json!(["sys", "files"])),
            "configs": detail,
        },
    }))
}

/// The prompt of the simple editor, and what the speakers are called where that matters.
fn simple(
    config: &Object,
    model: &str,
    is_chat: bool,
    has_knowledge: bool,
    names: &Names<'_>,
) -> Result<(Value, Value), ConvertError> {
    let prompt = text(config, "pre_prompt").filter(|prompt| !prompt.is_empty());
    let prompt =
        prompt.ok_or_else(|| ConvertError::invalid("Simple prompt template is required"))?;
    let prompt = names.refer(&prompt_template::simple(model, prompt, has_knowledge));
    if is_chat {
        return Ok((json!([{"role": "user", "text": prompt}]), Value::Null));
    }
    let (human, assistant) = prompt_template::speakers(model);
    Ok((json!({"text": prompt}), json!({"user": human, "assistant": assistant})))
}

fn advanced_chat(config: &Object, names: &Names<'_>) -> Result<Value, ConvertError> {
    let messages = config.get("chat_prompt_config").and_then(|prompt| prompt.get("prompt"));
    let messages = messages.and_then(Value::as_array);
    let convert = |message: &Value| {
        let part = |key: &str| {
            let part = message.get(key).and_then(Value::as_str);
            part.ok_or_else(|| ConvertError::Invalid(format!("message {key} must be a string")))
        };
        Ok(json!({"role": part("role")?, "text": names.refer(part("text")?)}))
    };
    let messages: Result<Vec<Value>, ConvertError> =
        messages.into_iter().flatten().map(convert).collect();
    Ok(Value::Array(messages?))
}

fn advanced_completion(config: &Object, names: &Names<'_>) -> (Value, Value) {
    let prompt = config.get("completion_prompt_config");
    let text = prompt.and_then(|prompt| prompt.get("prompt")?.get("text")?.as_str());
    let text = names.refer(text.unwrap_or_default()).replace("{{#query#}}", "{{#sys.query#}}");
    let roles = prompt.and_then(|prompt| prompt.get("conversation_histories_role"));
    let roles = roles.filter(|roles| truthy(roles)).map(|roles| {
        json!({"user": roles.get("user_prefix"), "assistant": roles.get("assistant_prefix")})
    });
    (json!({"text": text}), roles.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Object {
        match value {
            Value::Object(map) => map,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn variables_become_references_and_stops_go_last() {
        let config = object(json!({
            "model": {"provider": "p", "name": "m", "mode": "chat", "completion_params": {"stop": ["x"], "t": 1}},
            "prompt_type": "simple",
            "pre_prompt": "Hi {{who}}, {{weather}} {{other}}",
        }));
        let form = [json!({"variable": "who"})];
        let lookups = [("weather".to_owned(), "code_1".to_owned())];
        let names = Names { form: &form, lookups: &lookups };
        let node = node(AppMode::Workflow, &config, false, &names).unwrap();
        assert_eq!(
            node["prompt_template"],
            json!([{"role": "user", "text": "Hi {{#start.who#}}, {{#code_1.result#}} {{other}}\n"}])
        );
        let parameters = node["model"]["completion_params"].as_object().unwrap();
        assert_eq!(parameters.keys().collect::<Vec<_>>(), ["t", "stop"]);
        assert_eq!(node["memory"], Value::Null);
    }

    #[test]
    fn an_app_without_prompt_is_refused() {
        let names = Names { form: &[], lookups: &[] };
        let err = node(AppMode::Workflow, &object(json!({"pre_prompt": ""})), false, &names);
        assert_eq!(err.unwrap_err().to_string(), "Simple prompt template is required");
    }
}
