//! `trial_apps` and `account_trial_app_records`: apps of the catalogue that may be tried without installing them.

use boxed::boxed;
use sqlx::PgConnection;
use types::{AccountId, AppId, TenantId};
use uuid::Uuid;

use crate::Result;

/// How often an app may be tried, and was.
#[derive(Debug, Clone, Copy)]
pub struct Trial {
    /// Tries an account has.
    pub limit: i32,
    /// Tries the account used.
    pub used: i32,
}

/// What `account` may do with an app that may be tried. Being in this table is what lets any workspace run the app.
#[tracing::instrument(name = "db.trial_app.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, app: AppId, account: AccountId) -> Result<Option<Trial>> {
    Ok(sqlx::query_as!(
        Trial,
        r#"
        SELECT t.trial_limit AS "limit", coalesce(r.count, 0) AS "used!"
        FROM trial_apps t
        JOIN apps a ON a.id = t.app_id
        LEFT JOIN account_trial_app_records r ON r.app_id = t.app_id AND r.account_id = $2
        WHERE t.app_id = $1
        LIMIT 1
        "#,
        app as _,
        account as _,
    )
    .fetch_optional(db)
    .await?)
}

/// Those of `apps` that may be tried.
#[tracing::instrument(name = "db.trial_app.among", skip_all, err)]
#[boxed]
pub async fn among(db: &mut PgConnection, apps: &[AppId]) -> Result<Vec<AppId>> {
    let apps: Vec<Uuid> = apps.iter().map(|id| id.0).collect();
    Ok(sqlx::query_scalar!("SELECT app_id FROM trial_apps WHERE app_id = ANY($1)", &apps)
        .fetch_all(db)
        .await?)
}

/// Counts a try.
#[tracing::instrument(name = "db.trial_app.count_use", skip_all, err)]
#[boxed]
pub async fn count_use(db: &mut PgConnection, app: AppId, account: AccountId) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO account_trial_app_records (id, account_id, app_id, count)
        VALUES ($1, $2, $3, 1)
        ON CONFLICT (account_id, app_id) DO UPDATE SET count = account_trial_app_records.count + 1
        "#,
        Uuid::new_v4(),
        account as _,
        app as _,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// Lets an app be tried, or changes how often. For the operator: the app may be of any workspace.
#[tracing::instrument(name = "db.trial_app.save", skip_all, err)]
#[boxed]
pub async fn save(db: &mut PgConnection, app: AppId, tenant: TenantId, limit: i32) -> Result<()> {
    let changed =
        sqlx::query!("UPDATE trial_apps SET trial_limit = $2 WHERE app_id = $1", app as _, limit)
            .execute(&mut *db)
            .await?;
    if changed.rows_affected() == 0 {
        sqlx::query!(
            "INSERT INTO trial_apps (id, app_id, tenant_id, trial_limit) VALUES ($1, $2, $3, $4)",
            Uuid::new_v4(),
            app as _,
            tenant as _,
            limit,
        )
        .execute(db)
        .await?;
    }
    Ok(())
}
