//! Handing files out.

use boxed::boxed;
use crypto::file_link::Presented;
use services_core::Ctx;
use storage::ByteStream;
use types::{AppId, TenantId, ToolFileId, UploadFileId};

use super::{FileError, UploadFile, kind};
use crate::links;

/// A file on its way out.
pub struct Download {
    /// Its name.
    pub name: String,
    /// Small letters, no dot.
    pub extension: String,
    /// Its media type, as it was stored.
    pub mime_type: Option<String>,
    /// Bytes, if the row knows.
    pub size: Option<u64>,
    /// The bytes.
    pub body: ByteStream,
}

/// The file an `…/file-preview` link opens.
///
/// # Errors
/// [`FileError::BadLink`] for a link that does not hold and for a file that is gone.
#[boxed]
pub async fn by_link(
    ctx: &Ctx,
    id: UploadFileId,
    link: &Presented<'_>,
) -> Result<Download, FileError> {
    if !links::links(ctx).opens_file(id, link, ctx.now().timestamp()) {
        return Err(FileError::BadLink);
    }
    let file = signed(ctx, id).await?;
    open(ctx, file).await
}

/// The image an `…/image-preview` link opens.
///
/// # Errors
/// [`FileError::BadLink`], and [`FileError::Kind`] for other files.
#[boxed]
pub async fn image_by_link(
    ctx: &Ctx,
    id: UploadFileId,
    link: &Presented<'_>,
) -> Result<Download, FileError> {
    if !links::links(ctx).opens_image(id, link, ctx.now().timestamp()) {
        return Err(FileError::BadLink);
    }
    let file = signed(ctx, id).await?;
    if !kind::is_image(&file.extension.to_lowercase()) {
        return Err(FileError::Kind);
    }
    open(ctx, file).await
}

/// The logo a workspace shows on its web apps. It is public.
///
/// # Errors
/// [`FileError::NoLogo`], [`FileError::BadLink`] if the file is gone, [`FileError::Kind`] if it is no image.
#[boxed]
pub async fn web_app_logo(ctx: &Ctx, tenant: TenantId) -> Result<Download, FileError> {
    let mut conn = ctx.db.acquire().await?;
    let tenant = db::tenant::find(&mut conn, tenant).await?.ok_or(FileError::NoLogo)?;
    let id = crate::web_app::logo_of(&tenant).ok_or(FileError::NoLogo)?;
    // Only a file of the workspace itself: its settings name the file by id alone.
    let file = db::upload_file::find(&mut conn, tenant.id, id).await?.ok_or(FileError::BadLink)?;
    drop(conn);
    if !kind::is_image(&file.extension.to_lowercase()) {
        return Err(FileError::Kind);
    }
    open(ctx, file).await
}

/// A file that a message of the app carries.
///
/// # Errors
/// [`FileError::NotInMessages`], [`FileError::NotOfApp`].
#[boxed]
pub async fn of_messages(
    ctx: &Ctx,
    tenant: TenantId,
    app: AppId,
    id: UploadFileId,
) -> Result<Download, FileError> {
    let mut conn = ctx.db.acquire().await?;
    let found = db::upload_file::use_in_messages(&mut conn, tenant, app, id).await?;
    if !found.in_messages {
        return Err(FileError::NotInMessages);
    }
    if !found.in_app {
        return Err(FileError::NotOfApp);
    }
    let file = db::upload_file::find(&mut conn, tenant, id).await?;
    drop(conn);
    open(ctx, file.ok_or(FileError::NotInMessages)?).await
}

/// The tool's file a link opens.
///
/// # Errors
/// [`FileError::Forbidden`], [`FileError::NoToolFile`].
#[boxed]
pub async fn tool_file_by_link(
    ctx: &Ctx,
    id: ToolFileId,
    link: &Presented<'_>,
) -> Result<Download, FileError> {
    if !links::links(ctx).opens_file(id, link, ctx.now().timestamp()) {
        return Err(FileError::Forbidden);
    }
    let mut conn = ctx.db.acquire().await?;
    let file = db::tool_file::find_signed(&mut conn, id).await?.ok_or(FileError::NoToolFile)?;
    drop(conn);
    let body = match ctx.storage.load_stream(&file.file_key).await {
        Ok(body) => body,
        Err(err) if err.is_not_found() => return Err(FileError::NoToolFile),
        Err(err) => return Err(err.into()),
    };
    Ok(Download {
        extension: kind::extension(&file.name),
        name: file.name,
        mime_type: Some(file.mimetype),
        size: u64::try_from(file.size).ok().filter(|size| 0 < *size),
        body,
    })
}

async fn signed(ctx: &Ctx, id: UploadFileId) -> Result<UploadFile, FileError> {
    let mut conn = ctx.db.acquire().await?;
    db::upload_file::find_signed(&mut conn, id).await?.ok_or(FileError::BadLink)
}

async fn open(ctx: &Ctx, file: UploadFile) -> Result<Download, FileError> {
    let body = match ctx.storage.load_stream(&file.key).await {
        Ok(body) => body,
        Err(err) if err.is_not_found() => return Err(FileError::NotFound),
        Err(err) => return Err(err.into()),
    };
    Ok(Download {
        name: file.name,
        extension: file.extension,
        mime_type: file.mime_type,
        size: u64::try_from(file.size).ok().filter(|size| 0 < *size),
        body,
    })
}
