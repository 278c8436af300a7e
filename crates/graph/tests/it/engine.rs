//! The machine: traversal, streaming, failures, limits, pauses.

use std::time::Duration;

use graph::{Graph, GraphEvent, Limits};
use serde_json::{Value as Json, json};

use crate::support::{Driver, Factory, edges, graph, node, pool, start};

fn fake(id: &str, data: Json) -> Json {
    let mut all = json!({"type": "fake", "value": id});
    for (key, value) in data.as_object().unwrap() {
        all[key] = value.clone();
    }
    node(id, all)
}

fn end(outputs: &[(&str, &str)]) -> Json {
    end_named("end", outputs)
}

fn end_named(id: &str, outputs: &[(&str, &str)]) -> Json {
    let outputs: Vec<Json> = outputs
        .iter()
        .map(|(name, from)| json!({"variable": name, "value_selector": from.split('.').collect::<Vec<_>>()}))
        .collect();
    node(id, json!({"type": "end", "outputs": outputs}))
}

fn answer(id: &str, text: &str) -> Json {
    node(id, json!({"type": "answer", "answer": text}))
}

fn drive(nodes: &[Json], links: &[&str]) -> Driver {
    Driver::new(graph(nodes, links), pool(json!({"q": "x"})), Limits::default())
}

fn check(nodes: &[Json], links: &[&str], expected: &[&str]) {
    assert_eq!(drive(nodes, links).run().log(), expected);
}

#[test]
fn a_chain_runs_in_order() {
    check(
        &[fake("a", json!({})), end(&[("r", "a.out"), ("q", "start.q")])],
        &["start>a", "a>end"],
        &[
            "run initial",
            "+start",
            "-start",
            "+a",
            "'a' a.out",
            "'\n' end.answer",
            "'x' start.q.",
            "-a",
            "+end",
            "-end",
            r#"succeeded {"r": "a", "q": "x"}"#,
        ],
    );
}

#[test]
fn a_join_waits_for_all_branches() {
    let mut run = drive(
        &[fake("a", json!({})), fake("b", json!({})), fake("c", json!({"reads": []}))],
        &["start>a", "start>b", "a>c", "b>c"],
    );
    run.finish_id("b");
    assert!(!run.log().contains(&"+c".to_owned()));
    run.finish_id("a");
    run.finish_id("c");
    assert_eq!(run.log().last().map(String::as_str), Some("succeeded {}"));
}

#[test]
fn branches_that_are_not_selected_are_skipped() {
    let branch = fake("if", json!({"handles": ["yes"], "value": 1}));
    check(
        &[
            branch,
            fake("a", json!({})),
            fake("b", json!({})),
            fake("c", json!({})),
            fake("d", json!({})),
        ],
        &["start>if", "if:yes>a", "if:no>b", "b>c", "a>d", "c>d"],
        &["run initial", "+start", "-start", "+if", "-if", "+a", "-a", "+d", "-d", "succeeded {}"],
    );
}

#[test]
fn a_branch_without_edge_just_ends() {
    let branch = fake("if", json!({"handles": ["other"]}));
    check(
        &[branch, fake("a", json!({}))],
        &["start>if", "if:yes>a"],
        &["run initial", "+start", "-start", "+if", "-if", "succeeded {}"],
    );
}

#[test]
fn other_start_nodes_are_skipped() {
    let nodes = [
        start(),
        node("hook", json!({"type": "trigger-schedule"})),
        fake("a", json!({})),
        fake("b", json!({})),
        fake("c", json!({})),
    ];
    let json = json!({"nodes": nodes, "edges": edges(&["start>a", "hook>b", "b>c", "a>c"])});
    let run = |root: Option<&str>| {
        let graph = Graph::parse(&json, root, &Factory).unwrap().into();
        Driver::new(graph, pool(json!({})), Limits::default()).run().log()
    };
    assert_eq!(
        run(None),
        ["run initial", "+start", "-start", "+a", "-a", "+c", "-c", "succeeded {}"]
    );
    assert!(run(Some("hook")).contains(&"-c".to_owned()));
    assert!(!run(Some("hook")).contains(&"+a".to_owned()));
}

#[test]
fn an_answer_streams_while_its_sources_run() {
    check(
        &[
            fake("a", json!({"chunks": ["Hel", "lo"]})),
            answer("ans", "Hi: {{#a.text#}}! {{#sys.query#}}"),
        ],
        &["start>a", "a>ans"],
        &[
            "run initial",
            "+start",
            "'Hi: ' ans.answer",
            "-start",
            "+a",
            "'Hel' a.text",
            "'lo' a.text.",
            "'! ' ans.answer",
            "'hi' sys.query.",
            "-a",
            "+ans",
            "-ans",
            r#"succeeded {"answer": "Hi: Hello! hi", "files": []}"#,
        ],
    );
}

#[test]
fn an_answer_behind_a_branch_waits_for_it() {
    let branch = |handle: &str| fake("if", json!({"handles": [handle]}));
    let nodes = |handle: &str| {
        vec![
            fake("a", json!({"chunks": ["A"]})),
            branch(handle),
            answer("yes", "Y {{#a.text#}}"),
            answer("no", "N {{#a.text#}}"),
        ]
    };
    let links = ["start>a", "a>if", "if:yes>yes", "if:no>no"];
    check(
        &nodes("no"),
        &links,
        &[
            "run initial",
            "+start",
            "-start",
            "+a",
            "-a",
            "+if",
            "'N ' no.answer",
            "'A' a.text.",
            "-if",
            "+no",
            "-no",
            r#"succeeded {"answer": "N A", "files": []}"#,
        ],
    );
}

#[test]
fn answers_stream_one_after_the_other() {
    check(
        &[
            fake("a", json!({"chunks": ["A"]})),
            fake("b", json!({"chunks": ["B"]})),
            answer("one", "1{{#a.text#}}"),
            answer("two", "2{{#b.text#}}"),
        ],
        &["start>b", "start>a", "a>one", "b>two"],
        &[
            "run initial",
            "+start",
            "'1' one.answer",
            "-start",
            "+b",
            "+a",
            // `two` has run already, its text waits for `one`'s.
            "-b",
            "+two",
            "-two",
            "'A' a.text.",
            "'2' two.answer",
            "'B' b.text.",
            "-a",
            "+one",
            "-one",
            r#"succeeded {"answer": "2B1A", "files": []}"#,
        ],
    );
}

#[test]
fn variables_of_skipped_nodes_are_left_out() {
    check(
        &[
            fake("if", json!({"handles": ["yes"]})),
            fake("a", json!({"chunks": ["A"]})),
            fake("b", json!({"chunks": ["B"]})),
            answer("ans", "{{#a.text#}}{{#b.text#}}|"),
        ],
        &["start>if", "if:yes>a", "if:no>b", "a>ans", "b>ans"],
        &[
            "run initial",
            "+start",
            "-start",
            "+if",
            "-if",
            "+a",
            "'A' a.text.",
            "'|' ans.answer.",
            "-a",
            "+ans",
            "-ans",
            r#"succeeded {"answer": "Ab.text|", "files": []}"#,
        ],
    );
}

#[test]
fn a_failure_fails_the_run_and_cuts_off_the_rest() {
    let mut run =
        drive(&[fake("a", json!({"fails": -1})), fake("b", json!({}))], &["start>a", "start>b"]);
    run.finish_id("a");
    assert_eq!(
        run.log(),
        ["run initial", "+start", "-start", "+a", "+b", "!a boom 0", "xb", "failed boom 0"]
    );
    assert!(run.running.is_empty());
}

#[test]
fn retries_come_before_the_error_strategy() {
    let retry = json!({"max_retries": 2, "retry_interval": 100, "retry_enabled": true});
    let node =
        |fails: i64| fake("a", json!({"fails": fails, "retryable": true, "retry_config": retry}));
    check(
        &[node(2)],
        &["start>a"],
        &[
            "run initial",
            "+start",
            "-start",
            "+a",
            "~a#1",
            "+a#1",
            "~a#2",
            "+a#2",
            "-a",
            "partial 2 {}",
        ],
    );
    check(
        &[node(3)],
        &["start>a"],
        &[
            "run initial",
            "+start",
            "-start",
            "+a",
            "~a#1",
            "+a#1",
            "~a#2",
            "+a#2",
            "!a boom 0",
            "failed boom 0",
        ],
    );
}

#[test]
fn attempts_share_their_execution_and_count_as_steps() {
    let retry = json!({"max_retries": 1, "retry_interval": 0, "retry_enabled": true});
    let node = fake("a", json!({"fails": 1, "retryable": true, "retry_config": retry}));
    let mut run = drive(&[node], &["start>a"]);
    run.run();
    let mut started = Vec::new();
    for event in &run.events {
        if let GraphEvent::NodeStarted { node, index, attempt, .. } = event {
            started.push((node.execution_id.to_string(), *index, *attempt));
        }
    }
    let id = |number: &str| number.to_owned();
    assert_eq!(started, [(id("e0"), 1, 0), (id("e1"), 2, 0), (id("e1"), 3, 1)]);
    assert_eq!(run.machine.stats().steps, 3);
    assert_eq!(run.machine.stats().exceptions_count, 1);
}

#[test]
fn a_fail_branch_goes_on_with_the_error() {
    let node = fake("a", json!({"fails": -1, "error_strategy": "fail-branch"}));
    check(
        &[
            node,
            end(&[("m", "a.error_message"), ("t", "a.error_type")]),
            end_named("good", &[("r", "a.out")]),
        ],
        &["start>a", "a:fail-branch>end", "a:source>good"],
        &[
            "run initial",
            "+start",
            "-start",
            "+a",
            "'boom 0' a.error_message",
            "'\n' end.answer",
            "'FakeError' a.error_type.",
            "?a boom 0",
            "+end",
            "-end",
            r#"partial 1 {"m": "boom 0", "t": "FakeError"}"#,
        ],
    );
    let node = fake("a", json!({"error_strategy": "fail-branch"}));
    check(
        &[node, end_named("bad", &[]), end_named("good", &[("r", "a.out")])],
        &["start>a", "a:fail-branch>bad", "a:source>good"],
        &[
            "run initial",
            "+start",
            "-start",
            "+a",
            "'a' a.out.",
            "-a",
            "+good",
            "-good",
            r#"succeeded {"r": "a"}"#,
        ],
    );
}

#[test]
fn default_values_replace_the_outputs() {
    let node = fake(
        "a",
        json!({
            "fails": -1,
            "error_strategy": "default-value",
            "default_value": [
                {"key": "out", "type": "number", "value": "5"},
                {"key": "list", "type": "array[string]", "value": "[\"x\"]"},
            ],
        }),
    );
    let mut run = drive(
        &[node, end(&[("o", "a.out"), ("l", "a.list"), ("m", "a.error_message")])],
        &["start>a", "a>end"],
    );
    run.run();
    assert_eq!(
        run.log().last().map(String::as_str),
        Some(r#"partial 1 {"o": 5.0, "l": ["x"], "m": "boom 0"}"#)
    );
    let metadata = run.events.iter().find_map(|event| match event {
        GraphEvent::NodeException { result, .. } => Some(result.metadata.clone()),
        _ => None,
    });
    let metadata = metadata.unwrap().to_json(&graph::NoUrls);
    assert_eq!(Json::Object(metadata), json!({"error_strategy": "default-value"}));
}

#[test]
fn a_stop_cuts_everything_off() {
    let mut run = drive(&[fake("a", json!({})), fake("b", json!({}))], &["start>a", "start>b"]);
    run.finish_id("a");
    run.abort("User requested stop");
    assert_eq!(
        run.log(),
        ["run initial", "+start", "-start", "+a", "+b", "-a", "xb", "Aborted: User requested stop"]
    );
}

#[test]
fn limits_stop_the_run() {
    let nodes: Vec<Json> = (0..5).map(|it| fake(&format!("n{it}"), json!({}))).collect();
    let links = ["start>n0", "n0>n1", "n1>n2", "n2>n3", "n3>n4"];
    let limits = Limits { max_steps: 3, ..Limits::default() };
    let mut run = Driver::new(graph(&nodes, &links), pool(json!({})), limits);
    run.run();
    assert_eq!(
        run.log().last().map(String::as_str),
        Some("Aborted: Maximum execution steps exceeded: 4 > 3")
    );

    let limits = Limits { max_time: Duration::from_secs(1), ..Limits::default() };
    let mut run = Driver::new(graph(&nodes, &links), pool(json!({})), limits);
    run.now += chrono::TimeDelta::milliseconds(1230);
    run.deadline();
    assert_eq!(
        run.log().last().map(String::as_str),
        Some("Aborted: Maximum execution time exceeded: 1.24s > 1s")
    );
}

#[test]
fn a_node_may_abort_the_run() {
    let node = fake("a", json!({"fails": -1, "abort": true, "error_strategy": "fail-branch"}));
    check(
        &[node],
        &["start>a"],
        &["run initial", "+start", "-start", "+a", "!a boom 0", "Aborted: boom 0"],
    );
}

#[test]
fn a_pause_keeps_what_is_ready_and_resumes() {
    let mut run = drive(
        &[
            fake("ask", json!({"pauses": true})),
            fake("b", json!({})),
            fake("c", json!({})),
            end(&[("a", "ask.out"), ("c", "c.out")]),
        ],
        &["start>ask", "start>b", "b>c", "ask>end", "c>end"],
    );
    run.finish_id("ask");
    assert!(!run.machine.is_finished(), "b still runs");
    run.finish_id("b");
    run.resume();
    run.run();
    assert_eq!(
        run.log(),
        [
            "run initial",
            "+start",
            "-start",
            "+ask",
            "+b",
            "=ask",
            "-b",
            "paused ask",
            "run resumption",
            "+c",
            "+ask",
            "-c",
            "'ask' ask.out",
            "'\n' end.answer",
            "'c' c.out.",
            "-ask",
            "+end",
            "-end",
            r#"succeeded {"a": "ask", "c": "c"}"#,
        ]
    );
    assert_eq!(run.machine.stats().steps, 6);
}

#[test]
fn a_state_fits_only_its_graph() {
    let mut run = drive(&[fake("ask", json!({"pauses": true}))], &["start>ask"]);
    run.run();
    run.graph = graph(&[fake("other", json!({}))], &["start>other"]);
    let Some(GraphEvent::RunPaused { state, .. }) = run.events.last() else { panic!() };
    let urls: std::sync::Arc<dyn graph::FileUrls> = std::sync::Arc::new(graph::NoUrls);
    let resumed = graph::Machine::resume(
        run.graph.clone(),
        state,
        &urls,
        run.limits,
        run.ids.clone(),
        run.now,
    );
    assert!(matches!(resumed, Err(graph::GraphError::State(_))));
}

#[test]
fn graphs_are_checked() {
    let parse = |json: Json| match Graph::parse(&json, None, &Factory) {
        Ok(_) => "ok".to_owned(),
        Err(err) => err.to_string(),
    };
    assert_eq!(parse(json!({})), "nodes or edges not found in workflow graph");
    assert_eq!(parse(json!({"nodes": 1, "edges": []})), "nodes in workflow graph must be a list");
    assert_eq!(parse(json!({"nodes": [], "edges": 1})), "edges in workflow graph must be a list");
    assert_eq!(
        parse(json!({"nodes": [], "edges": []})),
        "Unable to determine default root node ID from workflow graph"
    );
    assert_eq!(
        parse(json!({"nodes": [start(), node("x", json!({"type": "what"}))], "edges": []})),
        "No class mapping found for node type: what"
    );
    assert_eq!(
        parse(json!({"nodes": [start()], "edges": edges(&["start>x", "y>start"])})),
        "[MISSING_NODE] Edge edge_0 references unknown target node 'x'.; \
         [MISSING_NODE] Edge edge_1 references unknown source node 'y'."
    );
    let note = json!({"id": "note", "type": "custom-note", "data": {"type": ""}});
    let null_handle = json!({"source": "start", "target": "nowhere", "sourceHandle": null});
    assert_eq!(parse(json!({"nodes": [note, start()], "edges": [null_handle]})), "ok");
    let root = Graph::parse(
        &json!({"nodes": [start(), fake("a", json!({}))], "edges": []}),
        Some("a"),
        &Factory,
    );
    assert_eq!(
        root.err().map(|err| err.to_string()).as_deref(),
        Some("[INVALID_ROOT] Root node 'a' must declare execution type 'root'.")
    );
}

#[test]
fn workflows_call_each_other_only_so_deep() {
    let mut info = (*crate::support::run_info()).clone();
    info.call_depth = 5;
    assert!(info.check_call_depth(5).is_ok());
    info.call_depth = 6;
    let error = info.check_call_depth(5).unwrap_err();
    assert_eq!(error.to_string(), "Max workflow call depth 5 reached.");
}

#[test]
fn settings_that_are_missing_are_all_named() {
    let json = json!({
        "nodes": [start(), node("a", json!({"type": "list-operator", "limit": {}}))], "edges": [],
    });
    let error = Graph::parse(&json, None, &Factory).err().map(|err| err.to_string());
    let expected = "Invalid settings of list-operator node 'a': missing filter_by, order_by";
    assert_eq!(error.as_deref(), Some(expected));
    let cases = json!([{"case_id": "x", "logical_operator": "and", "conditions": [
        {"variable_selector": ["a", "b"], "comparison_operator": "sounds like"},
    ]}]);
    let json = json!({
        "nodes": [start(), node("a", json!({"type": "if-else", "cases": cases}))], "edges": [],
    });
    let error = Graph::parse(&json, None, &Factory).err().map(|err| err.to_string());
    assert!(error.unwrap().contains("unknown comparison_operator 'sounds like'"));
}

#[test]
fn tokens_are_counted() {
    let mut run = drive(
        &[fake("a", json!({"tokens": 3})), fake("b", json!({"tokens": 4}))],
        &["start>a", "a>b"],
    );
    run.run();
    assert_eq!(run.machine.stats().total_tokens, 7);
    assert_eq!(run.machine.stats().usage.total_tokens, 7);
}

#[test]
fn one_node_runs_alone() {
    let json = json!({
        "nodes": [start(), fake("a", json!({"reads": [["start", "q"]]})), fake("b", json!({}))],
        "edges": edges(&["start>a", "a>b"]),
    });
    let graph = Graph::single(&json, "a", &Factory).unwrap().into();
    let mut run = Driver::new(graph, pool(json!({})), Limits::default());
    assert_eq!(run.run().log(), ["run initial", "+a", "-a", "succeeded {}"]);
}
