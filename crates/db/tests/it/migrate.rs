//! What the migration does to databases in every state.

use db::{
    Db, DbOptions,
    migrate::{self, DifySchema, MigrateError, Report},
    testing::TestDb,
};

async fn count_tables(db: &Db) -> i64 {
    let mut conn = db.acquire().await.unwrap();
    sqlx::query_scalar("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
        .fetch_one(&mut *conn)
        .await
        .unwrap()
}

/// Every addition, in order.
const ADDITIONS: [&str; 4] =
    ["conversation_messages", "running", "annotation_vectors", "conversation_messages_age"];

#[tokio::test]
async fn empty_database_is_built_and_stamped_once() {
    let test = TestDb::empty().await;
    let db = test.db();
    let before = migrate::status(db).await.unwrap();
    assert_eq!(before.dify, DifySchema::Empty);
    assert_eq!(before.pending, ADDITIONS);

    let report = migrate::run(db).await.unwrap();
    assert_eq!(report, Report { built: true, added: ADDITIONS.to_vec() });
    assert!(migrate::status(db).await.unwrap().is_current());

    assert_eq!(migrate::run(db).await.unwrap(), Report::default());
}

#[tokio::test]
async fn current_database_of_dify_only_gains_our_additions() {
    let test = TestDb::empty().await;
    let db = test.db();
    migrate::run(db).await.unwrap();
    test.execute(
        "DROP TABLE dify_rs_migrations, conversation_messages, dify_rs_running, dify_rs_processes, \
         dify_rs_annotation_vectors",
    )
    .await;
    // Something Dify's operator changed; it must survive.
    test.execute("ALTER TABLE apps ALTER COLUMN name TYPE text").await;

    let report = migrate::run(db).await.unwrap();
    assert_eq!(report, Report { built: false, added: ADDITIONS.to_vec() });
    assert_eq!(migrate::verify(db).await.unwrap().len(), 1);
}

#[tokio::test]
async fn database_of_another_release_is_refused_untouched() {
    let test = TestDb::empty().await;
    let db = test.db();
    test.execute(
        "CREATE TABLE alembic_version (version_num varchar(32) PRIMARY KEY);
             INSERT INTO alembic_version VALUES ('64b051264f32')",
    )
    .await;
    let err = migrate::run(db).await.unwrap_err();
    assert!(matches!(&err, MigrateError::Older(r) if r == "64b051264f32"), "{err}");
    assert!(err.to_string().contains("langgenius/dify-api:1.13.2"), "{err}");

    test.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'").await;
    let err = migrate::run(db).await.unwrap_err();
    assert!(matches!(err, MigrateError::Unknown(_)), "{err}");

    test.execute("INSERT INTO alembic_version VALUES ('6b5f9f8b1a2c')").await;
    let err = migrate::run(db).await.unwrap_err();
    assert!(matches!(err, MigrateError::Unknown(_)), "two heads: {err}");
    assert_eq!(count_tables(db).await, 1);
}

#[tokio::test]
async fn database_with_tables_of_unknown_origin_is_refused_untouched() {
    let test = TestDb::empty().await;
    let db = test.db();
    test.execute("CREATE EXTENSION \"uuid-ossp\"").await;
    assert_eq!(migrate::status(db).await.unwrap().dify, DifySchema::Empty);

    test.execute("CREATE TABLE invoices (id int)").await;
    let err = migrate::run(db).await.unwrap_err();
    assert!(matches!(&err, MigrateError::Unversioned(t) if t == "invoices"), "{err}");
    assert_eq!(count_tables(db).await, 1);
}

#[tokio::test]
async fn edited_addition_is_refused_and_one_of_a_later_release_is_not() {
    let test = TestDb::empty().await;
    let db = test.db();
    migrate::run(db).await.unwrap();
    test.execute(
        "INSERT INTO dify_rs_migrations (version, name, checksum) VALUES (9999, 'later', '')",
    )
    .await;
    assert!(migrate::status(db).await.unwrap().is_current());

    test.execute("UPDATE dify_rs_migrations SET checksum = 'other' WHERE version = 1").await;
    let err = migrate::run(db).await.unwrap_err();
    assert!(matches!(err, MigrateError::Edited("conversation_messages")), "{err}");
}

#[tokio::test]
async fn concurrent_starters_build_once_each_through_one_connection() {
    let test = TestDb::empty().await;
    let url = test.url();
    let options = DbOptions { max_connections: 1, ..DbOptions::new(url) };
    let starters = (0..4).map(|_| {
        let db = Db::connect_lazy(&options).unwrap();
        async move { migrate::run(&db).await }
    });
    let reports = futures::future::try_join_all(starters).await.unwrap();
    assert_eq!(reports.iter().filter(|r| r.built).count(), 1);
    assert_eq!(reports.iter().map(|r| r.added.len()).sum::<usize>(), ADDITIONS.len());
}

#[tokio::test]
async fn whoever_looks_while_another_builds_sees_all_or_nothing() {
    let test = TestDb::empty().await;
    let looker = Db::connect_lazy(&DbOptions::new(test.url())).unwrap();
    let builder = Db::connect_lazy(&DbOptions::new(test.url())).unwrap();
    let building = tokio::spawn(async move { migrate::run(&builder).await.unwrap() });
    loop {
        let seen = migrate::status(&looker).await.unwrap();
        match seen.dify {
            DifySchema::Empty => {}
            DifySchema::Current => break,
            torn => panic!("half a database was seen: {torn:?}"),
        }
        assert!(seen.applied.is_empty(), "{seen}");
    }
    assert!(building.await.unwrap().built);
}
