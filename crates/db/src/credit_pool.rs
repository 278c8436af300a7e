//! `tenant_credit_pools`: message credits of a workspace.

use boxed::boxed;
use sqlx::PgConnection;
use types::TenantId;

use crate::Result;

/// Credits of one kind.
#[derive(Debug, Clone, Copy)]
pub struct CreditPool {
    /// All there are; `-1` is without bound.
    pub quota_limit: i64,
    /// Those spent.
    pub quota_used: i64,
}

/// The workspace's credits of a kind: `trial` or `paid`.
#[tracing::instrument(name = "db.credit_pool.find", skip_all, err)]
#[boxed]
pub async fn find(
    db: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
) -> Result<Option<CreditPool>> {
    Ok(sqlx::query_as!(
        CreditPool,
        r#"
        SELECT quota_limit, quota_used FROM tenant_credit_pools
        WHERE tenant_id = $1 AND pool_type = $2
        ORDER BY created_at LIMIT 1
        "#,
        tenant as _,
        kind,
    )
    .fetch_optional(db)
    .await?)
}

/// Gives a new workspace its trial credits.
#[tracing::instrument(name = "db.credit_pool.insert_trial", skip_all, err)]
#[boxed]
pub async fn insert_trial(db: &mut PgConnection, tenant: TenantId, limit: i64) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO tenant_credit_pools (id, tenant_id, pool_type, quota_limit, quota_used)
        VALUES ($1, $2, 'trial', $3, 0)
        "#,
        uuid::Uuid::new_v4(),
        tenant as _,
        limit,
    )
    .execute(db)
    .await?;
    Ok(())
}
