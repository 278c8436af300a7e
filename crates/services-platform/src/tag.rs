//! Tags of apps and knowledge bases.

use boxed::boxed;
pub use db::tag::CountedTag;
use db::{
    tag::{NewTag, Tag},
    tag_binding::Binding,
};
use services_core::{Ctx, Failure, Fault};
use types::{AccountId, AppId, DatasetId, TagId, TenantId};
use uuid::Uuid;

/// What a tag is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TagKind {
    /// Knowledge bases.
    Knowledge,
    /// Apps.
    App,
}

impl TagKind {
    /// The word in the database and on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Knowledge => "knowledge",
            Self::App => "app",
        }
    }
}

/// Why a tag is not made, changed or put on anything.
#[derive(Debug, thiserror::Error)]
pub enum TagError {
    /// The workspace has a tag of that type and name.
    #[error("Tag name already exists")]
    NameTaken,
    /// A new tag has to say what it is for.
    #[error("Tag type is required")]
    KindMissing,
    /// No such tag in the workspace.
    #[error("Tag not found")]
    NotFound,
    /// No such app in the workspace.
    #[error("App not found")]
    AppNotFound,
    /// No such knowledge base in the workspace.
    #[error("Dataset not found")]
    DatasetNotFound,
    /// The request does not say what the target is.
    #[error("Invalid binding type")]
    NoKind,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for TagError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for TagError {
    fn status(&self) -> u16 {
        match self {
            Self::NameTaken | Self::KindMissing => 400,
            Self::NotFound | Self::AppNotFound | Self::DatasetNotFound | Self::NoKind => 404,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NameTaken | Self::KindMissing => "invalid_param",
            Self::NotFound | Self::AppNotFound | Self::DatasetNotFound | Self::NoKind => {
                "not_found"
            }
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// The workspace's tags of a kind, newest first; with `keyword` those whose name contains it, whatever its case.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(
    ctx: &Ctx,
    tenant: TenantId,
    kind: Option<TagKind>,
    keyword: Option<&str>,
) -> Result<Vec<CountedTag>, TagError> {
    // Without a kind the reference compares with the empty word, which no tag has.
    let Some(kind) = kind else { return Ok(Vec::new()) };
    let pattern = keyword.filter(|keyword| !keyword.is_empty()).map(db::like::containing);
    let mut conn = ctx.db.acquire().await?;
    Ok(db::tag::list(&mut conn, tenant, kind.as_str(), pattern.as_deref()).await?)
}

/// Makes a tag.
///
/// # Errors
/// [`TagError::KindMissing`], [`TagError::NameTaken`].
#[boxed]
pub async fn create(
    ctx: &Ctx,
    tenant: TenantId,
    by: AccountId,
    kind: Option<TagKind>,
    name: &str,
) -> Result<Tag, TagError> {
    let kind = kind.ok_or(TagError::KindMissing)?.as_str();
    let mut tx = ctx.db.begin().await?;
    if db::tag::exists(&mut tx, tenant, kind, name).await? {
        return Err(TagError::NameTaken);
    }
    let tag = db::tag::insert(&mut tx, NewTag { tenant, kind, name, by }).await?;
    tx.commit().await?;
    Ok(tag)
}

/// Renames a tag; answers it with the number of things it is on.
///
/// As in the reference, the name is checked among the tags of the kind the request names, and only then is the tag
/// looked up. A request without a kind is checked against the tag's own, where the reference checks nothing.
///
/// # Errors
/// [`TagError::NameTaken`], [`TagError::NotFound`].
#[boxed]
pub async fn rename(
    ctx: &Ctx,
    tenant: TenantId,
    id: TagId,
    kind: Option<TagKind>,
    name: &str,
) -> Result<CountedTag, TagError> {
    let mut tx = ctx.db.begin().await?;
    let known = db::tag::find(&mut tx, tenant, id).await?;
    let checked = match (kind, &known) {
        (Some(kind), _) => Some(kind.as_str()),
        (None, Some(tag)) if tag.name != name => Some(tag.r#type.as_str()),
        (None, _) => None,
    };
    if let Some(kind) = checked
        && db::tag::exists(&mut tx, tenant, kind, name).await?
    {
        return Err(TagError::NameTaken);
    }
    let tag = known.ok_or(TagError::NotFound)?;
    db::tag::rename(&mut tx, tenant, id, name).await?;
    let binding_count = db::tag_binding::count(&mut tx, tenant, id).await?;
    tx.commit().await?;
    Ok(CountedTag { id, r#type: tag.r#type, name: name.to_owned(), binding_count })
}

/// Removes a tag, off everything it is on.
///
/// # Errors
/// [`TagError::NotFound`].
#[boxed]
pub async fn delete(ctx: &Ctx, tenant: TenantId, id: TagId) -> Result<(), TagError> {
    let mut tx = ctx.db.begin().await?;
    if !db::tag::delete(&mut tx, tenant, id).await? {
        return Err(TagError::NotFound);
    }
    db::tag_binding::delete_of_tag(&mut tx, tenant, id).await?;
    tx.commit().await?;
    Ok(())
}

/// What tags are put on or taken off.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// What the target is.
    pub kind: Option<TagKind>,
    /// The app's or knowledge base's id, as the request has it.
    pub id: &'a str,
}

/// Puts tags on an app or knowledge base. Ids that are no tag of the workspace are left out.
///
/// # Errors
/// [`TagError::AppNotFound`], [`TagError::DatasetNotFound`], [`TagError::NoKind`].
#[boxed]
pub async fn bind(
    ctx: &Ctx,
    target: Target<'_>,
    tags: &[String],
    by: AccountId,
) -> Result<(), TagError> {
    let mut tx = ctx.db.begin().await?;
    let id = check(&mut tx, target).await?;
    let wanted: Vec<TagId> = tags.iter().filter_map(|tag| tag.parse().ok()).collect();
    for tag in db::tag::own(&mut tx, target.tenant, &wanted).await? {
        let new = Binding { tenant: target.tenant, tag, target: id };
        db::tag_binding::insert(&mut tx, new, by).await?;
    }
    tx.commit().await?;
    Ok(())
}

/// Takes a tag off an app or knowledge base, if it is on it.
///
/// # Errors
/// [`TagError::AppNotFound`], [`TagError::DatasetNotFound`], [`TagError::NoKind`].
#[boxed]
pub async fn unbind(ctx: &Ctx, target: Target<'_>, tag: &str) -> Result<(), TagError> {
    let mut tx = ctx.db.begin().await?;
    let id = check(&mut tx, target).await?;
    if let Ok(tag) = tag.parse() {
        let old = Binding { tenant: target.tenant, tag, target: id };
        db::tag_binding::delete(&mut tx, old).await?;
    }
    tx.commit().await?;
    Ok(())
}

async fn check(conn: &mut db::PgConnection, target: Target<'_>) -> Result<Uuid, TagError> {
    let id = target.id.parse::<Uuid>().ok();
    match target.kind {
        Some(TagKind::Knowledge) => {
            let id = id.ok_or(TagError::DatasetNotFound)?;
            match db::dataset::exists(conn, target.tenant, DatasetId(id)).await? {
                true => Ok(id),
                false => Err(TagError::DatasetNotFound),
            }
        }
        Some(TagKind::App) => {
            let id = id.ok_or(TagError::AppNotFound)?;
            match db::app::find(conn, target.tenant, AppId(id)).await? {
                Some(_) => Ok(id),
                None => Err(TagError::AppNotFound),
            }
        }
        None => Err(TagError::NoKind),
    }
}
