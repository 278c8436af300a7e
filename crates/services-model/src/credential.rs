//! The credentials of a provider: several may be stored, one is in use.

use boxed::boxed;
use db::provider::{choice, credential};
use model_runtime::Credentials;
use types::TenantId;
use uuid::Uuid;

use crate::{
    Models, SetupError,
    desk::{Cached, Desk, masked, next_name},
};

/// A credential's name and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialName {
    /// The row.
    pub id: Uuid,
    /// Chosen by a person.
    pub name: String,
}

/// The credentials stored for a provider, newest first.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn names(
    models: &Models,
    tenant: TenantId,
    provider: &str,
) -> Result<Vec<CredentialName>, SetupError> {
    let names = crate::desk::names(&crate::full_id(provider));
    let mut conn = models.ctx().db.acquire().await?;
    let rows = credential::list(&mut conn, tenant, &names).await?;
    Ok(rows
        .into_iter()
        .map(|row| CredentialName { id: row.id, name: row.credential_name })
        .collect())
}

/// A credential with its secrets masked: the one in use, or the one named.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn find(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    id: Option<Uuid>,
) -> Result<Credentials, SetupError> {
    let desk = Desk::open(models, tenant, provider).await?;
    let secrets = desk.secrets();
    let Some(id) = id else {
        let setup = models.setup(tenant).await?;
        let known = setup.provider_credentials(desk.id());
        return Ok(known.map(|known| masked(known, &secrets)).unwrap_or_default());
    };
    let stored = stored(&desk, id)
        .await?
        .ok_or_else(|| SetupError::Invalid(format!("Credential with id {id} not found.")))?;
    Ok(masked(&desk.unseal(&stored.encrypted_config, &secrets).await?, &secrets))
}

/// Asks the provider whether it takes these credentials.
///
/// # Errors
/// [`SetupError::Refused`] with the provider's words.
#[boxed]
pub async fn validate(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    credentials: &Credentials,
) -> Result<(), SetupError> {
    Desk::open(models, tenant, provider).await?.checked(credentials).await?;
    Ok(())
}

/// Stores a credential the provider takes; the first one is in use from then on.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(provider))]
#[boxed]
pub async fn create(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    credentials: &Credentials,
    name: Option<&str>,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, provider).await?;
    let name = name.filter(|name| !name.is_empty());
    {
        let mut conn = models.ctx().db.acquire().await?;
        let known = credential::list(&mut conn, tenant, &desk.names).await?;
        check_name(&known, name, None)?;
    }
    let config = desk.seal(desk.checked(credentials).await?, &desk.secrets()).await?;

    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    // Again: somebody else may have stored one while the provider was asked.
    let known = credential::list(&mut tx, tenant, &desk.names).await?;
    check_name(&known, name, None)?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => next_name(known.iter().map(|row| row.credential_name.as_str())),
    };
    let id = credential::insert(&mut tx, tenant, desk.id(), &name, &config).await?;
    let row = match credential::find_in_use(&mut tx, tenant, &desk.names).await? {
        Some(row) => {
            let in_use = row.credential_id.or(Some(id));
            credential::set_in_use(&mut tx, tenant, row.id, in_use, now).await?;
            if row.credential_id.is_none() {
                prefer_custom(&mut tx, &desk).await?;
            }
            row.id
        }
        None => {
            let row = credential::insert_in_use(&mut tx, tenant, desk.id(), id).await?;
            prefer_custom(&mut tx, &desk).await?;
            row
        }
    };
    tx.commit().await?;
    desk.changed(&[Cached::Provider(row)]).await
}

/// A credential's new content.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The row.
    pub id: Uuid,
    /// All fields; a secret may be "keep it" (`crypto::mask::HIDDEN`).
    pub credentials: &'a Credentials,
    /// A new name.
    pub name: Option<&'a str>,
}

/// Replaces a credential with one the provider takes.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(provider))]
#[boxed]
pub async fn update(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    change: Change<'_>,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, provider).await?;
    let name = change.name.filter(|name| !name.is_empty());
    let known = {
        let mut conn = models.ctx().db.acquire().await?;
        credential::list(&mut conn, tenant, &desk.names).await?
    };
    check_name(&known, name, Some(change.id))?;
    let mut credentials = change.credentials.clone();
    let old = known.iter().find(|row| row.id == change.id);
    let stored = old.map_or("{}", |row| row.encrypted_config.as_str());
    desk.keep_hidden(&mut credentials, stored, &desk.secrets()).await?;
    let config = desk.seal(desk.checked(&credentials).await?, &desk.secrets()).await?;

    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    let known = credential::list(&mut tx, tenant, &desk.names).await?;
    check_name(&known, name, Some(change.id))?;
    let row = known.into_iter().find(|row| row.id == change.id).ok_or_else(record_not_found)?;
    credential::update(&mut tx, tenant, row.id, name, &config, now).await?;
    let shown = name.unwrap_or(&row.credential_name);
    let entries =
        db::provider::balancing::follow(&mut tx, tenant, row.id, shown, &config, now).await?;
    let in_use = credential::find_in_use(&mut tx, tenant, &desk.names).await?;
    tx.commit().await?;

    let mut cached: Vec<Cached> = entries.into_iter().map(Cached::Balancing).collect();
    cached.extend(in_use.map(|row| Cached::Provider(row.id)));
    desk.changed(&cached).await
}

/// Deletes a credential and what was made of it. Without the last one the provider is out of use.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(provider))]
#[boxed]
pub async fn delete(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    id: Uuid,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, provider).await?;
    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    let known = credential::list(&mut tx, tenant, &desk.names).await?;
    if !known.iter().any(|row| row.id == id) {
        return Err(record_not_found());
    }
    let entries = db::provider::balancing::delete_made_of(&mut tx, tenant, id).await?;
    credential::delete(&mut tx, tenant, id).await?;
    let in_use = credential::find_in_use(&mut tx, tenant, &desk.names).await?;
    if let Some(row) = &in_use {
        if known.len() <= 1 {
            credential::delete_in_use(&mut tx, tenant, row.id).await?;
        } else if row.credential_id == Some(id) {
            credential::set_in_use(&mut tx, tenant, row.id, None, now).await?;
        }
    }
    tx.commit().await?;

    let mut cached: Vec<Cached> = entries.into_iter().map(Cached::Balancing).collect();
    cached.extend(in_use.map(|row| Cached::Provider(row.id)));
    desk.changed(&cached).await
}

/// Takes another stored credential into use.
///
/// # Errors
/// [`SetupError`].
#[tracing::instrument(skip_all, fields(provider))]
#[boxed]
pub async fn switch(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    id: Uuid,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, provider).await?;
    let now = models.ctx().now_naive();
    let mut tx = models.ctx().db.begin().await?;
    credential::lock(&mut tx, tenant, desk.id()).await?;
    let known = credential::list(&mut tx, tenant, &desk.names).await?;
    if !known.iter().any(|row| row.id == id) {
        return Err(record_not_found());
    }
    let row = credential::find_in_use(&mut tx, tenant, &desk.names)
        .await?
        .ok_or_else(|| SetupError::invalid("Provider record not found."))?;
    credential::set_in_use(&mut tx, tenant, row.id, Some(id), now).await?;
    prefer_custom(&mut tx, &desk).await?;
    tx.commit().await?;
    desk.changed(&[Cached::Provider(row.id)]).await
}

/// Which credentials of a provider come first. There are no hosted ones here, so `System` changes nothing, as in a
/// reference server without them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Preference {
    /// Hosted ones.
    System,
    /// The workspace's.
    Custom,
}

/// Sets which credentials of a provider come first.
///
/// # Errors
/// [`SetupError`].
#[boxed]
pub async fn prefer(
    models: &Models,
    tenant: TenantId,
    provider: &str,
    preference: Preference,
) -> Result<(), SetupError> {
    let desk = Desk::open(models, tenant, provider).await?;
    if preference == Preference::System {
        return Ok(());
    }
    let mut tx = models.ctx().db.begin().await?;
    prefer_custom(&mut tx, &desk).await?;
    tx.commit().await?;
    desk.changed(&[]).await
}

async fn prefer_custom(tx: &mut db::PgConnection, desk: &Desk<'_>) -> Result<(), SetupError> {
    let setup = desk.models.setup(desk.tenant).await?;
    if setup.preference(desk.id()) == "custom" {
        return Ok(());
    }
    let now = desk.models.ctx().now_naive();
    Ok(choice::prefer(tx, desk.tenant, &desk.names, "custom", now).await?)
}

async fn stored(desk: &Desk<'_>, id: Uuid) -> Result<Option<credential::Stored>, SetupError> {
    let mut conn = desk.models.ctx().db.acquire().await?;
    let known = credential::list(&mut conn, desk.tenant, &desk.names).await?;
    Ok(known.into_iter().find(|row| row.id == id))
}

fn check_name(
    known: &[credential::Stored],
    name: Option<&str>,
    own: Option<Uuid>,
) -> Result<(), SetupError> {
    match name {
        Some(name)
            if known.iter().any(|row| row.credential_name == name && Some(row.id) != own) =>
        {
            Err(SetupError::Invalid(format!("Credential with name '{name}' already exists.")))
        }
        _ => Ok(()),
    }
}

pub(crate) fn record_not_found() -> SetupError {
    SetupError::invalid("Credential record not found.")
}
