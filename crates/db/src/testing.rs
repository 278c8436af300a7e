//! A private, migrated database for each test, in about 0.1 s. For tests only.
//!
//! The first test of a machine migrates a template; the others clone it. A template is named by
//! [`migrate::fingerprint`](crate::migrate::fingerprint), so branches with different migrations
//! live side by side. Databases are dropped with their [`TestDb`]; what crashed runs leave behind
//! is swept by later ones.

#![expect(clippy::panic, reason = "a test that gets no database cannot go on")]

use std::{
    str::FromStr,
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, Executor, PgConnection, postgres::PgConnectOptions,
};
use tokio::sync::OnceCell;
use url::Url;

use crate::{Db, DbError, DbOptions, Result, migrate};

/// Where tests make their databases, unless `TEST_DATABASE_URL` says otherwise.
const DEFAULT_URL: &str = "postgres://root@127.0.0.1:5432/postgres";
/// The same without TCP.
const DEFAULT_SOCKET_URL: &str = "postgres:///postgres";

/// Key of the advisory lock around making and sweeping templates.
const LOCK: i64 = 0x6469_6679_2d72_7301;

/// No test takes that long: an older database nobody is connected to is left over.
const LEFTOVER_AGE: Duration = Duration::from_secs(30 * 60);
/// A template of other migrations is dropped at this age; who needs it makes it again.
const TEMPLATE_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// A private database, dropped with this value.
pub struct TestDb {
    db: Db,
    name: String,
    url: String,
    /// The server, to drop it there.
    server: PgConnectOptions,
}

impl TestDb {
    /// A migrated database with no rows.
    ///
    /// # Panics
    /// If there is no PostgreSQL to make it in.
    pub async fn new() -> Self {
        Self::create(true).await.unwrap_or_else(|err| {
            let source = std::error::Error::source(&err).map(ToString::to_string);
            panic!("no test database: {err}: {source:?}; set TEST_DATABASE_URL")
        })
    }

    /// A database with nothing in it, not even tables.
    ///
    /// # Panics
    /// If there is no PostgreSQL to make it in.
    pub async fn empty() -> Self {
        Self::create(false).await.unwrap_or_else(|err| {
            let source = std::error::Error::source(&err).map(ToString::to_string);
            panic!("no test database: {err}: {source:?}; set TEST_DATABASE_URL")
        })
    }

    /// A small pool over it.
    #[must_use]
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// For a pool with other options, or another process.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Runs statements that return nothing: rows a test starts with.
    ///
    /// # Panics
    /// If the server refuses one.
    pub async fn execute(&self, sql: &str) {
        let outcome = async {
            let mut conn = self.db.acquire().await?;
            sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(&mut *conn).await?;
            Ok::<_, DbError>(())
        };
        if let Err(err) = outcome.await {
            panic!("{err:?} in {sql}");
        }
    }

    /// The number a statement answers.
    ///
    /// # Panics
    /// If it fails or answers something else.
    pub async fn count(&self, sql: &str) -> i64 {
        let mut db = self.db.acquire().await.unwrap_or_else(|err| panic!("no connection: {err}"));
        sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
            .fetch_one(&mut *db)
            .await
            .unwrap_or_else(|err| panic!("{sql}: {err}"))
    }

    async fn create(migrated: bool) -> Result<Self> {
        let (server_url, mut admin) = connect_server().await?;
        let name = clone_name();
        let template = if migrated { Some(template(&server_url, &mut admin).await?) } else { None };
        let template = template.as_deref().unwrap_or("template0");
        admin
            .execute(AssertSqlSafe(format!(r#"CREATE DATABASE "{name}" TEMPLATE "{template}""#)))
            .await?;
        admin.close().await?;

        let url = url_of(&server_url, &name);
        let db = Db::connect_lazy(&options(&url))?;
        let server = PgConnectOptions::from_str(server_url.as_str()).map_err(DbError::Options)?;
        Ok(Self { db, name, url, server })
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        // A thread, because the test's own runtime may be busy with this very drop.
        let server = self.server.clone();
        let sql = format!(r#"DROP DATABASE IF EXISTS "{}" WITH (FORCE)"#, self.name);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(async {
                let mut admin = server.connect().await?;
                admin.execute(AssertSqlSafe(sql)).await?;
                admin.close().await
            })
        });
        // A failure leaves the database to the next sweep.
        let _ = thread.join();
    }
}

fn options(url: &str) -> DbOptions {
    DbOptions { max_connections: 5, ..DbOptions::new(url) }
}

fn url_of(server: &Url, database: &str) -> String {
    let mut url = server.clone();
    url.set_path(database);
    // Tests need no durability.
    let query = url.query().map(|q| format!("{q}&")).unwrap_or_default();
    url.set_query(Some(&format!("{query}options=-c%20synchronous_commit%3Doff")));
    url.into()
}

async fn connect_server() -> Result<(Url, PgConnection)> {
    let given = std::env::var("TEST_DATABASE_URL").ok();
    let urls = match given.as_deref() {
        Some(url) => vec![url],
        None => vec![DEFAULT_URL, DEFAULT_SOCKET_URL],
    };
    let mut failure = DbError::Busy;
    for url in urls {
        let options = PgConnectOptions::from_str(url).map_err(DbError::Options)?;
        match options.connect().await {
            Ok(admin) => {
                let url = Url::parse(url).map_err(|e| DbError::Data(e.to_string().into()))?;
                return Ok((url, admin));
            }
            Err(err) => failure = DbError::Connect(err),
        }
    }
    Err(failure)
}

/// Unique on this machine, and tells its age.
fn clone_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    format!("dify_test_{seconds}_{}_{count}", uuid::Uuid::new_v4().simple())
}

/// Name of the migrated template, which is made if it is missing.
async fn template(server: &Url, admin: &mut PgConnection) -> Result<String> {
    static MADE: OnceCell<String> = OnceCell::const_new();
    MADE.get_or_try_init(async || {
        sqlx::query("SELECT pg_advisory_lock($1)").bind(LOCK).execute(&mut *admin).await?;
        let made = make_template(server, admin).await;
        sweep(admin).await;
        sqlx::query("SELECT pg_advisory_unlock($1)").bind(LOCK).execute(&mut *admin).await?;
        made
    })
    .await
    .cloned()
}

async fn make_template(server: &Url, admin: &mut PgConnection) -> Result<String> {
    let name = format!("dify_test_template_{:016x}", migrate::fingerprint());
    let exists: bool =
        sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
            .bind(&name)
            .fetch_one(&mut *admin)
            .await?;
    if exists {
        return Ok(name);
    }

    // Under its final name only when it is complete.
    let draft = clone_name();
    admin
        .execute(AssertSqlSafe(format!(r#"CREATE DATABASE "{draft}" TEMPLATE template0"#)))
        .await?;
    let db = Db::connect_lazy(&options(&url_of(server, &draft)))?;
    let migrated = migrate::run(&db).await;
    db.close().await;
    match migrated {
        Ok(_) => {}
        Err(migrate::MigrateError::Db(err)) => return Err(err),
        Err(err) => return Err(DbError::Data(err.to_string().into())),
    }
    // Nobody may connect: a database with sessions cannot be cloned.
    for sql in [
        format!(r#"ALTER DATABASE "{draft}" ALLOW_CONNECTIONS false"#),
        format!(r#"ALTER DATABASE "{draft}" RENAME TO "{name}""#),
        format!(
            r#"DO $$ BEGIN EXECUTE format('COMMENT ON DATABASE "{name}" IS %L', extract(epoch FROM now())::bigint); END $$"#
        ),
    ] {
        admin.execute(AssertSqlSafe(sql)).await?;
    }
    Ok(name)
}

/// Drops what crashed runs left and templates nobody needs; never fails a test.
async fn sweep(admin: &mut PgConnection) {
    let old: Result<Vec<String>, _> = sqlx::query_scalar(
        r"
        SELECT d.datname::text FROM pg_database d
        WHERE NOT EXISTS (SELECT FROM pg_stat_activity a WHERE a.datid = d.oid)
          AND CASE
              WHEN d.datname ~ '^dify_test_\d+_[0-9a-f]{32}_\d+$' THEN
                  split_part(d.datname, '_', 3)::bigint < extract(epoch FROM now()) - $1
              WHEN d.datname ~ '^dify_test_template_[0-9a-f]{16}$' THEN
                  d.datname <> $3
                  AND shobj_description(d.oid, 'pg_database')::bigint
                      < extract(epoch FROM now()) - $2
              ELSE false
          END
        ",
    )
    .bind(LEFTOVER_AGE.as_secs_f64())
    .bind(TEMPLATE_AGE.as_secs_f64())
    .bind(format!("dify_test_template_{:016x}", migrate::fingerprint()))
    .fetch_all(&mut *admin)
    .await;
    for name in old.unwrap_or_default() {
        // Somebody else may have dropped or started to use it.
        let _ = admin.execute(AssertSqlSafe(format!(r#"DROP DATABASE "{name}""#))).await;
    }
}
