//! Files of nodes: uploads, what tools made, files elsewhere.

use async_trait::async_trait;
use base64::Engine as _;
use bytes::Bytes;
use graph::{File, FileType, RunInfo, TransferMethod};
use model_runtime::{ContentPart, ImageDetail, Media};
use nodes::{Files, NewFile, PortError};
use services_core::{Ctx, Fault};
use services_platform::{links, tool_file};
use types::{TenantId, ToolFileId, UploadFileId};

use crate::run::files::of_tool;

/// Longest file that is fetched from elsewhere, in bytes.
const LARGEST_REMOTE: usize = 100 * 1024 * 1024;

/// Files in the object storage and behind URLs.
pub(super) struct Stored(pub(super) Ctx);

#[async_trait]
impl Files for Stored {
    async fn part(
        &self,
        tenant: TenantId,
        file: &File,
        detail: ImageDetail,
    ) -> Result<ContentPart, PortError> {
        if file.r#type == FileType::Custom {
            let name = file.filename.as_deref().unwrap_or("None");
            return Ok(ContentPart::text(format!("[Unsupported file type: {name} (custom)]")));
        }
        let Some(extension) = &file.extension else {
            return Err(failed("Missing file extension"));
        };
        let mut media = Media {
            format: extension.trim_start_matches('.').to_owned(),
            mime_type: file.mime_type.clone().unwrap_or_default(),
            filename: file.filename.clone().unwrap_or_default(),
            ..Media::default()
        };
        if self.0.config.feature.multimodal_send_format == "url" {
            media.url = self.url(file)?;
        } else {
            let content = self.read(tenant, file).await?;
            media.base64_data = base64::engine::general_purpose::STANDARD.encode(content);
        }
        Ok(match file.r#type {
            FileType::Image => ContentPart::Image { media, detail },
            FileType::Audio => ContentPart::Audio(media),
            FileType::Video => ContentPart::Video(media),
            FileType::Document | FileType::Custom => ContentPart::Document(media),
        })
    }

    async fn read(&self, tenant: TenantId, file: &File) -> Result<Bytes, PortError> {
        let id = file.related_id.as_deref().unwrap_or_default();
        match file.transfer_method {
            TransferMethod::RemoteUrl => self.fetch(file).await,
            TransferMethod::LocalFile => {
                let id: UploadFileId = id.parse().map_err(|_| missing(file))?;
                let row = {
                    let mut conn = self.0.db.acquire().await.map_err(fault)?;
                    db::upload_file::find(&mut conn, tenant, id).await.map_err(fault)?
                };
                self.load(&row.ok_or_else(|| missing(file))?.key).await
            }
            TransferMethod::ToolFile | TransferMethod::DatasourceFile => {
                let id: ToolFileId = id.parse().map_err(|_| missing(file))?;
                let row = {
                    let mut conn = self.0.db.acquire().await.map_err(fault)?;
                    db::tool_file::find(&mut conn, tenant, id).await.map_err(fault)?
                };
                self.load(&row.ok_or_else(|| missing(file))?.file_key).await
            }
        }
    }

    async fn keep(&self, run: &RunInfo, file: NewFile) -> Result<File, PortError> {
        let new = tool_file::NewFile {
            tenant: run.tenant_id,
            user: run.user_id.parse().map_err(|_| failed("the run has no user"))?,
            conversation: None,
            mime_type: &file.mime_type,
            name: file.name.as_deref(),
            original_url: None,
        };
        let row = tool_file::create(&self.0, new, file.content).await.map_err(fault)?;
        let file = of_tool(run.tenant_id, row);
        let extension = file.extension.clone().unwrap_or_default();
        let kind = crate::run::files::detect(
            &self.0,
            extension.trim_start_matches('.'),
            file.mime_type.as_deref(),
        );
        Ok(File { r#type: kind, ..file })
    }

    async fn of_segment(&self, tenant: TenantId, segment: &str) -> Result<Vec<File>, PortError> {
        let Ok(segment) = segment.parse() else { return Ok(Vec::new()) };
        let mut conn = self.0.db.acquire().await.map_err(fault)?;
        let rows = db::upload_file::of_segment(&mut conn, tenant, segment).await.map_err(fault)?;
        let files = rows.into_iter().map(|row| File {
            id: Some(row.id.to_string()),
            r#type: FileType::Image,
            ..crate::run::files::of_upload(tenant, row)
        });
        Ok(files.collect())
    }
}

impl Stored {
    /// Where providers find a file.
    fn url(&self, file: &File) -> Result<String, PortError> {
        let id = file.related_id.as_deref().unwrap_or_default();
        Ok(match file.transfer_method {
            TransferMethod::RemoteUrl => {
                file.remote_url.clone().ok_or_else(|| failed("Missing file url"))?
            }
            TransferMethod::LocalFile => {
                links::upload(&self.0, id.parse().map_err(|_| missing(file))?)
            }
            TransferMethod::ToolFile | TransferMethod::DatasourceFile => {
                let extension = file.extension.as_deref().unwrap_or(".bin");
                links::tool_file(&self.0, id.parse().map_err(|_| missing(file))?, extension)
            }
        })
    }

    async fn load(&self, key: &str) -> Result<Bytes, PortError> {
        self.0.storage.load(key).await.map_err(fault)
    }

    async fn fetch(&self, file: &File) -> Result<Bytes, PortError> {
        let Some(url) = &file.remote_url else { return Err(failed("Missing file url")) };
        let response = self.0.http.guarded().get(url).follow_redirects(true).send().await;
        let response = response.map_err(|err| failed(&err.to_string()))?;
        if !response.is_success() {
            return Err(failed(&format!("{url} answered {}", response.status())));
        }
        response.bytes(LARGEST_REMOTE).await.map_err(|err| failed(&err.to_string()))
    }
}

fn failed(message: &str) -> PortError {
    PortError::new(message, "ValueError")
}

fn missing(file: &File) -> PortError {
    let id = file.related_id.as_deref().unwrap_or_default();
    failed(&format!("file {id} does not exist"))
}

/// A fault of the ground: logged here, because nodes only tell users that something failed.
fn fault(err: impl Into<Fault>) -> PortError {
    let err: Fault = err.into();
    tracing::error!(
        error = &err as &dyn std::error::Error,
        "a file of a node could not be read or kept"
    );
    failed("the file could not be read or kept")
}
