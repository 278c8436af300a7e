//! The credentials that a model's calls are spread over.

use boxed::boxed;
use std::collections::{HashMap, HashSet};

use db::provider::{
    LoadBalancingConfig, balancing, credential,
    model::{self, SettingChange},
};
use model_runtime::Credentials;
use redis::Ttl;
use serde_json::Value;
use types::TenantId;
use uuid::Uuid;

use crate::{
    Models, SetupError,
    custom_model::{self, Model},
    desk::{Cached, Desk, masked},
    setup::INHERIT,
};

/// Where entries are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The provider's credentials.
    Provider,
    /// The added model's.
    CustomModel,
}

impl Source {
    /// `config_from` of requests: everything but `predefined-model` means the added model's.
    #[must_use]
    pub fn of(config_from: Option<&str>) -> Self {
        if config_from == Some("predefined-model") { Self::Provider } else { Self::CustomModel }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Provider => "provider",
            Self::CustomModel => "custom_model",
        }
    }
}

/// One entry, secrets masked.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The row.
    pub id: Uuid,
    /// Chosen by a person; `__inherit__` stands for the provider's own credential.
    pub name: String,
    /// The fields.
    pub credentials: Credentials,
    /// The credential it was made of.
    pub credential_id: Option<Uuid>,
    /// Whether it takes calls.
    pub enabled: bool,
    /// Seconds it still rests after a refusal.
    pub rests: Option<i64>,
}

/// Whether a model's calls are spread, and over which entries. The entry of the provider's own credential is made
/// when it is first looked for, and comes first.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn list(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    source: Source,
) -> Result<(bool, Vec<Entry>), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let setup = models.setup(tenant).await?;
    let enabled = setup
        .setting(desk.id(), model.kind, model.name)
        .is_some_and(|setting| setting.load_balancing_enabled);
    let key = desk.key(model.kind, model.name);
    let mut rows = {
        let mut conn = models.ctx().db.acquire().await?;
        balancing::list(&mut conn, key).await?
    };
    rows.retain(|row| {
        row.credential_source_type.as_deref().is_none_or(|from| from == source.as_str())
    });
    if setup.custom_provider(desk.id()).is_some() {
        let inherit = match rows.iter().position(|row| row.name == INHERIT) {
            Some(at) => rows.remove(at),
            None => make_inherit(&desk, key).await?,
        };
        rows.insert(0, inherit);
    }
    let secrets = form_secrets(&desk)?;
    let mut entries = Vec::with_capacity(rows.len());
    for row in rows {
        let stored = row.encrypted_config.as_deref().unwrap_or("{}");
        let credentials = masked(&desk.unseal(stored, &secrets).await?, &secrets);
        let rest = crate::ready::rest_key(tenant, desk.id(), model.kind, model.name, row.id);
        let rests = match models.ctx().redis.ttl(&rest).await? {
            Ttl::Missing => None,
            Ttl::Forever => Some(-1),
            Ttl::Left(left) => Some(i64::try_from(left.as_secs()).unwrap_or(i64::MAX)),
        };
        entries.push(Entry {
            id: row.id,
            name: row.name,
            credentials,
            credential_id: row.credential_id,
            enabled: row.enabled,
            rests,
        });
    }
    Ok((enabled, entries))
}

async fn make_inherit(
    desk: &Desk<'_>,
    key: model::ModelKey<'_>,
) -> Result<LoadBalancingConfig, SetupError> {
    let mut tx = desk.models.ctx().db.begin().await?;
    credential::lock(&mut tx, desk.tenant, desk.id()).await?;
    let known = balancing::list(&mut tx, key).await?;
    let row = match known.into_iter().find(|row| row.name == INHERIT) {
        Some(row) => row,
        None => {
            let new = balancing::NewConfig {
                name: INHERIT,
                encrypted_config: None,
                credential_id: None,
                source: None,
            };
            balancing::insert(&mut tx, key, new).await?
        }
    };
    tx.commit().await?;
    desk.changed(&[]).await?;
    Ok(row)
}

/// An entry of a request, which may lack anything.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// The row to change; without one an entry is made.
    pub id: Option<String>,
    /// Its name.
    pub name: Option<String>,
    /// The fields; secrets may be "keep it".
    pub credentials: Option<Value>,
    /// The credential to make it of.
    pub credential_id: Option<String>,
    /// Whether it takes calls.
    pub enabled: Option<bool>,
}

/// Makes a model's entries those of the request, all or none, and says whether calls are spread.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(model = model.name))]
#[boxed]
pub async fn replace(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    source: Source,
    wishes: Vec<Wish>,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let key = desk.key(model.kind, model.name);
    let secrets = form_secrets(&desk)?;
    let now = models.ctx().now_naive();
    let (known, credentials) = {
        let mut conn = models.ctx().db.acquire().await?;
        let known = balancing::list(&mut conn, key).await?;
        let credentials = match source {
            Source::Provider => credential::list(&mut conn, tenant, &desk.names).await?,
            Source::CustomModel => model::credentials(&mut conn, key).await?,
        };
        (known, credentials)
    };
    let known: HashMap<String, LoadBalancingConfig> =
        known.into_iter().map(|row| (row.id.to_string(), row)).collect();
    let mut kept = HashSet::new();
    let mut edits = Vec::with_capacity(wishes.len());
    for wish in wishes {
        let edit = settle(&desk, &secrets, &known, &credentials, wish).await?;
        if let Edit::Change { id, .. } = &edit {
            kept.insert(*id);
        }
        edits.push(edit);
    }
    let gone: Vec<Uuid> =
        known.values().map(|row| row.id).filter(|id| !kept.contains(id)).collect();

    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    for edit in &edits {
        match edit {
            Edit::Change { id, name, enabled, config } => {
                balancing::update(&mut tx, tenant, *id, name, *enabled, config.as_deref(), now)
                    .await?;
            }
            Edit::Make { name, config, credential_id } => {
                let new = balancing::NewConfig {
                    name,
                    encrypted_config: Some(config),
                    credential_id: *credential_id,
                    source: credential_id.map(|_| source.as_str()),
                };
                balancing::insert(&mut tx, key, new).await?;
            }
        }
    }
    balancing::delete(&mut tx, tenant, &gone).await?;
    tx.commit().await?;
    let cached: Vec<Cached> = kept.into_iter().chain(gone).map(Cached::Balancing).collect();
    desk.changed(&cached).await
}

enum Edit {
    Change { id: Uuid, name: String, enabled: bool, config: Option<String> },
    Make { name: String, config: String, credential_id: Option<Uuid> },
}

async fn settle(
    desk: &Desk<'_>,
    secrets: &[&str],
    known: &HashMap<String, LoadBalancingConfig>,
    credentials: &[credential::Stored],
    wish: Wish,
) -> Result<Edit, SetupError> {
    let bad_credentials = || SetupError::invalid("Invalid load balancing config credentials");
    let mut name = wish.name;
    let mut made_of = None;
    if let Some(id) = wish.credential_id.filter(|id| !id.is_empty()) {
        let row = credentials.iter().find(|row| row.id.to_string() == id).ok_or_else(|| {
            SetupError::Invalid(format!("Provider credential with id {id} not found"))
        })?;
        name = Some(row.credential_name.clone());
        made_of = Some(row);
    }
    let name = name
        .filter(|name| !name.is_empty())
        .ok_or_else(|| SetupError::invalid("Invalid load balancing config name"))?;
    let enabled =
        wish.enabled.ok_or_else(|| SetupError::invalid("Invalid load balancing config enabled"))?;
    let given = match wish.credentials {
        Some(Value::Object(fields)) if fields.is_empty() => None,
        None | Some(Value::Null) => None,
        Some(Value::Object(fields)) => Some(fields),
        Some(_) => return Err(bad_credentials()),
    };
    if let Some(id) = wish.id.filter(|id| !id.is_empty()) {
        let row = known.get(&id.to_lowercase()).ok_or_else(|| {
            SetupError::Invalid(format!("Invalid load balancing config id: {id}"))
        })?;
        let config = match given {
            Some(mut given) => {
                let stored = row.encrypted_config.as_deref().unwrap_or("{}");
                desk.keep_hidden(&mut given, stored, secrets).await?;
                Some(desk.seal(given, secrets).await?)
            }
            None => None,
        };
        return Ok(Edit::Change { id: row.id, name, enabled, config });
    }
    if name == INHERIT {
        return Err(SetupError::invalid("Invalid load balancing config name"));
    }
    if let Some(row) = made_of {
        return Ok(Edit::Make {
            name,
            config: row.encrypted_config.clone(),
            credential_id: Some(row.id),
        });
    }
    let config = desk.seal(given.ok_or_else(bad_credentials)?, secrets).await?;
    Ok(Edit::Make { name, config, credential_id: None })
}

/// Whether a model's calls are spread over its entries; it takes two to spread.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn set_enabled(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    enabled: bool,
) -> Result<(), SetupError> {
    if enabled {
        let desk = Desk::open(models, tenant, model.provider).await?;
        let mut conn = models.ctx().db.acquire().await?;
        let count = balancing::list(&mut conn, desk.key(model.kind, model.name)).await?.len();
        if count <= 1 {
            return Err(SetupError::invalid(
                "Model load balancing configuration must be more than 1.",
            ));
        }
    }
    let change = SettingChange { load_balancing_enabled: Some(enabled), ..Default::default() };
    custom_model::set(models, tenant, model, change).await
}

/// Asks the provider whether it takes credentials of a new entry, or of the one named with new fields.
///
/// # Errors
/// [`SetupError::Refused`] with the provider's words.
#[boxed]
pub async fn validate(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    credentials: &Credentials,
    entry: Option<&str>,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let mut credentials = credentials.clone();
    if let Some(id) = entry {
        let known = {
            let mut conn = models.ctx().db.acquire().await?;
            balancing::list(&mut conn, desk.key(model.kind, model.name)).await?
        };
        let row = known.into_iter().find(|row| row.id.to_string() == id).ok_or_else(|| {
            SetupError::Invalid(format!("Load balancing config {id} does not exist."))
        })?;
        let stored = row.encrypted_config.as_deref().unwrap_or("{}");
        desk.keep_hidden(&mut credentials, stored, &form_secrets(&desk)?).await?;
    }
    if desk.schema().model_credential_schema.is_some() {
        desk.checked_model(model.kind, model.name, &credentials).await?;
    } else {
        form_secrets(&desk)?;
        desk.checked(&credentials).await?;
    }
    Ok(())
}

/// Secret fields of the form entries are filled in with: that of added models if there is one.
fn form_secrets<'a>(desk: &'a Desk<'_>) -> Result<Vec<&'a str>, SetupError> {
    let schema = desk.schema();
    if schema.model_credential_schema.is_some() {
        return Ok(desk.model_secrets());
    }
    if schema.provider_credential_schema.is_some() {
        return Ok(desk.secrets());
    }
    Err(SetupError::invalid("No credential schema found"))
}
