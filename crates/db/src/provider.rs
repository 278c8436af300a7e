//! Model providers of a workspace: `providers`, `provider_credentials`, `provider_models`,
//! `provider_model_credentials`, `provider_model_settings`, `tenant_default_models`,
//! `tenant_preferred_model_providers`, `load_balancing_model_configs`.
//!
//! `provider_name` is the full id (`langgenius/openai/openai`); rows of older releases may hold the short name.
//! Reading is here, writing in the modules below: `names` are all the names rows of one provider may carry.
//! `model_type` is the older name (`text-generation`, `embeddings`, `reranking`, …) or, for default models, either.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::TenantId;
use uuid::Uuid;

use crate::Result;

pub mod balancing;
pub mod choice;
pub mod credential;
pub mod model;
pub mod plugin;

/// Whether and with which credential a provider is set up.
#[derive(Debug, Clone)]
pub struct Provider {
    /// The row.
    pub id: Uuid,
    /// See the module.
    pub provider_name: String,
    /// `custom` or `system`.
    pub provider_type: String,
    /// Whether the credential was accepted.
    pub is_valid: bool,
    /// Last model call, to about five minutes.
    pub last_used: Option<NaiveDateTime>,
    /// `trial`, `paid`, `free` or empty.
    pub quota_type: Option<String>,
    /// −1 is unlimited.
    pub quota_limit: Option<i64>,
    /// Tokens, credits or calls.
    pub quota_used: Option<i64>,
    /// The credential in use.
    pub credential_id: Option<Uuid>,
}

/// A stored credential of a provider or of an added model.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The row.
    pub id: Uuid,
    /// See the module.
    pub provider_name: String,
    /// Empty for a provider's credential.
    pub model_name: String,
    /// Empty for a provider's credential.
    pub model_type: String,
    /// Chosen by a person.
    pub credential_name: String,
    /// JSON whose secret members are encrypted.
    pub encrypted_config: String,
    /// When the row was made.
    pub created_at: NaiveDateTime,
}

/// A model a workspace added.
#[derive(Debug, Clone)]
pub struct ProviderModel {
    /// The row.
    pub id: Uuid,
    /// See the module.
    pub provider_name: String,
    /// The model's id at the provider.
    pub model_name: String,
    /// See the module.
    pub model_type: String,
    /// Whether the credential was accepted.
    pub is_valid: bool,
    /// The credential in use.
    pub credential_id: Option<Uuid>,
}

/// Whether a model is offered, and whether its calls are spread.
#[derive(Debug, Clone)]
pub struct ModelSetting {
    /// The row.
    pub id: Uuid,
    /// See the module.
    pub provider_name: String,
    /// The model's id at the provider.
    pub model_name: String,
    /// See the module.
    pub model_type: String,
    /// Whether it is offered.
    pub enabled: bool,
    /// Whether calls are spread over several credentials.
    pub load_balancing_enabled: bool,
}

/// The default model of a type.
#[derive(Debug, Clone)]
pub struct DefaultModel {
    /// The row.
    pub id: Uuid,
    /// See the module.
    pub provider_name: String,
    /// The model's id at the provider.
    pub model_name: String,
    /// See the module.
    pub model_type: String,
}

/// Whether a provider's system or custom credentials come first.
#[derive(Debug, Clone)]
pub struct Preference {
    /// See the module.
    pub provider_name: String,
    /// `custom` or `system`.
    pub preferred_provider_type: String,
}

/// One of the credentials that a model's calls are spread over.
#[derive(Debug, Clone)]
pub struct LoadBalancingConfig {
    /// The row.
    pub id: Uuid,
    /// See the module.
    pub provider_name: String,
    /// The model's id at the provider.
    pub model_name: String,
    /// See the module.
    pub model_type: String,
    /// Chosen by a person; `__inherit__` stands for the provider's own credential.
    pub name: String,
    /// JSON whose secret members are encrypted.
    pub encrypted_config: Option<String>,
    /// Whether it takes calls.
    pub enabled: bool,
    /// The credential it was made of.
    pub credential_id: Option<Uuid>,
    /// `provider` or `custom_model`.
    pub credential_source_type: Option<String>,
}

/// Providers of a workspace.
#[tracing::instrument(name = "db.provider.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<Provider>> {
    Ok(sqlx::query_as!(
        Provider,
        r#"
        SELECT id, provider_name, provider_type, is_valid, last_used, quota_type, quota_limit, quota_used, credential_id
        FROM providers
        WHERE tenant_id = $1
        ORDER BY created_at, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Credentials of providers and of added models, oldest first.
#[tracing::instrument(name = "db.provider.credentials", skip_all, err)]
#[boxed]
pub async fn credentials(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<Credential>> {
    Ok(sqlx::query_as!(
        Credential,
        r#"
        SELECT id AS "id!", provider_name AS "provider_name!", model_name AS "model_name!", model_type AS "model_type!",
               credential_name AS "credential_name!", encrypted_config AS "encrypted_config!",
               created_at AS "created_at!"
        FROM (
            SELECT id, provider_name, '' AS model_name, '' AS model_type, credential_name, encrypted_config, created_at
            FROM provider_credentials WHERE tenant_id = $1
            UNION ALL
            SELECT id, provider_name, model_name, model_type, credential_name, encrypted_config, created_at
            FROM provider_model_credentials WHERE tenant_id = $1
        ) AS both_kinds
        ORDER BY created_at, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Models a workspace added.
#[tracing::instrument(name = "db.provider.models", skip_all, err)]
#[boxed]
pub async fn models(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<ProviderModel>> {
    Ok(sqlx::query_as!(
        ProviderModel,
        r#"
        SELECT id, provider_name, model_name, model_type, is_valid, credential_id
        FROM provider_models
        WHERE tenant_id = $1
        ORDER BY created_at, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Which models are switched off or spread.
#[tracing::instrument(name = "db.provider.settings", skip_all, err)]
#[boxed]
pub async fn settings(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<ModelSetting>> {
    Ok(sqlx::query_as!(
        ModelSetting,
        r#"
        SELECT id, provider_name, model_name, model_type, enabled, load_balancing_enabled
        FROM provider_model_settings
        WHERE tenant_id = $1
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Default models of a workspace.
#[tracing::instrument(name = "db.provider.defaults", skip_all, err)]
#[boxed]
pub async fn defaults(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<DefaultModel>> {
    Ok(sqlx::query_as!(
        DefaultModel,
        "SELECT id, provider_name, model_name, model_type FROM tenant_default_models WHERE tenant_id = $1 ORDER BY created_at, id",
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Which kind of credential comes first.
#[tracing::instrument(name = "db.provider.preferences", skip_all, err)]
#[boxed]
pub async fn preferences(db: &mut PgConnection, tenant: TenantId) -> Result<Vec<Preference>> {
    Ok(sqlx::query_as!(
        Preference,
        "SELECT provider_name, preferred_provider_type FROM tenant_preferred_model_providers WHERE tenant_id = $1",
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Credentials that models' calls are spread over, oldest first.
#[tracing::instrument(name = "db.provider.load_balancing", skip_all, err)]
#[boxed]
pub async fn load_balancing(
    db: &mut PgConnection,
    tenant: TenantId,
) -> Result<Vec<LoadBalancingConfig>> {
    Ok(sqlx::query_as!(
        LoadBalancingConfig,
        r#"
        SELECT id, provider_name, model_name, model_type, name, encrypted_config, enabled, credential_id,
               credential_source_type
        FROM load_balancing_model_configs
        WHERE tenant_id = $1
        ORDER BY created_at, id
        "#,
        tenant as _,
    )
    .fetch_all(db)
    .await?)
}

/// Notes that a provider was just used, to about five minutes.
#[tracing::instrument(name = "db.provider.touch", skip_all, err)]
#[boxed]
pub async fn touch(
    db: &mut PgConnection,
    tenant: TenantId,
    provider: &str,
    now: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE providers SET last_used = $3
        WHERE tenant_id = $1 AND provider_name = $2
          AND (last_used IS NULL OR last_used < $3::timestamp - interval '5 minutes')
        "#,
        tenant as _,
        provider,
        now,
    )
    .execute(db)
    .await?;
    Ok(())
}
