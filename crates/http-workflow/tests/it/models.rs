//! Nodes that ask models.

use serde_json::{Value, json};

use crate::{
    graph, linked, node,
    world::{OPENAI, World, answer, data, outputs},
};

fn model(name: &str, mode: &str) -> Value {
    json!({"provider": OPENAI, "name": name, "mode": mode, "completion_params": {}})
}

fn start(variables: &[&str]) -> Value {
    let variables: Vec<Value> = variables
        .iter()
        .map(|name| json!({"variable": name, "label": name, "type": "paragraph"}))
        .collect();
    node("start", "start", json!({"variables": variables}))
}

/// Runs a node of each type alone, and compares its outputs and the end of what the model was asked.
#[tokio::test]
async fn nodes_that_ask_models_answer_alone() {
    let world = World::new(&[]).await;
    let chat = |more: Value| {
        let mut data = json!({
            "model": model("gpt-4o-mini", "chat"), "context": {"enabled": false, "variable_selector": []},
            "vision": {"enabled": false},
            "prompt_template": [{"role": "user", "text": "{{#s.q#}}"}],
        });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        node("n", "llm", data)
    };
    let parameters = |mode: &str| {
        json!({"model": model("gpt-4o-mini", "chat"), "query": ["s", "q"], "reasoning_mode": mode,
            "parameters": [{"name": "count", "type": "number", "description": "how many", "required": true}],
            "vision": {"enabled": false}})
    };
    let cases = [
        (
            chat(json!({
                "context": {"enabled": true, "variable_selector": ["s", "c"]},
                "prompt_template": [
                    {"role": "system", "text": "", "edition_type": "jinja2", "jinja2_text": "Know {{ word | upper }}."},
                    {"role": "user", "text": "{{#context#}}: {{#s.q#}}"},
                ],
                "prompt_config": {"jinja2_variables": [{"variable": "word", "value_selector": ["s", "w"]}]},
            })),
            json!({"#s.q#": "[[reply:green]]", "#context#": "leaves", "word": "tea"}),
            json!({"text": "green", "finish_reason": "stop"}),
            json!({"messages": [{"role": "system", "content": "Know TEA."},
                // One pair of braces stays, as in the reference.
                {"role": "user", "content": "{leaves}: [[reply:green]]"}]}),
        ),
        (
            node(
                "n",
                "llm",
                json!({
                    "model": model("gpt-3.5-turbo-instruct", "completion"), "context": {"enabled": false},
                    "vision": {"enabled": false}, "prompt_template": {"text": "Go on: {{#s.q#}}"},
                }),
            ),
            json!({"#s.q#": "[[reply:and on]]"}),
            json!({"text": "and on"}),
            // Where the history would be.
            json!({"prompt": "\nGo on: [[reply:and on]]"}),
        ),
        (
            chat(json!({
                "structured_output_enabled": true,
                "structured_output": {"schema": {"type": "object", "properties": {"a": {"type": "string"}}}},
            })),
            json!({"#s.q#": "[[json:{\"a\": \"b\"}]]"}),
            json!({"structured_output": {"a": "b"}}),
            json!({"response_format": {"type": "json_schema"}}),
        ),
        (
            node(
                "n",
                "question-classifier",
                json!({"model": model("gpt-4o-mini", "chat"), "query_variable_selector": ["s", "q"],
                    "classes": [{"id": "1", "name": "money"}, {"id": "2", "name": "the weather"}],
                    "vision": {"enabled": false}, "instruction": ""}),
            ),
            json!({"query": "how is the weather"}),
            json!({"class_id": "2", "class_name": "the weather"}),
            json!({"stream": true}),
        ),
        (
            node("n", "parameter-extractor", parameters("function_call")),
            json!({"query": "I want 7"}),
            json!({"count": 7, "__is_success": 1, "__reason": null}),
            json!({"tools": [{"type": "function", "function": {"name": "extract_parameters"}}]}),
        ),
        (
            node("n", "parameter-extractor", parameters("prompt")),
            json!({"query": "I want [[json:{\"count\": 8}]]"}),
            json!({"count": 8, "__is_success": 1}),
            json!({}),
        ),
    ];
    let app = world.app("workflow", &graph(vec![start(&[])], &[])).await;
    for (node, inputs, expected, asked) in cases {
        world.save(&app, &graph(vec![start(&[]), node.clone()], &[])).await;
        let done = world.step(&app, "n", inputs).await;
        assert_eq!(done["status"], "succeeded", "{done}");
        assert!(holds(&done["outputs"], &expected), "{done}");
        let sent = world.asked().await.pop().unwrap();
        assert!(holds(&sent, &asked), "{sent}");
    }
}

/// Whether everything of `part` is in `whole`, whose objects may have more.
fn holds(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| holds(whole, part)))
        }
        (Value::Array(whole), Value::Array(part)) => {
            whole.len() == part.len()
                && whole.iter().zip(part).all(|(whole, part)| holds(whole, part))
        }
        _ => whole == part,
    }
}

#[tokio::test]
async fn an_answer_streams_and_is_remembered() {
    let world = World::new(&[]).await;
    let llm = node(
        "llm",
        "llm",
        json!({
            "model": model("gpt-4o-mini", "chat"), "context": {"enabled": false}, "vision": {"enabled": false},
            "prompt_template": [{"role": "system", "text": "Be brief."}],
            "memory": {"window": {"enabled": true, "size": 10}, "query_prompt_template": "{{#sys.query#}}"},
        }),
    );
    let nodes = vec![start(&[]), llm, node("a", "answer", json!({"answer": "> {{#llm.text#}}"}))];
    let app = world.app("advanced-chat", &graph(nodes, &[("start", "llm"), ("llm", "a")])).await;
    let first = app.ask("one [[tokens:5]]", "").await;
    let said = answer(&first);
    assert!(said.starts_with("> "), "{said}");
    // What the model says is said to come from it. Pieces are joined where the client does not keep up.
    let pieces: Vec<&str> = first
        .iter()
        .filter(|event| event["from_variable_selector"] == json!(["llm", "text"]))
        .filter_map(|event| event["answer"].as_str())
        .collect();
    assert_eq!(format!("> {}", pieces.concat()), said);
    let conversation = first[0]["conversation_id"].as_str().unwrap();
    app.ask("two", conversation).await;
    let sent = world.asked().await.pop().unwrap();
    let texts: Vec<&Value> =
        sent["messages"].as_array().unwrap().iter().map(|message| &message["content"]).collect();
    assert_eq!(
        texts,
        [&json!("Be brief."), &json!("one [[tokens:5]]"), &json!(said), &json!("two")]
    );

    let failed = app.ask("[[error:429 slow down]]", "").await;
    let end = data(&failed, "workflow_finished");
    assert_eq!(end["status"], "failed");
    assert!(end["error"].as_str().unwrap().contains("slow down"), "{end}");
}

#[tokio::test]
async fn a_class_is_a_branch() {
    let world = World::new(&[]).await;
    let classes =
        json!([{"id": "c1", "name": "money"}, {"id": "c2", "name": "weather {{#start.place#}}"}]);
    let classifier = node(
        "sort",
        "question-classifier",
        json!({"model": model("gpt-4o-mini", "chat"), "query_variable_selector": ["start", "q"], "classes": classes,
            "vision": {"enabled": false}, "instruction": "By {{#start.place#}}"}),
    );
    let end = |id: &str| {
        node(
            id,
            "end",
            json!({"outputs": [{"variable": id, "value_selector": ["sort", "class_name"]}]}),
        )
    };
    let nodes = vec![start(&["q", "place"]), classifier, end("paid"), end("wet")];
    let edges = [("start", "source", "sort"), ("sort", "c1", "paid"), ("sort", "c2", "wet")];
    let app = world.app("workflow", &linked(nodes, &edges)).await;
    let ended = app.run(json!({"q": "weather of Kyoto", "place": "Kyoto"})).await;
    assert_eq!(outputs(&ended), &json!({"wet": "weather Kyoto"}));
    let ended = app.run(json!({"q": "money", "place": ""})).await;
    assert_eq!(outputs(&ended), &json!({"paid": "money"}));
}
