//! Variables of a draft for a run: whole values, whatever was cut for the editor.

use boxed::boxed;
use db::{
    app::App,
    workflow_draft_variable::{self, DraftVariable},
};
use graph::{Segment, SegmentType, Value};
use services_core::Ctx;
use types::AccountId;

use crate::WorkflowError;

/// A variable that debugging left behind.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    /// The node, `conversation` or `sys`.
    pub node: String,
    /// Its name.
    pub name: String,
    /// Its whole value.
    pub value: Segment,
}

/// Those of the variables `selectors` name (node and name; further parts do not count) that debugging left behind.
///
/// # Errors
/// Faults of database and storage.
#[boxed]
pub async fn selected(
    ctx: &Ctx,
    app: &App,
    by: AccountId,
    selectors: &[Vec<String>],
) -> Result<Vec<Loaded>, WorkflowError> {
    let (mut nodes, mut names) = (Vec::new(), Vec::new());
    for selector in selectors {
        if let [node, name, ..] = selector.as_slice() {
            nodes.push(node.clone());
            names.push(name.clone());
        }
    }
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let rows = {
        let mut conn = ctx.db.acquire().await?;
        workflow_draft_variable::find_selected(&mut conn, app.id, by, &nodes, &names).await?
    };
    let mut loaded = Vec::with_capacity(rows.len());
    for row in rows {
        let value = whole(ctx, &row).await?;
        loaded.push(Loaded { node: row.node_id, name: row.name, value });
    }
    Ok(loaded)
}

async fn whole(ctx: &Ctx, row: &DraftVariable) -> Result<Segment, WorkflowError> {
    let Some(key) = &row.file_key else { return Ok(shown(row)) };
    let content = ctx.storage.load(key).await?;
    let kind: SegmentType = row
        .file_value_type
        .as_deref()
        .and_then(|kind| kind.parse().ok())
        .unwrap_or(SegmentType::String);
    if kind == SegmentType::String {
        let text = String::from_utf8_lossy(&content).into_owned();
        return Ok(Segment::new(kind, Value::from(text)));
    }
    Ok(Segment::new(kind, Value::from_stored(serde_json::from_slice(&content)?)))
}

/// The value as the row has it, cut or not.
#[must_use]
pub fn shown(row: &DraftVariable) -> Segment {
    let json = serde_json::from_str(&row.value).unwrap_or_default();
    let value = Value::from_stored(json);
    let kind = row.value_type.parse().unwrap_or_else(|_| SegmentType::infer(&value));
    Segment::new(kind, value)
}
