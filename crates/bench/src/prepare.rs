//! Sets a server up: account, provider, app, key.

use anyhow::{Context, bail};
use base64::Engine as _;
use reqwest::{Client, Method, header};
use serde_json::{Value, json};

const EMAIL: &str = "bench@example.com";
const PASSWORD: &str = "Bench-passw0rd";

/// What load needs.
pub struct Made {
    /// The app's API key.
    pub key: String,
    /// The app.
    pub app: String,
}

/// Sets the server up. May be called again: the account and the provider are then there already.
///
/// # Errors
/// The first call that is refused, with its answer.
pub async fn prepare(base: &str, llm: &str, llm_key: &str, model: &str) -> anyhow::Result<Made> {
    let mut console = Console {
        base: base.trim_end_matches('/').to_owned(),
        client: Client::new(),
        cookies: String::new(),
        csrf: String::new(),
    };
    let state = console.call(Method::GET, "/setup", None).await?;
    if state.get("step").and_then(Value::as_str) == Some("not_started") {
        let account = json!({"email": EMAIL, "name": "Bench", "password": PASSWORD});
        console.call(Method::POST, "/setup", Some(account)).await.context("setup")?;
    }
    console.login().await.context("login")?;

    let provider = "/workspaces/current/model-providers/langgenius/openai/openai";
    let credentials = json!({
        "credentials": {"openai_api_key": llm_key, "openai_api_base": llm},
        "name": "bench",
    });
    // Refused when it is there already, which is as good.
    let added =
        console.call(Method::POST, &format!("{provider}/credentials"), Some(credentials)).await;
    let app = json!({"name": "bench", "mode": "chat", "icon_type": "emoji", "icon": "🤖", "icon_background": "#FFEAD5"});
    let app = console.call(Method::POST, "/apps", Some(app)).await.context("app")?;
    let app = text(&app, "id")?;
    let config = json!({
        "pre_prompt": "", "prompt_type": "simple",
        "model": {"provider": "langgenius/openai/openai", "name": model, "mode": "chat", "completion_params": {"stop": []}},
        "user_input_form": [], "opening_statement": "", "suggested_questions": [],
        "suggested_questions_after_answer": {"enabled": false}, "speech_to_text": {"enabled": false},
        "text_to_speech": {"enabled": false}, "retriever_resource": {"enabled": false},
        "sensitive_word_avoidance": {"enabled": false}, "agent_mode": {"enabled": false, "tools": []},
        "dataset_configs": {"retrieval_model": "multiple", "datasets": {"datasets": []}},
        "file_upload": {"image": {"enabled": false, "number_limits": 3, "detail": "high", "transfer_methods": ["remote_url", "local_file"]}},
    });
    let saved =
        console.call(Method::POST, &format!("/apps/{app}/model-config"), Some(config)).await;
    if let (Err(err), Err(refused)) = (&saved, &added) {
        bail!(
            "the provider was refused ({refused:#}) and so was the app's configuration ({err:#})"
        );
    }
    saved.context("model configuration")?;
    let key = console
        .call(Method::POST, &format!("/apps/{app}/api-keys"), None)
        .await
        .context("API key")?;
    Ok(Made { key: text(&key, "token")?, app })
}

struct Console {
    base: String,
    client: Client,
    cookies: String,
    csrf: String,
}

impl Console {
    async fn login(&mut self) -> anyhow::Result<()> {
        let password = base64::engine::general_purpose::STANDARD.encode(PASSWORD);
        let url = format!("{}/console/api/login", self.base);
        let body = json!({"email": EMAIL, "password": password, "remember_me": true});
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
