//! Skeletons of expert prompts, and the sections a simple prompt is wrapped in. The wording is ours; the sections,
//! their order and their variables are the reference's.

use serde_json::{Value, json};

/// Which skeleton.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// `chat` or `completion`; others have no skeleton.
    pub app_mode: &'a str,
    /// `chat` or `completion`; others have no skeleton.
    pub model_mode: &'a str,
    /// Baichuan's models are spoken to in Chinese.
    pub model_name: &'a str,
    /// Whether the app has knowledge.
    pub has_context: bool,
}

const CONTEXT: &str = "The text between <context> and </context> is what you know about the matter.\n\n<context>\n\
    {{#context#}}\n</context>\n\nHow to answer:\n- Say so when you do not know something.\n- Ask back when you are \
    not sure.\nDo not mention that you were given this text.\nAnswer in the language of the question.\n";

const CONTEXT_CHINESE: &str = "请以客观助手的身份回答，只依据下面的材料，说明要完整、专业，不作多余推断，也不要提到材料本身：\n\n\
    ```\n{{#context#}}\n```\n\n";

const HISTORIES: &str = "\nWhat was said so far stands between <histories> and </histories>.\n\n<histories>\n\
    {{#histories#}}\n</histories>\n\n\nHuman: {{#query#}}\n\nAssistant: ";

const HISTORIES_CHINESE: &str =
    "\n\n以下是用户与助手此前的对话：\n```\n{{#histories#}}\n```\n\n\n\n用户：{{#query#}}";

/// Whether a model is spoken to in Chinese.
#[must_use]
pub fn is_baichuan(model: &str) -> bool {
    model.to_lowercase().contains("baichuan")
}

/// What human and assistant are called in a history for that model.
#[must_use]
pub fn speakers(model: &str) -> (&'static str, &'static str) {
    if is_baichuan(model) { ("用户", "助手") } else { ("Human", "Assistant") }
}

/// A simple prompt with the context section before it, if the app has knowledge.
#[must_use]
pub fn simple(model: &str, prompt: &str, has_context: bool) -> String {
    let context = match (has_context, is_baichuan(model)) {
        (false, _) => "",
        (true, false) => CONTEXT,
        (true, true) => CONTEXT_CHINESE,
    };
    format!("{context}{prompt}\n")
}

/// The skeleton the expert editor begins with; `{}` for modes that have none.
#[must_use]
pub fn skeleton(asked: &Asked<'_>) -> Value {
    let chinese = is_baichuan(asked.model_name);
    let context = match (asked.has_context, chinese) {
        (false, _) => "",
        (true, false) => CONTEXT,
        (true, true) => CONTEXT_CHINESE,
    };
    let prompt = format!("{context}{{{{#pre_prompt#}}}}");
    let (human, assistant) = speakers(asked.model_name);
    let stop = if chinese { "用户：" } else { "Human:" };
    match (asked.app_mode, asked.model_mode) {
        ("chat", "chat") => chat("system", &prompt),
        ("completion", "chat") => chat("user", &prompt),
        ("chat", "completion") => {
            let histories = if chinese { HISTORIES_CHINESE } else { HISTORIES };
            json!({
                "completion_prompt_config": {
                    "prompt": {"text": format!("{prompt}{histories}")},
                    "conversation_histories_role": {
                        "user_prefix": human,
                        "assistant_prefix": assistant,
                    },
                },
                "stop": [stop],
            })
        }
        ("completion", "completion") => json!({
            "completion_prompt_config": {"prompt": {"text": prompt}},
            "stop": [stop],
        }),
        _ => json!({}),
    }
}

fn chat(role: &str, prompt: &str) -> Value {
    json!({"chat_prompt_config": {"prompt": [{"role": role, "text": prompt}]}})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(app_mode: &str, model_mode: &str, has_context: bool) -> Value {
        skeleton(&Asked { app_mode, model_mode, model_name: "gpt-4o", has_context })
    }

    #[test]
    fn skeletons_have_the_sections_of_their_mode() {
        assert_eq!(ask("agent-chat", "chat", true), json!({}));
        assert_eq!(ask("chat", "voice", true), json!({}));
        assert_eq!(
            ask("chat", "chat", false),
            json!({"chat_prompt_config": {"prompt": [{"role": "system", "text": "{{#pre_prompt#}}"}]}})
        );
        let full = ask("chat", "completion", true).to_string();
        let places: Vec<_> =
            ["{{#context#}}", "{{#pre_prompt#}}", "{{#histories#}}", "{{#query#}}"]
                .iter()
                .map(|variable| full.find(variable).unwrap())
                .collect();
        assert!(places.is_sorted());
        assert!(!ask("completion", "completion", false).to_string().contains("histories"));
    }
}
