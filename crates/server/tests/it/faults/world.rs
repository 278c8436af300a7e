//! A server process whose database, Redis and model are reached through proxies that fail as a test says.

use std::{net::SocketAddr, time::Duration};

use futures::{StreamExt, future::join_all};
use serde_json::{Value, json};
use test_support::{Client, TestServer, chaos::Proxy};

use crate::{outage::Redis, process::Server};

const OPENAI: &str = "langgenius/openai/openai";

/// No answer takes longer, whatever fails.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The kinds of apps that are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Chat,
    Chatflow,
    Workflow,
}

pub const KINDS: [Kind; 3] = [Kind::Chat, Kind::Chatflow, Kind::Workflow];
pub const MODES: [&str; 2] = ["streaming", "blocking"];

/// A server, and what stands between it and the rest of the world.
pub struct World {
    pub process: Server,
    pub db: Proxy,
    pub model: Proxy,
    pub redis: Option<(Redis, Proxy)>,
    /// Set the apps up, and looks at the database without a proxy.
    pub behind: TestServer,
    keys: [String; 3],
    settings: Vec<(String, String)>,
    http: reqwest::Client,
    _mock: mock_llm::Handle,
}

impl World {
    /// A server with an app of each kind. Without Redis it has one in the process.
    pub async fn new(settings: &[(&str, &str)], redis: Option<Redis>) -> Self {
        let (behind, owner) = TestServer::set_up().await;
        let (mock, handle) = mock_llm::spawn().await.unwrap();
        let model = Proxy::new(mock);
        let keys = set_up(&owner, model.port).await;
        let mut url = url::Url::parse(behind.db().url()).unwrap();
        let host = (url.host_str().unwrap_or("127.0.0.1"), url.port().unwrap_or(5432));
        let target = tokio::net::lookup_host(host).await.unwrap().find(SocketAddr::is_ipv4);
        let db = Proxy::new(target.expect("PostgreSQL is reached by TCP"));
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(db.port)).unwrap();
        // What passes is to be read.
        url.query_pairs_mut().append_pair("sslmode", "disable");
        let files = behind.files().to_str().unwrap();
        let mut all: Vec<(String, String)> = [
            ("DATABASE_URL", url.as_str()),
            ("STORAGE_TYPE", "opendal"),
            ("OPENDAL_SCHEME", "fs"),
            ("OPENDAL_FS_ROOT", files),
            ("SQLALCHEMY_POOL_TIMEOUT", "15"),
            ("RUN_LEASE_SECONDS", "5"),
        ]
        .iter()
        .chain(settings)
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        let redis = redis.map(|redis| {
            let proxy = Proxy::new(([127, 0, 0, 1], redis.port).into());
            all.push(("REDIS_URL".to_owned(), format!("redis://127.0.0.1:{}/0", proxy.port)));
            (redis, proxy)
        });
        let process = start(&all);
        let http = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build().unwrap();
        Self { process, db, model, redis, behind, keys, settings: all, http, _mock: handle }
    }

    /// Kills the server and starts it again.
    pub fn kill(&mut self) {
        self.process.signal("KILL");
        self.process.end();
        self.process = start(&self.settings);
    }

    pub fn redis(&self) -> &Proxy {
        &self.redis.as_ref().unwrap().1
    }

    /// A question, and the beginning of its answer.
    pub async fn open(&self, kind: Kind, mode: &str, query: &str, key: Option<&str>) -> Told {
        let path = if kind == Kind::Workflow { "workflows/run" } else { "chat-messages" };
        let url = format!("http://127.0.0.1:{}/v1/{path}", self.process.port);
        let body = json!({"inputs": {"query": query}, "query": query, "user": "alice", "response_mode": mode,
            "auto_generate_name": false});
        let mut request = self.http.post(url).bearer_auth(&self.keys[kind as usize]).json(&body);
        if let Some(key) = key {
            request = request.header("Idempotency-Key", key);
        }
        let response = request.send().await;
        let response =
            response.unwrap_or_else(|err| panic!("no answer: {err}\n{}", self.process.log()));
        Told {
            kind,
            status: response.status().as_u16(),
            is_replayed: response.headers().contains_key("idempotency-replayed"),
            is_stream: mode == "streaming" && response.status().is_success(),
            is_whole: false,
            pings: 0,
            events: Vec::new(),
            text: String::new(),
            body: response.bytes_stream().boxed(),
        }
    }

    /// A question and its whole answer.
    pub async fn ask(&self, kind: Kind, mode: &str, query: &str) -> Told {
        self.open(kind, mode, query, None).await.until_the_end().await
    }

    /// The same question to an app of each kind, at the same time.
    pub async fn ask_all(&self, mode: &str, query: &str) -> Vec<Told> {
        join_all(KINDS.map(|kind| self.ask(kind, mode, query))).await
    }

    /// Stops a task.
    pub async fn stop(&self, kind: Kind, task: &str) {
        let path = if kind == Kind::Workflow { "workflows/tasks" } else { "chat-messages" };
        let url = format!("http://127.0.0.1:{}/v1/{path}/{task}/stop", self.process.port);
        let request = self.http.post(url).bearer_auth(&self.keys[kind as usize]);
        let answer = request.json(&json!({"user": "alice"})).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), 200);
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.behind.db().count(sql).await
    }

    /// Looks until there is what is looked for. Another process: nothing tells us.
    pub async fn until(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let begun = std::time::Instant::now();
        while !holds().await {
            assert!(begun.elapsed() < PATIENCE, "never: {what}\n{}", self.process.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// What has to hold however a test went: nothing runs for ever, and every message has one copy of each side.
    pub async fn check(&self) {
        for what in [
            "SELECT count(*) FROM dify_rs_running",
            "SELECT count(*) FROM workflow_runs WHERE status = 'running'",
            "SELECT count(*) FROM messages m WHERE (SELECT count(*) FROM conversation_messages c
                WHERE c.metadata->>'message_id' = m.id::text AND c.role = 'assistant') <> 1",
            "SELECT count(*) FROM messages m WHERE (SELECT count(*) FROM conversation_messages c
                WHERE c.metadata->>'message_id' = m.id::text AND c.role = 'user') <> 1",
            "SELECT count(*) FROM messages m JOIN conversation_messages c ON c.metadata->>'message_id' = m.id::text
                WHERE c.role = 'assistant' AND (c.metadata->>'status' = 'error') <> (m.status = 'error')",
            "SELECT count(*) FROM messages m JOIN workflow_runs r ON r.id = m.workflow_run_id
                WHERE (m.status = 'normal') <> (r.status = 'succeeded')",
        ] {
            self.until(what, async || self.count(what).await == 0).await;
        }
    }

    /// An answer the client heard to its end is on record, word by word.
    pub async fn check_kept(&self, told: &Told) {
        let (id, answer) = (told.row(), told.answer().replace('\'', "''"));
        let sql = match told.kind {
            Kind::Workflow => format!(
                "SELECT count(*) FROM workflow_runs WHERE id = '{id}' AND status = 'succeeded'
                    AND outputs::json->>'text' = '{answer}'"
            ),
            _ => format!(
                "SELECT count(*) FROM messages WHERE id = '{id}' AND status = 'normal' AND answer = '{answer}'"
            ),
        };
        assert_eq!(self.count(&sql).await, 1, "lost: {told:?}\n{}", self.process.log());
    }
}

fn start(settings: &[(String, String)]) -> Server {
    let settings: Vec<(&str, &str)> =
        settings.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    Server::start(&settings)
}

/// The apps, and a key of each.
async fn set_up(owner: &Client, model: u16) -> [String; 3] {
    let credentials = json!({"openai_api_key": "sk-test", "openai_api_base": format!("http://127.0.0.1:{model}/v1")});
    let path = format!(
        "/console/api/workspaces/current/model-providers/{}/credentials",
        OPENAI.replace('/', "%2F")
    );
    owner.post(&path, json!({"credentials": credentials, "name": "mock"})).await.expect(201);
    let mut keys = Vec::new();
    for (mode, question) in
        [("chat", ""), ("advanced-chat", "{{#sys.query#}}"), ("workflow", "{{#start.query#}}")]
    {
        let new = json!({"name": mode, "mode": mode, "icon_type": "emoji", "icon": "x"});
        let app = owner.post("/console/api/apps", new).await.expect(201);
        let at = |tail: &str| format!("/console/api/apps/{}/{tail}", app["id"].as_str().unwrap());
        if mode == "chat" {
            let config = json!({"pre_prompt": "", "model": {"provider": OPENAI, "name": "gpt-4o-mini",
                "mode": "chat", "completion_params": {}}});
            owner.post(&at("model-config"), config).await.expect(200);
        } else {
            let draft = json!({"graph": graph(mode, question), "features": {}, "environment_variables": [],
                "conversation_variables": []});
            owner.post(&at("workflows/draft"), draft).await.expect(200);
            owner.post(&at("workflows/publish"), json!({})).await.expect(200);
        }
        let key = owner.post(&at("api-keys"), json!({})).await.expect(201);
        keys.push(key["token"].as_str().unwrap().to_owned());
    }
    keys.try_into().unwrap()
}

/// A model is asked, and its answer is the answer.
fn graph(mode: &str, question: &str) -> Value {
    let form = if mode == "workflow" {
        json!([{"variable": "query", "label": "query", "type": "paragraph", "required": true, "max_length": 4000}])
    } else {
        json!([])
    };
    let end = if mode == "workflow" {
        json!({"type": "end", "title": "end", "outputs": [{"variable": "text", "value_selector": ["llm", "text"]}]})
    } else {
        json!({"type": "answer", "title": "answer", "answer": "{{#llm.text#}}", "variables": []})
    };
    json!({
        "nodes": [
            {"id": "start", "data": {"type": "start", "title": "start", "variables": form}},
            {"id": "llm", "data": {"type": "llm", "title": "llm", "model": {"provider": OPENAI, "name": "gpt-4o-mini",
                "mode": "chat", "completion_params": {}}, "prompt_template": [{"role": "user", "text": question}],
                "context": {"enabled": false, "variable_selector": []}, "vision": {"enabled": false}, "variables": []}},
            {"id": "end", "data": end},
        ],
        "edges": [
            {"id": "a", "source": "start", "sourceHandle": "source", "target": "llm", "targetHandle": "target"},
            {"id": "b", "source": "llm", "sourceHandle": "source", "target": "end", "targetHandle": "target"},
        ],
    })
}

/// What a client hears.
pub struct Told {
    pub kind: Kind,
    pub status: u16,
    pub is_replayed: bool,
    is_stream: bool,
    /// Whether the body came to its end.
    pub is_whole: bool,
    pub pings: usize,
    /// The events of a stream; the body of any other answer.
    pub events: Vec<Value>,
    text: String,
    body: futures::stream::BoxStream<'static, reqwest::Result<bytes::Bytes>>,
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self.names();
        let last = self.events.last().map(ToString::to_string);
        write!(f, "{:?} {} whole={} {names:?} {last:?}", self.kind, self.status, self.is_whole)
    }
}

impl Told {
    /// Reads on until the text of the answer holds `word`.
    pub async fn until(&mut self, word: &str) {
        while !self.answer().contains(word) {
            assert!(self.more().await, "{word} was never said: {self:?}");
        }
    }

    /// Reads all that is left.
    pub async fn until_the_end(mut self) -> Self {
        while self.more().await {}
        self
    }

    async fn more(&mut self) -> bool {
        match self.body.next().await {
            None => {
                self.is_whole = true;
                if !self.is_stream {
                    self.events.push(serde_json::from_str(&self.text).unwrap_or(Value::Null));
                }
                false
            }
            // The server is gone.
            Some(Err(err)) if err.is_body() || err.is_decode() || err.is_request() => false,
            Some(Err(err)) => panic!("{err}"),
            Some(Ok(bytes)) => {
                self.text.push_str(std::str::from_utf8(&bytes).unwrap());
                while self.is_stream
                    && let Some((frame, rest)) = self.text.split_once("\n\n")
                {
                    let data = frame.lines().find_map(|line| line.strip_prefix("data: "));
                    match data {
                        Some(data) => self.events.push(serde_json::from_str(data).unwrap()),
                        None => self.pings += 1,
                    }
                    self.text = rest.to_owned();
                }
                true
            }
        }
    }

    pub fn names(&self) -> Vec<&str> {
        self.events.iter().map(|event| event["event"].as_str().unwrap_or("")).collect()
    }

    pub fn last(&self) -> &Value {
        self.events.last().unwrap_or(&Value::Null)
    }

    /// The message or the run.
    pub fn row(&self) -> &str {
        let name = if self.kind == Kind::Workflow { "workflow_run_id" } else { "message_id" };
        self.events.iter().find_map(|event| event[name].as_str()).unwrap_or_default()
    }

    pub fn task(&self) -> &str {
        self.events.iter().find_map(|event| event["task_id"].as_str()).unwrap()
    }

    /// The text that was answered, as far as it is known.
    pub fn answer(&self) -> String {
        if self.kind == Kind::Workflow {
            let text = |event: &Value| Some(event["data"]["outputs"]["text"].as_str()?.to_owned());
            return self.events.iter().rev().find_map(text).unwrap_or_default();
        }
        let pieces = self.events.iter().filter(|event| event["event"] == "message");
        pieces.filter_map(|event| event["answer"].as_str()).collect()
    }

    /// Whether the client was told that there is an answer, and which.
    pub fn is_answered(&self) -> bool {
        let succeeded = |event: &Value| event["data"]["status"] == "succeeded";
        self.status == 200
            && match (self.kind, self.is_stream) {
                (Kind::Workflow, true) => {
                    self.last()["event"] == "workflow_finished" && succeeded(self.last())
                }
                (Kind::Workflow, false) => succeeded(self.last()),
                (_, true) => self.names().contains(&"message_end"),
                (_, false) => self.is_whole && self.last()["event"] == "message",
            }
    }

    /// Whether the client was told that there is none.
    pub fn is_refused(&self) -> bool {
        let last = self.last();
        if self.is_stream {
            return last["event"] == "error"
                || (last["event"] == "workflow_finished" && last["data"]["status"] == "failed");
        }
        let failed = self.status == 200 && last["data"]["status"] == "failed";
        failed || (400 <= self.status && last["code"].is_string() && last["message"].is_string())
    }
}
