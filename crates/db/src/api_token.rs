//! `api_tokens`: keys of the service API.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// A key of the service API.
#[derive(Debug, Clone)]
pub struct ApiToken {
    /// The row.
    pub id: Uuid,
    /// The app of an `app` key.
    pub app_id: Option<AppId>,
    /// The workspace.
    pub tenant_id: Option<TenantId>,
    /// `app` or `dataset`.
    pub r#type: String,
    /// The key itself.
    pub token: String,
    /// To about half an hour.
    pub last_used_at: Option<NaiveDateTime>,
    /// When the row was made.
    pub created_at: NaiveDateTime,
}

/// The row of a key of that type. The key itself is the credential.
#[tracing::instrument(name = "db.api_token.find", skip_all, err)]
#[boxed]
pub async fn find_by_token(
    db: &mut PgConnection,
    kind: &str,
    token: &str,
) -> Result<Option<ApiToken>> {
    Ok(sqlx::query_as!(
        ApiToken,
        r#"
        SELECT id, app_id, tenant_id, type, token, last_used_at, created_at
        FROM api_tokens
        WHERE token = $1 AND type = $2
        "#,
        token,
        kind,
    )
    .fetch_optional(db)
    .await?)
}

/// Notes when a key was last used, if that is later than what is known.
#[tracing::instrument(name = "db.api_token.note_use", skip_all, err)]
#[boxed]
pub async fn note_use(
    db: &mut PgConnection,
    kind: &str,
    token: &str,
    at: NaiveDateTime,
) -> Result<()> {
    sqlx::query!(
        r#"
        UPDATE api_tokens SET last_used_at = $3
        WHERE token = $2 AND type = $1 AND (last_used_at IS NULL OR last_used_at < $3)
        "#,
        kind,
        token,
        at,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Whose keys are meant.
#[derive(Debug, Clone, Copy)]
pub enum Holder {
    /// An app's (type `app`).
    App {
        /// Its workspace.
        tenant: TenantId,
        /// The app.
        app: AppId,
    },
    /// A workspace's, for all its knowledge bases (type `dataset`).
    Knowledge {
        /// The workspace.
        tenant: TenantId,
    },
}

impl Holder {
    fn tenant(self) -> TenantId {
        match self {
            Self::App { tenant, .. } | Self::Knowledge { tenant } => tenant,
        }
    }

    fn app(self) -> Option<AppId> {
        match self {
            Self::App { app, .. } => Some(app),
            Self::Knowledge { .. } => None,
        }
    }

    /// `app` or `dataset`.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::App { .. } => "app",
            Self::Knowledge { .. } => "dataset",
        }
    }
}

/// A holder's keys, oldest first.
///
/// Rows of older releases hold no workspace for an app's keys; the app is the holder's, so its id suffices.
#[tracing::instrument(name = "db.api_token.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, holder: Holder) -> Result<Vec<ApiToken>> {
    Ok(sqlx::query_as!(
        ApiToken,
        r#"
        SELECT id, app_id, tenant_id, type, token, last_used_at, created_at
        FROM api_tokens
        WHERE type = $1
          AND (app_id = $2 OR ($2::uuid IS NULL AND tenant_id = $3))
          AND (tenant_id = $3 OR tenant_id IS NULL)
        ORDER BY created_at, id
        "#,
        holder.kind(),
        holder.app() as _,
        holder.tenant() as _,
    )
    .fetch_all(db)
    .await?)
}

/// Adds a key, unless the holder has `most` already; `None` then.
///
/// The holder's keys are locked while they are counted, so that two requests at once cannot pass the limit.
#[tracing::instrument(name = "db.api_token.insert", skip_all, err)]
#[boxed]
pub async fn insert(
    db: &mut PgConnection,
    holder: Holder,
    token: &str,
    most: i64,
) -> Result<Option<ApiToken>> {
    let lock = holder.app().map_or(holder.tenant().0, |app| app.0);
    crate::lock::hold(db, &format!("api_token:{lock}")).await?;
    Ok(sqlx::query_as!(
        ApiToken,
        r#"
        INSERT INTO api_tokens (id, app_id, tenant_id, type, token)
        SELECT $1, $2, $3, $4::text, $5
        WHERE (
            SELECT count(*)
            FROM api_tokens
            WHERE type = $4::text
              AND (app_id = $2 OR ($2::uuid IS NULL AND tenant_id = $3))
              AND (tenant_id = $3 OR tenant_id IS NULL)
        ) < $6
        RETURNING id, app_id, tenant_id, type, token, last_used_at, created_at
        "#,
        Uuid::new_v4(),
        holder.app() as _,
        holder.tenant() as _,
        holder.kind(),
        token,
        most,
    )
    .fetch_optional(db)
    .await?)
}

/// Removes a key; answers its text.
#[tracing::instrument(name = "db.api_token.delete", skip_all, err)]
#[boxed]
pub async fn delete(db: &mut PgConnection, holder: Holder, id: Uuid) -> Result<Option<String>> {
    Ok(sqlx::query_scalar!(
        r#"
        DELETE FROM api_tokens
        WHERE id = $4
          AND type = $1
          AND (app_id = $2 OR ($2::uuid IS NULL AND tenant_id = $3))
          AND (tenant_id = $3 OR tenant_id IS NULL)
        RETURNING token
        "#,
        holder.kind(),
        holder.app() as _,
        holder.tenant() as _,
        id,
    )
    .fetch_optional(db)
    .await?)
}
