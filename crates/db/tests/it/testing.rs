//! Test databases are private and gone afterwards.

use db::testing::TestDb;

async fn databases(test: &TestDb) -> Vec<String> {
    let mut conn = test.db().acquire().await.unwrap();
    sqlx::query_scalar("SELECT datname::text FROM pg_database").fetch_all(&mut *conn).await.unwrap()
}

#[tokio::test]
async fn each_test_has_a_database_of_its_own_that_is_dropped() {
    let observer = TestDb::empty().await;
    let (one, two) = (TestDb::new().await, TestDb::new().await);
    assert_ne!(one.url(), two.url());
    one.execute("CREATE TABLE mine (id int)").await;
    two.execute("CREATE TABLE mine (id int)").await;

    let name = one.url().split('?').next().and_then(|u| u.rsplit('/').next()).unwrap().to_owned();
    assert!(databases(&observer).await.contains(&name));
    drop(one);
    assert!(!databases(&observer).await.contains(&name));
}
