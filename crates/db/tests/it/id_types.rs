//! The checked macros return id newtypes, as `sqlx.toml` says.

use db::{PgConnection, Result, testing::TestDb};
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
    let test = TestDb::new().await;
    let db = test.db();
    let (app, message) = (AppId::random(), MessageId::random());
    let conversation = ConversationId::random();
    test.execute(
            &format!(
                "INSERT INTO conversations (id, app_id, mode, name, inputs, status, from_source)
                 VALUES ('{conversation}', '{app}', 'chat', '', '{{}}', 'normal', 'api');
                 INSERT INTO messages (id, app_id, conversation_id, inputs, message, query, answer,
                     message_unit_price, answer_unit_price, currency, from_source)
                 VALUES ('{message}', '{app}', '{conversation}', '{{}}', '{{}}', '', '', 0, 0, 'USD', 'api')"
            ),
        )
        .await;

    let mut conn = db.acquire().await.unwrap();
    let rows = find(&mut conn, app, &[message]).await.unwrap();
    let [row] = rows.as_slice() else { panic!("{} rows", rows.len()) };
    assert_eq!((row.id, row.app_id, row.conversation_id), (message, app, conversation));
    assert_eq!(row.parent_message_id, None);
    assert_eq!((row.from_end_user_id, row.conversation_owner), (None, None));
    assert_eq!((row.from_account_id, row.workflow_run_id), (None, None));
    assert!(find(&mut conn, AppId::random(), &[message]).await.unwrap().is_empty());
    assert_eq!(owner(&mut conn, app).await.unwrap(), None);
}
