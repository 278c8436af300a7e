//! Sets a server up: account, provider, apps, keys.

use anyhow::{Context, bail};
use base64::Engine as _;
use reqwest::{Client, Method, header};
use serde_json::{Value, json};

use crate::work::Work;

/// The provider of every model.
pub const PROVIDER: &str = "langgenius/openai/openai";

/// How to reach a server, and what its apps talk to.
pub struct Setup<'a> {
    /// The server.
    pub base: &'a str,
    /// An OpenAI-compatible endpoint, as the server reaches it.
    pub llm: &'a str,
    /// Its key.
    pub llm_key: &'a str,
    /// The model the apps use.
    pub model: &'a str,
    /// Who makes the apps; the first account of a server that has none.
    pub email: &'a str,
    /// The account's password.
    pub password: &'a str,
}

/// Sets the server up and answers with a key for each of `works`. May be called again: the account and the provider are
/// then there already.
///
/// # Errors
/// The first call that is refused, with its answer.
pub async fn prepare(setup: &Setup<'_>, works: &[Work]) -> anyhow::Result<Vec<(Work, String)>> {
    let mut console = Console {
        base: setup.base.trim_end_matches('/').to_owned(),
        client: Client::new(),
        cookies: String::new(),
        csrf: String::new(),
    };
    let state = console.call(Method::GET, "/setup", None).await?;
    if state.get("step").and_then(Value::as_str) == Some("not_started") {
        let account = json!({"email": setup.email, "name": "Bench", "password": setup.password});
        console.call(Method::POST, "/setup", Some(account)).await.context("setup")?;
    }
    console.login(setup.email, setup.password).await.context("login")?;

    let credentials = json!({
        "credentials": {"openai_api_key": setup.llm_key, "openai_api_base": setup.llm},
        "name": "bench",
    });
    let provider = format!("/workspaces/current/model-providers/{PROVIDER}/credentials");
    // Refused when it is there already, which is as good.
    let added = console.call(Method::POST, &provider, Some(credentials)).await;
    let mut keys = Vec::with_capacity(works.len());
    for &work in works {
        let key = match work.graph(setup.model) {
            None => console.chat_app(setup.model).await,
            Some(graph) => console.workflow_app(work.name(), graph).await,
        };
        let key = match (key, &added) {
            (Ok(key), _) => key,
            (Err(err), Err(refused)) => {
                bail!("the provider was refused ({refused:#}) and so was the app {work} ({err:#})")
            }
            (Err(err), Ok(_)) => return Err(err.context(work)),
        };
        keys.push((work, key));
    }
    Ok(keys)
}

struct Console {
    base: String,
    client: Client,
    cookies: String,
    csrf: String,
}

impl Console {
    async fn chat_app(&self, model: &str) -> anyhow::Result<String> {
        let app = self.app("chat", "chat").await?;
        let config = json!({
            "pre_prompt": "", "prompt_type": "simple",
            "model": {"provider": PROVIDER, "name": model, "mode": "chat", "completion_params": {"stop": []}},
            "user_input_form": [], "opening_statement": "", "suggested_questions": [],
            "suggested_questions_after_answer": {"enabled": false}, "speech_to_text": {"enabled": false},
            "text_to_speech": {"enabled": false}, "retriever_resource": {"enabled": false},
            "sensitive_word_avoidance": {"enabled": false}, "agent_mode": {"enabled": false, "tools": []},
            "dataset_configs": {"retrieval_model": "multiple", "datasets": {"datasets": []}},
            "file_upload": {"image": {"enabled": false, "number_limits": 3, "detail": "high", "transfer_methods": ["remote_url", "local_file"]}},
        });
        self.call(Method::POST, &format!("/apps/{app}/model-config"), Some(config)).await?;
        self.key(&app).await
    }

    async fn workflow_app(&self, name: &str, graph: Value) -> anyhow::Result<String> {
        let app = self.app("workflow", name).await?;
        let draft = json!({
            "graph": graph, "features": {}, "environment_variables": [], "conversation_variables": [],
        });
        self.call(Method::POST, &format!("/apps/{app}/workflows/draft"), Some(draft)).await?;
        let publish = json!({"marked_name": "", "marked_comment": ""});
        self.call(Method::POST, &format!("/apps/{app}/workflows/publish"), Some(publish)).await?;
        self.key(&app).await
    }

    async fn app(&self, mode: &str, name: &str) -> anyhow::Result<String> {
        let app = json!({
            "name": format!("bench {name}"), "mode": mode, "icon_type": "emoji", "icon": "🤖",
            "icon_background": "#FFEAD5",
        });
        text(&self.call(Method::POST, "/apps", Some(app)).await?, "id")
    }

    async fn key(&self, app: &str) -> anyhow::Result<String> {
        let key = self.call(Method::POST, &format!("/apps/{app}/api-keys"), None).await?;
        text(&key, "token")
    }

    async fn login(&mut self, email: &str, password: &str) -> anyhow::Result<()> {
        let password = base64::engine::general_purpose::STANDARD.encode(password);
        let url = format!("{}/console/api/login", self.base);
        let body = json!({"email": email, "password": password, "remember_me": true});
        let answer = self.client.post(url).json(&body).send().await?;
        let mut cookies = Vec::new();
        for cookie in answer.headers().get_all(header::SET_COOKIE) {
            let pair = cookie.to_str()?.split(';').next().unwrap_or_default().to_owned();
            if let Some((name, value)) = pair.split_once('=')
                && name.ends_with("csrf_token")
            {
                value.clone_into(&mut self.csrf);
            }
            cookies.push(pair);
        }
        if !answer.status().is_success() || self.csrf.is_empty() {
            bail!("{}: {}", answer.status(), answer.text().await?);
        }
        self.cookies = cookies.join("; ");
        Ok(())
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let url = format!("{}/console/api{path}", self.base);
        let mut request = self
            .client
            .request(method, url)
            .header(header::COOKIE, &self.cookies)
            .header("X-CSRF-Token", &self.csrf);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        let text = answer.text().await?;
        if !status.is_success() {
            bail!("{path}: {status}: {text}");
        }
        Ok(serde_json::from_str(&text).unwrap_or(Value::Null))
    }
}

fn text(value: &Value, key: &str) -> anyhow::Result<String> {
    value
        .get(key)
        .and_then(Value::as_str)
        .map(str::to_owned)
        .with_context(|| format!("no {key} in {value}"))
}
