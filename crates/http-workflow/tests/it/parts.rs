//! Iterations and loops alone, the variables that debugging leaves behind, and large values.

use serde_json::{Value, json};

use crate::{Flow, code, graph, names, node};

fn inside(mut node: Value, key: &str, container: &str) -> Value {
    node["data"][key] = json!(container);
    node
}

fn iteration() -> Value {
    let mut double = code("double", &[("x", ["it", "item"])], "x * 2", "number");
    double["data"]["iteration_id"] = json!("it");
    graph(
        vec![
            node(
                "start",
                "start",
                json!({"variables": [{"variable": "q", "label": "q", "type": "number"}]}),
            ),
            code("list", &[("q", ["start", "q"])], "[q, q + 1]", "array[number]"),
            node(
                "it",
                "iteration",
                json!({"iterator_selector": ["list", "r"], "output_selector": ["double", "r"],
                "start_node_id": "itstart"}),
            ),
            inside(node("itstart", "iteration-start", json!({})), "iteration_id", "it"),
            double,
            node(
                "end",
                "end",
                json!({"outputs": [{"variable": "out", "value_selector": ["it", "output"]}]}),
            ),
        ],
        &[("start", "list"), ("list", "it"), ("itstart", "double"), ("it", "end")],
    )
}

fn variables(listed: &Value) -> Vec<(String, Value)> {
    let mut all: Vec<(String, Value)> = listed["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (it["name"].as_str().unwrap().to_owned(), it["value"].clone()))
        .collect();
    all.sort_by(|a, b| a.0.cmp(&b.0));
    all
}

#[tokio::test]
async fn a_run_leaves_variables_and_an_iteration_runs_on_them() {
    let flow = Flow::new(&[], "workflow", &iteration()).await;
    let run = flow.events("/workflows/draft/run", json!({"inputs": {"q": 3}})).await;
    assert_eq!(run.last().unwrap()["data"]["outputs"], json!({"out": [6, 8]}));
    let of = async |node: &str| {
        variables(&flow.get(&format!("/workflows/draft/nodes/{node}/variables")).await)
    };
    assert_eq!(of("list").await, [("r".to_owned(), json!([3, 4]))]);
    assert_eq!(of("it").await, [("output".to_owned(), json!([6, 8]))]);
    // Nodes inside leave nothing.
    assert_eq!(of("double").await, []);
    let system = flow.get("/workflows/draft/system-variables").await;
    assert!(variables(&system).iter().any(|(name, _)| name == "workflow_run_id"));

    let path = "/workflows/draft/iteration/nodes/it/run";
    let alone = flow.events(path, json!({"inputs": {}})).await;
    assert_eq!(
        names(&alone),
        [
            "workflow_started",
            "iteration_started",
            "iteration_next",
            "node_started",
            "node_finished",
            "iteration_next",
            "node_started",
            "node_finished",
            "iteration_completed",
            "workflow_finished"
        ]
    );
    let given = flow.events(path, json!({"inputs": {"it.input_selector": [10]}})).await;
    let completed = given.iter().find(|it| it["event"] == "iteration_completed").unwrap();
    assert_eq!(completed["data"]["outputs"], json!({"output": [20]}));
    let last = flow.get("/workflows/draft/nodes/it/last-run").await;
    assert_eq!(last["outputs"], json!({"output": [20]}));
    assert_eq!(of("it").await, [("output".to_owned(), json!([20]))]);

    let lacking =
        flow.events("/workflows/draft/iteration/nodes/double/run", json!({"inputs": {}})).await;
    assert_eq!(lacking[0]["event"], "error");
    assert_eq!(lacking[0]["message"], "Variable key double.x not found in user inputs.");
}

#[tokio::test]
async fn a_loop_runs_alone() {
    let mut set = node(
        "set",
        "assigner",
        json!({"version": "2", "loop_id": "lp", "items": [
        {"variable_selector": ["lp", "n"], "input_type": "constant", "operation": "+=", "value": 1}]}),
    );
    set["data"]["loop_id"] = json!("lp");
    let graph = graph(
        vec![
            node("start", "start", json!({"variables": []})),
            node(
                "lp",
                "loop",
                json!({"loop_count": 3, "break_conditions": [], "logical_operator": "and",
                "loop_variables": [{"label": "n", "var_type": "number", "value_type": "variable", "value": ["start", "n"]}],
                "start_node_id": "lpstart"}),
            ),
            inside(node("lpstart", "loop-start", json!({})), "loop_id", "lp"),
            set,
        ],
        &[("start", "lp"), ("lpstart", "set")],
    );
    let flow = Flow::new(&[], "workflow", &graph).await;
    let events =
        flow.events("/workflows/draft/loop/nodes/lp/run", json!({"inputs": {"n": 5}})).await;
    let completed = events.iter().find(|it| it["event"] == "loop_completed").unwrap();
    assert_eq!(completed["data"]["outputs"], json!({"n": 8, "loop_round": 3}));
    assert_eq!(events.last().unwrap()["data"]["status"], "succeeded");
    // The number of rounds is no variable.
    let left = flow.get("/workflows/draft/nodes/lp/variables").await;
    assert_eq!(variables(&left), [("n".to_owned(), json!(8))]);
}

#[tokio::test]
async fn large_values_are_cut_for_rows_and_events_and_kept_whole() {
    let nodes = vec![
        node("start", "start", json!({"variables": []})),
        code("c", &[], "['x' * 80]", "array[string]"),
        code("n", &[("l", ["c", "r"])], "len(l[0])", "number"),
    ];
    let settings = [
        ("WORKFLOW_VARIABLE_TRUNCATION_MAX_SIZE", "60"),
        ("WORKFLOW_VARIABLE_TRUNCATION_STRING_LENGTH", "10"),
    ];
    let flow = Flow::new(&settings, "workflow", &graph(nodes, &[("start", "c"), ("c", "n")])).await;
    let events = flow.events("/workflows/draft/run", json!({"inputs": {}})).await;
    let finished = |id: &str| {
        events
            .iter()
            .find(|it| it["event"] == "node_finished" && it["data"]["node_id"] == id)
            .map(|it| it["data"].clone())
            .unwrap()
    };
    let cut = finished("c");
    assert_eq!(cut["outputs_truncated"], true);
    assert_eq!(cut["outputs"]["r"][0], "xxxxxxxxxx...");
    assert_eq!(finished("n")["outputs"], json!({"r": 80}));
    let row = flow.get("/workflows/draft/nodes/c/last-run").await;
    assert_eq!(
        (&row["outputs_truncated"], &row["inputs_truncated"]),
        (&json!(true), &json!(false))
    );
    let listed = flow.get("/workflows/draft/nodes/c/variables").await;
    let variable = &listed["items"][0];
    assert_eq!(variable["is_truncated"], true);
    assert_eq!(variable["full_content"]["length"], 1);
    // A node alone reads the whole value.
    assert_eq!(flow.step("n", &json!({})).await["outputs"], json!({"r": 80}));
}

#[tokio::test]
async fn an_iteration_of_a_chatflow_tells_it_as_chats_do() {
    let flow = Flow::new(&[], "advanced-chat", &iteration()).await;
    let events = flow
        .events(
            "/advanced-chat/workflows/draft/iteration/nodes/it/run",
            json!({"inputs": {"it.input_selector": [1]}}),
        )
        .await;
    assert!(
        events.iter().all(|it| it["conversation_id"].is_string() && it["message_id"].is_string())
    );
    let completed = events.iter().find(|it| it["event"] == "iteration_completed").unwrap();
    assert_eq!(completed["data"]["outputs"], json!({"output": [2]}));
    assert_eq!(events.last().unwrap()["event"], "workflow_finished");
}
