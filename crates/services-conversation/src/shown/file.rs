//! Files of messages, as clients see them.

use db::message_list::FileRow;
use serde_json::{Value, json};
use services_core::Ctx;
use services_platform::{links, tool_file};
use types::{ToolFileId, UploadFileId};
use uuid::Uuid;

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownFile {
    /// The row.
    pub id: Uuid,
    /// Name of the file.
    pub filename: String,
    /// `image`, `document` …
    pub kind: String,
    /// Where it can be read for a while.
    pub url: Option<String>,
    /// Media type.
    pub mime_type: Option<String>,
    /// Bytes; −1 when nobody knows.
    pub size: i64,
    /// `local_file`, `remote_url`, `tool_file`.
    pub transfer_method: String,
    /// `user` or `assistant`.
    pub belongs_to: String,
    /// The uploaded file.
    pub upload_file_id: Option<Uuid>,
}

pub(super) fn of(ctx: &Ctx, row: FileRow) -> ShownFile {
    let tool_file = row.transfer_method == "tool_file";
    // Old rows name a tool's file by its path alone.
    let id = row.upload_file_id.or_else(|| {
        let path = row.url.as_deref().filter(|_| tool_file)?;
        path.rsplit('/').next()?.split('.').next()?.parse().ok()
    });
    let url = match id {
        Some(id) if tool_file => Some(links::tool_file(ctx, ToolFileId(id), &extension(&row))),
        Some(id) => Some(links::upload(ctx, UploadFileId(id))),
        None => row.url.clone(),
    };
    let named_by_url = || {
        let path = row.url.as_deref()?.split(['?', '#']).next()?;
        path.rsplit('/').next().filter(|name| !name.is_empty()).map(str::to_owned)
    };
    ShownFile {
        id: row.id,
        filename: row.name.clone().or_else(named_by_url).unwrap_or_default(),
        url,
        mime_type: row.mime_type,
        size: row.size.map_or(-1, i64::from),
        belongs_to: row.belongs_to.unwrap_or_else(|| "user".to_owned()),
        upload_file_id: row.upload_file_id,
        kind: row.r#type,
        transfer_method: row.transfer_method,
    }
}

fn extension(row: &FileRow) -> String {
    let of_path = row.url.as_deref().and_then(|url| url.rsplit_once('.')).map(|(_, end)| end);
    match of_path.filter(|end| !end.is_empty() && end.chars().all(char::is_alphanumeric)) {
        Some(end) => format!(".{end}"),
        None => tool_file::extension(row.mime_type.as_deref().unwrap_or_default()),
    }
}

/// Links of files among the values of a form are signed anew.
pub(super) fn sign_inputs(ctx: &Ctx, inputs: Value) -> Value {
    match inputs {
        Value::Object(fields) => {
            fields.into_iter().map(|(name, value)| (name, sign_value(ctx, value))).collect()
        }
        other => other,
    }
}

fn sign_value(ctx: &Ctx, value: Value) -> Value {
    match value {
        Value::Array(list) => list.into_iter().map(|item| sign_value(ctx, item)).collect(),
        Value::Object(mut file)
            if file.get("dify_model_identity").and_then(Value::as_str)
                == Some("__dify__file__") =>
        {
            let related = file.get("related_id").and_then(Value::as_str);
            let id: Option<Uuid> = related.and_then(|id| id.parse().ok());
            let url = match (id, file.get("transfer_method").and_then(Value::as_str)) {
                (Some(id), Some("tool_file")) => {
                    let end = file.get("extension").and_then(Value::as_str).unwrap_or(".bin");
                    Some(links::tool_file(ctx, ToolFileId(id), end))
                }
                (Some(id), Some("local_file" | "remote_url")) => {
                    Some(links::upload(ctx, UploadFileId(id)))
                }
                _ => None,
            };
            if let Some(url) = url {
                file.insert("url".to_owned(), json!(url));
            }
            Value::Object(file)
        }
        other => other,
    }
}
