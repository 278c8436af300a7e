//! A migrated database is what Dify's own migrations leave, plus our additions.

use db::{Db, migrate, testing::TestDb};
use sqlx::Row;

const DIFY: &str = include_str!("../fixtures/dify_schema.sql");
const EXPECTED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/catalogue.tsv");

/// Objects of our own, which the reference does not have.
fn is_ours(name: &str) -> bool {
    let table = name.split('.').next().unwrap_or(name);
    table == "conversation_messages" || table.starts_with("dify_rs_")
}

/// The dump without the commands that only `psql` understands and the settings of its session.
async fn load_dump(test: &TestDb) {
    let sql: String = DIFY
        .lines()
        .filter(|l| !l.starts_with('\\') && !l.contains("pg_catalog.set_config"))
        .flat_map(|l| [l, "\n"])
        .collect();
    test.execute(&sql).await;
}

/// What [`migrate::verify`] leaves out: order of columns, comments.
async fn details(db: &Db) -> Vec<String> {
    let mut conn = db.acquire().await.unwrap();
    sqlx::query(
        "SELECT format('%s.%s #%s %s', c.relname, a.attname,
                       row_number() OVER (PARTITION BY c.oid ORDER BY a.attnum),
                       col_description(c.oid, a.attnum))
         FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
         WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND NOT attisdropped
           AND c.relname <> 'conversation_messages' AND NOT starts_with(c.relname::text, 'dify_rs_')
         UNION ALL
         SELECT format('%s %s', oid::regprocedure, obj_description(oid, 'pg_proc'))
         FROM pg_proc WHERE proname LIKE 'uuidv7%' AND pronamespace = 'public'::regnamespace
         ORDER BY 1",
    )
    .fetch_all(&mut *conn)
    .await
    .unwrap()
    .into_iter()
    .map(|row| row.get(0))
    .collect()
}

#[tokio::test]
async fn migrated_database_is_the_one_dify_makes_plus_our_additions() {
    let (test_ours, test_theirs) = (TestDb::empty().await, TestDb::empty().await);
    let (ours, theirs) = (test_ours.db(), test_theirs.db());
    let report = migrate::run(ours).await.unwrap();
    assert!(report.built);
    load_dump(&test_theirs).await;

    let mut built = migrate::catalogue(ours).await.unwrap();
    built.retain(|o| !is_ours(&o.name));
    let dumped = migrate::catalogue(theirs).await.unwrap();
    assert!(1500 < dumped.len(), "the catalogue is read: {}", dumped.len());
    for (ours, theirs) in built.iter().zip(&dumped) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(built.len(), dumped.len());
    assert_eq!(details(ours).await, details(theirs).await);
}

#[tokio::test]
async fn expected_catalogue_is_what_the_migrations_leave() {
    let test = TestDb::empty().await;
    let db = test.db();
    migrate::run(db).await.unwrap();
    if std::env::var_os("UPDATE_CATALOGUE").is_some() {
        let text: String =
            migrate::catalogue(db).await.unwrap().iter().map(|o| format!("{o}\n")).collect();
        std::fs::write(EXPECTED, text).unwrap();
        return;
    }
    assert_eq!(migrate::verify(db).await.unwrap(), []);
}

#[tokio::test]
async fn verify_names_what_drifted() {
    let test = TestDb::empty().await;
    let db = test.db();
    migrate::run(db).await.unwrap();
    test.execute(
        "ALTER TABLE accounts ALTER COLUMN name DROP NOT NULL;
             DROP INDEX message_app_id_idx;
             CREATE INDEX operators_own ON messages (query);",
    )
    .await;
    let drift: Vec<_> =
        migrate::verify(db).await.unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(
        drift,
        [
            "column accounts.name is character varying(255), not character varying(255) NOT NULL",
            "missing index messages.message_app_id_idx: btree (app_id, created_at)",
            "extra index messages.operators_own: btree (query)",
        ]
    );
}
