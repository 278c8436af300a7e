//! `tag_bindings`: which tag is on what.

use boxed::boxed;
use sqlx::PgConnection;
use types::{AccountId, TagId, TenantId};
use uuid::Uuid;

use crate::Result;

/// A tag on a thing.
#[derive(Debug, Clone)]
pub struct BoundTag {
    /// The app or knowledge base.
    pub target_id: Uuid,
    /// The tag.
    pub id: TagId,
    /// `app` or `knowledge`.
    pub r#type: String,
    /// The tag's name.
    pub name: String,
}

/// What of a type the tags of a workspace are put on and taken off.
#[derive(Debug, Clone, Copy)]
pub struct Binding {
    /// The workspace.
    pub tenant: TenantId,
    /// The tag.
    pub tag: TagId,
    /// The app or knowledge base.
    pub target: Uuid,
}

/// The tags of a type on `targets`.
#[tracing::instrument(name = "db.tag_binding.of_targets", skip_all, err)]
#[boxed]
pub async fn of_targets(
    db: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
    targets: &[Uuid],
) -> Result<Vec<BoundTag>> {
    Ok(sqlx::query_as!(
        BoundTag,
        r#"
        SELECT b.target_id AS "target_id!", t.id, t.type, t.name
        FROM tag_bindings b
        JOIN tags t ON t.id = b.tag_id AND t.tenant_id = b.tenant_id
        WHERE b.tenant_id = $1 AND t.type = $2 AND b.target_id = ANY($3)
        ORDER BY b.created_at, b.id
        "#,
        tenant as _,
        kind,
        targets,
    )
    .fetch_all(db)
    .await?)
}

/// What carries at least one of `tags`.
#[tracing::instrument(name = "db.tag_binding.targets", skip_all, err)]
#[boxed]
pub async fn targets(
    db: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
    tags: &[TagId],
) -> Result<Vec<Uuid>> {
    let tags: Vec<Uuid> = tags.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!(
        r#"
        SELECT DISTINCT b.target_id AS "target_id!"
        FROM tag_bindings b
        JOIN tags t ON t.id = b.tag_id AND t.tenant_id = b.tenant_id
        WHERE b.tenant_id = $1 AND t.type = $2 AND t.id = ANY($3) AND b.target_id IS NOT NULL
        "#,
        tenant as _,
        kind,
        &tags,
    )
    .fetch_all(db)
    .await?)
}

/// On how many things a tag is.
#[tracing::instrument(name = "db.tag_binding.count", skip_all, err)]
#[boxed]
pub async fn count(db: &mut PgConnection, tenant: TenantId, tag: TagId) -> Result<i64> {
    Ok(sqlx::query_scalar!(
        r#"SELECT count(*) AS "count!" FROM tag_bindings WHERE tenant_id = $1 AND tag_id = $2"#,
        tenant as _,
        tag as _,
    )
    .fetch_one(db)
    .await?)
}

/// Puts a tag on a thing, unless it is there.
#[tracing::instrument(name = "db.tag_binding.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, new: Binding, by: AccountId) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO tag_bindings (id, tenant_id, tag_id, target_id, created_by)
        SELECT $1, $2, $3, $4, $5
        WHERE NOT EXISTS (
            SELECT 1 FROM tag_bindings WHERE tenant_id = $2 AND tag_id = $3 AND target_id = $4
        )
        "#,
        Uuid::new_v4(),
        new.tenant as _,
        new.tag as _,
        new.target,
        by as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a tag off a thing.
#[tracing::instrument(name = "db.tag_binding.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, old: Binding) -> Result<()> {
    sqlx::query!(
        "DELETE FROM tag_bindings WHERE tenant_id = $1 AND tag_id = $2 AND target_id = $3",
        old.tenant as _,
        old.tag as _,
        old.target,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes a tag off everything.
#[tracing::instrument(name = "db.tag_binding.delete_of_tag", skip_all, err)]
#[boxed]
pub async fn delete_of_tag(db: &mut PgConnection, tenant: TenantId, tag: TagId) -> Result<()> {
    sqlx::query!(
        "DELETE FROM tag_bindings WHERE tenant_id = $1 AND tag_id = $2",
        tenant as _,
        tag as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Takes all tags off a thing that is going away.
#[tracing::instrument(name = "db.tag_binding.delete_of_target", skip_all, err)]
#[boxed]
pub async fn delete_of_target(db: &mut PgConnection, tenant: TenantId, target: Uuid) -> Result<()> {
    sqlx::query!(
        "DELETE FROM tag_bindings WHERE tenant_id = $1 AND target_id = $2",
        tenant as _,
        target,
    )
    .execute(db)
    .await?;
    Ok(())
}
