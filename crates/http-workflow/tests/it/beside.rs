//! Two servers over one database and one Redis: runs of one are seen, stopped and gone on with by the other.

use serde_json::{Value, json};
use services_workflow::run::{Runs, pause, watch};
use test_support::{Client, TestServer};
use tokio::sync::oneshot;

use crate::{
    graph, linked, names, node,
    stop::Upstream,
    world::{App, Events, World, frames},
};

/// Lets a server hear what others ask of it.
async fn hears(server: &TestServer) {
    let runs = Runs::clone(&server.state().part::<Runs>().unwrap());
    let redis = server.ctx().redis.clone();
    tokio::spawn(watch::listen(runs));
    for channel in ["dify_rs:run:watch", "dify_rs:stop"] {
        // What makes no sense is not answered; somebody who hears it is there.
        while redis.publish(channel, b"?".to_vec()).await.unwrap() == 0 {
            tokio::task::yield_now().await;
        }
    }
}

/// An app whose run waits for the answer of a server.
async fn waiting(world: &World, upstream: &Upstream) -> App {
    let request = json!({"method": "get", "url": format!("{}/hang", upstream.url), "headers": "", "params": "",
        "authorization": {"type": "no-auth"}, "body": {"type": "none", "data": []}});
    let end = node(
        "end",
        "end",
        json!({"outputs": [{"variable": "said", "value_selector": ["call", "body"]}]}),
    );
    let start = node("start", "start", json!({"variables": []}));
    let graph = graph(
        vec![start, node("call", "http-request", request), end],
        &[("start", "call"), ("call", "end")],
    );
    world.app("workflow", &graph).await
}

/// A client of the app at another server.
async fn client(world: &World, app: &App, server: &TestServer) -> Client {
    let made = world.owner.post(&app.path("/api-keys"), json!({})).await.expect(201);
    server.client().bearer(made["token"].as_str().unwrap())
}

/// A run at one server that waits for `upstream`, and the other server.
struct Beside {
    world: World,
    upstream: Upstream,
    here: Events,
    /// A client of the app at the second server.
    there: Client,
    _second: TestServer,
}

impl Beside {
    async fn new() -> Self {
        let world = World::new(&[]).await;
        hears(&world.server).await;
        let second = world.server.beside();
        let upstream = Upstream::new().await;
        let app = waiting(&world, &upstream).await;
        let there = client(&world, &app, &second).await;
        let here = Events::open(&app.api, "/v1/workflows/run", Some(body())).await;
        Self { world, upstream, here, there, _second: second }
    }
}

fn body() -> Value {
    json!({"inputs": {}, "response_mode": "streaming", "user": "u"})
}

#[tokio::test]
async fn who_comes_back_at_another_server_sees_the_run() {
    let Beside { world: _world, upstream, mut here, there, _second } = Beside::new().await;
    let run = here.until("workflow_started").await["workflow_run_id"].clone();
    let asked: oneshot::Sender<&'static str> = upstream.asked().await;
    let path = format!("/v1/workflow/{}/events?user=u", run.as_str().unwrap());
    let mut whole = Events::open(&there, &path, None).await;
    let mut rest = Events::open(&there, &format!("{path}&include_state_snapshot=true"), None).await;
    // The whole run, from its beginning on.
    assert_eq!(whole.next().await.unwrap()["event"], "workflow_started");
    assert_eq!(rest.next().await.unwrap()["event"], "workflow_started");
    asked.send("hello").unwrap();
    for events in [&mut here, &mut whole, &mut rest] {
        let end = events.until("workflow_finished").await;
        assert_eq!(end["workflow_run_id"], run);
        assert_eq!(end["data"]["outputs"], json!({"said": "hello"}));
        assert_eq!(events.next().await, None);
    }
    // Afterwards there is only its end to see.
    let seen = frames(&there.get(&path).await.with(200).bytes);
    assert_eq!(names(&seen), ["workflow_finished"]);
}

#[tokio::test]
async fn a_run_is_stopped_at_another_server() {
    let Beside { world: _world, upstream, mut here, there, _second } = Beside::new().await;
    let task = here.until("workflow_started").await["task_id"].clone();
    let _asked = upstream.asked().await;
    let path = format!("/v1/workflows/tasks/{}/stop", task.as_str().unwrap());
    there.post(&path, json!({"user": "u"})).await.expect(200);
    upstream.closed().await;
    assert_eq!(here.until("workflow_finished").await["data"]["status"], "stopped");
}

#[tokio::test]
async fn a_run_that_waits_goes_on_at_another_server() {
    let world = World::new(&[]).await;
    let second = world.server.beside();
    hears(&second).await;
    let form = node(
        "ask",
        "human-input",
        json!({"form_content": "Yes?", "inputs": [], "user_actions": [{"id": "yes", "title": "Yes"}],
            "delivery_methods": [{"id": "aaaaaaaa-0000-4000-8000-000000000001", "type": "webapp", "enabled": true, "config": {}}]}),
    );
    let end = node(
        "end",
        "end",
        json!({"outputs": [{"variable": "said", "value_selector": ["ask", "__action_id"]}]}),
    );
    let start = node("start", "start", json!({"variables": []}));
    let edges = [("start", "source", "ask"), ("ask", "yes", "end")];
    let app = world.app("workflow", &linked(vec![start, form, end], &edges)).await;
    let there = client(&world, &app, &second).await;
    let events = app.run(json!({})).await;
    assert_eq!(names(&events).last(), Some(&"workflow_paused"));
    let run = events[0]["workflow_run_id"].as_str().unwrap();
    let token = events.iter().find_map(|it| it["data"]["form_token"].as_str()).unwrap();

    // One watches at each server while the run waits.
    let path = format!("/v1/workflow/{run}/events?user=u");
    let mut here = Events::open(&app.api, &path, None).await;
    let mut other = Events::open(&there, &path, None).await;
    let form = format!("/api/form/human_input/{token}");
    second.client().post(&form, json!({"inputs": {}, "action": "yes"})).await.expect(200);
    let runs = Runs::clone(&second.state().part::<Runs>().unwrap());
    assert!(pause::resume(&runs, run.parse().unwrap()).await.unwrap());
    for events in [&mut here, &mut other] {
        assert_eq!(events.next().await.unwrap()["event"], "workflow_started");
        events.until("human_input_form_filled").await;
        let end = events.until("workflow_finished").await;
        assert_eq!(end["data"]["outputs"], json!({"said": "yes"}));
        assert_eq!(events.next().await, None);
    }
}
