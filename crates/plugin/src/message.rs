//! What tools, agent strategies and datasources send while they work.

use std::collections::HashMap;

use async_stream::try_stream;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use futures::StreamExt;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Map, Value};

use crate::{client::Stream, error::DaemonError};

/// Messages as they come, files put together. Dropping it ends the call.
pub type MessageStream = Stream<ToolMessage>;

/// A message with its details.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolMessage {
    /// What it says.
    pub payload: ToolPayload,
    /// Details, such as `mime_type` and `filename` of files.
    pub meta: Option<Map<String, Value>>,
}

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub enum ToolPayload {
    /// Text.
    Text(String),
    /// Address of a picture to keep.
    Image(String),
    /// Address of something.
    Link(String),
    /// Address of a picture that is kept already.
    ImageLink(String),
    /// Address of a file that is kept already.
    BinaryLink(String),
    /// A file.
    Blob(Bytes),
    /// A piece of a file; streams of this crate put them together.
    BlobChunk(BlobChunk),
    /// An object or list.
    Json {
        /// The value.
        value: Value,
        /// Whether it is left out of the text a model sees.
        suppress_output: bool,
    },
    /// A variable.
    Variable(VariableMessage),
    /// A file named in `meta`.
    File,
    /// Progress of an agent.
    Log(LogMessage),
    /// What was retrieved.
    RetrieverResources {
        /// The sources.
        resources: Vec<Value>,
        /// Their text.
        context: String,
    },
}

/// A piece of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobChunk {
    /// The file it belongs to.
    pub id: String,
    /// Position.
    pub sequence: i64,
    /// Bytes of the whole file, as announced.
    pub total_length: u64,
    /// The bytes.
    pub data: Bytes,
    /// Whether it is the last.
    pub end: bool,
}

/// A variable that a tool sets, or a piece of its text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VariableMessage {
    /// Its name.
    pub variable_name: String,
    /// Its value.
    #[serde(default)]
    pub variable_value: Value,
    /// Whether the value is a piece of a text.
    #[serde(default)]
    pub stream: bool,
}

/// State of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum LogStatus {
    Start,
    Error,
    Success,
}

/// A step of an agent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogMessage {
    /// Its id; later messages with it replace earlier ones.
    pub id: String,
    /// Name to show.
    pub label: String,
    /// The step it is part of.
    #[serde(default)]
    pub parent_id: Option<String>,
    /// What went wrong.
    #[serde(default)]
    pub error: Option<String>,
    /// Its state.
    pub status: LogStatus,
    /// Details.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub data: Map<String, Value>,
    /// Times and costs.
    #[serde(default, deserialize_with = "null_as_empty")]
    pub metadata: Map<String, Value>,
}

fn null_as_empty<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Map<String, Value>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "type", default = "text")]
    kind: String,
    #[serde(default)]
    message: Value,
    #[serde(default)]
    meta: Option<Map<String, Value>>,
}

fn text() -> String {
    "text".to_owned()
}

impl<'de> Deserialize<'de> for ToolMessage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire { kind, message, meta } = Wire::deserialize(deserializer)?;
        let payload = payload(&kind, message).map_err(serde::de::Error::custom)?;
        Ok(Self { payload, meta })
    }
}

fn payload(kind: &str, mut message: Value) -> Result<ToolPayload, String> {
    let text = |message: &Value| {
        let text = message.get("text").and_then(Value::as_str);
        text.map(str::to_owned).ok_or_else(|| format!("a {kind} message without text"))
    };
    let blob = |message: &Value| {
        let text =
            message.get("blob").and_then(Value::as_str).ok_or("a blob message without blob")?;
        // Like the reference, text that is no base64 is the content itself.
        Ok::<_, String>(
            BASE64_STANDARD
                .decode(text)
                .map_or_else(|_| Bytes::copy_from_slice(text.as_bytes()), Bytes::from),
        )
    };
    Ok(match kind {
        "text" => ToolPayload::Text(text(&message)?),
        "image" => ToolPayload::Image(text(&message)?),
        "link" => ToolPayload::Link(text(&message)?),
        "image_link" => ToolPayload::ImageLink(text(&message)?),
        "binary_link" => ToolPayload::BinaryLink(text(&message)?),
        "blob" => ToolPayload::Blob(blob(&message)?),
        "blob_chunk" => ToolPayload::BlobChunk(BlobChunk {
            id: message.get("id").and_then(Value::as_str).unwrap_or_default().to_owned(),
            sequence: message.get("sequence").and_then(Value::as_i64).unwrap_or_default(),
            total_length: message.get("total_length").and_then(Value::as_u64).unwrap_or_default(),
            data: blob(&message)?,
            end: message.get("end").and_then(Value::as_bool).unwrap_or_default(),
        }),
        "json" => {
            let suppress_output =
                message.get("suppress_output").and_then(Value::as_bool).unwrap_or_default();
            let value = message.get_mut("json_object").map(Value::take).unwrap_or(message);
            ToolPayload::Json { value, suppress_output }
        }
        "variable" => {
            let variable: VariableMessage = parsed(message)?;
            if ["json", "text", "files"].contains(&variable.variable_name.as_str()) {
                return Err(format!("The variable name '{}' is reserved.", variable.variable_name));
            }
            if variable.stream && !variable.variable_value.is_string() {
                return Err("When 'stream' is True, 'variable_value' must be a string.".to_owned());
            }
            ToolPayload::Variable(variable)
        }
        "file" => ToolPayload::File,
        "log" => ToolPayload::Log(parsed(message)?),
        "retriever_resources" => ToolPayload::RetrieverResources {
            resources: message
                .get_mut("retriever_resources")
                .and_then(Value::as_array_mut)
                .map(std::mem::take)
                .unwrap_or_default(),
            context: message.get("context").and_then(Value::as_str).unwrap_or_default().to_owned(),
        },
        other => return Err(format!("unknown message type {other}")),
    })
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value) -> Result<T, String> {
    serde_json::from_value(value).map_err(|error| error.to_string())
}

/// Most bytes of one piece of a file.
const MAX_CHUNK: usize = 8192;

/// Puts files together that come in pieces; a file may have `max_file` bytes.
pub(crate) fn merge_blobs(mut messages: MessageStream, max_file: usize) -> MessageStream {
    Box::pin(try_stream! {
        let mut files: HashMap<String, Vec<u8>> = HashMap::new();
        while let Some(message) = messages.next().await {
            let ToolMessage { payload, meta } = message?;
            let chunk = match payload {
                ToolPayload::BlobChunk(chunk) => chunk,
                payload => {
                    yield ToolMessage { payload, meta };
                    continue;
                }
            };
            // All files under way together count: what is announced is not believed.
            let open: usize = files.values().map(Vec::len).sum();
            if max_file < open + chunk.data.len() {
                Err(DaemonError::Value(format!(
                    "File is too large which reached the limit of {}MB", megabytes(max_file)
                )))?;
            }
            if MAX_CHUNK < chunk.data.len() {
                Err(DaemonError::Value("File chunk is too large which reached the limit of 8.0KB".to_owned()))?;
            }
            let file = files.entry(chunk.id.clone()).or_default();
            file.extend_from_slice(&chunk.data);
            if chunk.end {
                let data = files.remove(&chunk.id).unwrap_or_default();
                yield ToolMessage { payload: ToolPayload::Blob(data.into()), meta };
            }
        }
    })
}

/// As Python prints the quotient: `50.0`.
fn megabytes(bytes: usize) -> String {
    #[allow(clippy::cast_precision_loss, reason = "sizes are far below 2^52")]
    let size = bytes as f64 / 1024.0 / 1024.0;
    format!("{size:?}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(value: Value) -> Result<ToolMessage, String> {
        serde_json::from_value(value).map_err(|error: serde_json::Error| error.to_string())
    }

    #[test]
    fn messages_are_read_by_their_type() {
        let text = read(json!({"type": "text", "message": {"text": "hi"}, "meta": {}})).unwrap();
        assert_eq!(text.payload, ToolPayload::Text("hi".into()));
        for object in [json!({"json_object": [1]}), json!([1])] {
            let value = read(json!({"type": "json", "message": object})).unwrap().payload;
            assert_eq!(value, ToolPayload::Json { value: json!([1]), suppress_output: false });
        }
        let blob = read(json!({"type": "blob", "message": {"blob": "aGk="}})).unwrap();
        assert_eq!(blob.payload, ToolPayload::Blob(Bytes::from_static(b"hi")));
        let log = json!({"type": "log", "message": {"id": "1", "label": "l", "status": "start", "data": {}, "metadata": null}});
        assert!(matches!(read(log).unwrap().payload, ToolPayload::Log(_)));
        let reserved =
            json!({"type": "variable", "message": {"variable_name": "text", "variable_value": 1}});
        assert_eq!(read(reserved).unwrap_err(), "The variable name 'text' is reserved.");
        assert!(read(json!({"type": "other", "message": {}})).is_err());
    }

    fn chunk(id: &str, size: usize, end: bool) -> Result<ToolMessage, DaemonError> {
        let data = Bytes::from(vec![b'x'; size]);
        let payload = ToolPayload::BlobChunk(BlobChunk {
            id: id.into(),
            sequence: 0,
            total_length: 1 << 60,
            data,
            end,
        });
        Ok(ToolMessage { payload, meta: None })
    }

    async fn merged(
        messages: Vec<Result<ToolMessage, DaemonError>>,
        most: usize,
    ) -> Result<Vec<usize>, String> {
        let mut stream = merge_blobs(Box::pin(futures::stream::iter(messages)), most);
        let mut sizes = Vec::new();
        while let Some(message) = stream.next().await {
            match message.map_err(|error| error.to_string())?.payload {
                ToolPayload::Blob(data) => sizes.push(data.len()),
                _ => sizes.push(0),
            }
        }
        Ok(sizes)
    }

    #[tokio::test]
    async fn files_in_pieces_are_put_together() {
        let text = Ok(ToolMessage { payload: ToolPayload::Text("t".into()), meta: None });
        let messages = vec![
            chunk("a", 8, false),
            chunk("b", 1, false),
            text,
            chunk("a", 2, true),
            chunk("b", 1, true),
        ];
        assert_eq!(merged(messages, 100).await, Ok(vec![0, 10, 2]));
    }

    #[tokio::test]
    async fn large_files_and_pieces_are_refused() {
        let most = 3 << 19;
        let pieces = (0..200).map(|_| chunk("a", 8192, false)).collect();
        assert_eq!(
            merged(pieces, most).await,
            Err("File is too large which reached the limit of 1.5MB".to_owned())
        );
        assert_eq!(
            merged(vec![chunk("a", 8193, true)], most).await,
            Err("File chunk is too large which reached the limit of 8.0KB".to_owned())
        );
    }
}
