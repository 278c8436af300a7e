//! A server that is killed with runs in it, and started again: none of them may run for ever.

use std::{
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use test_support::{Client, TestServer};

/// Runs in the server when it is killed.
const RUNS: u64 = 60;

/// How long anything may take that the server does by itself.
const PATIENCE: Duration = Duration::from_secs(60);

/// A server process; killed when dropped.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(server: &TestServer, port: u16, data: &std::path::Path) -> Process {
    let child = Command::new(env!("CARGO_BIN_EXE_dify-api"))
        .env_clear()
        .env("DATABASE_URL", server.db().url())
        .env("SECRET_KEY", "test-secret")
        .env("DIFY_PORT", port.to_string())
        .env("DIFY_BIND_ADDRESS", "127.0.0.1")
        .env("DIFY_DATA_DIR", data)
        .env("RUN_LEASE_SECONDS", "5")
        .env("STORAGE_TYPE", "opendal")
        .env("OPENDAL_SCHEME", "fs")
        .env("OPENDAL_FS_ROOT", data)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    Process(child)
}

async fn until<F: AsyncFn() -> bool>(what: &str, holds: F) {
    let begun = Instant::now();
    while !holds().await {
        assert!(begun.elapsed() < PATIENCE, "{what}");
        // Another process: nothing tells us.
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// A workflow whose second node waits for a server that never answers.
fn graph(url: &str) -> Value {
    json!({
        "nodes": [
            {"id": "start", "data": {"type": "start", "title": "start", "variables": []}},
            {"id": "wait", "data": {"type": "http-request", "title": "wait", "method": "get", "url": url,
                "authorization": {"type": "no-auth", "config": null}, "headers": "", "params": "",
                "body": {"type": "none", "data": []}, "timeout": {}, "variables": []}},
            {"id": "end", "data": {"type": "end", "title": "end", "outputs": []}},
        ],
        "edges": [
            {"id": "a", "source": "start", "sourceHandle": "source", "target": "wait", "targetHandle": "target"},
            {"id": "b", "source": "wait", "sourceHandle": "source", "target": "end", "targetHandle": "target"},
        ],
    })
}

#[tokio::test]
async fn a_killed_server_leaves_no_run_that_runs_for_ever() {
    let (server, owner) = TestServer::set_up().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let app = owner
        .post(
            "/console/api/apps",
            json!({"name": "waits", "mode": "workflow", "icon_type": "emoji", "icon": "x"}),
        )
        .await
        .expect(201);
    let app = app["id"].as_str().unwrap().to_owned();
    let draft = json!({"graph": graph(&url), "features": {}, "environment_variables": [], "conversation_variables": []});
    owner.post(&format!("/console/api/apps/{app}/workflows/draft"), draft).await.expect(200);
    owner.post(&format!("/console/api/apps/{app}/workflows/publish"), json!({})).await.expect(200);
    let key = owner.post(&format!("/console/api/apps/{app}/api-keys"), json!({})).await.expect(201);
    let key = key["token"].as_str().unwrap().to_owned();

    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let data = tempfile::tempdir().unwrap();
    let process = start(&server, port, data.path());
    let http = server.ctx().http.guarded();
    let base = format!("http://127.0.0.1:{port}");
    until("the server does not start", async || {
        http.get(format!("{base}/readyz")).send().await.is_ok_and(|it| it.is_success())
    })
    .await;
    for _ in 0..RUNS {
        let begun = http
            .post(format!("{base}/v1/workflows/run"))
            .bearer(&key)
            .json(&json!({"inputs": {}, "response_mode": "async", "user": "u"}))
            .send()
            .await
            .unwrap();
        assert_eq!(begun.status().as_u16(), 202);
    }
    assert_eq!(count(&owner, &app, "running").await, RUNS);
    // SIGKILL: it has no time to write anything down.
    drop(process);
    assert_eq!(count(&owner, &app, "running").await, RUNS);

    let _again = start(&server, port, data.path());
    until("runs are stuck", async || count(&owner, &app, "running").await == 0).await;
    assert_eq!(count(&owner, &app, "failed").await, RUNS);
    drop(silent);
}

async fn count(owner: &Client, app: &str, status: &str) -> u64 {
    let path = format!("/console/api/apps/{app}/workflow-runs/count?triggered_from=app-run");
    owner.get(&path).await.expect(200)[status].as_u64().unwrap()
}
