//! Variables that debugging left behind: shown in the editor, changed by hand, put back.

use boxed::boxed;
use db::{
    app::App,
    workflow::Workflow,
    workflow_draft_variable::{self, NewVariable, write},
};
use graph::{FileUrls, Segment, SegmentType, segment::TypeMismatch};
use serde_json::Value;
use services_core::Ctx;
use types::{AccountId, ConversationId, Limit, NodeExecutionId};
use uuid::Uuid;

use crate::{
    WorkflowError, draft, graph_check, node_execution,
    run::{RunFailure, files::Resolver},
    variable::{self, Scope, Variable},
    view,
};

pub mod load;
pub mod ran;
pub mod save;

pub use db::workflow_draft_variable::{DraftVariable, Listed};

/// The node under which system variables are kept.
pub const SYSTEM: &str = "sys";

/// The node under which conversation variables are kept.
pub const CONVERSATION: &str = "conversation";

/// System variables people may change by hand.
const EDITABLE: &[&str] = &["query", "files"];

/// A page of variables without their values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub items: Vec<Listed>,
    /// How many there are; only the first page says it.
    pub total: Option<i64>,
}

/// A page of all variables of an app's draft.
///
/// # Errors
/// [`WorkflowError::NoDraft`].
#[boxed]
pub async fn page(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    limit: Limit,
) -> Result<Page, WorkflowError> {
    let mut conn = ctx.db.acquire().await?;
    if !db::workflow::version::has_draft(&mut conn, app.tenant_id, app.id).await? {
        return Err(WorkflowError::NoDraft);
    }
    let total = if limit.page == 1 {
        Some(workflow_draft_variable::count(&mut conn, app.id, by).await?)
    } else {
        None
    };
    let items = workflow_draft_variable::page(&mut conn, app.id, by, limit).await?;
    Ok(Page { items, total })
}

/// The variables of a node, newest first.
///
/// # Errors
/// [`WorkflowError::Invalid`] for the names that stand for system and conversation variables.
#[boxed]
pub async fn of_node(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    node: &str,
) -> Result<Vec<DraftVariable>, WorkflowError> {
    check_node(node)?;
    list(ctx, app, by, node).await
}

/// The system variables, newest first.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn system(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
) -> Result<Vec<DraftVariable>, WorkflowError> {
    list(ctx, app, by, SYSTEM).await
}

/// The conversation variables, newest first. Those without a value get their defaults first.
///
/// # Errors
/// [`WorkflowError::NotFound`] without draft.
#[boxed]
pub async fn conversation(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
) -> Result<Vec<DraftVariable>, WorkflowError> {
    let row = draft::find_row(ctx, app).await?.ok_or_else(|| {
        WorkflowError::not_found(format!("draft workflow not found, id={}", app.id))
    })?;
    fill_defaults(ctx, app, &row, by).await?;
    list(ctx, app, by, CONVERSATION).await
}

async fn list(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    node: &str,
) -> Result<Vec<DraftVariable>, WorkflowError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(workflow_draft_variable::list_of_node(&mut conn, app.id, by, node).await?)
}

/// Gives the conversation variables of a draft that have no value yet their defaults.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn fill_defaults(
    ctx: &Ctx,
    app: &App,
    row: &Workflow,
    by: AccountId,
) -> Result<(), WorkflowError> {
    let defaults = variable::of_row(Scope::Conversation, &row.conversation_variables);
    if defaults.is_empty() {
        return Ok(());
    }
    let now = ctx.now_naive();
    let mut tx = ctx.db.begin().await?;
    for default in &defaults {
        let selector = types::pyjson::dumps(&[CONVERSATION, default.name.as_str()])?;
        let new = NewVariable {
            id: Uuid::new_v4(),
            app: app.id,
            user: by,
            node: CONVERSATION,
            name: &default.name,
            description: &default.description,
            selector: &selector,
            value_type: default.kind.as_str(),
            value: &default.value.to_string(),
            visible: true,
            editable: true,
            node_execution: None,
            file: None,
            is_default_value: false,
            now,
        };
        write::insert_missing(&mut tx, &new).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// The conversation in which somebody tries a chatflow out: the one of the last debugging, or a new one.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn conversation_of(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
) -> Result<ConversationId, WorkflowError> {
    let selector = ["conversation_id".to_owned()];
    let mut tx = ctx.db.begin().await?;
    let node = [SYSTEM.to_owned()];
    let known =
        workflow_draft_variable::find_selected(&mut tx, app.id, by, &node, &selector).await?;
    let known = known.first().and_then(|it| serde_json::from_str::<ConversationId>(&it.value).ok());
    if let Some(id) = known {
        let owner = db::conversation::Owner::Account(by);
        if db::conversation::find_for_run(&mut tx, app.id, id, owner).await?.is_some() {
            return Ok(id);
        }
    }
    let id = ConversationId::random();
    let now = ctx.now_naive();
    db::conversation::insert_debugging(&mut tx, app.id, id, &app.mode, by, now).await?;
    tx.commit().await?;
    Ok(id)
}

/// One variable.
///
/// # Errors
/// [`WorkflowError::NotFound`].
#[boxed]
pub async fn find(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    id: Uuid,
) -> Result<DraftVariable, WorkflowError> {
    let mut conn = ctx.db.acquire().await?;
    workflow_draft_variable::find(&mut conn, app.id, by, id).await?.ok_or_else(|| missing(id))
}

fn missing(id: Uuid) -> WorkflowError {
    WorkflowError::not_found(format!("variable not found, id={id}"))
}

/// Renames a variable or gives it a value of its type.
///
/// # Errors
/// [`WorkflowError::NotFound`]; [`WorkflowError::Invalid`] for a variable that cannot be changed, a value of another
/// type, a name that is taken.
#[boxed]
pub async fn change(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    id: Uuid,
    name: Option<&str>,
    value: Option<Value>,
) -> Result<DraftVariable, WorkflowError> {
    let known = find(ctx, app, by, id).await?;
    if name.is_none() && value.is_none() {
        return Ok(known);
    }
    let value = match value {
        Some(value) => Some(typed(ctx, app, &known, value).await?),
        None => None,
    };
    if !known.editable {
        return Err(WorkflowError::invalid(format!("variable not support updating, id={id}")));
    }
    let name = name.unwrap_or(&known.name);
    let selector = types::pyjson::dumps(&[known.node_id.as_str(), name])?;
    let text = value.as_ref().map(|value| stored(&value.value)).transpose()?;
    let edit = write::Edit {
        name,
        selector: &selector,
        value_type: value.as_ref().map_or(known.value_type.as_str(), |value| value.kind.as_str()),
        value: text.as_deref().unwrap_or(&known.value),
        edited_at: Some(ctx.now_naive()),
        now: ctx.now_naive(),
    };
    apply(ctx, app, by, id, edit).await
}

async fn apply(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    id: Uuid,
    edit: write::Edit<'_>,
) -> Result<DraftVariable, WorkflowError> {
    let mut tx = ctx.db.begin().await?;
    match write::edit(&mut tx, app.id, by, id, edit).await {
        Ok(true) => {}
        Ok(false) => return Err(missing(id)),
        Err(err) if err.is_unique_violation() => {
            return Err(WorkflowError::invalid(format!(
                "variable name already exists, name={}",
                edit.name
            )));
        }
        Err(err) => return Err(err.into()),
    }
    let changed = workflow_draft_variable::find(&mut tx, app.id, by, id).await?;
    tx.commit().await?;
    changed.ok_or_else(|| missing(id))
}

/// A value of a request in the type of a variable.
async fn typed(
    ctx: &Ctx,
    app: &App,
    known: &DraftVariable,
    value: Value,
) -> Result<Segment, WorkflowError> {
    let mismatch = |err: TypeMismatch| WorkflowError::invalid(err.0);
    let kind: SegmentType = known.value_type.parse().map_err(mismatch)?;
    let value = match kind {
        SegmentType::File => file(ctx, app, &value).await?,
        SegmentType::ArrayFile => {
            let Value::Array(items) = &value else {
                return Err(WorkflowError::invalid("expected list for files"));
            };
            let mut files = Vec::with_capacity(items.len());
            for item in items {
                files.push(file(ctx, app, item).await?);
            }
            graph::Value::array(files)
        }
        _ => graph::Value::from_json(value),
    };
    // Clients are shown `number` for both kinds of numbers, so either may come back.
    let kind = if kind.is_number() { SegmentType::Number } else { kind };
    Segment::with_type(kind, value).map_err(mismatch)
}

async fn file(ctx: &Ctx, app: &App, value: &Value) -> Result<graph::Value, WorkflowError> {
    let mapping =
        value.as_object().ok_or_else(|| WorkflowError::invalid("expected dict for file"))?;
    let found = Resolver::new(ctx, app.tenant_id, "{}", false).any(mapping).await;
    match found {
        Ok(file) => Ok(graph::Value::from(file)),
        Err(RunFailure::Fault(fault)) => Err(fault.into()),
        Err(err) => Err(WorkflowError::invalid(err.to_string())),
    }
}

/// A value as the editor sees it: a file's `remote_url` is a link that opens it now.
#[must_use]
pub fn shown_value(value: &graph::Value, urls: &dyn FileUrls) -> Value {
    match value {
        graph::Value::File(file) => {
            let mut json = file.stored_json();
            json.insert("remote_url".to_owned(), urls.url(file).map_or(Value::Null, Value::from));
            Value::Object(json)
        }
        graph::Value::Array(items) => items.iter().map(|it| shown_value(it, urls)).collect(),
        other => other.to_json(urls),
    }
}

/// The text of rows for a value: files in the form they are read back from.
pub(crate) fn stored(value: &graph::Value) -> Result<String, WorkflowError> {
    Ok(serde_json::to_string(value)?)
}

/// Puts a variable back to what its node or the workflow gave it. `None`: there is nothing to put back, and the
/// variable is gone.
///
/// # Errors
/// [`WorkflowError::NotFound`]; [`WorkflowError::Invalid`] for system variables people may not change.
#[boxed]
pub async fn reset(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    id: Uuid,
) -> Result<Option<DraftVariable>, WorkflowError> {
    let row = draft::find_row(ctx, app).await?.ok_or_else(|| {
        WorkflowError::not_found(format!("Draft workflow not found, app_id={}", app.id))
    })?;
    let known = find(ctx, app, by, id).await?;
    if known.node_id == SYSTEM && !EDITABLE.contains(&known.name.as_str()) {
        return Err(WorkflowError::invalid(format!(
            "cannot reset system variable, variable_id={id}"
        )));
    }
    if known.node_id != CONVERSATION && !known.editable {
        return Ok(Some(known));
    }
    let Some(original) = original(ctx, app, &row, &known).await? else {
        delete(ctx, app, by, id).await?;
        return Ok(None);
    };
    let text = stored(&original.value)?;
    let edit = write::Edit {
        name: &known.name,
        selector: &known.selector,
        value_type: original.kind.as_str(),
        value: &text,
        edited_at: None,
        now: ctx.now_naive(),
    };
    apply(ctx, app, by, id, edit).await.map(Some)
}

async fn original(
    ctx: &Ctx,
    app: &App,
    row: &Workflow,
    known: &DraftVariable,
) -> Result<Option<Segment>, WorkflowError> {
    if known.node_id == CONVERSATION {
        let defaults = variable::of_row(Scope::Conversation, &row.conversation_variables);
        let default = defaults.into_iter().find(|it: &Variable| it.name == known.name);
        return Ok(default.map(|it| Segment::new(it.kind, graph::Value::from_json(it.value))));
    }
    let Some(execution) = known.node_execution_id else { return Ok(None) };
    let outputs = node_execution::full_outputs(ctx, app, NodeExecutionId(execution)).await?;
    let Some(outputs) = outputs else { return Ok(None) };
    let key = if known.node_id == SYSTEM {
        format!("sys.{}", known.name)
    } else {
        let graph = view::parsed(&row.graph);
        let node = graph_check::node(&graph, &known.node_id)?;
        if node.kind == "assigner" {
            let value = graph::Value::from_stored(view::parsed(&known.value));
            return Ok(Some(Segment::new(SegmentType::infer(&value), value)));
        }
        known.name.clone()
    };
    let Some(value) = outputs.get(&key) else { return Ok(None) };
    let value = graph::Value::from_stored(value.clone());
    let kind = known.value_type.parse().unwrap_or_else(|_| SegmentType::infer(&value));
    // The node may have answered another type since.
    Ok(Some(Segment::with_type(kind, value.clone()).unwrap_or_else(|_| Segment::from(value))))
}

/// Deletes a variable, with the file of its whole value.
///
/// # Errors
/// [`WorkflowError::NotFound`].
#[boxed]
pub async fn delete(ctx: &Ctx, app: &App, by: AccountId, id: Uuid) -> Result<(), WorkflowError> {
    let mut tx = ctx.db.begin().await?;
    let known = workflow_draft_variable::find(&mut tx, app.id, by, id).await?;
    let known = known.ok_or_else(|| missing(id))?;
    write::delete(&mut tx, app.id, by, id).await?;
    let files: Vec<Uuid> = known.file_id.into_iter().collect();
    let dropped = write::delete_files(&mut tx, app.tenant_id, app.id, &files).await?;
    tx.commit().await?;
    drop_objects(ctx, dropped).await;
    Ok(())
}

/// Deletes the variables of a node, or all of the draft.
///
/// # Errors
/// [`WorkflowError::Invalid`] for the names that stand for system and conversation variables.
#[boxed]
pub async fn delete_many(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    node: Option<&str>,
) -> Result<(), WorkflowError> {
    if let Some(node) = node {
        check_node(node)?;
    }
    let mut tx = ctx.db.begin().await?;
    let files = write::delete_many(&mut tx, app.id, by, node).await?;
    let dropped = write::delete_files(&mut tx, app.tenant_id, app.id, &files).await?;
    tx.commit().await?;
    drop_objects(ctx, dropped).await;
    Ok(())
}

/// Deletes the objects of large values whose rows are gone. One that stays behind is only space.
pub(crate) async fn drop_objects(ctx: &Ctx, dropped: Vec<write::DroppedFile>) {
    for key in dropped.into_iter().filter_map(|file| file.key) {
        if let Err(err) = ctx.storage.delete(&key).await {
            tracing::warn!(error = %err, "the object of a deleted variable stays behind");
        }
    }
}

fn check_node(node: &str) -> Result<(), WorkflowError> {
    if node == SYSTEM || node == CONVERSATION {
        return Err(WorkflowError::invalid(format!(
            "invalid node_id, please use correspond api for conversation and system variables, node_id={node}"
        )));
    }
    Ok(())
}
