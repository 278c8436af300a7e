//! Models a workspace adds to a provider, each with credentials of its own; and which models are offered.

use boxed::boxed;
use db::provider::{credential, model};
use model_runtime::{Credentials, ModelType};
use types::TenantId;
use uuid::Uuid;

use crate::{
    Models, SetupError,
    credential::{Change, CredentialName, record_not_found},
    desk::{Cached, Desk, masked, next_name},
};

/// A model of a provider.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a> {
    /// The provider's id as the request names it.
    pub provider: &'a str,
    /// What the model does.
    pub kind: ModelType,
    /// The model's id at the provider.
    pub name: &'a str,
}

/// A credential of an added model, secrets masked.
#[derive(Debug, Clone)]
pub struct ModelCredential {
    /// The fields.
    pub credentials: Credentials,
    /// The row.
    pub id: Option<Uuid>,
    /// Chosen by a person.
    pub name: Option<String>,
}

/// The credentials stored for an added model, newest first.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn names(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
) -> Result<Vec<CredentialName>, SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let mut conn = models.ctx().db.acquire().await?;
    let rows = model::credentials(&mut conn, desk.key(model.kind, model.name)).await?;
    Ok(rows
        .into_iter()
        .map(|row| CredentialName { id: row.id, name: row.credential_name })
        .collect())
}

/// A credential of an added model: the one in use, or the one named.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn find(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    id: Option<Uuid>,
) -> Result<Option<ModelCredential>, SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let secrets = desk.model_secrets();
    let (known, in_use) = {
        let mut conn = models.ctx().db.acquire().await?;
        let key = desk.key(model.kind, model.name);
        (model::credentials(&mut conn, key).await?, model::find(&mut conn, key).await?)
    };
    let wanted =
        match id {
            Some(id) => Some(known.into_iter().find(|row| row.id == id).ok_or_else(|| {
                SetupError::Invalid(format!("Credential with id {id} not found."))
            })?),
            None => {
                let in_use = in_use.and_then(|row| row.credential_id);
                known.into_iter().find(|row| Some(row.id) == in_use)
            }
        };
    let Some(row) = wanted else { return Ok(None) };
    let opened = desk.unseal(&row.encrypted_config, &secrets).await?;
    if opened.is_empty() {
        return Ok(None);
    }
    Ok(Some(ModelCredential {
        credentials: masked(&opened, &secrets),
        id: Some(row.id),
        name: Some(row.credential_name),
    }))
}

/// Asks the provider whether it takes these credentials for the model.
///
/// # Errors
/// [`SetupError::Refused`] with the provider's words.
#[boxed]
pub async fn validate(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    credentials: &Credentials,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    desk.checked_model(model.kind, model.name, credentials).await?;
    Ok(())
}

/// Stores a credential of a model the provider takes; the first one adds the model.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(model = model.name))]
#[boxed]
pub async fn create(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    credentials: &Credentials,
    name: Option<&str>,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let key = desk.key(model.kind, model.name);
    let name = name.filter(|name| !name.is_empty());
    {
        let mut conn = models.ctx().db.acquire().await?;
        let known = model::credentials(&mut conn, key).await?;
        check_name(&known, name, None, model.name)?;
    }
    let checked = desk.checked_model(model.kind, model.name, credentials).await?;
    let config = desk.seal(checked, &desk.model_secrets()).await?;

    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    let known = model::credentials(&mut tx, key).await?;
    check_name(&known, name, None, model.name)?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => next_name(known.iter().map(|row| row.credential_name.as_str())),
    };
    let id = model::insert_credential(&mut tx, key, &name, &config).await?;
    let row = match model::find(&mut tx, key).await? {
        Some(row) => row.id,
        None => model::insert(&mut tx, key, id).await?,
    };
    tx.commit().await?;
    desk.changed(&[Cached::Model(row)]).await
}

/// Replaces a credential of a model with one the provider takes.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(model = model.name))]
#[boxed]
pub async fn update(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    change: Change<'_>,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let key = desk.key(model.kind, model.name);
    let name = change.name.filter(|name| !name.is_empty());
    let known = {
        let mut conn = models.ctx().db.acquire().await?;
        model::credentials(&mut conn, key).await?
    };
    check_name(&known, name, Some(change.id), model.name)?;
    let mut credentials = change.credentials.clone();
    let old = known.iter().find(|row| row.id == change.id);
    let stored = old.map_or("{}", |row| row.encrypted_config.as_str());
    desk.keep_hidden(&mut credentials, stored, &desk.model_secrets()).await?;
    let checked = desk.checked_model(model.kind, model.name, &credentials).await?;
    let config = desk.seal(checked, &desk.model_secrets()).await?;

    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    let known = model::credentials(&mut tx, key).await?;
    check_name(&known, name, Some(change.id), model.name)?;
    let row = known.into_iter().find(|row| row.id == change.id).ok_or_else(record_not_found)?;
    model::update_credential(&mut tx, tenant, row.id, name, &config, now).await?;
    let shown = name.unwrap_or(&row.credential_name);
    let entries =
        db::provider::balancing::follow(&mut tx, tenant, row.id, shown, &config, now).await?;
    let in_use = model::find(&mut tx, key).await?;
    tx.commit().await?;

    let mut cached: Vec<Cached> = entries.into_iter().map(Cached::Balancing).collect();
    cached.extend(in_use.map(|row| Cached::Model(row.id)));
    desk.changed(&cached).await
}

/// Deletes a credential of a model and what was made of it; with the last one goes the model.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(model = model.name))]
#[boxed]
pub async fn delete_credential(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    id: Uuid,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let key = desk.key(model.kind, model.name);
    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    let known = model::credentials(&mut tx, key).await?;
    if !known.iter().any(|row| row.id == id) {
        return Err(record_not_found());
    }
    let entries = db::provider::balancing::delete_made_of(&mut tx, tenant, id).await?;
    model::delete_credential(&mut tx, tenant, id).await?;
    let in_use = model::find(&mut tx, key).await?;
    if let Some(row) = &in_use {
        if known.len() <= 1 {
            model::delete(&mut tx, tenant, row.id).await?;
        } else if row.credential_id == Some(id) {
            model::set_in_use(&mut tx, tenant, row.id, None, now).await?;
        }
    }
    tx.commit().await?;

    let mut cached: Vec<Cached> = entries.into_iter().map(Cached::Balancing).collect();
    cached.extend(in_use.map(|row| Cached::Model(row.id)));
    desk.changed(&cached).await
}

/// What taking a credential into use does to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Adoption {
    /// A model that was not added yet is; the credential in use must be another one.
    Add,
    /// The model must have been added.
    Choose,
}

/// Takes a stored credential of a model into use.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(model = model.name))]
#[boxed]
pub async fn switch(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    id: Uuid,
    adoption: Adoption,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let key = desk.key(model.kind, model.name);
    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    if !model::credentials(&mut tx, key).await?.iter().any(|row| row.id == id) {
        return Err(record_not_found());
    }
    let row = match (model::find(&mut tx, key).await?, adoption) {
        (Some(row), Adoption::Add) if row.credential_id == Some(id) => {
            return Err(SetupError::invalid("Can't add same credential"));
        }
        (Some(row), _) => {
            model::set_in_use(&mut tx, tenant, row.id, Some(id), now).await?;
            row.id
        }
        (None, Adoption::Add) => model::insert(&mut tx, key, id).await?,
        (None, Adoption::Choose) => {
            return Err(SetupError::invalid("The custom model record not found."));
        }
    };
    tx.commit().await?;
    desk.changed(&[Cached::Model(row)]).await
}

/// Removes an added model; its credentials stay. One that was not added is removed already.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(model = model.name))]
#[boxed]
pub async fn delete(models: &Models, tenant: TenantId, model: Model<'_>) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let mut tx = models.ctx().db.begin().await?;
    let Some(row) = model::find(&mut tx, desk.key(model.kind, model.name)).await? else {
        return Ok(());
    };
    model::delete(&mut tx, tenant, row.id).await?;
    tx.commit().await?;
    desk.changed(&[Cached::Model(row.id)]).await
}

/// Whether a model is offered.
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
    let change = model::SettingChange { enabled: Some(enabled), ..Default::default() };
    set(models, tenant, model, change).await
}

pub(crate) async fn set(
    models: &Models,
    tenant: TenantId,
    model: Model<'_>,
    change: model::SettingChange,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, model.provider).await?;
    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    model::set(&mut tx, desk.key(model.kind, model.name), change, now).await?;
    tx.commit().await?;
    desk.changed(&[]).await
}

fn check_name(
    known: &[credential::Stored],
    name: Option<&str>,
    own: Option<Uuid>,
    model: &str,
) -> Result<(), SetupError> {
    match name {
        Some(name)
            if known.iter().any(|row| row.credential_name == name && Some(row.id) != own) =>
        {
            Err(SetupError::Invalid(format!(
                "Model credential with name '{name}' already exists for {model}."
            )))
        }
        _ => Ok(()),
    }
}
