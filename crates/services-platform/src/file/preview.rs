//! The beginning of a document as text.

use boxed::boxed;
use services_core::{Ctx, Fault};
use types::{TenantId, UploadFileId};

use super::{FileError, kind, text};

/// Characters a preview has at the most.
const LENGTH: usize = 3000;

/// The first [`LENGTH`] characters of a document's text.
///
/// # Errors
/// [`FileError::NotFound`], [`FileError::NoPreview`] for files that are no documents or hold no text that can be read.
#[tracing::instrument(skip_all, fields(file.id = %id))]
#[boxed]
pub async fn beginning(ctx: &Ctx, tenant: TenantId, id: UploadFileId) -> Result<String, FileError> {
    let mut conn = ctx.db.acquire().await?;
    let file = db::upload_file::find(&mut conn, tenant, id).await?.ok_or(FileError::NotFound)?;
    drop(conn);
    let extension = file.extension.to_lowercase();
    if !kind::is_document(&ctx.config, &extension) {
        return Err(FileError::NoPreview);
    }
    let bytes = match ctx.storage.load(&file.key).await {
        Ok(bytes) => bytes,
        Err(err) if err.is_not_found() => return Err(FileError::NotFound),
        Err(err) => return Err(err.into()),
    };
    tokio::task::spawn_blocking(move || text::of(&bytes, &extension))
        .await
        .map_err(|err| Fault::caused("reading a document was cut short", err))?
        .map(|text| text.chars().take(LENGTH).collect())
        .ok_or(FileError::NoPreview)
}
