//! Forms of the draft while somebody builds it: shown and submitted without a run.

use boxed::boxed;
use std::sync::Arc;

use db::{app::App, workflow::Workflow};
use graph::{
    Object, Segment, SystemVariables, Value, VariablePool,
    nodes::{FormSettings, render_with_outputs, validate_submission},
    pause::{HumanInputRequired, NewForm},
};
use serde_json::{Map, Value as Json};
use services_core::Ctx;
use types::{AccountId, NodeExecutionId};

use super::store;
use crate::{
    WorkflowError, draft,
    draft_variable::{
        self, load,
        save::{self, Ran},
    },
    graph_check,
    run::SignedUrls,
    variable, view,
};

/// A human-input node of the draft, ready to be shown.
struct Node {
    id: String,
    title: String,
    settings: FormSettings,
    data: Map<String, Json>,
    pool: VariablePool,
    is_enclosed: bool,
}

/// The form of a node as a run would show it. `inputs` has values of variables that no run left behind, by
/// `#node.name#` or `node.name`.
///
/// # Errors
/// [`WorkflowError::Invalid`] without draft, for another node, for a variable that has no value.
#[boxed]
pub async fn show(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    node: &str,
    inputs: &Map<String, Json>,
) -> Result<HumanInputRequired, WorkflowError> {
    let node = prepared(ctx, app, by, node, inputs).await?;
    Ok(HumanInputRequired {
        form_id: node.id.clone(),
        form_content: node.pool.render_markdown(&node.settings.form_content),
        resolved_default_values: node.settings.resolved_defaults(&node.pool),
        inputs: node.settings.inputs,
        actions: node.settings.user_actions,
        display_in_ui: false,
        node_id: node.id,
        node_title: node.title,
        form_token: None,
        expiration_time: None,
    })
}

/// What the node would answer if the form were filled in like this; kept in the draft's variables.
///
/// # Errors
/// As [`show`], and for a form that is not filled in right.
#[boxed]
pub async fn submit(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    node: &str,
    inputs: &Map<String, Json>,
    filled: &super::Filled,
) -> Result<Map<String, Json>, WorkflowError> {
    let node = prepared(ctx, app, by, node, inputs).await?;
    let settings = &node.settings;
    validate_submission(&settings.inputs, &settings.user_actions, &filled.action, &filled.inputs)
        .map_err(WorkflowError::Invalid)?;
    let mut outputs: Object =
        filled.inputs.iter().map(|(key, it)| (key.clone(), Value::from_json(it.clone()))).collect();
    outputs.insert("__action_id".to_owned(), Value::from(filled.action.as_str()));
    let rendered = node.pool.render_markdown(&settings.form_content);
    let rendered = render_with_outputs(&rendered, &settings.form_content, &outputs);
    outputs.insert("__rendered_content".to_owned(), Value::from(rendered));
    let ran = Ran {
        tenant: app.tenant_id,
        app: app.id,
        by,
        node: &node.id,
        node_type: "human-input",
        execution: NodeExecutionId::random(),
        is_enclosed: node.is_enclosed,
        process_data: &Object::new(),
        outputs: &outputs,
    };
    save::save(ctx, &ran).await?;
    Ok(graph::value::object_to_json(&outputs, &SignedUrls(ctx.clone())))
}

/// Sends the form of a node by one of its methods, to see that it arrives.
///
/// # Errors
/// [`WorkflowError::Invalid`] for an unknown method, one that cannot be tried out, or mail that is not set up.
#[boxed]
pub async fn try_delivery(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    node: &str,
    method: &str,
    inputs: &Map<String, Json>,
) -> Result<(), WorkflowError> {
    let row = draft_of(ctx, app).await?;
    let graph = view::parsed(&row.graph);
    let settings = settings(graph_check::node(&graph, node)?)?;
    let is_it = |it: &&Json| it.get("id").and_then(Json::as_str) == Some(method);
    let found = settings.delivery_methods.iter().find(is_it).cloned();
    let mut found = found.ok_or_else(|| WorkflowError::invalid("Delivery method not found."))?;
    if found.get("type").and_then(Json::as_str) != Some("email") {
        return Err(WorkflowError::invalid("Delivery method does not support test send."));
    }
    let node = prepared(ctx, app, by, node, inputs).await?;
    if found.pointer("/config/debug_mode").and_then(Json::as_bool) == Some(true)
        && let Some(config) = found.get_mut("config").and_then(Json::as_object_mut)
    {
        let member = serde_json::json!({"type": "member", "user_id": by});
        let recipients = serde_json::json!({"whole_workspace": false, "items": [member]});
        config.insert("recipients".to_owned(), recipients);
    }
    if ctx.config.feature.mail_type.as_deref().unwrap_or_default().is_empty() {
        return Err(WorkflowError::invalid("Mail client is not initialized."));
    }
    let rendered = node.pool.render_markdown(&node.settings.form_content);
    let form = NewForm {
        node_id: node.id.clone(),
        execution_id: String::new(),
        node_title: node.title.clone(),
        config: node.data.clone(),
        inputs: node.settings.inputs.clone(),
        user_actions: node.settings.user_actions.clone(),
        form_content: node.settings.form_content.clone(),
        rendered_content: rendered,
        expiration_time: node.settings.expiration(ctx.now()),
        delivery_methods: vec![found],
        display_in_ui: false,
        resolved_default_values: node.settings.resolved_defaults(&node.pool),
        console_recipient_required: false,
    };
    let draft = store::Draft {
        tenant: app.tenant_id,
        app: app.id,
        run: None,
        account: None,
        form: &form,
        backstage: false,
    };
    let (id, recipients) = store::create(ctx, &draft).await?;
    if recipients.is_empty() {
        return Err(WorkflowError::invalid("No recipients configured for delivery method."));
    }
    crate::queue::mail_form(ctx, id, &node.title).await?;
    Ok(())
}

async fn draft_of(ctx: &Ctx, app: &App) -> Result<Workflow, WorkflowError> {
    let row = draft::find_row(ctx, app).await?;
    row.ok_or_else(|| WorkflowError::invalid("Workflow not initialized"))
}

fn settings(node: graph_check::GraphNode<'_>) -> Result<FormSettings, WorkflowError> {
    if node.kind != "human-input" {
        return Err(WorkflowError::invalid("Node type must be human-input."));
    }
    FormSettings::read(node.data).map_err(WorkflowError::Invalid)
}

async fn prepared(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    node: &str,
    inputs: &Map<String, Json>,
) -> Result<Node, WorkflowError> {
    let row = draft_of(ctx, app).await?;
    let graph = view::parsed(&row.graph);
    let node = graph_check::node(&graph, node)?;
    let settings = settings(node)?;
    draft_variable::fill_defaults(ctx, app, &row, by).await?;
    let mut pool = VariablePool::new(
        SystemVariables::default(),
        Object::new(),
        Arc::new(SignedUrls(ctx.clone())),
    );
    for variable in
        variable::open_environment(ctx, app.tenant_id, &row.environment_variables).await?
    {
        let value = Segment::new(variable.kind, Value::from_json(variable.value));
        pool.set("env", &variable.name, value);
    }
    let wanted: Vec<Vec<String>> = settings
        .variable_mapping(node.id)
        .into_values()
        .map(|it| it.into_iter().collect())
        .collect();
    for found in load::selected(ctx, app, by, &wanted).await? {
        pool.set(&found.node, &found.name, found.value);
    }
    put_inputs(&mut pool, &wanted, inputs)?;
    Ok(Node {
        id: node.id.to_owned(),
        title: node.text("title").to_owned(),
        settings,
        data: node.data.clone(),
        pool,
        is_enclosed: graph_check::is_enclosed(node),
    })
}

/// Puts the values of a request over those that runs left behind; every wanted variable must have one then.
fn put_inputs(
    pool: &mut VariablePool,
    wanted: &[Vec<String>],
    inputs: &Map<String, Json>,
) -> Result<(), WorkflowError> {
    for selector in wanted {
        let [node, name, ..] = selector.as_slice() else { continue };
        let key = format!("{node}.{name}");
        let given = inputs.get(&format!("#{key}#")).or_else(|| inputs.get(&key));
        match given {
            Some(value) => pool.set(node, name, Value::from_stored(value.clone())),
            None if pool.variable(node, name).is_none() => {
                return Err(WorkflowError::invalid(format!(
                    "Variable key #{key}# not found in user inputs."
                )));
            }
            None => {}
        }
    }
    Ok(())
}
