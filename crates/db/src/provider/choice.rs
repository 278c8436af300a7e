//! Writing `tenant_default_models` and `tenant_preferred_model_providers`.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::TenantId;

use crate::Result;

/// Sets the default model of a type. `kind` is the older name, which is the one the reference reads.
#[tracing::instrument(name = "db.provider.choice.set_default", skip_all, err)]
#[boxed]
pub async fn set_default(
    db: &mut PgConnection,
    tenant: TenantId,
    kind: &str,
    provider: &str,
    model: &str,
    now: NaiveDateTime,
) -> Result<()> {
    let changed = sqlx::query!(
        r#"
        UPDATE tenant_default_models
        SET provider_name = $3, model_name = $4, updated_at = $5
        WHERE tenant_id = $1 AND model_type = $2
        "#,
        tenant as _,
        kind,
        provider,
        model,
        now,
    )
    .execute(&mut *db)
    .await?;
    if changed.rows_affected() != 0 {
        return Ok(());
    }
    sqlx::query!(
        "INSERT INTO tenant_default_models (tenant_id, model_type, provider_name, model_name) VALUES ($1, $2, $3, $4)",
        tenant as _,
        kind,
        provider,
        model,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Sets whether a provider's `system` or `custom` credentials come first.
#[tracing::instrument(name = "db.provider.choice.prefer", skip_all, err)]
#[boxed]
pub async fn prefer(
    db: &mut PgConnection,
    tenant: TenantId,
    names: &[String],
    kind: &str,
    now: NaiveDateTime,
) -> Result<()> {
    let changed = sqlx::query!(
        r#"
        UPDATE tenant_preferred_model_providers
        SET preferred_provider_type = $3, updated_at = $4
        WHERE tenant_id = $1 AND provider_name = ANY($2)
        "#,
        tenant as _,
        names,
        kind,
        now,
    )
    .execute(&mut *db)
    .await?;
    if changed.rows_affected() != 0 {
        return Ok(());
    }
    sqlx::query!(
        r#"
        INSERT INTO tenant_preferred_model_providers (tenant_id, provider_name, preferred_provider_type)
        VALUES ($1, $2, $3)
        "#,
        tenant as _,
        names.first().map_or("", String::as_str),
        kind,
    )
    .execute(db)
    .await?;
    Ok(())
}
