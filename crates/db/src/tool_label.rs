//! `tool_label_bindings`: labels of tool providers that workspaces made.

use boxed::boxed;
use sqlx::PgConnection;

use crate::Result;

/// A label of a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The provider's row, as text.
    pub tool_id: String,
    /// The label.
    pub label_name: String,
}

/// The labels of some providers of a kind (`api`, `workflow`), which the caller found in its workspace.
#[tracing::instrument(name = "db.tool_label.list", skip_all, err)]
#[boxed]
pub async fn list(db: &mut PgConnection, kind: &str, providers: &[String]) -> Result<Vec<Label>> {
    Ok(sqlx::query_as!(
        Label,
        r#"
        SELECT tool_id, label_name
        FROM tool_label_bindings
        WHERE tool_type = $1 AND tool_id = ANY($2)
        ORDER BY label_name
        "#,
        kind,
        providers,
    )
    .fetch_all(db)
    .await?)
}

/// Makes `labels` all the labels of a provider, which the caller found in its workspace.
#[tracing::instrument(name = "db.tool_label.replace", skip_all, err)]
#[boxed]
pub async fn replace(
    db: &mut PgConnection,
    kind: &str,
    provider: &str,
    labels: &[String],
) -> Result<()> {
    sqlx::query!(
        "DELETE FROM tool_label_bindings WHERE tool_type = $1 AND tool_id = $2",
        kind,
        provider,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        INSERT INTO tool_label_bindings (tool_id, tool_type, label_name)
        SELECT $1, $2, label FROM unnest($3::text[]) AS l (label)
        "#,
        provider,
        kind,
        labels,
    )
    .execute(db)
    .await?;
    Ok(())
}
