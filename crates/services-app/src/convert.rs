//! Turning a basic app into one that is drawn as a graph: the same form, knowledge, prompt and model as nodes.

mod external;
mod form;
mod llm;

use boxed::boxed;
use db::{
    account::Account,
    app::{App, NewApp},
    workflow::NewDraft,
};
use serde_json::{Value, json};
use services_core::{Ctx, Failure, Fault};
use types::AppId;

use crate::{
    app::{AppError, born},
    json::{Object, dumps, has, text, truthy},
    mode::AppMode,
    model_config::stored,
};

/// Why an app was not converted.
#[derive(Debug, thiserror::Error)]
pub enum ConvertError {
    /// The app cannot be converted; the reference's words.
    #[error("{0}")]
    Invalid(String),
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl ConvertError {
    fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(message.into())
    }
}

impl From<db::DbError> for ConvertError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl From<AppError> for ConvertError {
    fn from(err: AppError) -> Self {
        match err {
            AppError::Fault(fault) => Self::Fault(fault),
            other => Self::Invalid(other.to_string()),
        }
    }
}

impl Failure for ConvertError {
    fn status(&self) -> u16 {
        match self {
            Self::Invalid(_) => 400,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_param",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// Name and looks of the new app; what is missing comes from the old one.
#[derive(Debug, Clone, Default)]
#[expect(missing_docs, reason = "fields of an app")]
pub struct Looks {
    pub name: Option<String>,
    pub icon_type: Option<String>,
    pub icon: Option<String>,
    pub icon_background: Option<String>,
}

/// Makes a new app with a draft that does what `app` does.
///
/// # Errors
/// [`ConvertError::Invalid`] for an app that was never configured or has no prompt.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn convert(
    ctx: &Ctx,
    app: &App,
    mode: AppMode,
    by: &Account,
    looks: Looks,
) -> Result<App, ConvertError> {
    let config = {
        let mut conn = ctx.db.acquire().await?;
        stored::of(&mut conn, app).await?
    };
    let config = config.ok_or_else(|| ConvertError::invalid("App model config is required"))?;
    let config = config.to_object();
    let target =
        if mode == AppMode::Completion { AppMode::Workflow } else { AppMode::AdvancedChat };
    let graph = graph(ctx, app, mode, target, &config).await?;
    let features = features(target, &config);

    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let icon_type = given(looks.icon_type).or_else(|| app.icon_type.clone());
    let new = NewApp {
        id: AppId::random(),
        tenant: app.tenant_id,
        name: given(looks.name).unwrap_or_else(|| format!("{}(workflow)", app.name)),
        description: String::new(),
        mode: target.as_str().to_owned(),
        icon_type,
        icon: given(looks.icon).or_else(|| app.icon.clone()),
        icon_background: given(looks.icon_background).or_else(|| app.icon_background.clone()),
        enable_site: app.enable_site,
        enable_api: app.enable_api,
        api_rpm: app.api_rpm,
        api_rph: app.api_rph,
        is_public: app.is_public,
        use_icon_as_answer_icon: false,
        creator: by.id,
        now: ctx.now_naive(),
    };
    let mut tx = ctx.db.begin().await?;
    let made = born(ctx, &mut tx, by, &new).await?;
    let draft = NewDraft {
        tenant: made.tenant_id,
        app: made.id,
        kind: target.workflow_type(),
        graph: &dumps(&graph),
        features: &dumps(&features),
        environment_variables: "{}",
        conversation_variables: "{}",
        by: by.id,
        now: ctx.now_naive(),
    };
    db::workflow::insert_draft(&mut tx, &draft).await?;
    tx.commit().await?;
    Ok(made)
}

async fn graph(
    ctx: &Ctx,
    app: &App,
    mode: AppMode,
    target: AppMode,
    config: &Object,
) -> Result<Value, ConvertError> {
    let form = form::variables(config);
    let mut chain = Chain::default();
    chain.push("start", &json!({"title": "START", "type": "start", "variables": form}));
    let lookups = external::nodes(ctx, app, mode, &form, config, &mut chain).await?;
    let has_knowledge = match knowledge(target, config) {
        Some(node) => {
            chain.push("knowledge_retrieval", &node);
            true
        }
        None => false,
    };
    let names = llm::Names { form: &form, lookups: &lookups };
    chain.push("llm", &llm::node(target, config, has_knowledge, &names)?);
    if target == AppMode::Workflow {
        let outputs = json!([{"variable": "result", "value_selector": ["llm", "text"]}]);
        chain.push("end", &json!({"title": "END", "type": "end", "outputs": outputs}));
    } else {
        chain.push(
            "answer",
            &json!({"title": "ANSWER", "type": "answer", "answer": "{{#llm.text#}}"}),
        );
    }
    Ok(json!({"nodes": chain.nodes, "edges": chain.edges}))
}

/// Nodes in a row, each joined to the one before.
#[derive(Default)]
struct Chain {
    nodes: Vec<Value>,
    edges: Vec<Value>,
    last: Option<String>,
}

impl Chain {
    fn push(&mut self, id: &str, data: &Value) {
        if let Some(last) = &self.last {
            self.edges.push(json!({"id": format!("{last}-{id}"), "source": last, "target": id}));
        }
        self.nodes.push(json!({"id": id, "position": null, "data": data}));
        self.last = Some(id.to_owned());
    }
}

/// The data of the knowledge retrieval node, if the app has knowledge and a question to ask it.
fn knowledge(target: AppMode, config: &Object) -> Option<Value> {
    let datasets = dataset_ids(config);
    if datasets.is_empty() {
        return None;
    }
    let query = if target == AppMode::AdvancedChat {
        json!(["sys", "query"])
    } else {
        json!(["start", text(config, "dataset_query_variable").filter(|name| !name.is_empty())?])
    };
    let none = Object::new();
    let settings = config.get("dataset_configs").and_then(Value::as_object).unwrap_or(&none);
    let is_single = text(settings, "retrieval_model") == Some("single");
    let single = is_single.then(|| json!({"model": llm::model(config)}));
    let multiple = (!is_single).then(|| {
        let threshold = has(settings, "score_threshold_enabled")
            .then(|| settings.get("score_threshold").and_then(Value::as_f64))
            .flatten();
        json!({
            "top_k": settings.get("top_k").cloned().unwrap_or_else(|| json!(4)),
            "score_threshold": threshold,
            "reranking_model": settings.get("reranking_model").filter(|model| model.is_object()),
        })
    });
    Some(json!({
        "title": "KNOWLEDGE RETRIEVAL",
        "type": "knowledge-retrieval",
        "query_variable_selector": query,
        "dataset_ids": datasets,
        "retrieval_mode": if is_single { "single" } else { "multiple" },
        "single_retrieval_config": single,
        "multiple_retrieval_config": multiple,
    }))
}

/// Knowledge bases that are switched on, for retrieval and as tools of the old kind.
fn dataset_ids(config: &Object) -> Vec<Value> {
    let retrieval =
        config.get("dataset_configs").and_then(|configs| configs.get("datasets")?.get("datasets"));
    let agent = config.get("agent_mode").filter(|agent| agent.get("enabled").is_some_and(truthy));
    let tools = agent.and_then(|agent| agent.get("tools"));
    [retrieval, tools]
        .into_iter()
        .flatten()
        .filter_map(Value::as_array)
        .flatten()
        .filter_map(Value::as_object)
        .filter(|entry| entry.keys().next().is_some_and(|key| key == "dataset"))
        .filter_map(|entry| entry.get("dataset")?.as_object())
        .filter(|dataset| has(dataset, "enabled"))
        .filter_map(|dataset| dataset.get("id").filter(|id| truthy(id)).cloned())
        .collect()
}

fn features(target: AppMode, config: &Object) -> Value {
    let keys: &[&str] = if target == AppMode::AdvancedChat {
        &[
            "opening_statement",
            "suggested_questions",
            "suggested_questions_after_answer",
            "speech_to_text",
            "text_to_speech",
            "file_upload",
            "sensitive_word_avoidance",
            "retriever_resource",
        ]
    } else {
        &["text_to_speech", "file_upload", "sensitive_word_avoidance"]
    };
    let pick = |key: &&str| ((*key).to_owned(), config.get(*key).cloned().unwrap_or_default());
    let mut features: Object = keys.iter().map(pick).collect();
    if let Some(upload) = features.get_mut("file_upload").and_then(Value::as_object_mut) {
        put_image_config(upload);
    }
    Value::Object(features)
}

/// What apps that take files say of pictures, in the form of workflows.
fn put_image_config(upload: &mut Object) {
    if !upload.get("enabled").is_some_and(truthy) {
        return;
    }
    let of_image = |key: &str| upload.get("image").and_then(|image| image.get(key)).cloned();
    let config = serde_json::json!({
        "number_limits": upload.get("number_limits").cloned().unwrap_or(Value::from(3)),
        "transfer_methods": upload.get("allowed_file_upload_methods").cloned().unwrap_or(Value::Array(Vec::new())),
        "detail": of_image("detail").unwrap_or_else(|| Value::from("high")),
    });
    upload.insert("image_config".to_owned(), config);
}
