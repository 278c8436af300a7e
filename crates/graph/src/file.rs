//! Files as workflow values. The bytes are elsewhere: a file names an upload, a tool file or a URL.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use crate::value::Value;

/// The mark of a file in stored JSON (`dify_model_identity`).
pub const FILE_IDENTITY: &str = "__dify__file__";

/// What kind of content a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FileType {
    /// A picture.
    Image,
    /// A text or office document.
    Document,
    /// Sound.
    Audio,
    /// Moving pictures.
    Video,
    /// Anything else.
    Custom,
}

impl FileType {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Document => "document",
            Self::Audio => "audio",
            Self::Video => "video",
            Self::Custom => "custom",
        }
    }
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransferMethod {
    /// Behind [`File::remote_url`].
    RemoteUrl,
    /// An upload; [`File::related_id`] is its id.
    LocalFile,
    /// Made by a tool; [`File::related_id`] is the tool file's id.
    ToolFile,
    /// Fetched by a datasource; [`File::related_id`] is its id.
    DatasourceFile,
}

impl TransferMethod {
    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::RemoteUrl => "remote_url",
            Self::LocalFile => "local_file",
            Self::ToolFile => "tool_file",
            Self::DatasourceFile => "datasource_file",
        }
    }
}

/// A file value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Id of the message file, if the file belongs to a message.
    #[serde(default)]
    pub id: Option<String>,
    /// The workspace.
    #[serde(default)]
    pub tenant_id: String,
    /// What kind of content.
    pub r#type: FileType,
    /// Where the bytes are.
    pub transfer_method: TransferMethod,
    /// URL of the bytes of a remote file.
    #[serde(default)]
    pub remote_url: Option<String>,
    /// Id of the upload, tool file or datasource file.
    #[serde(default)]
    pub related_id: Option<String>,
    /// The name shown to users.
    #[serde(default)]
    pub filename: Option<String>,
    /// With its dot.
    #[serde(default)]
    pub extension: Option<String>,
    /// The media type.
    #[serde(default)]
    pub mime_type: Option<String>,
    /// In bytes; -1 when not known.
    #[serde(default = "unknown_size")]
    pub size: i64,
}

fn unknown_size() -> i64 {
    -1
}

impl File {
    /// The file of stored JSON, if the JSON is marked as one and complete.
    #[must_use]
    pub fn from_json(json: &Map<String, Json>) -> Option<Self> {
        if json.get("dify_model_identity").and_then(Json::as_str) != Some(FILE_IDENTITY) {
            return None;
        }
        serde_json::from_value(Json::Object(json.clone())).ok()
    }

    /// The file's JSON without `url`.
    #[must_use]
    pub fn stored_json(&self) -> Map<String, Json> {
        let text = |text: &Option<String>| text.clone().map_or(Json::Null, Json::String);
        let mut json = Map::with_capacity(12);
        json.insert("dify_model_identity".to_owned(), Json::from(FILE_IDENTITY));
        json.insert("id".to_owned(), text(&self.id));
        json.insert("tenant_id".to_owned(), Json::from(self.tenant_id.as_str()));
        json.insert("type".to_owned(), Json::from(self.r#type.as_str()));
        json.insert("transfer_method".to_owned(), Json::from(self.transfer_method.as_str()));
        json.insert("remote_url".to_owned(), text(&self.remote_url));
        json.insert("related_id".to_owned(), text(&self.related_id));
        json.insert("filename".to_owned(), text(&self.filename));
        json.insert("extension".to_owned(), text(&self.extension));
        json.insert("mime_type".to_owned(), text(&self.mime_type));
        json.insert("size".to_owned(), Json::from(self.size));
        json
    }

    /// The file's JSON on the wire, with a fresh `url`.
    #[must_use]
    pub fn to_json(&self, urls: &dyn FileUrls) -> Map<String, Json> {
        let mut json = self.stored_json();
        json.insert("url".to_owned(), urls.url(self).map_or(Json::Null, Json::String));
        json
    }

    /// A Markdown link, or an image.
    #[must_use]
    pub fn markdown(&self, urls: &dyn FileUrls) -> String {
        // A file without URL prints as Python's `None`.
        let url = urls.url(self).unwrap_or_else(|| "None".to_owned());
        let name = self.filename.as_deref().unwrap_or_default();
        match self.r#type {
            FileType::Image => format!("![{name}]({url})"),
            _ if name.is_empty() => format!("[{url}]({url})"),
            _ => format!("[{name}]({url})"),
        }
    }

    /// One of the attributes that selectors and conditions may name: `type`, `size`, `name`,
    /// `mime_type`, `transfer_method`, `url`, `extension`, `related_id`. `None` for other names.
    #[must_use]
    pub fn attribute(&self, name: &str, urls: &dyn FileUrls) -> Option<Value> {
        Some(match name {
            "type" => Value::from(self.r#type.as_str()),
            "size" => Value::Int(self.size),
            "name" => Value::from(self.filename.clone()),
            "mime_type" => Value::from(self.mime_type.clone()),
            "transfer_method" => Value::from(self.transfer_method.as_str()),
            "url" => Value::from(urls.url(self)),
            "extension" => Value::from(self.extension.clone()),
            "related_id" => Value::from(self.related_id.clone()),
            _ => return None,
        })
    }
}

/// Makes the URLs under which clients fetch files. URLs are signed and expire, so they are made
/// when a value is printed, not when the file is.
pub trait FileUrls: Send + Sync {
    /// The URL of `file` for clients outside.
    fn url(&self, file: &File) -> Option<String>;
}

/// Knows only the URLs of remote files.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoUrls;

impl FileUrls for NoUrls {
    fn url(&self, file: &File) -> Option<String> {
        file.remote_url.clone()
    }
}
