//! `oauth_provider_apps`: programs people may sign in to with their account here.

use boxed::boxed;
use serde_json::Value;
use sqlx::PgConnection;

use crate::Result;

/// A program that signs people in with their account here.
#[derive(Debug, Clone)]
pub struct OAuthProviderApp {
    /// Picture.
    pub app_icon: String,
    /// Name by language.
    pub app_label: Value,
    /// Public name of the program.
    pub client_id: String,
    /// What only the program knows.
    pub client_secret: String,
    /// JSON array of addresses.
    pub redirect_uris: Value,
    /// What it may read, apart by blanks.
    pub scope: String,
}

/// The program with that id.
#[tracing::instrument(name = "db.oauth_provider_app.find", skip_all, err)]
#[boxed]
pub async fn find(db: &mut PgConnection, client_id: &str) -> Result<Option<OAuthProviderApp>> {
    Ok(sqlx::query_as!(
        OAuthProviderApp,
        r#"
        SELECT app_icon, app_label, client_id, client_secret, redirect_uris, scope
        FROM oauth_provider_apps
        WHERE client_id = $1
        "#,
        client_id,
    )
    .fetch_optional(db)
    .await?)
}
