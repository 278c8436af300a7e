//! A server with an app and a model, and a client that reads streams.

use std::{collections::VecDeque, net::SocketAddr};

use axum::{
    body::{Body, BodyDataStream},
    http::{Method, Request, header},
};
use futures::StreamExt;
use serde_json::{Value, json};
use test_support::{Client, Reply, TestServer};

pub(crate) const OPENAI: &str = "langgenius/openai/openai";

/// A server whose workspace has the mock's models.
pub(crate) struct World {
    pub server: TestServer,
    pub owner: Client,
    pub mock: SocketAddr,
    _mock: mock_llm::Handle,
}

/// An app with a key of its own.
pub(crate) struct App {
    pub id: String,
    pub client: Client,
    path: &'static str,
}

impl World {
    pub(crate) async fn new(settings: &[(&str, &str)]) -> Self {
        let (mock, handle) = mock_llm::spawn().await.unwrap();
        let (server, owner) = TestServer::set_up_with(settings).await;
        let path = format!("/console/api/workspaces/current/model-providers/{OPENAI}/credentials");
        let credentials =
            json!({"openai_api_key": "sk-test", "openai_api_base": format!("http://{mock}/v1")});
        let body = json!({"credentials": credentials, "name": "mock"});
        owner.post(&path.replace(OPENAI, &OPENAI.replace('/', "%2F")), body).await.expect(201);
        let defaults = [
            ("llm", "gpt-4o-mini"),
            ("text-embedding", "text-embedding-3-small"),
            ("speech2text", "whisper-1"),
            ("tts", "tts-1"),
        ];
        let settings: Vec<Value> = defaults
            .iter()
            .map(|(kind, model)| json!({"model_type": kind, "provider": OPENAI, "model": model}))
            .collect();
        let path = "/console/api/workspaces/current/default-model";
        owner.post(path, json!({"model_settings": settings})).await.expect(200);
        Self { server, owner, mock, _mock: handle }
    }

    /// An app of that mode; `config` on top of the least a configuration needs.
    pub(crate) async fn app(&self, mode: &str, config: Value) -> App {
        let made = self.owner.post("/console/api/apps", json!({"name": "An app", "mode": mode}));
        let id = made.await.expect(201)["id"].as_str().unwrap().to_owned();
        self.configure(&id, config).await;
        let key = self.owner.post(&format!("/console/api/apps/{id}/api-keys"), json!({})).await;
        let key = key.expect(201)["token"].as_str().unwrap().to_owned();
        let path =
            if mode == "completion" { "/v1/completion-messages" } else { "/v1/chat-messages" };
        App { id, client: self.server.client().bearer(&key), path }
    }

    async fn configure(&self, id: &str, config: Value) {
        let mut all = json!({
            "model": {"provider": OPENAI, "name": "gpt-4o-mini", "mode": "chat", "completion_params": {}},
            "pre_prompt": "Be brief.",
        });
        all.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
        self.owner.post(&format!("/console/api/apps/{id}/model-config"), all).await.expect(200);
    }

    /// What the mock was asked for at a path.
    pub(crate) async fn asked(&self, path: &str) -> Vec<Value> {
        let url = format!("http://{}/__log?limit=0&path={path}", self.mock);
        let log: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        log["entries"].as_array().unwrap().clone()
    }

    pub(crate) async fn count(&self, query: &'static str) -> i64 {
        self.server.db().count(query).await
    }
}

impl App {
    /// A question that waits for the whole answer.
    pub(crate) async fn ask(&self, query: &str) -> Reply {
        self.send(&question(query, "blocking"), &[]).await
    }

    pub(crate) async fn send(&self, body: &Value, headers: &[(&str, &str)]) -> Reply {
        self.client.send(self.request(Method::POST, self.path, Some(body), headers)).await
    }

    /// Another configuration, as for [`World::app`].
    pub(crate) async fn configure(&self, world: &World, config: Value) {
        world.configure(&self.id, config).await;
    }

    /// A question, all of it, whose answer is read as it comes.
    pub(crate) async fn stream_body(&self, body: &Value) -> Events {
        Events::of(self.client.open(self.request(Method::POST, self.path, Some(body), &[])).await)
    }

    /// A question whose answer is read as it comes.
    pub(crate) async fn stream(&self, query: &str, headers: &[(&str, &str)]) -> Events {
        let body = question(query, "streaming");
        let request = self.request(Method::POST, self.path, Some(&body), headers);
        Events::of(self.client.open(request).await)
    }

    /// The rest of a run.
    pub(crate) async fn come_back(&self, task: &str, headers: &[(&str, &str)]) -> Events {
        let path = format!("{}/{task}/events?user=alice", self.path);
        Events::of(self.client.open(self.request(Method::GET, &path, None, headers)).await)
    }

    pub(crate) async fn stop(&self, task: &str) {
        let path = format!("{}/{task}/stop", self.path);
        self.client.post(&path, json!({"user": "alice"})).await.expect(200);
    }

    /// The messages of a conversation, oldest first.
    pub(crate) async fn messages(&self, conversation: &str) -> Vec<Value> {
        let path = format!("/v1/messages?user=alice&conversation_id={conversation}");
        self.client.get(&path).await.expect(200)["data"].as_array().unwrap().clone()
    }

    fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
        headers: &[(&str, &str)],
    ) -> Request<Body> {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.header(header::CONTENT_TYPE, "application/json");
        request.body(body.map_or_else(Body::empty, |body| body.to_string().into())).unwrap()
    }
}

pub(crate) fn question(query: &str, mode: &str) -> Value {
    json!({"inputs": {}, "query": query, "user": "alice", "response_mode": mode, "auto_generate_name": false})
}

/// A stream of events. Dropping it hangs up.
pub(crate) struct Events {
    pub status: u16,
    pub replayed: bool,
    body: BodyDataStream,
    text: String,
    ready: VecDeque<Event>,
}

#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub id: Option<u64>,
    /// Null of a ping.
    pub data: Value,
}

impl Events {
    fn of(response: axum::response::Response) -> Self {
        let replayed = response.headers().contains_key("idempotency-replayed");
        let status = response.status().as_u16();
        let body = response.into_body().into_data_stream();
        Self { status, replayed, body, text: String::new(), ready: VecDeque::new() }
    }

    /// The next frame, pings as well.
    pub(crate) async fn frame(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some(event);
            }
            let bytes = self.body.next().await?.unwrap();
            self.text.push_str(std::str::from_utf8(&bytes).unwrap());
            while let Some((frame, rest)) = self.text.split_once("\n\n") {
                let field = |name| frame.lines().find_map(|line| line.strip_prefix(name));
                let data = field("data: ").map(|data| serde_json::from_str(data).unwrap());
                let id = field("id: ").and_then(|id| id.parse().ok());
                self.ready.push_back(Event { id, data: data.unwrap_or_default() });
                self.text = rest.to_owned();
            }
        }
    }

    /// The next event with data.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            let event = self.frame().await?;
            if !event.data.is_null() {
                return Some(event);
            }
        }
    }

    /// All that is left.
    pub(crate) async fn rest(mut self) -> Vec<Event> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }
}

/// The answer in some events.
pub(crate) fn answer(events: &[Event]) -> String {
    let pieces = events.iter().filter(|event| event.data["event"] == "message");
    pieces.map(|event| event.data["answer"].as_str().unwrap()).collect()
}

pub(crate) fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap()
}
