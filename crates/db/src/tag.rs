//! `tags`: labels of apps and knowledge bases.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, TagId, TenantId};

use crate::Result;

/// A label.
#[derive(Debug, Clone)]
pub struct Tag {
    /// The tag.
    pub id: TagId,
    /// `app` or `knowledge`.
    pub r#type: String,
    /// Display name, unique among the workspace's tags of its type.
    pub name: String,
    /// When the row was made.
    pub created_at: NaiveDateTime,
}

/// A label and how often it is used.
#[derive(Debug, Clone)]
pub struct CountedTag {
    /// See [`Tag::id`].
    pub id: TagId,
    /// See [`Tag::type`].
    pub r#type: String,
    /// See [`Tag::name`].
    pub name: String,
    /// On how many things it is.
    pub binding_count: i64,
}

/// What a new tag is made of.
#[derive(Debug, Clone, Copy)]
pub struct NewTag<'a> {
    /// The workspace.
    pub tenant: TenantId,
    /// See [`Tag::type`].
    pub kind: &'a str,
    /// See [`Tag::name`].
    pub name: &'a str,
    /// Who makes it.
    pub by: AccountId,
}

/// The workspace's tags of a type, newest first. `pattern` is what the name has to match (`ILIKE`, escaped with `\`).
#[tracing::instrument(name = "db.tag.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
    pattern: Option<&str>,
) -> Result<Vec<CountedTag>> {
    Ok(sqlx::query_as!(
        CountedTag,
        r#"
        SELECT t.id, t.type, t.name, count(b.id) AS "binding_count!"
        FROM tags t
        LEFT JOIN tag_bindings b ON b.tag_id = t.id AND b.tenant_id = t.tenant_id
        WHERE t.tenant_id = $1 AND t.type = $2 AND ($3::text IS NULL OR t.name ILIKE $3 ESCAPE '\')
        GROUP BY t.id
        ORDER BY t.created_at DESC, t.id
        "#,
        tenant as _,
        kind,
        pattern,
    )
    .fetch_all(db)
    .await?)
}

/// The tag, if it is `tenant`'s.
#[tracing::instrument(name = "db.tag.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, tenant: TenantId, id: TagId) -> Result<Option<Tag>> {
    Ok(sqlx::query_as!(
        Tag,
        "SELECT id, type, name, created_at FROM tags WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Whether the workspace has a tag of that type and name.
#[tracing::instrument(name = "db.tag.exists", skip_all, err)]
#[boxed]
pub async fn exists(
    db: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
    name: &str,
) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT EXISTS (SELECT 1 FROM tags WHERE tenant_id = $1 AND type = $2 AND name = $3) AS "exists!"
        "#,
        tenant as _,
        kind,
        name,
    )
    .fetch_one(db)
    .await?)
}

/// Those of `ids` that are `tenant`'s tags, in no order.
#[tracing::instrument(name = "db.tag.own", skip_all, err)]
#[boxed]
pub async fn own(db: &mut PgConnection, tenant: TenantId, ids: &[TagId]) -> Result<Vec<TagId>> {
    let ids: Vec<uuid::Uuid> = ids.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!(
        "SELECT id FROM tags WHERE tenant_id = $1 AND id = ANY($2)",
        tenant as _,
        &ids,
    )
    .fetch_all(db)
    .await?)
}

/// Adds a tag.
#[tracing::instrument(name = "db.tag.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: NewTag<'_>) -> Result<Tag> {
    Ok(sqlx::query_as!(
        Tag,
        r#"
        INSERT INTO tags (id, tenant_id, type, name, created_by)
        VALUES ($1, $2, $3, $4, $5)
        RETURNING id, type, name, created_at
        "#,
        TagId::random() as _,
        new.tenant as _,
        new.kind,
        new.name,
        new.by as _,
    )
    .fetch_one(db)
    .await?)
}

/// Renames a tag.
#[tracing::instrument(name = "db.tag.rename", skip_all, err)]
#[boxed]
pub async fn rename(db: &mut PgConnection, tenant: TenantId, id: TagId, name: &str) -> Result<()> {
    sqlx::query!(
        "UPDATE tags SET name = $3 WHERE tenant_id = $1 AND id = $2",
        tenant as _,
        id as _,
        name,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Removes a tag; answers whether it was there.
#[tracing::instrument(name = "db.tag.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, tenant: TenantId, id: TagId) -> Result<bool> {
    let done =
        sqlx::query!("DELETE FROM tags WHERE tenant_id = $1 AND id = $2", tenant as _, id as _)
            .execute(db)
            .await?;
    Ok(0 < done.rows_affected())
}
