//! A private PostgreSQL for an installation without one: made, started and stopped by us.
//!
//! Below the data directory lie `cluster/data` (the cluster), `cluster/run` (its socket) and two
//! lock files. The server listens on the socket only, in a directory nobody else may enter, so it
//! needs neither port nor password. PostgreSQL refuses to run as root; started as root we run it as
//! the owner of an existing cluster, else as `postgres`, else as `nobody`, and give that user
//! `cluster/`. The user must be able to reach the data directory, so it cannot lie in `/root`.
//!
//! Several processes may share one data directory: the first starts the server, the last one to
//! stop stops it. A process that dies without stopping leaves the server running, and the next one
//! finds it. What is committed survives all of this, including loss of power.

use std::{
    fs::{self, File, Permissions, TryLockError},
    io,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

use crate::DbError;

mod binaries;
mod process;

use binaries::Binaries;
use process::Identity;

/// Name of the superuser and of the database.
const NAME: &str = "dify";

/// How long PostgreSQL may take to start (it may have to replay its log) or to stop.
const PATIENCE: Duration = Duration::from_secs(300);

/// Length a socket path must stay below on every system we know (`sun_path`).
const SOCKET_PATH_MAX: usize = 100;

/// Read by PostgreSQL at each start. Durable, and modest in memory: the whole product may share a
/// small machine. No parallel workers, because they need more of `/dev/shm` than containers have.
const SETTINGS: &str = "\
listen_addresses = ''
unix_socket_permissions = 0700
fsync = on
synchronous_commit = on
full_page_writes = on
max_connections = 200
shared_buffers = 64MB
work_mem = 8MB
maintenance_work_mem = 64MB
max_wal_size = 512MB
max_parallel_workers_per_gather = 0
max_parallel_maintenance_workers = 0
jit = off
timezone = 'UTC'
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_truncate_on_rotation = on
log_rotation_age = 1d
log_rotation_size = 0
";

/// A running private PostgreSQL. Dropping it leaves the server running; see [`Embedded::stop`].
#[derive(Debug)]
pub struct Embedded {
    cluster: Cluster,
    /// Held shared by every process that uses the cluster.
    in_use: File,
}

/// Why there is no private PostgreSQL.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// PostgreSQL is not installed.
    #[error(
        "no PostgreSQL programs (initdb, pg_ctl, postgres) in PATH or /usr/lib/postgresql; install \
         the package postgresql, or set DB_HOST to use a server"
    )]
    NotInstalled,
    /// The cluster needs another major version than is installed.
    #[error(
        "the data in {dir} was written by PostgreSQL {made_by}, which is not installed; install \
         that version, or move the data with pg_dump and pg_restore"
    )]
    WrongVersion {
        /// The cluster.
        dir: PathBuf,
        /// Its major version.
        made_by: String,
    },
    /// Started as root on a machine without a user to run PostgreSQL as.
    #[error(
        "PostgreSQL does not run as root, and there is no user postgres or nobody to run it as"
    )]
    NoUser,
    /// The user PostgreSQL runs as cannot use the data directory.
    #[error(
        "user {user} cannot use {dir}; choose a data directory outside of private home directories, \
         or start the server as an unprivileged user"
    )]
    Unreachable {
        /// Who PostgreSQL runs as.
        user: String,
        /// What cannot be used.
        dir: PathBuf,
    },
    /// The data directory or its name is unusable.
    #[error("cannot use {path}")]
    Io {
        /// What was accessed.
        path: PathBuf,
        /// Why it failed.
        source: io::Error,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Its name.
        program: &'static str,
        /// The end of what it wrote.
        output: String,
    },
    /// Processes of an earlier server do not go away.
    #[error("a PostgreSQL that lost its main process still uses {0}")]
    Orphans(PathBuf),
    /// It runs but cannot be used.
    #[error("the private PostgreSQL cannot be used")]
    Db(#[from] DbError),
}

type Result<T> = std::result::Result<T, EmbeddedError>;

impl Embedded {
    /// Starts the cluster in `data_dir`, making it first if there is none, or joins the one that
    /// runs there already. Returns when it accepts connections and its database exists.
    ///
    /// # Errors
    /// Every variant of [`EmbeddedError`]. A failed initialisation leaves nothing behind.
    pub async fn start(data_dir: impl AsRef<Path>) -> Result<Self> {
        let data_dir = data_dir.as_ref();
        fs::create_dir_all(data_dir).map_err(io_error(data_dir))?;
        let data_dir = data_dir.canonicalize().map_err(io_error(data_dir))?;

        let _one_at_a_time = lock(&data_dir.join("start.lock"), File::lock).await?;
        let in_use = lock(&data_dir.join("use.lock"), File::lock_shared).await?;
        let cluster = Cluster::prepare(&data_dir).await?;
        if cluster.connect("postgres").await.is_err() {
            cluster.start().await?;
        }
        cluster.create_database().await?;
        Ok(Self { cluster, in_use })
    }

    /// Where to connect, for [`DbOptions::new`](crate::DbOptions::new).
    #[must_use]
    pub fn url(&self) -> &str {
        &self.cluster.url
    }

    /// Stops the server, unless another process uses it too. Sessions still open are ended and
    /// their transactions rolled back, so close the pools first.
    ///
    /// # Errors
    /// If it does not stop.
    pub async fn stop(self) -> Result<()> {
        let data_dir = self.cluster.home.parent().unwrap_or(&self.cluster.home);
        let _one_at_a_time = lock(&data_dir.join("start.lock"), File::lock).await?;
        drop(self.in_use);
        let path = data_dir.join("use.lock");
        let last = File::open(&path).map_err(io_error(&path))?;
        match last.try_lock() {
            Ok(()) => self.cluster.stop().await,
            Err(TryLockError::WouldBlock) => {
                tracing::info!("another process uses the private PostgreSQL; leaving it running");
                Ok(())
            }
            Err(TryLockError::Error(err)) => Err(io_error(&path)(err)),
        }
    }
}

#[derive(Debug)]
struct Cluster {
    /// `cluster/`.
    home: PathBuf,
    /// `cluster/data`.
    data: PathBuf,
    /// Directory of the socket.
    socket: PathBuf,
    url: String,
    binaries: Binaries,
    identity: Identity,
}

impl Cluster {
    /// The cluster of `data_dir`, initialised but perhaps not running.
    async fn prepare(data_dir: &Path) -> Result<Self> {
        let home = data_dir.join("cluster");
        let data = home.join("data");
        let made_by = fs::read_to_string(data.join("PG_VERSION")).ok();
        let made_by = made_by.as_deref().map(str::trim);
        let binaries = Binaries::find(made_by).await.ok_or_else(|| match made_by {
            Some(made_by) => {
                EmbeddedError::WrongVersion { dir: data.clone(), made_by: made_by.to_owned() }
            }
            None => EmbeddedError::NotInstalled,
        })?;

        let identity = Identity::for_cluster(&data).await?;
        make_private(&home, &identity)?;
        let socket = socket_dir(&home, data_dir);
        make_private(&socket, &identity)?;
        identity.check_access(&home).await?;
        identity.own_tree(&data)?;
        let url = socket_url(&socket)?;
        let cluster = Self { home, data, socket, url, binaries, identity };
        if made_by.is_none() {
            cluster.initialise().await?;
        }
        Ok(cluster)
    }

    async fn initialise(&self) -> Result<()> {
        tracing::info!(directory = %self.data.display(), "making a private PostgreSQL cluster");
        // Elsewhere first: a cluster in its place is a complete one.
        let draft = self.home.join("data.new");
        let make = |locale: &'static str| {
            let mut command = self.identity.command(&self.binaries.initdb);
            command
                .args(["--encoding=UTF8", locale, "--username", NAME, "--auth=trust"])
                .args(["--data-checksums", "--pgdata"])
                .arg(&draft);
            command
        };
        remove_dir(&draft)?;
        // Case folding beyond ASCII needs a UTF-8 locale, which not every system has.
        let made = process::run("initdb", &mut make("--locale=C.UTF-8")).await;
        if let Err(err) = made {
            tracing::debug!(error = %err, "initdb without C.UTF-8");
            remove_dir(&draft)?;
            process::run("initdb", &mut make("--no-locale")).await?;
        }
        let conf = draft.join("postgresql.conf");
        let text = fs::read_to_string(&conf).map_err(io_error(&conf))?;
        fs::write(&conf, format!("{text}\ninclude = 'dify.conf'\n")).map_err(io_error(&conf))?;
        fs::rename(&draft, &self.data).map_err(io_error(&self.data))
    }

    async fn start(&self) -> Result<()> {
        // After a crash of the main process its children need a moment to notice, and the lock files
        // stay. PostgreSQL itself cannot tell a reused process id from a running server.
        let deadline = Instant::now() + PATIENCE;
        loop {
            match process::servers_of(&self.data) {
                process::Servers::Unknown => break,
                process::Servers::None => {
                    // Both hold the process id.
                    remove_file(&self.socket.join(".s.PGSQL.5432.lock"))?;
                    if remove_file(&self.data.join("postmaster.pid"))? {
                        tracing::warn!("the private PostgreSQL had crashed; recovering");
                    }
                    break;
                }
                process::Servers::Some if deadline < Instant::now() => {
                    return Err(EmbeddedError::Orphans(self.data.clone()));
                }
                // Starting, stopping, or orphaned.
                process::Servers::Some if self.connect("postgres").await.is_ok() => return Ok(()),
                process::Servers::Some => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }

        let conf = self.data.join("dify.conf");
        let socket = self.socket.to_string_lossy().replace('\'', "''");
        let settings = format!("{SETTINGS}unix_socket_directories = '{socket}'\n");
        fs::write(&conf, settings).map_err(io_error(&conf))?;
        self.identity.own(&conf)?;

        let mut command = self.identity.command(&self.binaries.pg_ctl);
        // In a session of its own, so that an interrupt at our terminal does not reach it, and with
        // its output in a file, so that it does not hold ours open.
        command
            .args(["start", "--wait", "--silent", "--timeout"])
            .arg(PATIENCE.as_secs().to_string())
            .arg("--pgdata")
            .arg(&self.data)
            .arg("--log")
            .arg(self.home.join("startup.log"));
        process::run("pg_ctl start", &mut command).await.map_err(|err| self.with_log(err))
    }

    async fn stop(&self) -> Result<()> {
        if process::servers_of(&self.data) == process::Servers::None {
            return Ok(());
        }
        let mut command = self.identity.command(&self.binaries.pg_ctl);
        command
            .args(["stop", "--wait", "--silent", "--mode=fast", "--timeout"])
            .arg(PATIENCE.as_secs().to_string())
            .arg("--pgdata")
            .arg(&self.data);
        process::run("pg_ctl stop", &mut command).await?;
        if !self.socket.starts_with(&self.home) {
            // One in `/tmp` would stay for ever; it is made again at the next start.
            let _ = fs::remove_dir(&self.socket);
        }
        Ok(())
    }

    async fn create_database(&self) -> Result<()> {
        let mut admin = self.connect("postgres").await?;
        let exists: bool =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
                .bind(NAME)
                .fetch_one(&mut admin)
                .await
                .map_err(DbError::from)?;
        if !exists {
            sqlx::raw_sql("CREATE DATABASE dify")
                .execute(&mut admin)
                .await
                .map_err(DbError::from)?;
        }
        admin.close().await.map_err(DbError::from)?;
        Ok(())
    }

    async fn connect(&self, database: &str) -> Result<PgConnection> {
        let options = PgConnectOptions::new_without_pgpass()
            .socket(&self.socket)
            .port(5432)
            .username(NAME)
            .database(database);
        Ok(options.connect().await.map_err(DbError::Connect)?)
    }

    /// What PostgreSQL wrote when it did not start.
    fn with_log(&self, err: EmbeddedError) -> EmbeddedError {
        let logs = fs::read_dir(self.data.join("log")).into_iter().flatten().flatten();
        let logs = logs.map(|entry| entry.path()).chain([self.home.join("startup.log")]);
        let newest = logs.max_by_key(|path| fs::metadata(path).and_then(|m| m.modified()).ok());
        let log = newest.and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
        match err {
            EmbeddedError::Program { program, output } => EmbeddedError::Program {
                program,
                output: process::tail(&format!("{output}\n{log}")),
            },
            other => other,
        }
    }
}

/// In the cluster's directory, or, where that path is too long for a socket, a directory for
/// temporary files, under a name that always belongs to this data directory.
fn socket_dir(home: &Path, data_dir: &Path) -> PathBuf {
    let beside = home.join("run");
    if beside.as_os_str().len() + "/.s.PGSQL.5432.lock".len() < SOCKET_PATH_MAX {
        return beside;
    }
    let id =
        uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_URL, data_dir.as_os_str().as_encoded_bytes());
    Path::new("/tmp").join(format!("dify-postgres-{}", id.simple()))
}

fn socket_url(socket: &Path) -> Result<String> {
    let Some(path) = socket.to_str() else {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "the path is not UTF-8");
        return Err(EmbeddedError::Io { path: socket.to_owned(), source });
    };
    let path = utf8_percent_encode(path, NON_ALPHANUMERIC);
    Ok(format!("postgres://{NAME}@localhost:5432/{NAME}?host={path}"))
}

/// A directory only the given user may enter. One that exists must be a real directory of that user
/// or of root: in `/tmp` anybody could have put a link there.
fn make_private(dir: &Path, identity: &Identity) -> Result<()> {
    match fs::create_dir(dir) {
        Ok(()) => {}
        Err(err) if err.kind() == io::ErrorKind::AlreadyExists => {
            let found = fs::symlink_metadata(dir).map_err(io_error(dir))?;
            if !found.is_dir() || !identity.may_own(found.uid()) {
                let source = io::Error::new(io::ErrorKind::PermissionDenied, "it is not ours");
                return Err(EmbeddedError::Io { path: dir.to_owned(), source });
            }
        }
        Err(err) => return Err(io_error(dir)(err)),
    }
    identity.own(dir)?;
    fs::set_permissions(dir, Permissions::from_mode(0o700)).map_err(io_error(dir))
}

fn remove_dir(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(err) if err.kind() != io::ErrorKind::NotFound => Err(io_error(dir)(err)),
        _ => Ok(()),
    }
}

/// Whether there was one.
fn remove_file(path: &Path) -> Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(err) if err.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(err) => Err(io_error(path)(err)),
    }
}

/// Opens and locks a file; the lock goes with the returned value, or with this process.
async fn lock(path: &Path, take: fn(&File) -> io::Result<()>) -> Result<File> {
    let owned = path.to_owned();
    let locked = tokio::task::spawn_blocking(move || {
        let file = File::options().create(true).truncate(false).write(true).open(owned)?;
        take(&file)?;
        Ok(file)
    });
    locked.await.unwrap_or_else(|err| Err(io::Error::other(err))).map_err(io_error(path))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> EmbeddedError {
    let path = path.to_owned();
    move |source| EmbeddedError::Io { path, source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn socket_lies_beside_the_data_unless_the_path_is_too_long() {
        let short = Path::new("/var/lib/dify/postgres");
        assert_eq!(socket_dir(&short.join("cluster"), short), short.join("cluster/run"));

        let long = PathBuf::from(format!("/{}", "d".repeat(120)));
        let dir = socket_dir(&long.join("cluster"), &long);
        assert!(dir.starts_with("/tmp") && dir.as_os_str().len() < 60, "{dir:?}");
        assert_eq!(dir, socket_dir(&long.join("cluster"), &long), "the same at each start");
    }

    #[test]
    fn url_escapes_the_socket() {
        assert_eq!(
            socket_url(Path::new("/a b/run")).unwrap(),
            "postgres://dify@localhost:5432/dify?host=%2Fa%20b%2Frun"
        );
    }
}
