//! The queries `docs/analytics.md` promises an index for.

use db::{Db, testing::TestDb};

/// Enough rows that reading them all is the dearer plan.
const ROWS: &str = "
    INSERT INTO conversation_messages (session_id, role, content, metadata, created_at)
    SELECT gen_random_uuid(), (ARRAY['user', 'assistant'])[1 + n % 2], repeat(md5(n::text), 20),
           jsonb_build_object('model', 'model-' || n % 200, 'tenant_id', n % 50, 'response_time', n % 7),
           now() - n * interval '1 minute'
    FROM generate_series(1, 40000) AS n";

async fn plan(db: &Db, query: &'static str) -> String {
    let mut conn = db.acquire().await.unwrap();
    let lines: Vec<String> = sqlx::query_scalar(query).fetch_all(&mut *conn).await.unwrap();
    lines.join("\n")
}

#[tokio::test]
async fn promised_queries_use_their_index() {
    let test = TestDb::new().await;
    test.execute(ROWS).await;
    test.execute("ANALYZE conversation_messages").await;
    for (query, index) in [
        (
            r#"EXPLAIN SELECT * FROM conversation_messages WHERE metadata @> '{"model": "model-4"}'"#,
            "conversation_messages_metadata_idx",
        ),
        (
            "EXPLAIN SELECT * FROM conversation_messages WHERE metadata->>'model' = 'model-4'",
            "conversation_messages_model_created_at_idx",
        ),
        (
            "EXPLAIN SELECT AVG((metadata->>'response_time')::float) FROM conversation_messages
             WHERE created_at > NOW() - INTERVAL '7 days' AND metadata->>'model' = 'model-4'",
            "conversation_messages_model_created_at_idx",
        ),
        (
            "EXPLAIN SELECT role, content FROM conversation_messages
             WHERE session_id = '00000000-0000-0000-0000-000000000000' ORDER BY created_at",
            "conversation_messages_session_created_at_idx",
        ),
    ] {
        let plan = plan(test.db(), query).await;
        assert!(plan.contains(index), "{query}\n{plan}");
    }
}

#[tokio::test]
async fn old_copies_are_deleted_batch_by_batch() {
    let test = TestDb::new().await;
    test.execute(ROWS).await;
    let before = chrono::Utc::now() - chrono::TimeDelta::minutes(39_990);
    let mut conn = test.db().acquire().await.unwrap();
    let mut batches = Vec::new();
    loop {
        let rows = db::conversation_message::expire(&mut conn, before, 4).await.unwrap();
        batches.push(rows);
        if rows < 4 {
            break;
        }
    }
    assert!(batches.len() < 5 && 9 <= batches.iter().sum::<u64>(), "{batches:?}");
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM conversation_messages")
        .fetch_one(&mut *conn)
        .await
        .unwrap();
    assert!((39_988..=39_991).contains(&left), "{left}");
}
