//! Taking files in: the bytes go to storage as they arrive, the row follows when the request is known to be right.

use boxed::boxed;
use std::{error::Error, io};

use bytes::Bytes;
use db::upload_file::NewUploadFile;
use futures::{Stream, StreamExt};
use services_core::Ctx;
use sha3::{Digest, Sha3_256};
use types::{TenantId, UploadFileId};
use uuid::Uuid;

use super::{FileError, Owner, UploadFile, kind};
use crate::links;

/// What is known of a file before its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Announced<'a> {
    /// The workspace it will belong to.
    pub tenant: TenantId,
    /// Its name.
    pub name: &'a str,
    /// Its media type.
    pub mime_type: &'a str,
}

/// A file that was read to its end: in storage and without a row, or refused.
///
/// Whoever holds one either [`keep`]s or [`discard`]s it.
#[derive(Debug)]
#[must_use = "the object in storage has no row yet"]
pub struct Received {
    tenant: TenantId,
    name: String,
    mime_type: String,
    extension: String,
    content: Result<Content, FileError>,
}

impl Received {
    /// Whether the client said what kind of file it is.
    #[must_use]
    pub fn has_media_type(&self) -> bool {
        !self.mime_type.is_empty()
    }
}

#[derive(Debug)]
struct Content {
    key: String,
    size: u64,
    hash: String,
}

/// Which kinds of files a place takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Any the operator does not refuse.
    Any,
    /// Documents that can be read as text.
    Documents,
    /// A workspace's logo: SVG or PNG.
    Logo,
}

/// How a received file becomes an uploaded one.
#[derive(Debug, Clone, Copy)]
pub struct Keep<'a> {
    /// Who brought it.
    pub owner: Owner,
    /// What it may be.
    pub wanted: Wanted,
    /// Where it came from; `None` for a signed link to itself.
    pub source_url: Option<&'a str>,
}

/// Reads `body` to its end, into storage as long as the file is acceptable.
///
/// # Errors
/// [`FileError::Broken`] if the body breaks off, and faults of storage. What is wrong with the file itself is told by
/// [`keep`], so that a caller can look at the rest of its request first.
pub async fn receive<S, E>(
    ctx: &Ctx,
    file: Announced<'_>,
    mut body: S,
) -> Result<Received, FileError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Error,
{
    let extension = kind::extension(file.name);
    let content = match acceptable(ctx, file.name, &extension) {
        Ok(()) => {
            let key = object_key(file.tenant, &extension);
            let limit = kind::limit(&ctx.config, &extension);
            match store(ctx, &key, limit, &mut body).await {
                Ok(Stored { size, hash }) => Ok(Content { key, size, hash }),
                Err(FileError::TooLarge) => Err(FileError::TooLarge),
                Err(err) => return Err(err),
            }
        }
        Err(refusal) => Err(refusal),
    };
    if content.is_err() {
        // Read on: most clients take no answer before they have sent everything.
        while let Some(piece) = body.next().await {
            piece.map_err(|_| FileError::Broken)?;
        }
    }
    Ok(Received {
        tenant: file.tenant,
        name: file.name.to_owned(),
        mime_type: file.mime_type.to_owned(),
        extension,
        content,
    })
}

/// Makes a received file an uploaded one.
///
/// # Errors
/// What is wrong with it: [`FileError::NoName`], [`FileError::BadName`], [`FileError::Blocked`], [`FileError::Kind`],
/// [`FileError::TooLarge`].
#[tracing::instrument(skip_all, fields(file.tenant = %received.tenant))]
#[boxed]
pub async fn keep(ctx: &Ctx, received: Received, wish: Keep<'_>) -> Result<UploadFile, FileError> {
    // The order of the checks is the reference's: name, then kind, then size.
    let is_named = !matches!(
        received.content,
        Err(FileError::NoName | FileError::BadName | FileError::Blocked(_))
    );
    let is_wanted = match wish.wanted {
        Wanted::Any => true,
        Wanted::Documents => kind::is_document(&ctx.config, &received.extension),
        Wanted::Logo => matches!(received.extension.as_str(), "svg" | "png"),
    };
    if is_named && !is_wanted {
        discard(ctx, received).await;
        return Err(FileError::Kind);
    }
    let content = received.content?;
    let id = UploadFileId::random();
    let source_url = match wish.source_url {
        Some(url) => url.to_owned(),
        None => links::upload(ctx, id),
    };
    let name = kind::stored_name(&received.name, &received.extension);
    let new = NewUploadFile {
        id,
        tenant: received.tenant,
        storage_type: ctx.config.middleware.storage_type.as_ref(),
        key: &content.key,
        name: &name,
        size: i32::try_from(content.size).unwrap_or(i32::MAX),
        extension: &received.extension,
        mime_type: &received.mime_type,
        created_by_role: wish.owner.role(),
        created_by: wish.owner.id(),
        created_at: ctx.now_naive(),
        used: false,
        hash: Some(&content.hash),
        source_url: &source_url,
    };
    match insert(ctx, new).await {
        Ok(file) => Ok(file),
        Err(err) => {
            drop_object(ctx, &content.key).await;
            Err(err)
        }
    }
}

/// Forgets a received file.
#[boxed]
pub async fn discard(ctx: &Ctx, received: Received) {
    if let Ok(content) = received.content {
        drop_object(ctx, &content.key).await;
    }
}

/// Stores text the server wrote itself (documents made of text, notes) as an uploaded file in use.
///
/// # Errors
/// Faults only.
#[boxed]
pub async fn keep_text(
    ctx: &Ctx,
    tenant: TenantId,
    owner: Owner,
    name: &str,
    text: String,
) -> Result<UploadFile, FileError> {
    let key = object_key(tenant, "txt");
    let name: String = name.chars().take(200).collect();
    // The reference counts characters here; clients show it as bytes.
    let size = i32::try_from(text.len()).unwrap_or(i32::MAX);
    ctx.storage.save(&key, text).await?;
    let new = NewUploadFile {
        id: UploadFileId::random(),
        tenant,
        storage_type: ctx.config.middleware.storage_type.as_ref(),
        key: &key,
        name: &name,
        size,
        extension: "txt",
        mime_type: "text/plain",
        created_by_role: owner.role(),
        created_by: owner.id(),
        created_at: ctx.now_naive(),
        used: true,
        hash: None,
        source_url: "",
    };
    match insert(ctx, new).await {
        Ok(file) => Ok(file),
        Err(err) => {
            drop_object(ctx, &key).await;
            Err(err)
        }
    }
}

async fn insert(ctx: &Ctx, new: NewUploadFile<'_>) -> Result<UploadFile, FileError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::upload_file::insert(&mut conn, new).await?)
}

fn acceptable(ctx: &Ctx, name: &str, extension: &str) -> Result<(), FileError> {
    if name.is_empty() {
        return Err(FileError::NoName);
    }
    if name.contains(['/', '\\']) {
        return Err(FileError::BadName);
    }
    let is_blocked = !extension.is_empty()
        && ctx.config.blocked_extensions().iter().any(|blocked| blocked == extension);
    if is_blocked {
        return Err(FileError::Blocked(extension.to_owned()));
    }
    Ok(())
}

/// Where a new file's bytes go; without an extension the key ends with its dot.
fn object_key(tenant: TenantId, extension: &str) -> String {
    format!("upload_files/{tenant}/{}.{extension}", Uuid::new_v4())
}

/// What became of a stream of bytes in storage.
#[derive(Debug)]
pub(crate) struct Stored {
    /// Bytes.
    pub(crate) size: u64,
    /// SHA3-256, hex.
    pub(crate) hash: String,
}

/// Writes `body` to storage as it comes, at most `limit` bytes of it. Nothing is left there when it does not succeed.
///
/// # Errors
/// [`FileError::TooLarge`], with the rest of the body unread; [`FileError::Broken`]; faults of storage.
pub(crate) async fn store<S, E>(
    ctx: &Ctx,
    key: &str,
    limit: u64,
    body: &mut S,
) -> Result<Stored, FileError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: Error,
{
    let mut hash = Sha3_256::new();
    let mut size = 0_u64;
    let mut fault = None;
    let watched = body.map(|piece| {
        let piece = piece.map_err(|err| {
            tracing::debug!(error = %err, "an upload broke off");
            fault = Some(FileError::Broken);
            io::Error::other("the upload broke off")
        })?;
        size += piece.len() as u64;
        if limit < size {
            fault = Some(FileError::TooLarge);
            return Err(io::Error::other("the upload is too large"));
        }
        hash.update(&piece);
        Ok(piece)
    });
    let saved = ctx.storage.save_stream(key, watched).await;
    match (saved, fault) {
        (Ok(_), _) => Ok(Stored { size, hash: hex::encode(hash.finalize()) }),
        (Err(_), Some(fault)) => Err(fault),
        (Err(err), None) => Err(err.into()),
    }
}

async fn drop_object(ctx: &Ctx, key: &str) {
    if let Err(err) = ctx.storage.delete(key).await {
        tracing::warn!(error = %err, file.key = key, "could not remove an object that has no row");
    }
}
