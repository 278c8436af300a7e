//! What a node that ran in the editor leaves in the draft's variables.

use boxed::boxed;
use bytes::Bytes;
use db::workflow_draft_variable::{self, NewFile, NewVariable, write};
use graph::{Object, Segment, SegmentType, Truncator, Value};
use services_core::Ctx;
use types::{AccountId, AppId, NodeExecutionId, TenantId, UploadFileId};
use uuid::Uuid;

use super::{CONVERSATION, EDITABLE, SYSTEM};
use crate::{WorkflowError, graph_check};

/// The variable of a node that has no outputs: says that it ran.
const DUMMY: &str = "__dummy__";

/// A node that ran in the editor.
#[derive(Debug, Clone, Copy)]
pub struct Ran<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The app.
    pub app: AppId,
    /// Who builds it.
    pub by: AccountId,
    /// The node.
    pub node: &'a str,
    /// Its type.
    pub node_type: &'a str,
    /// The row of the execution.
    pub execution: NodeExecutionId,
    /// Whether it ran inside an iteration or a loop.
    pub is_enclosed: bool,
    /// What it worked with: says what an assigner changed.
    pub process_data: &'a Object,
    /// What it answered.
    pub outputs: &'a Object,
}

/// A variable to be written.
struct Draft {
    node: String,
    name: String,
    value: Segment,
    visible: bool,
    editable: bool,
    execution: Option<NodeExecutionId>,
    /// Large values go to a file.
    may_offload: bool,
}

/// Keeps what a node answered, for the editor and for runs of single nodes.
///
/// # Errors
/// Faults of database and storage.
#[boxed]
pub async fn save(ctx: &Ctx, ran: &Ran<'_>) -> Result<(), WorkflowError> {
    if ran.is_enclosed && ran.node_type != "assigner" {
        return Ok(());
    }
    let drafts = match ran.node_type {
        "assigner" => of_assigner(ran),
        "start" => of_start(ran),
        kind if graph_check::is_trigger(kind) => of_start(ran),
        _ => of_outputs(ran),
    };
    if drafts.is_empty() {
        return Ok(());
    }
    let mut ready = Vec::with_capacity(drafts.len());
    for draft in drafts {
        let large = if draft.may_offload { offload(ctx, ran, &draft).await? } else { None };
        ready.push((draft, large));
    }
    write_all(ctx, ran, ready).await
}

fn of_outputs(ran: &Ran<'_>) -> Vec<Draft> {
    let hidden = match ran.node_type {
        "llm" => Some("finish_reason"),
        "loop" => Some("loop_round"),
        _ => None,
    };
    let kept = ran.outputs.iter().filter(|(name, _)| hidden != Some(name.as_str()));
    kept.map(|(name, value)| node_variable(ran, name, Segment::from(value.clone()), true)).collect()
}

fn of_start(ran: &Ran<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let mut has_own = false;
    for (name, value) in ran.outputs {
        let mut value = Segment::from(value.clone());
        match name.strip_prefix("sys.") {
            Some(name) => {
                if name == "files" {
                    value.kind = SegmentType::ArrayFile;
                }
                drafts.push(Draft {
                    node: SYSTEM.to_owned(),
                    name: name.to_owned(),
                    value,
                    visible: true,
                    editable: EDITABLE.contains(&name),
                    execution: Some(ran.execution),
                    may_offload: false,
                });
            }
            None => {
                has_own = true;
                drafts.push(node_variable(ran, name, value, false));
            }
        }
    }
    if !has_own {
        drafts.push(dummy(ran));
    }
    drafts
}

/// An assigner has no outputs; of what it changed, conversation variables are kept.
fn of_assigner(ran: &Ran<'_>) -> Vec<Draft> {
    let mut drafts = Vec::new();
    let updated = ran.process_data.get("__updated_variables").and_then(Value::as_array);
    for item in updated.unwrap_or_default().iter().filter_map(Value::as_object) {
        let selector = item.get("selector").and_then(Value::as_array).unwrap_or_default();
        let name = item.get("name").and_then(Value::as_str);
        let (Some(CONVERSATION), Some(name)) = (selector.first().and_then(Value::as_str), name)
        else {
            continue;
        };
        let value = item.get("new_value").cloned().unwrap_or_default();
        let declared = item.get("value_type").and_then(Value::as_str);
        let kind = declared.and_then(|kind| kind.parse().ok());
        let value = match kind {
            // Both kinds of numbers are one to people.
            Some(kind) if !SegmentType::is_number(kind) => Segment::new(kind, value),
            _ => Segment::from(value),
        };
        drafts.push(Draft {
            node: CONVERSATION.to_owned(),
            name: name.to_owned(),
            value,
            visible: true,
            editable: true,
            execution: None,
            may_offload: false,
        });
    }
    drafts.push(dummy(ran));
    drafts
}

fn node_variable(ran: &Ran<'_>, name: &str, value: Segment, may_offload: bool) -> Draft {
    Draft {
        node: ran.node.to_owned(),
        name: name.to_owned(),
        value,
        visible: true,
        editable: true,
        execution: Some(ran.execution),
        may_offload,
    }
}

fn dummy(ran: &Ran<'_>) -> Draft {
    Draft {
        visible: false,
        editable: false,
        ..node_variable(ran, DUMMY, Segment::from(Value::Null), false)
    }
}

/// A large value: what the row keeps of it, and the file with all of it.
struct Large {
    cut: Segment,
    file: Uuid,
}

async fn offload(ctx: &Ctx, ran: &Ran<'_>, draft: &Draft) -> Result<Option<Large>, WorkflowError> {
    let (cut, is_cut) = truncator(ctx).segment(&draft.value);
    if !is_cut {
        return Ok(None);
    }
    let length = match &draft.value.value {
        Value::Array(items) => i32::try_from(items.len()).ok(),
        Value::Object(entries) => i32::try_from(entries.len()).ok(),
        _ => None,
    };
    let (content, mime_type, extension) = match draft.value.value.as_str() {
        Some(text) => (text.to_owned(), "text/plain", "txt"),
        None => (super::stored(&draft.value.value)?, "application/json", "json"),
    };
    let size = content.len();
    let name = format!("{}-{}.{extension}", file_name(ran.node), draft.name);
    let id = UploadFileId::random();
    let key = format!("upload_files/{}/{}.{extension}", ran.tenant, Uuid::new_v4());
    ctx.storage.save(&key, Bytes::from(content)).await?;
    let now = ctx.now_naive();
    let mut tx = ctx.db.begin().await?;
    let upload = write::NewUpload {
        id,
        tenant: ran.tenant,
        storage_type: &ctx.config.middleware.storage_type.clone(),
        key: &key,
        name: &name,
        size: i32::try_from(size).unwrap_or(i32::MAX),
        extension,
        mime_type,
        by: ran.by,
        now,
    };
    write::insert_upload(&mut tx, &upload).await?;
    let new = NewFile {
        tenant: ran.tenant,
        app: ran.app,
        user: ran.by,
        upload_file: id,
        size: i64::try_from(size).unwrap_or(i64::MAX),
        length,
        value_type: draft.value.kind.as_str(),
        now,
    };
    let file = write::insert_file(&mut tx, new).await?;
    tx.commit().await?;
    Ok(Some(Large { cut, file }))
}

/// The limits of this server.
#[must_use]
pub fn truncator(ctx: &Ctx) -> Truncator {
    let settings = &ctx.config.feature;
    let size = |value: i64| usize::try_from(value).unwrap_or(usize::MAX);
    Truncator {
        max_size: size(settings.workflow_variable_truncation_max_size),
        array_limit: size(settings.workflow_variable_truncation_array_length),
        string_limit: size(settings.workflow_variable_truncation_string_length),
    }
}

/// A node's id without what file systems do not take.
fn file_name(node: &str) -> String {
    let bad = |c: char| c.is_control() || "<>:\"/\\|?*".contains(c);
    node.chars().map(|c| if bad(c) { '_' } else { c }).collect()
}

async fn write_all(
    ctx: &Ctx,
    ran: &Ran<'_>,
    drafts: Vec<(Draft, Option<Large>)>,
) -> Result<(), WorkflowError> {
    let now = ctx.now_naive();
    let mut tx = ctx.db.begin().await?;
    let before = workflow_draft_variable::list_of_node(&mut tx, ran.app, ran.by, ran.node).await?;
    let old: Vec<Uuid> = before.into_iter().filter_map(|variable| variable.file_id).collect();
    for (draft, large) in &drafts {
        let value = large.as_ref().map_or(&draft.value, |large| &large.cut);
        let selector = types::pyjson::dumps(&[draft.node.as_str(), draft.name.as_str()])?;
        let new = NewVariable {
            id: Uuid::new_v4(),
            app: ran.app,
            user: ran.by,
            node: &draft.node,
            name: &draft.name,
            description: "",
            selector: &selector,
            value_type: value.kind.as_str(),
            value: &super::stored(&value.value)?,
            visible: draft.visible,
            editable: draft.editable && large.is_none(),
            node_execution: draft.execution,
            file: large.as_ref().map(|large| large.file),
            is_default_value: false,
            now,
        };
        write::upsert(&mut tx, &new).await?;
    }
    // Files of values that were replaced belong to nobody now.
    let dropped = write::delete_files(&mut tx, ran.tenant, ran.app, &old).await?;
    tx.commit().await?;
    super::drop_objects(ctx, dropped).await;
    Ok(())
}
