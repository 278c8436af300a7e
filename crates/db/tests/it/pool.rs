//! Pools, transactions, time-outs and errors.

use std::time::Duration;

use db::{Db, DbError, DbOptions, PgConnection, testing::TestDb};
use sqlx::AssertSqlSafe;

async fn text(db: &mut PgConnection, sql: &str) -> db::Result<String> {
    Ok(sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(db).await?)
}

fn options(test: &TestDb) -> DbOptions {
    DbOptions { max_connections: 1, ..DbOptions::new(test.url()) }
}

#[tokio::test]
async fn pool_is_bounded_and_counted() {
    let test = TestDb::empty().await;
    let db = Db::connect(&options(&test)).await.unwrap();

    let held = db.acquire().await.unwrap();
    // Nobody hands a connection back: the time to wait for one passes at once.
    tokio::time::pause();
    let err = db.acquire().await.err().unwrap();
    tokio::time::resume();
    assert!(matches!(err, DbError::Busy) && err.is_unavailable(), "{err}");
    let stats = db.stats();
    assert_eq!((stats.max, stats.in_use, stats.idle, stats.waiting), (1, 1, 0, 0));
    assert_eq!((stats.acquired_total, stats.failed_total), (1, 1));
    assert!(DbOptions::new("").acquire_timeout <= stats.wait_total);

    drop(held);
    db.ping().await.unwrap();
    assert!(db.acquire_replica().await.is_ok(), "without a replica it is the primary");
}

#[tokio::test]
async fn transaction_lasts_only_if_committed() {
    let test = TestDb::empty().await;
    test.execute("CREATE TABLE item (id int CONSTRAINT one_item UNIQUE)").await;
    let insert = "INSERT INTO item VALUES (1) RETURNING 'ok'";

    let mut tx = test.db().begin().await.unwrap();
    text(&mut tx, insert).await.unwrap();
    drop(tx);

    let mut tx = test.db().begin().await.unwrap();
    text(&mut tx, insert).await.unwrap();
    tx.commit().await.unwrap();

    let mut tx = test.db().begin().await.unwrap();
    let err = text(&mut tx, insert).await.unwrap_err();
    assert!(err.is_unique_violation() && !err.is_unavailable(), "{err:?}");
    assert_eq!(err.constraint(), Some("one_item"));
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn session_is_in_utc_with_the_time_outs() {
    let test = TestDb::empty().await;
    let limits = DbOptions {
        statement_timeout: Some(Duration::from_millis(61_500)),
        idle_in_transaction_timeout: Some(Duration::from_secs(7)),
        ..options(&test)
    };
    let db = Db::connect(&limits).await.unwrap();
    let mut conn = db.acquire().await.unwrap();
    assert_eq!(text(&mut conn, "SHOW timezone").await.unwrap(), "UTC");
    assert_eq!(text(&mut conn, "SHOW statement_timeout").await.unwrap(), "61500ms");
    let idle = "SHOW idle_in_transaction_session_timeout";
    assert_eq!(text(&mut conn, idle).await.unwrap(), "7s");
    drop(conn);

    let pooled = Db::connect(&DbOptions { transaction_pooler: true, ..limits }).await.unwrap();
    let mut tx = pooled.begin().await.unwrap();
    assert_eq!(text(&mut tx, "SHOW statement_timeout").await.unwrap(), "61500ms");
    tx.commit().await.unwrap();
    let mut conn = pooled.acquire().await.unwrap();
    assert_eq!(text(&mut conn, "SHOW statement_timeout").await.unwrap(), "0", "left as it was");
}

#[tokio::test]
async fn statement_over_its_time_is_cancelled() {
    let test = TestDb::empty().await;
    let limits = DbOptions { statement_timeout: Some(Duration::from_secs(1)), ..options(&test) };
    let db = Db::connect(&limits).await.unwrap();
    let mut conn = db.acquire().await.unwrap();
    let err = text(&mut conn, "SELECT pg_sleep(30)::text").await.unwrap_err();
    assert!(err.is_statement_timeout(), "{err:?}");
}

#[tokio::test]
async fn unreachable_server_is_waited_for_and_a_wrong_name_is_not() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let patience = DbOptions {
        connect_patience: Duration::from_millis(120),
        ..DbOptions::new(format!("postgres://{address}/x"))
    };
    let start = std::time::Instant::now();
    let err = Db::connect(&patience).await.err().unwrap();
    assert!(matches!(err, DbError::Connect(_)) && err.is_unavailable(), "{err:?}");
    assert!(Duration::from_millis(120) <= start.elapsed());

    let test = TestDb::empty().await;
    let url = test.url().replace("/dify_test_", "/no_such_");
    let start = std::time::Instant::now();
    let err = Db::connect(&DbOptions::new(url)).await.err().unwrap();
    assert_eq!(err.code().as_deref(), Some("3D000"), "{err:?}");
    assert!(start.elapsed() < Duration::from_secs(30), "no retries");
}

#[tokio::test]
async fn reads_use_the_replica_while_it_answers() {
    let (primary, replica) = (TestDb::empty().await, TestDb::empty().await);
    let with = |url: &str| DbOptions { replica_url: Some(url.to_owned()), ..options(&primary) };
    let name = "SELECT current_database()::text";

    let db = Db::connect(&with(replica.url())).await.unwrap();
    let from_replica = text(&mut db.acquire_replica().await.unwrap(), name).await.unwrap();
    let from_primary = text(&mut db.acquire().await.unwrap(), name).await.unwrap();
    assert!(replica.url().contains(&from_replica) && primary.url().contains(&from_primary));

    let broken = replica.url().replace("/dify_test_", "/no_such_");
    let db = Db::connect(&with(&broken)).await.unwrap();
    let fallback = text(&mut db.acquire_replica().await.unwrap(), name).await.unwrap();
    assert_eq!(fallback, from_primary);
}

#[tokio::test]
async fn a_replica_that_is_away_or_too_far_behind_is_left_alone() {
    let (primary, replica) = (TestDb::empty().await, TestDb::empty().await);
    let name = "SELECT current_database()::text";
    let with = |url: &str, max_lag: u64| DbOptions {
        replica_url: Some(url.to_owned()),
        replica_max_lag: Duration::from_millis(max_lag),
        // A busy machine takes its time to open a connection.
        replica_patience: Duration::from_secs(60),
        ..options(&primary)
    };

    // A database that is no standby is never behind.
    let db = Db::connect(&with(replica.url(), 0)).await.unwrap();
    assert_eq!(db.measure_replica().await.unwrap().unwrap(), Duration::ZERO);
    let read = text(&mut db.acquire_replica().await.unwrap(), name).await.unwrap();
    assert!(replica.url().contains(&read), "{read}");

    let broken = replica.url().replace("/dify_test_", "/no_such_");
    let db = Db::connect(&with(&broken, 5000)).await.unwrap();
    assert!(db.measure_replica().await.unwrap().is_err());
    let failed = db.replica_stats().unwrap().failed_total;
    let read = text(&mut db.acquire_replica().await.unwrap(), name).await.unwrap();
    assert!(primary.url().contains(&read), "{read}");
    assert_eq!(db.replica_stats().unwrap().failed_total, failed, "it was not even asked");

    assert!(Db::connect(&options(&primary)).await.unwrap().measure_replica().await.is_none());
}
