//! What tools say, with the files they make kept.

use boxed::boxed;
use bytes::Bytes;
use db::tool_file::ToolFile;
use graph::{File, TransferMethod};
use plugin::{ToolMessage, ToolPayload};
use serde_json::{Map, Value};
use services_core::Fault;
use services_platform::tool_file;
use services_workflow::run::files;
use types::{ConversationId, ToolFileId, pyjson};
use uuid::Uuid;

use super::{Caller, Said};
use crate::builtin::Tools;

/// What a tool says once its files are kept.
#[expect(clippy::large_enum_variant, reason = "a handful to a call")]
#[derive(Debug, Clone, PartialEq)]
pub enum Kept {
    /// A message that is no file.
    Message(ToolMessage),
    /// A file; `path` is its address within the server.
    File {
        /// The file.
        file: Box<File>,
        /// `/files/tools/…`.
        path: String,
        /// Whether it is a picture.
        is_image: bool,
        /// Whether it was there before, so that it is shown as a link rather than as what a tool made.
        is_link: bool,
    },
}

impl Tools {
    /// Keeps what is to be kept.
    ///
    /// # Errors
    /// Faults of the ground.
    #[boxed]
    pub async fn keep(&self, caller: &Caller<'_>, said: Said) -> Result<Kept, Fault> {
        let message = match said {
            Said::File(file) => {
                let is_image = file.r#type == graph::FileType::Image;
                let path = address(&file);
                return Ok(Kept::File { path, is_image, is_link: true, file: Box::new(file) });
            }
            Said::Message(message) => message,
        };
        let text = |name: &str| {
            let meta = message.meta.as_ref()?;
            meta.get(name)?.as_str().map(str::to_owned)
        };
        match &message.payload {
            ToolPayload::Blob(data) => {
                let kind = text("mime_type").unwrap_or_else(|| "octet/stream".to_owned());
                self.keep_blob(caller, data.clone(), &kind, text("filename")).await
            }
            ToolPayload::Image(url) => {
                let (user, conversation) = (user(caller), conversation(caller));
                let made =
                    tool_file::create_from_url(&self.ctx, caller.tenant, user, conversation, url);
                match made.await {
                    Ok(row) => Ok(self.kept(caller, row, ".png")),
                    Err(error) => {
                        let told = format!("Failed to download image: {url}: {error}");
                        let payload = ToolPayload::Text(told);
                        Ok(Kept::Message(ToolMessage { payload, meta: message.meta }))
                    }
                }
            }
            ToolPayload::ImageLink(path) | ToolPayload::BinaryLink(path) => {
                match self.known(caller, path).await? {
                    Some(row) => Ok(self.kept(caller, row, ".bin")),
                    None => Ok(Kept::Message(message)),
                }
            }
            _ => Ok(Kept::Message(message)),
        }
    }

    async fn keep_blob(
        &self,
        caller: &Caller<'_>,
        data: Bytes,
        kind: &str,
        name: Option<String>,
    ) -> Result<Kept, Fault> {
        let wish = tool_file::NewFile {
            tenant: caller.tenant,
            user: user(caller),
            conversation: conversation(caller),
            mime_type: kind,
            name: name.as_deref(),
            original_url: None,
        };
        let row = tool_file::create(&self.ctx, wish, data).await?;
        Ok(self.kept(caller, row, ".bin"))
    }

    /// The file of this workspace behind an address within the server.
    async fn known(&self, caller: &Caller<'_>, path: &str) -> Result<Option<ToolFile>, Fault> {
        let last = path.rsplit('/').next().unwrap_or_default();
        let id = last.split(['.', '?']).next().unwrap_or_default();
        let Ok(id) = id.parse::<Uuid>() else { return Ok(None) };
        let mut conn = self.ctx.db.acquire().await?;
        Ok(db::tool_file::find(&mut conn, caller.tenant, ToolFileId(id)).await?)
    }

    fn kept(&self, caller: &Caller<'_>, row: ToolFile, extension: &str) -> Kept {
        let is_image = row.mimetype.starts_with("image/");
        let known = tool_file::extension(&row.mimetype);
        let extension = if known.is_empty() { extension } else { &known };
        let path = format!("/files/tools/{}{extension}", row.id);
        let file = files::made(&self.ctx, caller.tenant, row);
        Kept::File { file: Box::new(file), path, is_image, is_link: false }
    }
}

/// Where a file is, within the server or elsewhere.
fn address(file: &File) -> String {
    match (file.transfer_method, &file.related_id, &file.remote_url) {
        (TransferMethod::ToolFile, Some(id), _) => {
            let extension = file.extension.as_deref().filter(|it| !it.is_empty()).unwrap_or(".bin");
            format!("/files/tools/{id}{extension}")
        }
        (_, _, url) => url.clone().unwrap_or_default(),
    }
}

fn user(caller: &Caller<'_>) -> Uuid {
    caller.user.parse().unwrap_or_default()
}

fn conversation(caller: &Caller<'_>) -> Option<ConversationId> {
    caller.conversation?.parse().ok().map(ConversationId)
}

/// What models read of what a tool said.
#[must_use]
pub fn for_model(said: &[Kept]) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut values: Vec<String> = Vec::new();
    for it in said {
        match it {
            Kept::File { is_image: true, .. } => texts.push(
                "image has been created and sent to user already, you do not need to create it, just tell the user to \
                 check it now."
                    .to_owned(),
            ),
            Kept::File { path, is_link: true, .. } => {
                texts.push(format!("result link: {path}. please tell user to check it."));
            }
            Kept::File { path, .. } => texts.push(format!("text='{path}'")),
            Kept::Message(message) => match &message.payload {
                ToolPayload::Text(text) => texts.push(text.clone()),
                ToolPayload::Link(link) => {
                    texts.push(format!("result link: {link}. please tell user to check it."));
                }
                ToolPayload::Json { value, suppress_output: false } => {
                    values.push(pyjson::dumps_utf8(value).unwrap_or_default());
                }
                ToolPayload::Variable(variable) => texts.push(format!(
                    "variable_name={} variable_value={} stream={}",
                    graph::Value::from(variable.variable_name.as_str()).py_repr(),
                    graph::Value::from_json(variable.variable_value.clone()).py_repr(),
                    if variable.stream { "True" } else { "False" },
                )),
                _ => {}
            },
        }
    }
    values.retain(|value| !texts.contains(value));
    texts.extend(values);
    texts.concat()
}

/// A message as plugins are told what a tool of another kind said.
#[must_use]
pub fn for_plugin(kept: &Kept) -> Value {
    let object = |kind: &str, message: Value, meta: Option<&Map<String, Value>>| serde_json::json!({"type": kind, "message": message, "meta": meta});
    let text = |text: &str| serde_json::json!({ "text": text });
    match kept {
        Kept::File { path, is_image, is_link, .. } => {
            let kind = match (is_image, is_link) {
                (true, _) => "image_link",
                (false, true) => "link",
                (false, false) => "binary_link",
            };
            object(kind, text(path), None)
        }
        Kept::Message(message) => {
            let meta = message.meta.as_ref();
            match &message.payload {
                ToolPayload::Text(it) => object("text", text(it), meta),
                ToolPayload::Image(it) => object("image", text(it), meta),
                ToolPayload::Link(it) => object("link", text(it), meta),
                ToolPayload::ImageLink(it) => object("image_link", text(it), meta),
                ToolPayload::BinaryLink(it) => object("binary_link", text(it), meta),
                ToolPayload::Json { value, suppress_output } => object(
                    "json",
                    serde_json::json!({"json_object": value, "suppress_output": suppress_output}),
                    meta,
                ),
                ToolPayload::Variable(variable) => {
                    object("variable", serde_json::to_value(variable).unwrap_or_default(), meta)
                }
                ToolPayload::Log(log) => {
                    object("log", serde_json::to_value(log).unwrap_or_default(), meta)
                }
                ToolPayload::RetrieverResources { resources, context } => object(
                    "retriever_resources",
                    serde_json::json!({"retriever_resources": resources, "context": context}),
                    meta,
                ),
                ToolPayload::File | ToolPayload::Blob(_) | ToolPayload::BlobChunk(_) => {
                    object("file", serde_json::json!({"file_marker": "file_marker"}), meta)
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugin::VariableMessage;
    use serde_json::json;

    fn message(payload: ToolPayload) -> Kept {
        Kept::Message(ToolMessage { payload, meta: None })
    }

    #[test]
    fn models_read_texts_then_values() {
        let value = json!({"a": 1});
        let json =
            |value: &Value| ToolPayload::Json { value: value.clone(), suppress_output: false };
        let said = [
            message(json(&value)),
            message(ToolPayload::Text("t".into())),
            message(ToolPayload::Link("http://x".into())),
            message(ToolPayload::Variable(VariableMessage {
                variable_name: "v".into(),
                variable_value: json!([1]),
                stream: false,
            })),
        ];
        assert_eq!(
            for_model(&said),
            "tresult link: http://x. please tell user to check it.variable_name='v' variable_value=[1] \
             stream=False{\"a\": 1}"
        );
        // A value that was told as text already is not told twice.
        let twice = [message(json(&value)), message(ToolPayload::Text("{\"a\": 1}".into()))];
        assert_eq!(for_model(&twice), "{\"a\": 1}");
    }
}
