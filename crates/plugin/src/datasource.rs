//! Datasources of plugins.

use boxed::boxed;
use model_runtime::ProviderId;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use types::TenantId;

use crate::{
    client::{Daemon, Dispatch, Stream},
    entity::{
        Datasource, DatasourceProvider, DatasourceProviderDeclaration, DatasourceProviderEntry,
        DatasourceProviderIdentity, I18n, ToolIdentity, or_default,
    },
    error::DaemonError,
    message::{MessageStream, ToolMessage},
    tool::YesNo,
};

/// The id of the source that is no plugin: files people upload.
pub const FILE_PROVIDER: &str = "langgenius/file/file";

/// A call of a source.
#[derive(Debug, Clone, Copy)]
pub struct DatasourceCall<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// The user.
    pub user: &'a str,
    /// The provider.
    pub provider: &'a ProviderId,
    /// The source's name.
    pub datasource: &'a str,
    /// Decrypted credentials.
    pub credentials: &'a Map<String, Value>,
}

/// Progress of a crawl.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WebsiteCrawl {
    /// `processing`, `completed`, …
    #[serde(default)]
    pub status: Option<String>,
    /// Pages found, with the last message.
    #[serde(default)]
    pub web_info_list: Option<Vec<WebPage>>,
    /// Pages to crawl.
    #[serde(default)]
    pub total: Option<i64>,
    /// Pages crawled.
    #[serde(default)]
    pub completed: Option<i64>,
}

/// A page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct WebPage {
    pub source_url: String,
    pub content: String,
    pub title: String,
    pub description: String,
}

/// A workspace of an online document service and its pages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct DocumentWorkspace {
    #[serde(default)]
    pub workspace_id: Option<String>,
    #[serde(default)]
    pub workspace_name: Option<String>,
    #[serde(default)]
    pub workspace_icon: Option<String>,
    pub total: i64,
    #[serde(deserialize_with = "or_default")]
    pub pages: Vec<DocumentPage>,
}

/// A page of an online document service.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct DocumentPage {
    pub page_id: String,
    pub page_name: String,
    #[serde(default)]
    pub page_icon: Option<Map<String, Value>>,
    #[serde(rename = "type")]
    pub kind: String,
    pub last_edited_time: String,
    #[serde(default)]
    pub parent_id: Option<String>,
}

/// The page whose content is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub struct PageRequest {
    pub workspace_id: String,
    pub page_id: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// The folder that is asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct BrowseRequest {
    /// Bucket; none: the buckets themselves.
    #[serde(default)]
    pub bucket: Option<String>,
    /// Folder.
    pub prefix: String,
    /// Most entries.
    #[serde(default = "twenty")]
    pub max_keys: i64,
    /// What the page before said.
    #[serde(default)]
    pub next_page_parameters: Option<Map<String, Value>>,
}

fn twenty() -> i64 {
    20
}

/// Files of a bucket.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DriveBucket {
    /// Bucket.
    #[serde(default)]
    pub bucket: Option<String>,
    /// Files and folders.
    #[serde(deserialize_with = "or_default")]
    pub files: Vec<DriveFile>,
    /// Whether there are more.
    #[serde(default)]
    pub is_truncated: bool,
    /// What to ask the next page with.
    #[serde(default)]
    pub next_page_parameters: Option<Map<String, Value>>,
}

/// A file or folder of a drive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DriveFile {
    /// Id.
    pub id: String,
    /// Name.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// `folder` or `file`.
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Debug, Deserialize)]
struct Answer<T> {
    result: T,
}

impl Daemon {
    /// All installed providers of sources, with names in full.
    ///
    /// # Errors
    /// Those of the daemon.
    #[boxed]
    pub async fn list_datasource_providers(
        &self,
        tenant: TenantId,
    ) -> Result<Vec<DatasourceProvider>, DaemonError> {
        let query = [("page", "1"), ("page_size", "256")];
        let listed: Vec<DatasourceProvider> =
            self.get(tenant, "management/datasources", &query).await?;
        Ok(listed.into_iter().map(named).collect())
    }

    /// A provider of sources, with names in full. [`FILE_PROVIDER`] is known without asking.
    ///
    /// # Errors
    /// When it is not installed.
    #[boxed]
    pub async fn find_datasource_provider(
        &self,
        tenant: TenantId,
        provider: &ProviderId,
    ) -> Result<DatasourceProvider, DaemonError> {
        if provider.to_string() == FILE_PROVIDER {
            return Ok(file_provider());
        }
        let plugin = provider.plugin_id();
        let query = [("provider", provider.provider_name()), ("plugin_id", &plugin)];
        Ok(named(self.get(tenant, "management/datasource", &query).await?))
    }

    /// Whether a provider accepts the credentials.
    ///
    /// # Errors
    /// What the plugin raises.
    #[boxed]
    pub async fn check_datasource_credentials(
        &self,
        tenant: TenantId,
        user: &str,
        provider: &ProviderId,
        credentials: &Map<String, Value>,
    ) -> Result<bool, DaemonError> {
        let data = json!({"provider": provider.provider_name(), "credentials": credentials});
        let plugin = provider.plugin_id();
        let dispatch =
            Dispatch::new(tenant, &plugin, "datasource/validate_credentials", user, data);
        let first: Option<YesNo> = self.first(dispatch).await?;
        Ok(first.is_some_and(|answer| answer.result))
    }

    /// Crawls a website; progress as it comes.
    ///
    /// # Errors
    /// When the daemon is not reached.
    #[boxed]
    pub async fn crawl_website(
        &self,
        call: DatasourceCall<'_>,
        parameters: &Map<String, Value>,
    ) -> Result<Stream<WebsiteCrawl>, DaemonError> {
        self.results(call, "get_website_crawl", "datasource_parameters", json!(parameters)).await
    }

    /// Pages of an online document service.
    ///
    /// # Errors
    /// When the daemon is not reached.
    #[boxed]
    pub async fn list_document_pages(
        &self,
        call: DatasourceCall<'_>,
        parameters: &Map<String, Value>,
    ) -> Result<Stream<Vec<DocumentWorkspace>>, DaemonError> {
        let action = "get_online_document_pages";
        self.results(call, action, "datasource_parameters", json!(parameters)).await
    }

    /// Content of a page, as variables.
    ///
    /// # Errors
    /// When the daemon is not reached.
    #[boxed]
    pub async fn find_document_page(
        &self,
        call: DatasourceCall<'_>,
        page: &PageRequest,
    ) -> Result<MessageStream, DaemonError> {
        self.messages(call, "get_online_document_page_content", "page", json!(page)).await
    }

    /// Files of a folder.
    ///
    /// # Errors
    /// When the daemon is not reached.
    #[boxed]
    pub async fn browse_drive(
        &self,
        call: DatasourceCall<'_>,
        request: &BrowseRequest,
    ) -> Result<Stream<Vec<DriveBucket>>, DaemonError> {
        self.results(call, "online_drive_browse_files", "request", json!(request)).await
    }

    /// A file of a drive, as blobs.
    ///
    /// # Errors
    /// When the daemon is not reached.
    #[boxed]
    pub async fn download_from_drive(
        &self,
        call: DatasourceCall<'_>,
        file: &str,
        bucket: Option<&str>,
    ) -> Result<MessageStream, DaemonError> {
        let request = json!({"id": file, "bucket": bucket.unwrap_or_default()});
        self.messages(call, "online_drive_download_file", "request", request).await
    }

    async fn results<T: serde::de::DeserializeOwned + Send + 'static>(
        &self,
        call: DatasourceCall<'_>,
        action: &str,
        key: &str,
        value: Value,
    ) -> Result<Stream<T>, DaemonError> {
        use futures::StreamExt;
        let plugin = call.provider.plugin_id();
        let action = format!("datasource/{action}");
        let stream = self.stream::<Answer<T>>(call.dispatch(&plugin, &action, key, value)).await?;
        Ok(Box::pin(stream.map(|next| next.map(|message| message.result))))
    }

    async fn messages(
        &self,
        call: DatasourceCall<'_>,
        action: &str,
        key: &str,
        value: Value,
    ) -> Result<MessageStream, DaemonError> {
        let plugin = call.provider.plugin_id();
        let action = format!("datasource/{action}");
        let stream =
            self.stream::<ToolMessage>(call.dispatch(&plugin, &action, key, value)).await?;
        Ok(crate::message::merge_blobs(stream, self.options().max_file_size))
    }
}

impl DatasourceCall<'_> {
    fn dispatch<'a>(
        &self,
        plugin: &'a str,
        action: &'a str,
        key: &str,
        value: Value,
    ) -> Dispatch<'a> {
        let mut data = json!({
            "provider": self.provider.provider_name(), "datasource": self.datasource,
            "credentials": self.credentials,
        });
        if let Some(data) = data.as_object_mut() {
            data.insert(key.to_owned(), value);
        }
        Dispatch::new(self.tenant, plugin, action, self.user, data)
    }
}

fn named(mut provider: DatasourceProvider) -> DatasourceProvider {
    let identity = &mut provider.declaration.entry.identity;
    identity.name = format!("{}/{}", provider.plugin_id, identity.name);
    for datasource in &mut provider.declaration.datasources {
        datasource.identity.provider.clone_from(&identity.name);
    }
    provider
}

/// The source that is no plugin. Lists of sources begin with it, under its name in full.
#[must_use]
pub fn file_provider() -> DatasourceProvider {
    let file = I18n::same("File");
    DatasourceProvider {
        provider: "file".to_owned(),
        plugin_unique_identifier: "langgenius/file:0.0.1@dify".to_owned(),
        plugin_id: "langgenius/file".to_owned(),
        is_authorized: false,
        declaration: DatasourceProviderDeclaration {
            entry: DatasourceProviderEntry {
                identity: DatasourceProviderIdentity {
                    author: "langgenius".to_owned(),
                    name: "file".to_owned(),
                    description: file.clone(),
                    icon: "https://assets.dify.ai/images/File%20Upload.svg".to_owned(),
                    label: file.clone(),
                    tags: Some(Vec::new()),
                },
                credentials_schema: Vec::new(),
                oauth_schema: None,
                provider_type: "local_file".to_owned(),
            },
            datasources: vec![Datasource {
                identity: ToolIdentity {
                    author: "langgenius".to_owned(),
                    name: "upload-file".to_owned(),
                    label: file.clone(),
                    provider: "file".to_owned(),
                    icon: None,
                },
                parameters: Vec::new(),
                description: file,
                output_schema: None,
            }],
        },
    }
}

/// [`file_provider`] as lists have it.
#[must_use]
pub fn listed_file_provider() -> DatasourceProvider {
    named(file_provider())
}
