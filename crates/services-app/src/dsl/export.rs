//! Writing an app as a text.

use boxed::boxed;
use db::{app::App, workflow::DRAFT};
use serde_json::{Value, json};
use services_core::Ctx;
use types::WorkflowId;

use super::{
    DslError, VERSION, dependency,
    graph::{Leaving, leave},
    variables,
};
use crate::{json::Object, mode::AppMode, model_config::stored, parameters, ports::Ports, yaml};

/// What of an app to write.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// With secrets in the clear.
    pub with_secrets: bool,
    /// A published version instead of the draft.
    pub workflow: Option<String>,
}

/// The app as a text.
///
/// # Errors
/// [`DslError::Invalid`] if the app was never configured or drawn.
#[tracing::instrument(skip_all, fields(app.id = %app.id))]
#[boxed]
pub async fn export(
    ctx: &Ctx,
    ports: &Ports,
    app: &App,
    what: &Export,
) -> Result<String, DslError> {
    let mode: AppMode = app.mode.parse().map_err(|err| DslError::Invalid(format!("{err}")))?;
    let mut text = json!({
        "version": VERSION,
        "kind": "app",
        "app": {
            "name": app.name,
            "mode": app.mode,
            "icon": app.icon,
            "icon_type": app.icon_type,
            "icon_background": app.icon_background,
            "description": app.description,
            "use_icon_as_answer_icon": app.use_icon_as_answer_icon,
        },
    });
    let (key, body, plugins) = if mode.has_workflow() {
        let (body, plugins) = workflow(ctx, app, what).await?;
        ("workflow", body, plugins)
    } else {
        let (body, plugins) = model_config(ctx, app).await?;
        ("model_config", body, plugins)
    };
    let dependencies = if plugins.is_empty() {
        Vec::new()
    } else {
        ports.plugins.installed(app.tenant_id, &plugins).await?
    };
    if let Some(text) = text.as_object_mut() {
        text.insert(key.to_owned(), Value::Object(body));
        text.insert("dependencies".to_owned(), json!(dependencies));
    }
    Ok(yaml::dump(&text))
}

async fn model_config(ctx: &Ctx, app: &App) -> Result<(Object, Vec<String>), DslError> {
    let stored = {
        let mut conn = ctx.db.acquire().await?;
        stored::of(&mut conn, app).await?
    };
    let stored =
        stored.ok_or_else(|| DslError::invalid("Missing app configuration, please check."))?;
    let mut config = stored.to_object();
    let plugins = dependency::of_config(&config);
    let tools =
        config.get_mut("agent_mode").and_then(|agent| agent.get_mut("tools")?.as_array_mut());
    for tool in tools.into_iter().flatten().filter_map(Value::as_object_mut) {
        tool.remove("credential_id");
    }
    Ok((config, plugins))
}

async fn workflow(ctx: &Ctx, app: &App, what: &Export) -> Result<(Object, Vec<String>), DslError> {
    let found = {
        let mut conn = ctx.db.acquire().await?;
        match what.workflow.as_deref().filter(|id| !id.is_empty()) {
            None => db::workflow::find_draft(&mut conn, app.tenant_id, app.id).await?,
            Some(id) => match id.parse::<WorkflowId>() {
                Ok(id) => db::workflow::find(&mut conn, app.tenant_id, app.id, id)
                    .await?
                    .filter(|workflow| workflow.version != DRAFT),
                Err(_) => None,
            },
        }
    };
    let workflow = found
        .ok_or_else(|| DslError::invalid("Missing draft workflow configuration, please check."))?;
    let mut graph: Object = serde_json::from_str(&workflow.graph).unwrap_or_default();
    let plugins = dependency::of_graph(&graph);
    leave(
        &mut graph,
        Leaving {
            tenant: app.tenant_id,
            with_secrets: what.with_secrets,
            hide_datasets: ctx.config.feature.dsl_export_encrypt_dataset_id,
        },
    );
    let secrets = what.with_secrets;
    let list = |column| variables::list(ctx, app.tenant_id, column, secrets);
    let environment = list(&workflow.environment_variables).await?;
    // Secrets among conversation variables are not encrypted in the row, and go as they are.
    let conversation: Object =
        serde_json::from_str(&workflow.conversation_variables).unwrap_or_default();
    let rag: Object = serde_json::from_str(&workflow.rag_pipeline_variables).unwrap_or_default();
    let values = |map: Object| map.into_iter().map(|(_, value)| value).collect::<Vec<_>>();
    let pairs = [
        ("graph", Value::Object(graph)),
        ("features", Value::Object(parameters::features(&workflow.features))),
        ("environment_variables", Value::Array(environment)),
        ("conversation_variables", Value::Array(values(conversation))),
        ("rag_pipeline_variables", Value::Array(values(rag))),
    ];
    let body = pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    Ok((body, plugins))
}
