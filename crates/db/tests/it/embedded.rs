//! The private PostgreSQL, for real.

use std::{fs::Permissions, os::unix::fs::PermissionsExt, path::Path};

use db::{
    Db, DbOptions,
    embedded::{Embedded, EmbeddedError},
};
use sqlx::AssertSqlSafe;
use tempfile::TempDir;

/// A directory the user that PostgreSQL runs as can reach.
fn directory() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), Permissions::from_mode(0o755)).unwrap();
    dir
}

async fn execute(server: &Embedded, sql: &str) {
    let db = Db::connect(&DbOptions::new(server.url())).await.unwrap();
    let mut conn = db.acquire().await.unwrap();
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *conn).await.unwrap();
    drop(conn);
    db.close().await;
}

async fn setting(server: &Embedded, sql: &str) -> String {
    let db = Db::connect(&DbOptions::new(server.url())).await.unwrap();
    let mut conn = db.acquire().await.unwrap();
    let value = sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut *conn).await;
    drop(conn);
    db.close().await;
    value.unwrap()
}

fn main_process(data_dir: &Path) -> Option<String> {
    let file = std::fs::read_to_string(data_dir.join("cluster/data/postmaster.pid")).ok()?;
    file.lines().next().map(str::to_owned)
}

async fn kill(pid: &str) {
    // The shell's own: the program of that name is a package of its own.
    let command = format!("kill -9 {pid}");
    let killed = tokio::process::Command::new("sh").args(["-c", &command]).status().await.unwrap();
    assert!(killed.success());
}

#[tokio::test]
async fn private_server_keeps_its_data_over_stop_crash_and_reuse() {
    let dir = directory();
    let first = Embedded::start(dir.path()).await.unwrap();
    db::migrate::run(&Db::connect(&DbOptions::new(first.url())).await.unwrap()).await.unwrap();
    assert_eq!(setting(&first, "SHOW listen_addresses").await, "");
    assert_eq!(setting(&first, "SHOW fsync").await, "on");
    assert_eq!(setting(&first, "SHOW synchronous_commit").await, "on");
    execute(&first, "CREATE TABLE kept (n int); INSERT INTO kept VALUES (41)").await;

    // A second process joins, and the server outlives whoever leaves first.
    let pid = main_process(dir.path()).unwrap();
    let second = Embedded::start(dir.path()).await.unwrap();
    assert_eq!(second.url(), first.url());
    assert_eq!(main_process(dir.path()).as_ref(), Some(&pid));
    first.stop().await.unwrap();
    execute(&second, "UPDATE kept SET n = 42").await;

    // Killed with its pid file left behind, which then names a process that is something else.
    kill(&pid).await;
    drop(second);
    let file = dir.path().join("cluster/data/postmaster.pid");
    let stale = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, stale.replacen(&pid, &std::process::id().to_string(), 1)).unwrap();
    let third = Embedded::start(dir.path()).await.unwrap();
    assert_eq!(setting(&third, "SELECT n::text FROM kept").await, "42");

    third.stop().await.unwrap();
    assert_eq!(main_process(dir.path()), None, "stopped");
    let fourth = Embedded::start(dir.path()).await.unwrap();
    assert_eq!(setting(&fourth, "SELECT n::text FROM kept").await, "42");
    fourth.stop().await.unwrap();
}

#[tokio::test]
async fn long_path_and_an_interrupted_initialisation_are_no_obstacle() {
    let dir = directory();
    let long = dir.path().join("d".repeat(110));
    let draft = long.join("cluster/data.new");
    std::fs::create_dir_all(&draft).unwrap();
    std::fs::write(draft.join("half"), "done").unwrap();

    let server = Embedded::start(&long).await.unwrap();
    assert_eq!(setting(&server, "SELECT current_user::text").await, "dify");
    server.stop().await.unwrap();
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let dir = directory();
    let data = dir.path().join("cluster/data");
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(data.join("PG_VERSION"), "9\n").unwrap();
    let err = Embedded::start(dir.path()).await.unwrap_err();
    assert!(matches!(&err, EmbeddedError::WrongVersion { made_by, .. } if made_by == "9"), "{err}");

    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let err = Embedded::start(&file).await.unwrap_err();
    assert!(matches!(err, EmbeddedError::Io { .. }), "{err}");
}
