//! One node of the draft alone: every type that needs no model.

use serde_json::{Value, json};
use test_support::Listener;

use crate::{Flow, code, graph, node};

/// Runs a node of each type and compares status, and outputs or error.
#[tokio::test]
async fn every_node_answers_alone() {
    let upstream = Listener::new(&[("GET /x", 200, "application/json", b"{}")]).await;
    let start = || {
        node(
            "start",
            "start",
            json!({"variables": [{"variable": "q", "label": "q", "type": "text-input"}]}),
        )
    };
    let condition = |operator: &str, value: &str| {
        json!({"cases": [{"case_id": "yes", "logical_operator": "and", "conditions": [
            {"variable_selector": ["s", "q"], "comparison_operator": operator, "value": value}]}]})
    };
    let cases: Vec<(Value, Value, &str, Value)> = vec![
        (
            code("n", &[("a", ["s", "a"])], "a * 2", "number"),
            json!({"a": 4}),
            "succeeded",
            json!({"r": 8}),
        ),
        (
            code("n", &[("a", ["s", "a"])], "a", "number"),
            json!({"a": "x"}),
            "failed",
            json!("Output r is not a number, got <class 'str'> instead."),
        ),
        (
            node(
                "n",
                "code",
                json!({"code_language": "javascript", "code": "function main({a}) { return {r: a + '!'} }",
            "variables": [{"variable": "a", "value_selector": ["s", "a"]}], "outputs": {"r": {"type": "string"}}}),
            ),
            json!({"a": "hi"}),
            "succeeded",
            json!({"r": "hi!"}),
        ),
        (
            node(
                "n",
                "template-transform",
                json!({"template": "{{ a | upper }}",
            "variables": [{"variable": "a", "value_selector": ["s", "a"]}]}),
            ),
            json!({"a": "hi"}),
            "succeeded",
            json!({"output": "HI"}),
        ),
        (
            node("n", "if-else", condition("contains", "b")),
            json!({"#s.q#": "abc"}),
            "succeeded",
            json!({"result": true, "selected_case_id": "yes"}),
        ),
        (
            node("n", "if-else", condition(">", "x")),
            json!({"#s.q#": 1}),
            "failed",
            json!("Cannot convert 'x' to number"),
        ),
        (
            node(
                "n",
                "variable-aggregator",
                json!({"output_type": "string", "variables": [["s", "a"], ["s", "b"]]}),
            ),
            json!({"#s.a#": "first", "#s.b#": "second"}),
            "succeeded",
            json!({"output": "first"}),
        ),
        (
            node(
                "n",
                "list-operator",
                json!({"variable": ["s", "l"], "filter_by": {"enabled": false, "conditions": []},
            "order_by": {"enabled": true, "key": "", "value": "desc"}, "limit": {"enabled": true, "size": 2},
            "extract_by": {"enabled": false, "serial": "1"}}),
            ),
            json!({"#s.l#": [1, 3, 2]}),
            "succeeded",
            json!({"result": [3, 2], "first_record": 3, "last_record": 2}),
        ),
        (
            node(
                "n",
                "end",
                json!({"outputs": [{"variable": "out", "value_selector": ["s", "a"]}]}),
            ),
            json!({"#s.a#": "x"}),
            "succeeded",
            json!({"out": "x"}),
        ),
        (
            node("n", "answer", json!({"answer": "say {{#s.a#}}"})),
            json!({"#s.a#": "x"}),
            "succeeded",
            json!({"answer": "say x", "files": []}),
        ),
        (
            node("n", "trigger-schedule", json!({"mode": "cron", "cron_expression": "* * * * *"})),
            json!({"tick": 1}),
            "succeeded",
            json!({"tick": 1}),
        ),
        (
            node(
                "n",
                "trigger-plugin",
                json!({"plugin_id": "p", "provider_id": "p/e/e", "event_name": "push", "subscription_id": "s",
            "plugin_unique_identifier": "p/e:1@c"}),
            ),
            json!({"branch": "main"}),
            "succeeded",
            json!({"branch": "main"}),
        ),
        (
            node(
                "n",
                "trigger-webhook",
                json!({"method": "post", "params": [{"name": "p", "type": "string", "required": true}]}),
            ),
            json!({"webhook_data": {"method": "POST", "headers": {}, "query_params": {"p": "1"}, "body": {}, "files": {}}}),
            "succeeded",
            json!({"p": "1"}),
        ),
        (
            node(
                "n",
                "http-request",
                json!({"method": "get", "url": format!("{}/x", upstream.url), "headers": "", "params": "",
            "authorization": {"type": "no-auth"}, "body": {"type": "none", "data": []}}),
            ),
            json!({}),
            "succeeded",
            json!({"status_code": 200}),
        ),
        (
            node(
                "n",
                "http-request",
                json!({"method": "get", "url": "ftp://x", "headers": "", "params": "",
            "authorization": {"type": "no-auth"}, "error_strategy": "default-value",
            "default_value": [{"key": "body", "type": "string", "value": "none"}]}),
            ),
            json!({}),
            "exception",
            json!({"body": "none", "error_type": "InvalidURLError"}),
        ),
    ];
    let flow = Flow::new(&[], "workflow", &graph(vec![start()], &[])).await;
    for (node, inputs, status, expected) in cases {
        let is_trigger = node["data"]["type"].as_str().unwrap().starts_with("trigger-");
        // A graph begins with one or the other.
        let before = if is_trigger { vec![] } else { vec![start()] };
        flow.save(&graph([before, vec![node.clone()]].concat(), &[]), &json!([])).await;
        let done = flow.step("n", &inputs).await;
        assert_eq!(done["status"], status, "{node}: {done}");
        match &expected {
            Value::Object(outputs) => {
                for (name, value) in outputs {
                    assert_eq!(&done["outputs"][name], value, "{node}: {done}");
                }
            }
            error => assert_eq!(&done["error"], error, "{node}: {done}"),
        }
        let last = flow.get("/workflows/draft/nodes/n/last-run").await;
        assert_eq!(last, done, "{node}");
    }
}

#[tokio::test]
async fn what_a_node_cannot_run_with_is_named() {
    let start = node("start", "start", json!({"variables": []}));
    let flow = Flow::new(
        &[],
        "workflow",
        &graph(vec![start, code("c", &[("a", ["s", "a"])], "a", "number")], &[]),
    )
    .await;
    for (node, inputs, message) in [
        ("c", json!({}), "Variable key c.a not found in user inputs."),
        ("gone", json!({}), "Node with ID 'gone' not found in the workflow."),
    ] {
        let path = flow.path(&format!("/workflows/draft/nodes/{node}/run"));
        let answer = flow.app.post(&path, json!({"inputs": inputs})).await;
        assert_eq!(answer.error(), (400, "invalid_param".to_owned()));
        assert_eq!(answer.json()["message"], message);
    }
    let path = flow.path("/workflows/draft/nodes/c/run");
    assert_eq!(flow.app.post(&path, json!({})).await.status, 400);
    let reader = flow.app.member("normal").await;
    let refused =
        flow.app.call_as(&reader, http::Method::POST, &path, Some(json!({"inputs": {}}))).await;
    assert_eq!(refused.status, 403);
}

#[tokio::test]
async fn the_start_of_a_chatflow_knows_the_question() {
    let start = node("start", "start", json!({"variables": []}));
    let flow = Flow::new(&[], "advanced-chat", &graph(vec![start], &[])).await;
    let path = flow.path("/workflows/draft/nodes/start/run");
    let first = flow.app.post(&path, json!({"inputs": {}, "query": "hello"})).await.json();
    let second = flow.app.post(&path, json!({"inputs": {}, "query": "again"})).await.json();
    assert_eq!(first["outputs"]["sys.query"], "hello");
    assert_eq!(first["outputs"]["sys.dialogue_count"], 1);
    let conversation = |done: &Value| done["outputs"]["sys.conversation_id"].clone();
    assert!(conversation(&first).is_string());
    assert_eq!(conversation(&first), conversation(&second));
}
