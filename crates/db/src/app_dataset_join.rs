//! `app_dataset_joins`: which knowledge bases an app uses.

use boxed::boxed;
use sqlx::PgConnection;
use types::AppId;
use uuid::Uuid;

use crate::Result;

/// Makes `datasets` the knowledge bases an app uses; what is already there stays.
#[tracing::instrument(name = "db.app_dataset_join.replace", skip_all, err)]
#[boxed]
pub async fn replace(db: &mut PgConnection, app: AppId, datasets: &[Uuid]) -> Result<()> {
    sqlx::query!(
        "DELETE FROM app_dataset_joins WHERE app_id = $1 AND NOT dataset_id = ANY($2)",
        app as _,
        datasets,
    )
    .execute(&mut *db)
    .await?;
    sqlx::query!(
        r#"
        INSERT INTO app_dataset_joins (app_id, dataset_id)
        SELECT $1, wanted.id
        FROM (SELECT DISTINCT unnest($2::uuid[]) AS id) wanted
        WHERE NOT EXISTS (SELECT 1 FROM app_dataset_joins j WHERE j.app_id = $1 AND j.dataset_id = wanted.id)
        "#,
        app as _,
        datasets,
    )
    .execute(db)
    .await?;
    Ok(())
}
