//! Behind PgBouncer in transaction mode, where two statements of one client may run in two sessions of the server.
//!
//! Wants a PgBouncer that knows prepared statements (1.21 or later), as `pgbouncer` in the path or named by
//! `PGBOUNCER`; skipped without.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use db::{Db, DbOptions, account, migrate, testing::TestDb};
use futures::future::try_join_all;

struct PgBouncer {
    process: Child,
    port: u16,
    _directory: tempfile::TempDir,
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn program() -> Option<String> {
    let program = std::env::var("PGBOUNCER").unwrap_or_else(|_| "pgbouncer".to_owned());
    let said = Command::new(&program).arg("--version").output().ok()?;
    let said = String::from_utf8_lossy(&said.stdout).into_owned();
    let version: Vec<u32> = said
        .split_whitespace()
        .nth(1)?
        .split('.')
        .filter_map(|number| number.parse().ok())
        .collect();
    ([1, 21].as_slice() <= version.as_slice()).then_some(program)
}

impl PgBouncer {
    /// In front of the server of `url`, with two sessions for everybody.
    async fn start(url: &url::Url) -> Option<Self> {
        let Some(program) = program() else {
            eprintln!("no PgBouncer of 1.21 or later: not tested");
            return None;
        };
        let directory = tempfile::tempdir().unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let (host, user) = (url.host_str().unwrap_or("127.0.0.1"), url.username());
        let server = url.port().unwrap_or(5432);
        let password = url.password().map(|text| format!(" password={text}")).unwrap_or_default();
        let settings = format!(
            "[databases]\n* = host={host} port={server} user={user}{password}\n[pgbouncer]\n\
             listen_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n\
             pool_mode = transaction\nmax_prepared_statements = 200\ndefault_pool_size = 2\n"
        );
        let file = directory.path().join("pgbouncer.ini");
        std::fs::write(&file, settings).unwrap();
        let mut command = Command::new(program);
        if is_root() {
            // It refuses to be root. Everybody may read what it needs.
            command.args(["-u", "nobody"]);
            let all = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            std::fs::set_permissions(directory.path(), all).unwrap();
        }
        let process =
            command.arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let bouncer = Self { process, port, _directory: directory };
        let listens = async {
            while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), listens).await.unwrap();
        Some(bouncer)
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().unwrap();
    id.stdout.starts_with(b"0\n")
}

#[tokio::test]
async fn statements_and_transactions_work_through_a_transaction_pooler() {
    let test = TestDb::empty().await;
    let mut url = url::Url::parse(test.url()).unwrap();
    let Some(bouncer) = PgBouncer::start(&url).await else { return };
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(bouncer.port)).unwrap();
    // Sessions are shared: nothing may be asked of one.
    url.set_query(None);
    let options = DbOptions {
        transaction_pooler: true,
        max_connections: 8,
        statement_timeout: Some(Duration::from_secs(20)),
        ..DbOptions::new(url)
    };
    let pools = [Db::connect(&options).await.unwrap(), Db::connect(&options).await.unwrap()];
    assert!(migrate::run(&pools[0]).await.unwrap().built);

    // Two processes with the same statements under the same names, over two sessions, in and out of transactions.
    let work = (0..200).map(|n| {
        let db = pools[n % 2].clone();
        async move {
            let email = format!("{n}@example.com");
            if n % 3 == 0 {
                let mut tx = db.begin().await?;
                account::lock_email(&mut tx, &email).await?;
                let found = account::find_by_email(&mut tx, &email).await?;
                tx.commit().await?;
                return Ok(found.is_none());
            }
            let mut conn = db.acquire().await?;
            let taken = account::email_taken(&mut conn, &email).await?;
            Ok::<_, db::DbError>(
                !taken && account::find_by_email(&mut conn, &email).await?.is_none(),
            )
        }
    });
    assert!(try_join_all(work).await.unwrap().into_iter().all(|fine| fine));
    for pool in pools {
        pool.close().await;
    }
}
