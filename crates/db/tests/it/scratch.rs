//! An empty database for one test.

use std::{panic::AssertUnwindSafe, str::FromStr};

use db::{Db, DbOptions};
use futures::FutureExt;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, postgres::PgConnectOptions};

pub fn server_url() -> String {
    std::env::var("TEST_DATABASE_URL")
        .unwrap_or_else(|_| "postgres://root@127.0.0.1:5432/postgres".to_owned())
}

pub fn url_of(database: &str) -> String {
    let mut url = url::Url::parse(&server_url()).unwrap();
    url.set_path(database);
    url.into()
}

/// Runs `test` on an empty database, which is dropped afterwards even if the test fails.
pub async fn with_database<F: Future>(test: impl FnOnce(Db, String) -> F) -> F::Output {
    let name = format!("dify_db_test_{}", uuid::Uuid::new_v4().simple());
    let mut admin = PgConnectOptions::from_str(&server_url()).unwrap().connect().await.unwrap();
    admin.execute(AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
    let url = url_of(&name);
    let db = Db::connect_lazy(&DbOptions::new(&url)).unwrap();
    let outcome = AssertUnwindSafe(test(db.clone(), url)).catch_unwind().await;
    db.close().await;
    admin.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await.unwrap();
    outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Runs statements that return nothing.
pub async fn execute(db: &Db, sql: &str) {
    let mut conn = db.acquire().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *conn).await.unwrap();
}
