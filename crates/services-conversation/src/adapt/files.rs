//! Files in prompts, and pictures models make.

use app_engine::{
    RunError,
    event::MessageFile as Shown,
    ports::{FileStore, KeptFile, MadeFile, RunContext},
};
use async_trait::async_trait;
use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use db::message_file::MessageFile;
use graph::{File, FileType, TransferMethod};
use model_runtime::{ContentPart, ImageDetail, Media};
use services_core::{Ctx, Fault};
use services_platform::{file::kind, links, tool_file};
use types::{TenantId, ToolFileId, UploadFileId};
use uuid::Uuid;

use crate::file;

/// Most bytes of a file behind a user's URL.
const LARGEST: usize = 100 << 20;

pub(super) struct Files(pub Ctx);

#[async_trait]
impl FileStore for Files {
    async fn part(
        &self,
        tenant: TenantId,
        file: &File,
        detail: ImageDetail,
    ) -> Result<ContentPart, RunError> {
        let wrap: fn(Media, ImageDetail) -> ContentPart = match file.r#type {
            FileType::Image => |media, detail| ContentPart::Image { media, detail },
            FileType::Audio => |media, _| ContentPart::Audio(media),
            FileType::Video => |media, _| ContentPart::Video(media),
            FileType::Document => |media, _| ContentPart::Document(media),
            FileType::Custom => {
                let name = file.filename.as_deref().unwrap_or_default();
                return Ok(ContentPart::text(format!("[Unsupported file type: {name} (custom)]")));
            }
        };
        let mut media = Media {
            format: file
                .extension
                .as_deref()
                .unwrap_or_default()
                .trim_start_matches('.')
                .to_owned(),
            mime_type: file.mime_type.clone().unwrap_or_default(),
            filename: file.filename.clone().unwrap_or_default(),
            ..Media::default()
        };
        if self.0.config.feature.multimodal_send_format == "url" {
            media.url =
                self.url(file).ok_or_else(|| RunError::invalid_param("Missing file url"))?;
        } else {
            let content = self.content(tenant, file).await.map_err(|err| {
                tracing::warn!(
                    error = &err as &dyn std::error::Error,
                    "a file of a prompt cannot be read"
                );
                let name = file.filename.as_deref().unwrap_or_default();
                RunError::invalid_param(format!("File {name} cannot be read"))
            })?;
            media.base64_data = BASE64_STANDARD.encode(&content);
        }
        Ok(wrap(media, detail))
    }

    async fn keep(&self, run: &RunContext, part: &ContentPart) -> Option<KeptFile> {
        match self.keep_picture(run, part.media()?).await {
            Ok(kept) => Some(kept),
            Err(err) => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    "a picture a model made is lost"
                );
                None
            }
        }
    }

    async fn attach(&self, run: &RunContext, made: &MadeFile) -> Option<KeptFile> {
        match self.keep_row(run, made).await {
            Ok(kept) => Some(kept),
            Err(err) => {
                tracing::error!(
                    error = &err as &dyn std::error::Error,
                    "a picture a tool made is not shown"
                );
                None
            }
        }
    }
}

impl Files {
    fn url(&self, file: &File) -> Option<String> {
        let related = file.related_id.as_deref().and_then(|id| id.parse::<Uuid>().ok());
        match file.transfer_method {
            TransferMethod::RemoteUrl => file.remote_url.clone(),
            TransferMethod::LocalFile => Some(links::upload(&self.0, UploadFileId(related?))),
            TransferMethod::ToolFile => {
                let extension = file.extension.as_deref().unwrap_or(".bin");
                Some(links::tool_file(&self.0, ToolFileId(related?), extension))
            }
            TransferMethod::DatasourceFile => None,
        }
    }

    async fn content(&self, tenant: TenantId, file: &File) -> Result<Bytes, Fault> {
        let ctx = &self.0;
        let related = file.related_id.as_deref().and_then(|id| id.parse::<Uuid>().ok());
        let key = match (file.transfer_method, related) {
            (TransferMethod::LocalFile | TransferMethod::RemoteUrl, Some(id)) => {
                let mut conn = ctx.db.acquire().await?;
                let row = db::upload_file::find(&mut conn, tenant, UploadFileId(id)).await?;
                row.map(|row| row.key)
            }
            (TransferMethod::ToolFile, Some(id)) => {
                let mut conn = ctx.db.acquire().await?;
                let row = db::tool_file::find(&mut conn, tenant, ToolFileId(id)).await?;
                row.map(|row| row.file_key)
            }
            (TransferMethod::RemoteUrl, None) => {
                return fetch(ctx, file.remote_url.as_deref().unwrap_or_default()).await;
            }
            _ => None,
        };
        let key = key.ok_or_else(|| Fault::Other("the file is gone".to_owned()))?;
        Ok(ctx.storage.load(&key).await?)
    }

    async fn keep_picture(&self, run: &RunContext, media: &Media) -> Result<KeptFile, Fault> {
        let ctx = &self.0;
        let content = if media.url.is_empty() {
            let data = media.base64_data.as_str();
            let data = data
                .split_once(',')
                .filter(|_| data.starts_with("data:"))
                .map_or(data, |(_, data)| data);
            let content = BASE64_STANDARD.decode(data);
            content.map(Bytes::from).map_err(|err| Fault::caused("a picture is not base64", err))?
        } else {
            fetch(ctx, &media.url).await?
        };
        let mime_type =
            if media.mime_type.is_empty() { "image/png" } else { media.mime_type.as_str() };
        let extension = kind::extension_of(mime_type).unwrap_or_else(|| ".png".to_owned());
        let new = tool_file::NewFile {
            tenant: run.tenant,
            user: run.user.id(),
            conversation: None,
            mime_type,
            name: Some("generated_image"),
            original_url: Some(media.url.as_str()).filter(|url| !url.is_empty()),
        };
        let made = tool_file::create(ctx, new, content).await?;
        let path = format!("/files/tools/{}{extension}", made.id);
        self.keep_row(run, &MadeFile { id: made.id, path }).await
    }

    /// Adds the row of a picture that was made for the message.
    async fn keep_row(&self, run: &RunContext, made: &MadeFile) -> Result<KeptFile, Fault> {
        let ctx = &self.0;
        let extension = file::link_extension(&made.path);
        let row = MessageFile {
            id: Uuid::now_v7(),
            message_id: run.message,
            r#type: "image".to_owned(),
            transfer_method: "tool_file".to_owned(),
            url: Some(made.path.clone()),
            upload_file_id: Some(made.id.0),
            belongs_to: Some("assistant".to_owned()),
            created_by_role: run.user.role().to_owned(),
            created_by: run.user.id(),
            created_at: ctx.now_naive(),
        };
        let mut conn = ctx.db.acquire().await?;
        db::message_file::insert_all(&mut conn, std::slice::from_ref(&row)).await?;
        drop(conn);
        Ok(KeptFile {
            event: Shown {
                id: row.id.to_string(),
                r#type: row.r#type.clone(),
                belongs_to: "assistant".to_owned(),
                url: links::tool_file(ctx, made.id, &extension),
            },
            listed: file::listed(ctx, &row, None),
        })
    }
}

async fn fetch(ctx: &Ctx, url: &str) -> Result<Bytes, Fault> {
    let fetched = ctx.http.guarded().get(url).follow_redirects(true).send().await;
    let response = fetched.map_err(|err| Fault::caused("a file cannot be fetched", err))?;
    if !response.is_success() {
        return Err(Fault::Other(format!("a file cannot be fetched: {}", response.status())));
    }
    response.bytes(LARGEST).await.map_err(|err| Fault::caused("a file cannot be fetched", err))
}
