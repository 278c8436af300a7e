//! The list of a workspace's apps, and what a list shows beside each of them.

use boxed::boxed;
use sqlx::{PgConnection, Postgres, QueryBuilder};
use types::{AccountId, AppId, TagId, TenantId};
use uuid::Uuid;

use super::App;
use crate::Result;

/// Which apps of a workspace a list shows.
#[derive(Debug, Clone, Default)]
pub struct AppFilter {
    /// Only apps of this mode.
    pub mode: Option<String>,
    /// Only apps this account made.
    pub creator: Option<AccountId>,
    /// Only apps whose name contains this text, in any case.
    pub name: Option<String>,
    /// Only apps that carry one of these tags.
    pub tags: Option<Vec<Uuid>>,
}

/// A tag on an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AppTag {
    /// The app.
    pub app: Uuid,
    /// The tag.
    pub id: TagId,
    /// Its name.
    pub name: String,
    /// `app`.
    pub r#type: String,
}

/// The apps `filter` lets through, newest first.
#[tracing::instrument(name = "db.app.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    filter: &AppFilter,
    window: types::page::Limit,
) -> Result<Vec<App>> {
    let mut query = QueryBuilder::new(
        "SELECT id, tenant_id, name, description, mode, icon_type, icon, icon_background, app_model_config_id, \
         workflow_id, status, enable_site, enable_api, api_rpm, api_rph, is_demo, is_public, is_universal, tracing, \
         max_active_requests, use_icon_as_answer_icon, created_by, created_at, updated_by, updated_at FROM apps",
    );
    narrow(&mut query, tenant, filter);
    // The id makes pages stable among apps made within the same second.
    query.push(" ORDER BY created_at DESC, id LIMIT ").push_bind(window.limit);
    query.push(" OFFSET ").push_bind(window.offset());
    Ok(query.build_query_as::<App>().fetch_all(db).await?)
}

/// How many apps `filter` lets through.
#[tracing::instrument(name = "db.app.count", skip_all, err)]
#[boxed]
pub async fn count(db: &mut PgConnection, tenant: TenantId, filter: &AppFilter) -> Result<i64> {
    let mut query = QueryBuilder::new("SELECT count(*) FROM apps");
    narrow(&mut query, tenant, filter);
    Ok(query.build_query_scalar::<i64>().fetch_one(db).await?)
}

fn narrow(query: &mut QueryBuilder<Postgres>, tenant: TenantId, filter: &AppFilter) {
    query.push(" WHERE tenant_id = ").push_bind(tenant).push(" AND is_universal = false");
    if let Some(mode) = &filter.mode {
        query.push(" AND mode = ").push_bind(mode.clone());
    }
    if let Some(creator) = filter.creator {
        query.push(" AND created_by = ").push_bind(creator.0);
    }
    if let Some(name) = &filter.name {
        query.push(" AND strpos(lower(name), lower(").push_bind(name.clone()).push(")) > 0");
    }
    if let Some(tags) = &filter.tags {
        query
            .push(
                " AND id IN (SELECT b.target_id FROM tag_bindings b JOIN tags t ON t.id = b.tag_id",
            )
            .push(" WHERE t.type = 'app' AND t.tenant_id = ")
            .push_bind(tenant)
            .push(" AND b.tenant_id = ")
            .push_bind(tenant)
            .push(" AND b.tag_id = ANY(")
            .push_bind(tags.clone())
            .push("))");
    }
}

/// The tags of some apps of a workspace.
#[tracing::instrument(name = "db.app.tags", skip_all, err)]
#[boxed]
pub async fn tags(db: &mut PgConnection, tenant: TenantId, apps: &[Uuid]) -> Result<Vec<AppTag>> {
    Ok(sqlx::query_as!(
        AppTag,
        r#"
        SELECT b.target_id AS "app!: Uuid", t.id AS "id: TagId", t.name, t.type
        FROM tag_bindings b
        JOIN tags t ON t.id = b.tag_id
        WHERE b.tenant_id = $1 AND t.tenant_id = $1 AND t.type = 'app' AND b.target_id = ANY($2)
        ORDER BY t.created_at, t.id
        "#,
        tenant as _,
        apps,
    )
    .fetch_all(db)
    .await?)
}

/// Those of some apps of a workspace whose draft workflow starts with a trigger.
///
/// Asked of the text, which spares parsing every graph of the page: an unescaped `"type": "trigger-…"` can only be
/// the type of a node.
#[tracing::instrument(name = "db.app.with_draft_trigger", skip_all, err)]
#[boxed]
pub async fn with_draft_trigger(
    db: &mut PgConnection,
    tenant: TenantId,
    apps: &[Uuid],
) -> Result<Vec<AppId>> {
    Ok(sqlx::query_scalar!(
        r#"
        SELECT app_id AS "app_id: AppId"
        FROM workflows
        WHERE tenant_id = $1 AND version = 'draft' AND app_id = ANY($2)
          AND graph ~ '"type": ?"trigger-(webhook|schedule|plugin)"'
        "#,
        tenant as _,
        apps,
    )
    .fetch_all(db)
    .await?)
}
