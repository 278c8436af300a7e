use serde_json::{Value, json};
use services_core::Fault;
use types::DatasetId;
use uuid::Uuid;

use super::{World, config};
use crate::{json::Object, mode::AppMode, ports::Llm};

const DATASET: Uuid = Uuid::from_u128(7);
const EXTENSION: Uuid = Uuid::from_u128(8);
const OPENAI: &str = "langgenius/openai/openai";

/// A workspace with one provider, two models, a knowledge base and an API extension.
struct Small;

impl World for Small {
    async fn providers(&self) -> Result<Vec<String>, Fault> {
        Ok(vec![OPENAI.to_owned()])
    }

    async fn llms(&self, provider: &str) -> Result<Vec<Llm>, Fault> {
        let llm = |name: &str, mode: Option<&str>| Llm {
            provider: provider.to_owned(),
            name: name.to_owned(),
            mode: mode.map(str::to_owned),
        };
        Ok(vec![llm("gpt", Some("chat")), llm("davinci", None)])
    }

    async fn has_dataset(&self, id: DatasetId) -> Result<bool, Fault> {
        Ok(id.0 == DATASET)
    }

    async fn has_extension(&self, id: Uuid) -> Result<bool, Fault> {
        Ok(id == EXTENSION)
    }
}

/// `base` with `changes` put over it; `null` takes a key away.
fn with(base: Value, changes: &Value) -> Object {
    let Value::Object(mut base) = base else { panic!("no object") };
    for (key, value) in changes.as_object().unwrap() {
        if value == &json!("<none>") {
            base.remove(key);
        } else {
            base.insert(key.clone(), value.clone());
        }
    }
    base
}

fn base() -> Value {
    json!({"model": {"provider": OPENAI, "name": "gpt", "completion_params": {}}})
}

async fn check(mode: AppMode, cases: &[(Value, &str)]) {
    for (changes, expected) in cases {
        let got = config(&Small, mode, with(base(), changes)).await;
        let got = got.map_or_else(|err| err.to_string(), |_| "fine".to_owned());
        assert_eq!(&got, expected, "{changes}");
    }
}

#[tokio::test]
async fn model() {
    let m = |changes: Value| {
        let model = with(base()["model"].clone(), &changes);
        json!({"model": model})
    };
    let providers = "model.provider is required and must be in ['langgenius/openai/openai']";
    check(
        AppMode::Chat,
        &[
            (json!({"model": "<none>"}), "model is required"),
            (json!({"model": "gpt"}), "model must be of object type"),
            (m(json!({"provider": "<none>"})), providers),
            (m(json!({"provider": "acme/x/y"})), providers),
            (m(json!({"provider": "openai"})), "fine"),
            (m(json!({"name": "<none>"})), "model.name is required"),
            (m(json!({"name": "gpt-17"})), "model.name must be in the specified model list"),
            (m(json!({"completion_params": "<none>"})), "model.completion_params is required"),
            (m(json!({"completion_params": []})), "model.completion_params must be of object type"),
            (
                m(json!({"completion_params": {"stop": "x"}})),
                "stop in model.completion_params must be of list type",
            ),
            (m(json!({"completion_params": {"stop": [1, 2, 3, 4]}})), "fine"),
            (
                m(json!({"completion_params": {"stop": [1, 2, 3, 4, 5]}})),
                "stop sequences must be less than 4",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn form() {
    let f = |kind: &str, field: Value| json!({"user_input_form": [{kind: field}]});
    let kinds = "Keys in user_input_form list can only be text-input, select, paragraph, number, external_data_tool, checkbox";
    let variable = "variable in user_input_form must be a string, and cannot start with a number";
    let named = |name: &str| f("text-input", json!({"label": "l", "variable": name}));
    check(
        AppMode::Completion,
        &[
            (json!({"user_input_form": null}), "fine"),
            (json!({"user_input_form": {"a": 1}}), "user_input_form must be a list of objects"),
            (json!({"user_input_form": [1]}), "user_input_form must be a list of objects"),
            (json!({"user_input_form": [{}]}), "user_input_form must be a list of objects"),
            (f("file", json!({})), kinds),
            (f("number", json!({"variable": "x"})), "label is required in user_input_form"),
            (
                f("number", json!({"label": 1, "variable": "x"})),
                "label in user_input_form must be of string type",
            ),
            (f("number", json!({"label": "l"})), "variable is required in user_input_form"),
            (
                f("number", json!({"label": "l", "variable": 1})),
                "variable in user_input_form must be of string type",
            ),
            (named("a_1"), "fine"),
            (named("变量🎈"), "fine"),
            (named("1a"), variable),
            (named("a-b"), variable),
            (named(""), variable),
            (named(&"v".repeat(100)), "fine"),
            (named(&"v".repeat(101)), variable),
            (
                f("checkbox", json!({"label": "l", "variable": "x", "required": "yes"})),
                "required in user_input_form must be of boolean type",
            ),
            (
                f("select", json!({"label": "l", "variable": "x", "options": "ab"})),
                "options in user_input_form must be a list of strings",
            ),
            (
                f(
                    "select",
                    json!({"label": "l", "variable": "x", "options": ["a"], "default": "z"}),
                ),
                "default value in user_input_form must be in the options list",
            ),
            (
                f(
                    "select",
                    json!({"label": "l", "variable": "x", "options": ["a"], "default": ""}),
                ),
                "fine",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn external_data() {
    let t = |tool: Value| json!({"external_data_tools": [tool]});
    check(
        AppMode::Chat,
        &[
            (json!({"external_data_tools": "x"}), "external_data_tools must be of list type"),
            (t(json!({"enabled": false})), "fine"),
            (t(json!({"enabled": true})), "external_data_tools[].type is required"),
            (t(json!({"enabled": true, "type": "zork", "config": {}})), "Extension zork not found"),
            (t(json!({"enabled": true, "type": "api", "config": {}})), "api_based_extension_id is required"),
            (t(json!({"enabled": true, "type": "api", "config": {"api_based_extension_id": DATASET}})), "api_based_extension_id is invalid"),
            (t(json!({"enabled": true, "type": "api", "config": {"api_based_extension_id": EXTENSION}})), "fine"),
        ],
    )
    .await;
    let tool =
        json!({"enabled": true, "type": "api", "config": {"api_based_extension_id": EXTENSION}});
    let kept = config(&Small, AppMode::Chat, with(base(), &t(tool))).await.unwrap();
    assert!(kept.contains_key("model"), "an enabled tool does not displace the configuration");
}

#[tokio::test]
async fn file_upload() {
    for (upload, paths) in [
        (json!({"enabled": "maybe", "number_limits": "3"}), vec![]),
        (json!({"number_limits": "x"}), vec!["number_limits"]),
        (json!({"allowed_file_types": ["image", "pigeon"]}), vec!["allowed_file_types.1"]),
        (json!({"allowed_file_extensions": "png"}), vec!["allowed_file_extensions"]),
        (
            json!({"image_config": {"detail": "blurry", "transfer_methods": ["x"]}}),
            vec!["image_config.transfer_methods.0", "image_config.detail"],
        ),
        (json!({"image": {"detail": "blurry"}}), vec![]),
    ] {
        let got =
            config(&Small, AppMode::Chat, with(base(), &json!({"file_upload": upload}))).await;
        let text = got.map_or_else(|err| err.to_string(), |_| String::new());
        let named: Vec<_> = text.lines().skip(1).filter(|line| !line.starts_with("  ")).collect();
        assert_eq!(named, paths, "{upload}");
    }
}

#[tokio::test]
async fn prompt() {
    let advanced = |changes: Value| {
        let mut all = with(json!({"prompt_type": "advanced"}), &changes);
        all.insert("pre_prompt".to_owned(), json!(""));
        Value::Object(all)
    };
    let messages =
        |count: usize| json!({"prompt": vec![json!({"role": "user", "text": "x"}); count]});
    check(
        AppMode::Chat,
        &[
            (json!({"pre_prompt": 5}), "pre_prompt must be of string type"),
            (json!({"prompt_type": "poem"}), "prompt_type must be in ['simple', 'advanced']"),
            (json!({"prompt_type": null}), "fine"),
            (json!({"chat_prompt_config": [1]}), "chat_prompt_config must be of object type"),
            (json!({"completion_prompt_config": "x"}), "completion_prompt_config must be of object type"),
            (advanced(json!({})), "chat_prompt_config or completion_prompt_config is required when prompt_type is advanced"),
            (advanced(json!({"chat_prompt_config": messages(10)})), "fine"),
            (advanced(json!({"chat_prompt_config": messages(11)})), "prompt messages must be less than 10"),
        ],
    )
    .await;
    let completion = advanced(json!({
        "model": {"provider": OPENAI, "name": "davinci", "completion_params": {}},
        "completion_prompt_config": {"prompt": {"text": "x"}, "conversation_histories_role": {"user_prefix": "", "assistant_prefix": "Bot"}},
    }));
    let got = config(&Small, AppMode::Chat, with(base(), &completion)).await.unwrap();
    assert_eq!(
        got["completion_prompt_config"]["conversation_histories_role"],
        json!({"user_prefix": "Human", "assistant_prefix": "Bot"})
    );
    assert_eq!(got["model"]["mode"], json!("completion"));
}

#[tokio::test]
async fn agent() {
    let a = |agent: Value| json!({"agent_mode": agent});
    let tools = |tool: Value| json!({"agent_mode": {"enabled": true, "strategy": "react", "tools": [tool]}});
    check(
        AppMode::AgentChat,
        &[
            (a(json!(null)), "fine"),
            (a(json!("x")), "agent_mode must be of object type"),
            (a(json!({"enabled": "yes"})), "enabled in agent_mode must be of boolean type"),
            (a(json!({"strategy": "dance"})), "strategy in agent_mode must be in the specified strategy list"),
            (a(json!({"tools": {"a": 1}})), "tools in agent_mode must be a list of objects"),
            (tools(json!({"provider_id": "p"})), "provider_type is required in agent_mode.tools"),
            (tools(json!({"provider_type": "builtin", "provider_id": "p", "tool_name": "t"})), "tool_parameters is required in agent_mode.tools"),
            (tools(json!({"provider_type": "builtin", "provider_id": "p", "tool_name": "t", "tool_parameters": {}, "enabled": "x"})), "fine"),
            (tools(json!({"web_reader": {"enabled": "x"}})), "enabled in agent_mode.tools must be of boolean type"),
            (tools(json!({"dataset": {"enabled": true}})), "id is required in dataset"),
            (tools(json!({"dataset": {"id": "x"}})), "id in dataset must be of UUID type"),
            (tools(json!({"dataset": {"id": EXTENSION}})), "Dataset ID does not exist, please check your permission."),
            (tools(json!({"dataset": {"id": DATASET}})), "fine"),
        ],
    )
    .await;
}

#[tokio::test]
async fn knowledge() {
    let retrieval = json!({"dataset_configs": {"datasets": {"datasets": [{"dataset": {"enabled": true, "id": DATASET}}]}}});
    let by_agent = json!({"agent_mode": {"enabled": true, "tools": [{"dataset": {"enabled": true, "id": DATASET}}]}});
    let query = "Dataset query variable is required when dataset is exist";
    check(
        AppMode::Completion,
        &[
            (retrieval.clone(), query),
            (by_agent.clone(), query),
            (json!({"agent_mode": by_agent["agent_mode"], "dataset_query_variable": "q"}), "fine"),
            (json!({"dataset_configs": "x"}), "dataset_configs must be of object type"),
            (
                json!({"agent_mode": {"tools": [{"dataset": {"id": EXTENSION}}]}}),
                "Dataset ID does not exist, please check your permission.",
            ),
        ],
    )
    .await;
    check(AppMode::Chat, &[(retrieval, "fine"), (by_agent, "fine")]).await;
    let got = config(&Small, AppMode::Chat, with(base(), &json!({}))).await.unwrap();
    assert_eq!(
        got["dataset_configs"],
        json!({"retrieval_model": "single", "datasets": {"strategy": "router", "datasets": []}})
    );
    assert_eq!(got["agent_mode"], json!({"enabled": false, "tools": [], "strategy": "router"}));
}

#[tokio::test]
async fn features() {
    check(
        AppMode::Chat,
        &[
            (json!({"opening_statement": ["x"]}), "opening_statement must be of string type"),
            (json!({"suggested_questions": "x"}), "suggested_questions must be of list type"),
            (
                json!({"suggested_questions": [1]}),
                "Elements in suggested_questions list must be of string type",
            ),
            (json!({"speech_to_text": "x"}), "speech_to_text must be of dict type"),
            (
                json!({"retriever_resource": {"enabled": "yes"}}),
                "enabled in retriever_resource must be of boolean type",
            ),
            (
                json!({"text_to_speech": {"enabled": "yes"}}),
                "enabled in text_to_speech must be of boolean type",
            ),
            (json!({"more_like_this": "x"}), "fine"),
        ],
    )
    .await;
    let more =
        "more_like_this must be of dict type and enabled in more_like_this must be of boolean type";
    check(
        AppMode::Completion,
        &[
            (json!({"more_like_this": "x"}), more),
            (json!({"more_like_this": null}), more),
            (json!({"more_like_this": {"enabled": "maybe"}}), more),
            (json!({"opening_statement": ["x"]}), "fine"),
        ],
    )
    .await;
    let speech = json!({"text_to_speech": {"enabled": false, "voice": "alloy"}, "more_like_this": {"enabled": "yes"}, "banana": 1});
    let got = config(&Small, AppMode::Completion, with(base(), &speech)).await.unwrap();
    assert_eq!(got["text_to_speech"], json!({"enabled": false, "voice": "", "language": ""}));
    assert_eq!(got["more_like_this"], json!({"enabled": true}));
    assert!(!got.contains_key("banana") && !got.contains_key("opening_statement"));
}

#[tokio::test]
async fn moderation() {
    let on = json!({"enabled": true, "preset_response": "no"});
    let off = json!({"enabled": false});
    let m = |kind: Value, settings: Value| json!({"sensitive_word_avoidance": {"enabled": true, "type": kind, "config": settings}});
    let words = |keywords: String, inputs: &Value, outputs: &Value| {
        m(
            json!("keywords"),
            json!({"keywords": keywords, "inputs_config": inputs, "outputs_config": outputs}),
        )
    };
    let rows = (0..101).map(|n| n.to_string()).collect::<Vec<_>>().join("\n");
    check(
        AppMode::Chat,
        &[
            (json!({"sensitive_word_avoidance": "x"}), "sensitive_word_avoidance must be of dict type"),
            (json!({"sensitive_word_avoidance": {"enabled": "yes"}}), "sensitive_word_avoidance.type is required"),
            (m(json!(4), json!({})), "sensitive_word_avoidance.type must be a string"),
            (m(json!("keywords"), json!([])), "sensitive_word_avoidance.config must be a dict"),
            (m(json!("psychic"), json!({})), "Extension psychic not found"),
            (m(json!("keywords"), Value::Null), "inputs_config must be a dict"),
            (m(json!("keywords"), json!({"inputs_config": {}})), "outputs_config must be a dict"),
            (words("a".into(), &off, &off), "At least one of inputs_config or outputs_config must be enabled"),
            (words("a".into(), &json!({"enabled": true}), &off), "inputs_config.preset_response is required"),
            (words("a".into(), &off, &json!({"enabled": true, "preset_response": "n".repeat(101)})), "outputs_config.preset_response must be less than 100 characters"),
            (words(String::new(), &on, &on), "keywords is required"),
            (words("k".repeat(10_001), &on, &on), "keywords length must be less than 10000"),
            (words(rows, &on, &on), "the number of rows for the keywords must be less than 100"),
            (words("a\nb".into(), &on, &on), "fine"),
            (m(json!("openai_moderation"), json!({"inputs_config": on, "outputs_config": off})), "fine"),
            (m(json!("api"), json!({"inputs_config": {"enabled": true}, "outputs_config": off})), "api_based_extension_id is required"),
            (m(json!("api"), json!({"inputs_config": {"enabled": true}, "outputs_config": off, "api_based_extension_id": "x"})), "API-based Extension not found. Please check it again."),
            (m(json!("api"), json!({"inputs_config": {"enabled": true}, "outputs_config": off, "api_based_extension_id": EXTENSION})), "fine"),
        ],
    )
    .await;
}
