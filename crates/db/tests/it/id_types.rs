//! The checked macros return id newtypes, as `sqlx.toml` says.

use db::{PgConnection, Result};
use types::{AccountId, AppId, ConversationId, EndUserId, MessageId};
use uuid::Uuid;

struct Row {
    id: MessageId,
    app_id: AppId,
    conversation_id: ConversationId,
    parent_message_id: Option<MessageId>,
    from_end_user_id: Option<EndUserId>,
    from_account_id: Option<AccountId>,
    workflow_run_id: Option<types::WorkflowRunId>,
    conversation_owner: Option<EndUserId>,
}

async fn find(db: &mut PgConnection, app: AppId, ids: &[MessageId]) -> Result<Vec<Row>> {
    Ok(sqlx::query_as!(
        Row,
        r#"
        SELECT m.id, m.app_id, m.conversation_id, m.parent_message_id, m.from_end_user_id,
               m.from_account_id, m.workflow_run_id, c.from_end_user_id AS conversation_owner
        FROM messages m JOIN conversations c ON c.id = m.conversation_id
        WHERE m.app_id = $1 AND m.id = ANY($2)
        "#,
        app as _,
        ids as _,
    )
    .fetch_all(db)
    .await?)
}

/// Columns with ids of several kinds stay plain; scalars are mapped as well.
async fn owner(db: &mut PgConnection, app: AppId) -> Result<Option<Option<Uuid>>> {
    let _: Option<AppId> = sqlx::query_scalar!("SELECT id FROM apps WHERE id = $1", app as _)
        .fetch_optional(&mut *db)
        .await?;
    Ok(sqlx::query_scalar!("SELECT created_by FROM apps WHERE id = $1", app as _)
        .fetch_optional(db)
        .await?)
}

#[tokio::test]
async fn macros_return_id_newtypes() {
    let url = std::env::var("TEST_DATABASE_URL")
        .unwrap_or("postgres://root@127.0.0.1:5432/dify_dev".into());
    let db = db::Db::connect(&db::DbOptions::new(url)).await.unwrap();
    let mut conn = db.acquire().await.unwrap();
    let rows = find(&mut conn, AppId::random(), &[MessageId::random()]).await.unwrap();
    assert!(rows.iter().all(|r| (
        r.id,
        r.app_id,
        r.conversation_id,
        r.parent_message_id,
        r.from_end_user_id,
        r.from_account_id,
        r.workflow_run_id,
        r.conversation_owner
    ) == (
        r.id,
        r.app_id,
        r.conversation_id,
        None,
        None,
        None,
        None,
        None
    )));
    assert_eq!(owner(&mut conn, AppId::random()).await.unwrap(), None);
}
