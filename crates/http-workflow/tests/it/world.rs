//! A server with models, and published apps on it with a client of their service API.

use std::{net::SocketAddr, sync::Arc};

use axum::body::{Body, BodyDataStream};
use futures::StreamExt as _;
use http::{Method, Request, header};
use serde_json::{Value, json};
use services_workflow::run::{Runs, pause};
use test_support::{Client, TestServer};
use types::WorkflowRunId;

pub(crate) const OPENAI: &str = "langgenius/openai/openai";

/// A server whose workspace has the mock's models.
pub(crate) struct World {
    pub(crate) server: TestServer,
    pub(crate) owner: Client,
    mock: Option<(SocketAddr, mock_llm::Handle)>,
}

/// A published app.
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) api: Client,
}

impl World {
    pub(crate) async fn new(settings: &[(&str, &str)]) -> Self {
        let (mock, handle) = mock_llm::spawn().await.unwrap();
        let world = Self::with_models_at(settings, &format!("http://{mock}/v1")).await;
        Self { mock: Some((mock, handle)), ..world }
    }

    /// The same with models elsewhere.
    pub(crate) async fn with_models_at(settings: &[(&str, &str)], base: &str) -> Self {
        let (server, owner) = TestServer::set_up_with(settings).await;
        let provider = OPENAI.replace('/', "%2F");
        let path =
            format!("/console/api/workspaces/current/model-providers/{provider}/credentials");
        let credentials = json!({"openai_api_key": "sk-test", "openai_api_base": base});
        owner.post(&path, json!({"credentials": credentials, "name": "mock"})).await.expect(201);
        Self { server, owner, mock: None }
    }

    /// A published app with this graph.
    pub(crate) async fn app(&self, mode: &str, graph: &Value) -> App {
        let made = self.owner.post("/console/api/apps", json!({"name": "flow", "mode": mode}));
        let id = made.await.expect(201)["id"].as_str().unwrap().to_owned();
        let app = App { id, api: self.server.client() };
        self.save(&app, graph).await;
        self.owner.post(&app.path("/workflows/publish"), json!({})).await.expect(200);
        let key = self.owner.post(&app.path("/api-keys"), json!({})).await.expect(201);
        let api = self.server.client().bearer(key["token"].as_str().unwrap());
        App { api, ..app }
    }

    /// Replaces the draft.
    pub(crate) async fn save(&self, app: &App, graph: &Value) {
        let path = app.path("/workflows/draft");
        let hash = self.owner.get(&path).await.json["hash"].clone();
        let draft = json!({"graph": graph, "features": {}, "hash": hash, "environment_variables": [],
            "conversation_variables": []});
        self.owner.post(&path, draft).await.expect(200);
    }

    /// Runs one node of the draft.
    pub(crate) async fn step(&self, app: &App, node: &str, inputs: Value) -> Value {
        let path = app.path(&format!("/workflows/draft/nodes/{node}/run"));
        self.owner.post(&path, json!({"inputs": inputs})).await.expect(200)
    }

    /// The events of a run that somebody starts in the editor.
    pub(crate) async fn debug(&self, app: &App, tail: &str, body: Value) -> Vec<Value> {
        let reply = self.owner.post(&app.path(tail), body).await.with(200);
        frames(&reply.bytes)
    }

    /// What the mock was asked, oldest first.
    pub(crate) async fn asked(&self) -> Vec<Value> {
        let (mock, _) = self.mock.as_ref().unwrap();
        let url = format!("http://{mock}/__log?limit=0&path=completions");
        let log: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        log["entries"].as_array().unwrap().iter().map(|entry| entry["body"].clone()).collect()
    }

    pub(crate) fn runs(&self) -> Arc<Runs> {
        self.server.state().part::<Runs>().unwrap()
    }

    /// The runs that queued jobs let go on.
    pub(crate) async fn to_resume(&self) -> Vec<WorkflowRunId> {
        let jobs = self.server.jobs().await;
        let payloads = jobs.iter().filter_map(|job| job.get::<Value>("payload").ok());
        payloads.filter_map(|it| it["workflow_run_id"].as_str()?.parse().ok()).collect()
    }

    /// Works these jobs off, and waits for the runs to end or to pause again. How many went on.
    pub(crate) async fn resume(&self) -> usize {
        let runs = self.runs();
        let mut resumed = 0;
        for run in self.to_resume().await {
            if pause::resume(&runs, run).await.unwrap() {
                resumed += 1;
                self.end_of(run).await;
            }
        }
        resumed
    }

    /// Waits until a run ends or pauses.
    pub(crate) async fn end_of(&self, run: WorkflowRunId) {
        let here = self.runs().find(app_engine::RunKey::WorkflowRun(run.0)).unwrap();
        let mut reader = here.log.reader(0);
        while reader.next().await.is_some() {}
    }
}

impl App {
    /// A path of the console's API.
    pub(crate) fn path(&self, tail: &str) -> String {
        format!("/console/api/apps/{}{tail}", self.id)
    }

    /// The events of a run.
    pub(crate) async fn run(&self, inputs: Value) -> Vec<Value> {
        let body = json!({"inputs": inputs, "response_mode": "streaming", "user": "u"});
        frames(&self.api.post("/v1/workflows/run", body).await.with(200).bytes)
    }

    /// The events of a turn.
    pub(crate) async fn ask(&self, query: &str, conversation: &str) -> Vec<Value> {
        let body = json!({"inputs": {}, "query": query, "response_mode": "streaming", "user": "u",
            "conversation_id": conversation, "auto_generate_name": false});
        frames(&self.api.post("/v1/chat-messages", body).await.with(200).bytes)
    }
}

/// The events of a body.
pub(crate) fn frames(bytes: &[u8]) -> Vec<Value> {
    let text = String::from_utf8_lossy(bytes);
    let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
    data.map(|data| serde_json::from_str(data).unwrap()).collect()
}

/// The `data` of the first event of a name.
#[track_caller]
pub(crate) fn data<'a>(events: &'a [Value], name: &str) -> &'a Value {
    let found = events.iter().find(|event| event["event"] == name);
    &found.unwrap_or_else(|| panic!("no {name} in {events:?}"))["data"]
}

/// The outputs of a run that ended well.
#[track_caller]
pub(crate) fn outputs(events: &[Value]) -> &Value {
    let end = data(events, "workflow_finished");
    assert_eq!(end["status"], "succeeded", "{end}");
    &end["outputs"]
}

/// The answer a chatflow streamed.
pub(crate) fn answer(events: &[Value]) -> String {
    let pieces = events.iter().filter(|event| event["event"] == "message");
    pieces.map(|event| event["answer"].as_str().unwrap()).collect()
}

/// Events as they come. Dropping it hangs up.
pub(crate) struct Events {
    body: BodyDataStream,
    text: String,
}

impl Events {
    pub(crate) async fn open(client: &Client, path: &str, body: Option<Value>) -> Self {
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let request = Request::builder().method(method).uri(path);
        let request = request.header(header::CONTENT_TYPE, "application/json");
        let body = body.map_or_else(Body::empty, |body| body.to_string().into());
        let response = client.open(request.body(body).unwrap()).await;
        assert_eq!(response.status().as_u16(), 200);
        Self { body: response.into_body().into_data_stream(), text: String::new() }
    }

    /// The next event.
    pub(crate) async fn next(&mut self) -> Option<Value> {
        loop {
            if let Some((frame, rest)) = self.text.split_once("\n\n") {
                let event = frame.lines().find_map(|line| line.strip_prefix("data: "));
                let event = event.map(|data| serde_json::from_str(data).unwrap());
                self.text = rest.to_owned();
                if event.is_some() {
                    return event;
                }
                continue;
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
        }
    }

    /// Waits for an event of a name.
    pub(crate) async fn until(&mut self, name: &str) -> Value {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("no {name}"));
            if event["event"] == name {
                return event;
            }
        }
    }
}
