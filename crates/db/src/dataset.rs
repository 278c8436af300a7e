//! `datasets`: knowledge bases.

use sqlx::PgConnection;
use types::{DatasetId, TenantId};

use crate::Result;

/// Whether the workspace has that knowledge base.
#[tracing::instrument(name = "db.dataset.exists", skip_all, err)]
pub async fn exists(db: &mut PgConnection, tenant: TenantId, id: DatasetId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM datasets WHERE tenant_id = $1 AND id = $2) AS "exists!""#,
        tenant as _,
        id as _,
    )
    .fetch_one(db)
    .await?)
}
