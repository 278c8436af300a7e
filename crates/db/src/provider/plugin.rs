//! What is left of a plugin's model providers when it is removed.

use boxed::boxed;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use crate::Result;

/// Removes credentials and choices of the model providers of a plugin (`organisation/plugin`). The ids of the
/// `providers` rows that lost their credential.
#[tracing::instrument(name = "db.provider.forget_plugin", skip_all, err)]
#[boxed]
pub async fn forget_plugin(
    db: &mut PgConnection,
    tenant: TenantId,
    plugin_id: &str,
) -> Result<Vec<Uuid>> {
    let start = format!("{plugin_id}/");
    sqlx::query!(
        "DELETE FROM tenant_preferred_model_providers WHERE tenant_id = $1 AND starts_with(provider_name, $2)",
        tenant as _,
        start,
    )
    .execute(&mut *db)
    .await?;
    let detached = sqlx::query_scalar!(
        r#"
        UPDATE providers
        SET credential_id = NULL
        WHERE tenant_id = $1 AND starts_with(provider_name, $2)
          AND credential_id IN (
              SELECT id FROM provider_credentials WHERE tenant_id = $1 AND starts_with(provider_name, $2)
          )
        RETURNING id
        "#,
        tenant as _,
        start,
    )
    .fetch_all(&mut *db)
    .await?;
    sqlx::query!(
        "DELETE FROM provider_credentials WHERE tenant_id = $1 AND starts_with(provider_name, $2)",
        tenant as _,
        start,
    )
    .execute(db)
    .await?;
    Ok(detached)
}
