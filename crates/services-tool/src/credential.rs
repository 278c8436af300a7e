//! Credentials of providers that come with plugins.

use boxed::boxed;
use std::time::Duration;

use db::tool_builtin_provider::{self, NewToolCredential, ToolCredential};
use plugin::CredentialType;
use serde::Serialize;
use serde_json::{Map, Value};
use types::{AccountId, TenantId, pyjson};
use uuid::Uuid;

use crate::{
    ToolError,
    builtin::{Provider, Tools},
    secret,
};

/// Credentials a workspace may have of one provider.
const MOST: usize = 100;
/// How long one addition holds others back.
const LOCK: Duration = Duration::from_secs(20);

/// A credential as the console shows it.
#[derive(Debug, Clone, Serialize)]
#[expect(missing_docs, reason = "the names on the wire")]
pub struct CredentialView {
    pub id: Uuid,
    pub name: String,
    pub provider: String,
    pub credential_type: CredentialType,
    pub is_default: bool,
    /// Secrets masked.
    pub credentials: Map<String, Value>,
}

/// A credential to add.
#[derive(Debug, Clone)]
pub struct NewCredential {
    /// Its values.
    pub credentials: Map<String, Value>,
    /// Its name; one is made up without.
    pub name: Option<String>,
    /// How it was given.
    pub kind: CredentialType,
    /// Unix seconds; -1: never.
    pub expires_at: i64,
}

fn not_added(provider: &str) -> ToolError {
    ToolError::Invalid(format!("you have not added provider {provider}"))
}

fn is_used(name: &str) -> ToolError {
    ToolError::Invalid(format!("the credential name '{name}' is already used"))
}

impl Tools {
    /// The credentials a workspace has of a provider, the one in use first.
    ///
    /// # Errors
    /// Faults of the ground, and those of the plugin daemon.
    #[boxed]
    pub async fn credentials(
        &self,
        tenant: TenantId,
        provider: &str,
    ) -> Result<Vec<CredentialView>, ToolError> {
        let rows = {
            let mut conn = self.ctx.db.acquire().await?;
            tool_builtin_provider::list(&mut conn, tenant, &[provider.to_owned()]).await?
        };
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        let found = self.find_builtin(tenant, provider).await?;
        let mut shown = Vec::with_capacity(rows.len());
        for (place, row) in rows.into_iter().enumerate() {
            let kind = kind(&row);
            let secrets = secret::secrets(found.form(kind));
            let stored = secret::parsed(row.encrypted_credentials.as_deref());
            let plain = secret::open(&self.ctx, tenant, &secrets, stored).await?;
            shown.push(CredentialView {
                id: row.id,
                name: row.name,
                provider: row.provider,
                credential_type: kind,
                is_default: place == 0,
                credentials: secret::masked(&secrets, plain),
            });
        }
        Ok(shown)
    }

    /// Adds a credential, if the plugin accepts it.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] for a name that is taken, values the plugin refuses, a provider that takes none.
    #[boxed]
    pub async fn add_credential(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
        mut new: NewCredential,
    ) -> Result<(), ToolError> {
        let found = self.find_builtin(tenant, provider).await?;
        if !found.needs_credentials() {
            return Err(ToolError::Invalid(format!(
                "provider {provider} does not need credentials"
            )));
        }
        if new.kind == CredentialType::ApiKey {
            self.check_credential(tenant, user, &found, &mut new.credentials).await?;
        }
        let secrets = secret::secrets(found.form(new.kind));
        let sealed = secret::seal(&self.ctx, tenant, &secrets, new.credentials).await?;
        let sealed = pyjson::dumps(&sealed)?;

        let lock = format!("builtin_tool_provider_create_lock:{tenant}_{provider}");
        let lock = self.ctx.redis.lock(&lock, LOCK).acquire(LOCK).await?;
        let Some(lock) = lock else {
            return Err(ToolError::invalid("another credential is being added, please try again"));
        };
        let added = async {
            let mut tx = self.ctx.db.begin().await?;
            let names = [provider.to_owned()];
            let known = tool_builtin_provider::list(&mut tx, tenant, &names).await?;
            if MOST <= known.len() {
                return Err(ToolError::Invalid(format!(
                    "you have reached the maximum number of providers for {provider}"
                )));
            }
            let name = match new.name.filter(|name| !name.is_empty()) {
                Some(name) if known.iter().any(|it| it.name == name) => return Err(is_used(&name)),
                Some(name) => name,
                None => next_name(known.iter(), new.kind),
            };
            let row = NewToolCredential {
                tenant,
                user,
                provider,
                name: &name,
                encrypted_credentials: &sealed,
                credential_type: new.kind.as_str(),
                expires_at: new.expires_at,
                now: self.ctx.now_naive(),
            };
            tool_builtin_provider::insert(&mut tx, row).await?;
            tx.commit().await?;
            Ok(())
        }
        .await;
        lock.release().await?;
        added
    }

    /// Changes a credential, if the plugin accepts it. Values that arrive as hidden stay.
    ///
    /// # Errors
    /// As [`Tools::add_credential`].
    #[boxed]
    pub async fn update_credential(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &str,
        id: Uuid,
        credentials: Option<Map<String, Value>>,
        name: Option<String>,
    ) -> Result<(), ToolError> {
        let row = self.credential_row(tenant, provider, id).await?;
        let kind = kind(&row);
        let given = credentials.filter(|given| kind == CredentialType::ApiKey && !given.is_empty());
        let sealed = match given {
            Some(given) => {
                let found = self.find_builtin(tenant, provider).await?;
                if !found.needs_credentials() {
                    return Err(ToolError::Invalid(format!(
                        "provider {provider} does not need credentials"
                    )));
                }
                let secrets = secret::secrets(found.form(kind));
                let stored = secret::parsed(row.encrypted_credentials.as_deref());
                let stored = secret::open(&self.ctx, tenant, &secrets, stored).await?;
                let mut given = secret::keep_hidden(given, &stored);
                self.check_credential(tenant, user, &found, &mut given).await?;
                let sealed = secret::seal(&self.ctx, tenant, &secrets, given).await?;
                Some(pyjson::dumps(&sealed)?)
            }
            None => None,
        };
        let name = name.filter(|name| !name.is_empty() && *name != row.name);
        {
            let mut tx = self.ctx.db.begin().await?;
            if let Some(name) = &name {
                let names = [provider.to_owned()];
                let known = tool_builtin_provider::list(&mut tx, tenant, &names).await?;
                if known.iter().any(|it| it.name == *name) {
                    return Err(is_used(name));
                }
            }
            tool_builtin_provider::update(
                &mut tx,
                tenant,
                id,
                sealed.as_deref(),
                name.as_deref(),
                None,
                self.ctx.now_naive(),
            )
            .await?;
            tx.commit().await?;
        }
        self.forget_credential(tenant, &row.provider, id).await
    }

    /// Removes a credential.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if the workspace has none of that id.
    #[boxed]
    pub async fn delete_credential(
        &self,
        tenant: TenantId,
        provider: &str,
        id: Uuid,
    ) -> Result<(), ToolError> {
        let row = self.credential_row(tenant, provider, id).await?;
        {
            let mut conn = self.ctx.db.acquire().await?;
            tool_builtin_provider::delete(&mut conn, tenant, id).await?;
        }
        self.forget_credential(tenant, &row.provider, id).await
    }

    /// Makes a credential the one in use where none is named.
    ///
    /// # Errors
    /// [`ToolError::Invalid`] if the workspace has none of that id.
    #[boxed]
    pub async fn make_credential_default(
        &self,
        tenant: TenantId,
        provider: &str,
        id: Uuid,
    ) -> Result<(), ToolError> {
        let mut conn = self.ctx.db.acquire().await?;
        if tool_builtin_provider::make_default(&mut conn, tenant, provider, id).await? {
            return Ok(());
        }
        Err(ToolError::invalid("provider not found"))
    }

    async fn credential_row(
        &self,
        tenant: TenantId,
        provider: &str,
        id: Uuid,
    ) -> Result<ToolCredential, ToolError> {
        let mut conn = self.ctx.db.acquire().await?;
        let row = tool_builtin_provider::find(&mut conn, tenant, id).await?;
        row.ok_or_else(|| not_added(provider))
    }

    async fn check_credential(
        &self,
        tenant: TenantId,
        user: AccountId,
        provider: &Provider,
        values: &mut Map<String, Value>,
    ) -> Result<(), ToolError> {
        secret::check(provider.name(), provider.form(CredentialType::ApiKey), values)?;
        let id = provider
            .name()
            .parse()
            .map_err(|err: model_runtime::InvalidProviderId| ToolError::Invalid(err.to_string()))?;
        let user = user.to_string();
        if self.daemon()?.check_tool_credentials(tenant, &user, &id, values).await? {
            return Ok(());
        }
        Err(ToolError::invalid("Invalid credentials"))
    }

    /// Removes what the reference keeps decrypted in Redis.
    pub(crate) async fn forget_credential(
        &self,
        tenant: TenantId,
        provider: &str,
        id: Uuid,
    ) -> Result<(), ToolError> {
        let key =
            format!("tool_credentials:tenant_id:{tenant}:provider:{provider}:credential_id:{id}");
        self.ctx.redis.del(&[&key]).await?;
        Ok(())
    }
}

/// How a stored credential was given.
pub(crate) fn kind(row: &ToolCredential) -> CredentialType {
    CredentialType::of(&row.credential_type).unwrap_or(CredentialType::ApiKey)
}

/// The next name of the form `API KEY 3`.
fn next_name<'a>(known: impl Iterator<Item = &'a ToolCredential>, kind: CredentialType) -> String {
    let names = known.filter(|it| it.credential_type == kind.as_str()).map(|it| it.name.as_str());
    counted(names, kind.label())
}

/// The next name of the form `<start> 3`.
pub(crate) fn counted<'a>(names: impl Iterator<Item = &'a str>, start: &str) -> String {
    let number = |name: &str| {
        let rest = name.trim().strip_prefix(start)?;
        rest.starts_with(char::is_whitespace).then(|| rest.trim_start().parse::<u64>().ok())?
    };
    let last = names.filter_map(number).max().unwrap_or(0);
    format!("{start} {}", last.saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_on_from_the_highest() {
        for (known, expected) in
            [(vec![], "AUTH 1"), (vec!["AUTH 2", "AUTH x", "API KEY 9", "AUTH3"], "AUTH 3")]
        {
            assert_eq!(counted(known.into_iter(), "AUTH"), expected);
        }
    }
}
