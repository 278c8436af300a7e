//! Runs that wait for people: forms filled in, timed out, raced for, and asked inside containers.

use chrono::TimeDelta;
use serde_json::{Value, json};
use services_workflow::{form, run::pause};
use test_support::Client;

use crate::{
    linked, names, node,
    world::{App, World, data, frames},
};

fn ask(id: &str) -> Value {
    node(
        id,
        "human-input",
        json!({"form_content": "{{#$output.name#}}",
            "delivery_methods": [{"id": "aaaaaaaa-0000-4000-8000-000000000001", "type": "webapp", "enabled": true, "config": {}}],
            "inputs": [{"type": "text_input", "output_variable_name": "name", "default": null}],
            "user_actions": [{"id": "go", "title": "Go", "button_style": "accent"}], "timeout": 1, "timeout_unit": "hour"}),
    )
}

fn start() -> Value {
    node("start", "start", json!({"variables": []}))
}

fn end(id: &str, variable: &str, of: &str) -> Value {
    node(id, "end", json!({"outputs": [{"variable": variable, "value_selector": [of, "name"]}]}))
}

/// One form, with an end for its button and one for its time.
fn single() -> Value {
    let late = node(
        "late",
        "end",
        json!({"outputs": [{"variable": "late", "value_selector": ["ask", "__action_id"]}]}),
    );
    let edges = [("start", "source", "ask"), ("ask", "go", "done"), ("ask", "__timeout", "late")];
    linked(vec![start(), ask("ask"), end("done", "name", "ask"), late], &edges)
}

fn filled(name: &str) -> Value {
    json!({"inputs": {"name": name}, "action": "go"})
}

/// What a run waits for: reasons of its last pause.
async fn waits(client: &Client, path: &str) -> Vec<Value> {
    let seen =
        frames(&client.get(&format!("{path}include_state_snapshot=true")).await.with(200).bytes);
    data(&seen, "workflow_paused")["reasons"].as_array().unwrap().clone()
}

fn page(token: &Value) -> String {
    format!("/api/form/human_input/{}", token.as_str().unwrap())
}

/// Starts a run that pauses; its id and the forms' tokens.
async fn paused(app: &App) -> (String, Vec<Value>) {
    let events = app.run(json!({})).await;
    assert_eq!(names(&events).last(), Some(&"workflow_paused"));
    let asked = events.iter().filter(|it| it["event"] == "human_input_required");
    let tokens = asked.map(|it| it["data"]["form_token"].clone()).collect();
    (events[0]["workflow_run_id"].as_str().unwrap().to_owned(), tokens)
}

/// The same for a run that asks in two branches at once.
async fn both_asked(app: &App) -> (String, Vec<Value>) {
    let (run, tokens) = paused(app).await;
    assert_eq!(tokens.len(), 2);
    (run, tokens)
}

/// Status and outputs of a run.
async fn ended(world: &World, app: &App, run: &str) -> (Value, Value) {
    let detail = world.owner.get(&app.path(&format!("/workflow-runs/{run}"))).await.expect(200);
    (detail["status"].clone(), detail["outputs"].clone())
}

#[tokio::test]
async fn of_two_submissions_one_counts_and_the_run_goes_on_once() {
    let world = World::new(&[]).await;
    let app = world.app("workflow", &single()).await;
    let (run, tokens) = paused(&app).await;
    let (path, client) = (page(&tokens[0]), world.server.client());
    let wrong = client.post(&path, json!({"inputs": {}, "action": "go"})).await;
    assert_eq!(wrong.status.as_u16(), 400);
    let (a, b) = tokio::join!(client.post(&path, filled("a")), client.post(&path, filled("b")));
    let mut codes = [a.status.as_u16(), b.status.as_u16()];
    let winner = if codes[0] == 200 { "a" } else { "b" };
    codes.sort_unstable();
    assert_eq!(codes, [200, 412]);
    // One job; and whoever else tries at the same time finds nothing to do.
    let id = run.parse().unwrap();
    assert_eq!(world.to_resume().await, [id]);
    let runs = world.runs();
    let (one, other) = tokio::join!(pause::resume(&runs, id), pause::resume(&runs, id));
    assert!(one.unwrap() != other.unwrap());
    world.end_of(id).await;
    assert_eq!(ended(&world, &app, &run).await, (json!("succeeded"), json!({"name": winner})));
    assert_eq!(client.post(&path, filled("c")).await.status.as_u16(), 412);
}

#[tokio::test]
async fn a_form_is_submitted_or_timed_out_but_never_both() {
    let world = World::new(&[]).await;
    let app = world.app("workflow", &single()).await;
    let client = world.server.client();
    let ctx = world.server.ctx();
    for _ in 0..4 {
        let (run, tokens) = paused(&app).await;
        let path = page(&tokens[0]);
        let later = ctx.now_naive() + TimeDelta::hours(2);
        let (swept, reply) =
            tokio::join!(form::sweep(ctx, later, 10), client.post(&path, filled("me")));
        let is_submitted = reply.status.as_u16() == 200;
        assert_eq!(swept.unwrap(), usize::from(!is_submitted));
        assert_eq!(world.resume().await, 1);
        let expected = if is_submitted { json!({"name": "me"}) } else { json!({"late": ""}) };
        assert_eq!(ended(&world, &app, &run).await, (json!("succeeded"), expected));
    }
    let (run, tokens) = paused(&app).await;
    let later = ctx.now_naive() + TimeDelta::hours(2);
    assert_eq!(form::sweep(ctx, later, 10).await.unwrap(), 1);
    assert_eq!(client.post(&page(&tokens[0]), filled("late")).await.status.as_u16(), 412);
    assert_eq!(world.resume().await, 1);
    assert_eq!(ended(&world, &app, &run).await, (json!("succeeded"), json!({"late": ""})));
}

#[tokio::test]
async fn two_forms_may_be_submitted_at_once() {
    let world = World::new(&[]).await;
    let nodes = vec![start(), ask("x"), ask("y"), end("ex", "x", "x"), end("ey", "y", "y")];
    let edges =
        [("start", "source", "x"), ("start", "source", "y"), ("x", "go", "ex"), ("y", "go", "ey")];
    let app = world.app("workflow", &linked(nodes, &edges)).await;
    let client = world.server.client();

    let (run, tokens) = both_asked(&app).await;
    let (one, other) = (page(&tokens[0]), page(&tokens[1]));
    let (a, b) = tokio::join!(client.post(&one, filled("1")), client.post(&other, filled("2")));
    assert_eq!((a.status.as_u16(), b.status.as_u16()), (200, 200));
    assert_eq!(world.resume().await, 1, "the second job finds a run that went on");
    // Which of the two branches asks first is not said.
    let both = [json!({"x": "1", "y": "2"}), json!({"x": "2", "y": "1"})];
    let (status, outputs) = ended(&world, &app, &run).await;
    assert!(status == "succeeded" && both.contains(&outputs), "{status} {outputs}");

    // One after the other: the run waits on for the second.
    let (run, tokens) = both_asked(&app).await;
    client.post(&page(&tokens[0]), filled("1")).await.expect(200);
    assert_eq!(world.resume().await, 1);
    let left = waits(&app.api, &format!("/v1/workflow/{run}/events?user=u&")).await;
    assert_eq!(left.len(), 1);
    assert_eq!(left[0]["form_token"], tokens[1]);
    client.post(&page(&tokens[1]), filled("2")).await.expect(200);
    assert_eq!(world.resume().await, 1);
    let (status, outputs) = ended(&world, &app, &run).await;
    assert!(status == "succeeded" && both.contains(&outputs), "{status} {outputs}");
}

fn inside(mut node: Value, key: &str, container: &str) -> Value {
    node["data"][key] = json!(container);
    node
}

#[tokio::test]
async fn every_round_of_a_container_asks_anew() {
    let world = World::new(&[]).await;
    let iteration = node(
        "it",
        "iteration",
        json!({"iterator_selector": ["list", "r"], "output_selector": ["ask", "name"], "start_node_id": "itstart"}),
    );
    let nodes = vec![
        start(),
        crate::code("list", &[], "[1, 2]", "array[number]"),
        iteration,
        inside(node("itstart", "iteration-start", json!({})), "iteration_id", "it"),
        inside(ask("ask"), "iteration_id", "it"),
        node(
            "end",
            "end",
            json!({"outputs": [{"variable": "all", "value_selector": ["it", "output"]}]}),
        ),
    ];
    let edges = [
        ("start", "source", "list"),
        ("list", "source", "it"),
        ("itstart", "source", "ask"),
        ("it", "source", "end"),
    ];
    let app = world.app("workflow", &linked(nodes, &edges)).await;
    let client = world.server.client();

    let (run, tokens) = paused(&app).await;
    client.post(&page(&tokens[0]), filled("a")).await.expect(200);
    assert_eq!(world.resume().await, 1);
    let second = waits(&app.api, &format!("/v1/workflow/{run}/events?user=u&")).await;
    assert_ne!(second[0]["form_token"], tokens[0]);
    client.post(&page(&second[0]["form_token"]), filled("b")).await.expect(200);
    assert_eq!(world.resume().await, 1);
    assert_eq!(ended(&world, &app, &run).await, (json!("succeeded"), json!({"all": ["a", "b"]})));

    // The iteration of the draft alone.
    let path = "/workflows/draft/iteration/nodes/it/run";
    let events = world.debug(&app, path, json!({"inputs": {"it.input_selector": [1, 2]}})).await;
    assert_eq!(names(&events).last(), Some(&"workflow_paused"));
    let run = events[0]["workflow_run_id"].as_str().unwrap();
    let watch = format!("/console/api/workflow/{run}/events?");
    for name in ["c", "d"] {
        let token = waits(&world.owner, &watch).await[0]["form_token"].clone();
        let path = format!("/console/api/form/human_input/{}", token.as_str().unwrap());
        world.owner.post(&path, filled(name)).await.expect(200);
        assert_eq!(world.resume().await, 1);
    }
    let last = world.owner.get(&app.path("/workflows/draft/nodes/it/last-run")).await.expect(200);
    assert_eq!(
        (&last["status"], &last["outputs"]),
        (&json!("succeeded"), &json!({"output": ["c", "d"]}))
    );
}

#[tokio::test]
async fn a_container_of_a_chatflow_that_waits_goes_on() {
    let world = World::new(&[]).await;
    let again = node(
        "lp",
        "loop",
        json!({"loop_count": 2, "break_conditions": [], "logical_operator": "and", "start_node_id": "lpstart",
            "loop_variables": [{"label": "n", "var_type": "string", "value_type": "constant", "value": "0"}]}),
    );
    let nodes = vec![
        start(),
        again,
        inside(node("lpstart", "loop-start", json!({})), "loop_id", "lp"),
        inside(ask("ask"), "loop_id", "lp"),
        inside(node("out", "loop-end", json!({})), "loop_id", "lp"),
        node("a", "answer", json!({"answer": "done"})),
    ];
    let edges = [
        ("start", "source", "lp"),
        ("lpstart", "source", "ask"),
        ("ask", "go", "out"),
        ("lp", "source", "a"),
    ];
    let app = world.app("advanced-chat", &linked(nodes, &edges)).await;
    let path = "/advanced-chat/workflows/draft/loop/nodes/lp/run";
    let events = world.debug(&app, path, json!({"inputs": {}})).await;
    assert_eq!(names(&events).last(), Some(&"workflow_paused"));
    let run = events[0]["workflow_run_id"].as_str().unwrap();
    let token =
        waits(&world.owner, &format!("/console/api/workflow/{run}/events?")).await[0]["form_token"]
            .clone();
    let path = format!("/console/api/form/human_input/{}", token.as_str().unwrap());
    world.owner.post(&path, filled("x")).await.expect(200);
    assert_eq!(world.resume().await, 1);
    // The end of the loop was reached in the first round.
    let last = world.owner.get(&app.path("/workflows/draft/nodes/lp/last-run")).await.expect(200);
    assert_eq!((&last["status"], &last["outputs"]["loop_round"]), (&json!("succeeded"), &json!(1)));
}
