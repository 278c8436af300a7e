//! Files made by tools and plugins.

use boxed::boxed;
use bytes::Bytes;
use crypto::file_link::{PluginUpload, Presented};
use db::{
    end_user::{EndUser, NewEndUser},
    tool_file::{NewToolFile, ToolFile},
};
use futures::Stream;
use services_core::{Ctx, Fault};
use types::{ConversationId, EndUserId, TenantId};
use uuid::Uuid;

use crate::{
    file::{FileError, kind, receive},
    links,
};

/// The session of plugins that name no user.
const DEFAULT_SESSION: &str = "DEFAULT-USER";

/// What a tool made.
#[derive(Debug, Clone)]
pub struct NewFile<'a> {
    /// The workspace it belongs to.
    pub tenant: TenantId,
    /// The account or end user it was made for.
    pub user: Uuid,
    /// The chat it was made in.
    pub conversation: Option<ConversationId>,
    /// Its media type.
    pub mime_type: &'a str,
    /// Its name; made up without one, and completed with the media type's extension if it has none.
    pub name: Option<&'a str>,
    /// Where the tool got it from.
    pub original_url: Option<&'a str>,
}

/// The extension, with its dot, a tool's file of that media type has.
#[must_use]
pub fn extension(mime_type: &str) -> String {
    kind::extension_of(mime_type).unwrap_or_else(|| ".bin".to_owned())
}

/// Keeps what a tool made.
///
/// # Errors
/// Faults of storage and database.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn create(ctx: &Ctx, new: NewFile<'_>, content: Bytes) -> Result<ToolFile, Fault> {
    let (key, name) = places(&new);
    let size = content.len();
    ctx.storage.save(&key, content).await?;
    insert(ctx, &new, &key, &name, size).await
}

fn places(new: &NewFile<'_>) -> (String, String) {
    let extension = extension(new.mime_type);
    let own = format!("{}{extension}", Uuid::new_v4().simple());
    let key = format!("tools/{}/{own}", new.tenant);
    let name = match new.name {
        Some(name) if name.contains('.') => name.to_owned(),
        Some(name) => format!("{name}{extension}"),
        None => own,
    };
    (key, name)
}

async fn insert(
    ctx: &Ctx,
    new: &NewFile<'_>,
    key: &str,
    name: &str,
    size: usize,
) -> Result<ToolFile, Fault> {
    let row = NewToolFile {
        user: new.user,
        tenant: new.tenant,
        conversation: new.conversation,
        file_key: key,
        mimetype: new.mime_type,
        original_url: new.original_url,
        name,
        size: i32::try_from(size).unwrap_or(i32::MAX),
    };
    let mut conn = ctx.db.acquire().await?;
    Ok(db::tool_file::insert(&mut conn, row).await?)
}

/// Fetches a file from where a tool found it, and keeps it.
///
/// # Errors
/// [`FileError::Remote`], [`FileError::TooLarge`] over the limit of its kind.
#[boxed]
pub async fn create_from_url(
    ctx: &Ctx,
    tenant: TenantId,
    user: Uuid,
    conversation: Option<ConversationId>,
    url: &str,
) -> Result<ToolFile, FileError> {
    let remote = |reason: String| FileError::Remote { url: url.to_owned(), reason };
    let response = ctx
        .http
        .guarded()
        .get(url)
        .follow_redirects(true)
        .send()
        .await
        .map_err(|err| remote(err.to_string()))?;
    if !response.is_success() {
        return Err(remote(response.status().to_string()));
    }
    let path = response.url().path().to_owned();
    let announced = response.header("content-type").unwrap_or_default();
    let announced = announced.split(';').next().unwrap_or_default().trim().to_owned();
    let mime_type = match kind::media_type(path.rsplit('/').next().unwrap_or_default()) {
        Some(known) => known.to_owned(),
        None if announced.is_empty() => "application/octet-stream".to_owned(),
        None => announced,
    };
    let extension = extension(&mime_type);
    let limit = kind::limit(&ctx.config, extension.trim_start_matches('.'));
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let content = response.bytes(limit).await.map_err(|err| match err {
        net::NetError::BodyTooLarge { .. } => FileError::TooLarge,
        err => remote(err.to_string()),
    })?;
    let new = NewFile {
        tenant,
        user,
        conversation,
        mime_type: &mime_type,
        name: None,
        original_url: Some(url),
    };
    Ok(create(ctx, new, content).await?)
}

/// The end user a plugin acts for: by id, or the workspace's unnamed one; made on first sight.
///
/// `user` is not to be trusted and therefore never an account.
///
/// # Errors
/// [`FileError::BadUrl`] saying `user not found` for an id that is none.
#[boxed]
pub async fn plugin_user(
    ctx: &Ctx,
    tenant: TenantId,
    user: Option<&str>,
) -> Result<EndUser, FileError> {
    let session = user.filter(|user| !user.is_empty()).unwrap_or(DEFAULT_SESSION);
    let mut conn = ctx.db.acquire().await?;
    let known = if session == DEFAULT_SESSION {
        db::end_user::find_in_tenant(&mut conn, tenant, session).await?
    } else {
        let id: EndUserId =
            session.parse().map_err(|_| FileError::BadUrl("user not found".to_owned()))?;
        db::end_user::find(&mut conn, tenant, id).await?
    };
    if let Some(known) = known {
        return Ok(known);
    }
    drop(conn);
    let mut tx = ctx.db.begin().await?;
    db::end_user::lock_session(&mut tx, tenant, session).await?;
    if let Some(known) = db::end_user::find_in_tenant(&mut tx, tenant, session).await? {
        return Ok(known);
    }
    let new = NewEndUser {
        tenant,
        app: None,
        kind: "service_api",
        external_user: None,
        is_anonymous: session == DEFAULT_SESSION,
        session,
    };
    let user = db::end_user::insert(&mut tx, new).await?;
    tx.commit().await?;
    Ok(user)
}

/// A file a plugin brings in over a link that was signed for it.
#[derive(Debug, Clone, Copy)]
pub struct PluginFile<'a> {
    /// The workspace the link names.
    pub tenant: TenantId,
    /// The end user the link names.
    pub user: Option<&'a str>,
    /// The file's name.
    pub name: &'a str,
    /// The file's media type.
    pub mime_type: &'a str,
    /// The link's signature.
    pub link: Presented<'a>,
}

/// Takes in what a plugin uploads, up to `PLUGIN_MAX_FILE_SIZE`.
///
/// The signature is checked before anything is stored, and before an end user is made (the reference makes one first).
///
/// # Errors
/// [`FileError::Forbidden`], [`FileError::TooLarge`], [`FileError::Broken`].
#[tracing::instrument(skip_all)]
pub async fn upload_of_plugin<S, E>(
    ctx: &Ctx,
    file: PluginFile<'_>,
    mut body: S,
) -> Result<ToolFile, FileError>
where
    S: Stream<Item = Result<Bytes, E>> + Unpin + Send,
    E: std::error::Error,
{
    if file.name.is_empty() || file.mime_type.is_empty() {
        return Err(FileError::Forbidden);
    }
    let tenant = file.tenant.to_string();
    let now = ctx.now().timestamp();
    let allowed = |user: &str| {
        let upload =
            PluginUpload { filename: file.name, mimetype: file.mime_type, tenant: &tenant, user };
        links::links(ctx).allows_upload(&upload, &file.link, now)
    };
    // The daemon signs for the end user's id; a link that names none is signed for the unnamed one's.
    let user = match file.user.filter(|user| !user.is_empty() && *user != DEFAULT_SESSION) {
        Some(user) if !allowed(user) => return Err(FileError::Forbidden),
        user => plugin_user(ctx, file.tenant, user).await?,
    };
    if !allowed(&user.id.to_string()) && !file.user.is_some_and(allowed) {
        return Err(FileError::Forbidden);
    }

    let new = NewFile {
        tenant: file.tenant,
        user: user.id.0,
        conversation: None,
        mime_type: file.mime_type,
        name: Some(file.name),
        original_url: None,
    };
    let (key, name) = places(&new);
    let limit = u64::try_from(ctx.config.feature.plugin_max_file_size).unwrap_or(0);
    let stored = receive::store(ctx, &key, limit, &mut body).await?;
    let size = usize::try_from(stored.size).unwrap_or(usize::MAX);
    Ok(insert(ctx, &new, &key, &name, size).await?)
}
