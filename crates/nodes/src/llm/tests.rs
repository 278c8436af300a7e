use std::sync::Arc;

use graph::{SystemVariables, VariablePool};
use model_runtime::{Content, InvokeError, PromptMessage};
use serde_json::{Value as Json, json};

use crate::fake::{Script, outputs, run};

fn pool() -> VariablePool {
    let system = SystemVariables {
        query: Some("and now?".to_owned()),
        conversation_id: Some("c".to_owned()),
        ..SystemVariables::default()
    };
    let mut pool = VariablePool::new(system, graph::Object::new(), Arc::new(graph::NoUrls));
    pool.set("s", "q", "tea");
    pool
}

fn data(more: Json) -> Json {
    let mut data = json!({
        "model": {"provider": "openai", "name": "m", "mode": "chat", "completion_params": {"stop": ["!"]}},
        "prompt_template": [{"role": "system", "text": "Be {{#s.q#}}."}, {"role": "user", "text": "{{#s.q#}} {{#context#}}"}],
        "context": {"enabled": false},
    });
    if let (Some(data), Json::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    data
}

#[tokio::test]
async fn an_answer_is_streamed_and_recorded() {
    let script = Arc::new(Script { pieces: vec!["a", "b"], ..Script::default() });
    let (output, streamed) = run(&script, "llm", data(json!({})), pool()).await;
    let output = output.unwrap();
    assert_eq!(streamed, "ab");
    let shown = outputs(&output);
    assert_eq!((&shown["text"], &shown["finish_reason"]), (&json!("ab"), &json!("stop")));
    assert_eq!(shown["usage"]["total_tokens"], 3);
    let asked = script.asked.lock().unwrap();
    assert_eq!(asked[0].stop, ["!"]);
    assert_eq!(
        asked[0].messages,
        [PromptMessage::system("Be tea."), PromptMessage::user("tea {{#context#}}")]
    );
}

#[tokio::test]
async fn context_memory_and_structure_go_into_the_prompt() {
    let script = Arc::new(Script {
        pieces: vec!["<think>x</think>{\"a\": 1"],
        history: vec![PromptMessage::user("before"), PromptMessage::assistant("yes", Vec::new())],
        ..Script::default()
    });
    let more = json!({
        "context": {"enabled": true, "variable_selector": ["s", "q"]},
        "memory": {"window": {"enabled": false}},
        "structured_output_enabled": true,
        "structured_output": {"schema": {"type": "object"}},
        "reasoning_format": "separated",
    });
    let (output, _) = run(&script, "llm", data(more), pool()).await;
    let output = output.unwrap();
    let shown = outputs(&output);
    assert_eq!(shown["structured_output"], json!({"a": 1}));
    assert_eq!(shown["reasoning_content"], "x");
    let asked = script.asked.lock().unwrap();
    let texts: Vec<String> = asked[0].messages.iter().map(PromptMessage::text).collect();
    assert!(texts[0].ends_with("Be tea."));
    assert_eq!(texts[1..], ["tea {tea}", "before", "yes", "and now?"]);
    assert!(matches!(asked[0].messages[4].content(), Some(Content::Text(_))));
}

#[tokio::test]
async fn failures_have_the_words_and_classes_of_the_reference() {
    let script = Arc::new(Script::default());
    let missing = json!({"prompt_template": [{"role": "user", "text": "{{#s.nope#}}"}]});
    let error = run(&script, "llm", data(missing), pool()).await.0.unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.error_type.as_str()),
        ("Variable #s.nope# not found", "VariableNotFoundError")
    );
    let empty = json!({"prompt_template": [{"role": "user", "text": ""}]});
    let error = run(&script, "llm", data(empty), pool()).await.0.unwrap_err();
    assert_eq!(error.error_type, "NoPromptFoundError");
    let error = Some(InvokeError::RateLimit("slow down".to_owned()));
    let script = Arc::new(Script { error, ..Script::default() });
    let error = run(&script, "llm", data(json!({})), pool()).await.0.unwrap_err();
    assert_eq!(
        (error.message.as_str(), error.error_type.as_str()),
        ("slow down", "InvokeRateLimitError")
    );
}
