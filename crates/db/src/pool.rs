//! Connections: bounded pools over the primary and, where there is one, a read replica.

use boxed::boxed;
use std::{
    ops::{Deref, DerefMut},
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use sqlx::{
    AssertSqlSafe, ConnectOptions, Connection, PgConnection, PgPool, Postgres, Transaction,
    pool::PoolConnection,
    postgres::{PgConnectOptions, PgPoolOptions},
};
// The clock that the time-outs go by.
use tokio::time::Instant;

use crate::error::{DbError, Result, is_transient, trouble};

/// How to reach the database and how much of it to use.
#[derive(Clone)]
pub struct DbOptions {
    /// `postgres://user:password@host:port/database?…`; a socket directory goes into `?host=`.
    pub url: String,
    /// A streaming replica for reads that may be a moment old.
    pub replica_url: Option<String>,
    /// How far the replica may be behind before its readers are sent to the primary.
    pub replica_max_lag: Duration,
    /// A replica that takes longer to say how far behind it is counts as away.
    pub replica_patience: Duration,
    /// Most connections of this process to each server.
    pub max_connections: u32,
    /// Connections kept open while idle.
    pub min_connections: u32,
    /// How long a caller waits for a free connection before [`DbError::Busy`].
    pub acquire_timeout: Duration,
    /// Idle connections above the minimum are closed after this.
    pub idle_timeout: Option<Duration>,
    /// Connections are replaced at this age (`pool_recycle`).
    pub max_lifetime: Option<Duration>,
    /// The server cancels a statement that runs longer.
    pub statement_timeout: Option<Duration>,
    /// The server ends a session that holds a transaction open without using it for longer.
    pub idle_in_transaction_timeout: Option<Duration>,
    /// Ask the server whether a pooled connection still lives before handing it out
    /// (`pool_pre_ping`): one round trip more for each acquire.
    pub pre_ping: bool,
    /// Prepared statements kept a connection.
    pub statement_cache: usize,
    /// The server is PgBouncer (or alike) in transaction mode, where two transactions of one
    /// client may run in two sessions of the server. Sessions are then left as they are: the
    /// time-outs hold inside [`Db::begin`] only. PgBouncer must know prepared statements, as it
    /// does since 1.21 with `max_prepared_statements` above 0.
    pub transaction_pooler: bool,
    /// How long [`Db::connect`] keeps trying while the server is unreachable or still starting.
    pub connect_patience: Duration,
    /// Shown in `pg_stat_activity`.
    pub application_name: String,
}

impl DbOptions {
    /// Defaults for everything but the URL.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            replica_url: None,
            replica_max_lag: Duration::from_secs(5),
            replica_patience: Duration::from_secs(2),
            max_connections: 30,
            min_connections: 0,
            acquire_timeout: Duration::from_secs(30),
            idle_timeout: Some(Duration::from_secs(10 * 60)),
            max_lifetime: Some(Duration::from_secs(60 * 60)),
            statement_timeout: None,
            idle_in_transaction_timeout: Some(Duration::from_secs(60)),
            pre_ping: false,
            statement_cache: 256,
            transaction_pooler: false,
            connect_patience: Duration::from_secs(60),
            application_name: "dify-api".to_owned(),
        }
    }

    /// Time-outs as assignments, each behind `verb`, or nothing.
    fn time_outs(&self, verb: &str) -> String {
        [
            ("statement_timeout", self.statement_timeout),
            ("idle_in_transaction_session_timeout", self.idle_in_transaction_timeout),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .map(|(name, value)| format!("{verb} {name} = {}; ", value.as_millis()))
        .collect()
    }

    fn connect_options(&self, url: &str) -> Result<PgConnectOptions> {
        // sqlx itself sets `timezone=UTC`, the date style and the encoding at start-up: the
        // parameters that poolers track. It would also set `extra_float_digits`, which PgBouncer
        // refuses unless told otherwise and which changes nothing in the binary protocol.
        let mut options = PgConnectOptions::from_str(url).map_err(DbError::Options)?;
        if let Ok(level) = "warn".parse() {
            options = options.log_slow_statements(level, SLOW_STATEMENT);
        }
        Ok(options
            .application_name(&self.application_name)
            .extra_float_digits(None)
            // Without a cache sqlx would never close what it prepares.
            .statement_cache_capacity(self.statement_cache.max(1)))
    }

    fn pool(&self, url: &str) -> Result<Pool> {
        let mut options = PgPoolOptions::new()
            .max_connections(self.max_connections.max(1))
            .min_connections(self.min_connections.min(self.max_connections))
            .acquire_timeout(self.acquire_timeout)
            .idle_timeout(self.idle_timeout)
            .max_lifetime(self.max_lifetime)
            .test_before_acquire(self.pre_ping)
            .before_acquire(|conn, meta| Box::pin(still_there(conn, meta.idle_for)));
        let session = if self.transaction_pooler { String::new() } else { self.time_outs("SET") };
        if !session.is_empty() {
            let session: Arc<str> = session.into();
            options = options.after_connect(move |conn, _| {
                // Numbers and constant names only.
                let statements = AssertSqlSafe(Arc::clone(&session));
                Box::pin(async move { sqlx::raw_sql(statements).execute(conn).await.map(drop) })
            });
        }
        Ok(Pool {
            pool: options.connect_lazy_with(self.connect_options(url)?),
            counters: Arc::default(),
        })
    }
}

/// Asks a connection that may be dead for a sign of life: one nobody used for a while, and every one that was idle when
/// another broke. Statements must not meet the connections a restarted server left behind.
async fn still_there(conn: &mut PgConnection, idle: Duration) -> Result<bool, sqlx::Error> {
    if idle < STALE && !trouble::is_within(idle) {
        return Ok(true);
    }
    match tokio::time::timeout(SIGN_OF_LIFE, conn.ping()).await {
        Ok(answer) => answer.map(|()| true),
        Err(_) => Err(sqlx::Error::PoolTimedOut),
    }
}

impl std::fmt::Debug for DbOptions {
    // The URLs hold passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DbOptions")
            .field("max_connections", &self.max_connections)
            .field("transaction_pooler", &self.transaction_pooler)
            .finish_non_exhaustive()
    }
}

/// The database. Clones share the pools.
#[derive(Clone)]
pub struct Db {
    primary: Pool,
    replica: Option<Replica>,
    /// `BEGIN` with the time-outs a pooled session cannot keep; `None` where the session has them.
    begin: Option<Arc<str>>,
}

#[derive(Clone)]
struct Replica {
    pool: Pool,
    max_lag: Duration,
    patience: Duration,
    /// Milliseconds it was behind when it was last asked; [`AWAY`] if it did not answer.
    lag: Arc<AtomicU64>,
}

/// A statement that takes longer is logged with its text; not the one that builds a schema on an ordinary machine.
const SLOW_STATEMENT: Duration = Duration::from_secs(10);

/// A connection unused for longer is asked for a sign of life before it is used.
const STALE: Duration = Duration::from_secs(30);
/// A connection that takes longer to give one is dead.
const SIGN_OF_LIFE: Duration = Duration::from_secs(2);

/// A replica that does not answer is infinitely far behind.
const AWAY: u64 = u64::MAX;

#[derive(Clone)]
struct Pool {
    pool: PgPool,
    counters: Arc<Counters>,
}

#[derive(Default)]
struct Counters {
    waiting: AtomicU64,
    acquired: AtomicU64,
    failed: AtomicU64,
    wait_nanos: AtomicU64,
}

/// A pool at one moment, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PoolStats {
    /// The bound.
    pub max: u32,
    /// Open connections, used or not.
    pub size: u32,
    /// Open connections nobody uses.
    pub idle: u32,
    /// Connections handed out.
    pub in_use: u32,
    /// Callers waiting for a connection now.
    pub waiting: u64,
    /// Connections handed out since the start.
    pub acquired_total: u64,
    /// Callers that got none since the start.
    pub failed_total: u64,
    /// Sum of all waits since the start.
    pub wait_total: Duration,
}

impl Db {
    /// Opens the pools and waits until the primary answers.
    ///
    /// A server that is unreachable, full or starting is tried again, with growing pauses, for
    /// `connect_patience`; a wrong password or database name fails at once. A replica is
    /// not waited for.
    ///
    /// # Errors
    /// [`DbError::Options`] for an unusable URL, [`DbError::Connect`] if the server stays away.
    #[boxed]
    pub async fn connect(options: &DbOptions) -> Result<Self> {
        let db = Self::connect_lazy(options)?;
        let target = options.connect_options(&options.url)?;
        let deadline = Instant::now() + options.connect_patience;
        let mut pause = Duration::from_millis(50);
        loop {
            let attempt = async { target.connect().await?.close().await };
            let left = deadline.saturating_duration_since(Instant::now());
            let limit = left.max(Duration::from_secs(1));
            let err = match tokio::time::timeout(limit, attempt).await {
                Ok(Ok(())) => return Ok(db),
                Ok(Err(err)) => err,
                Err(_) => sqlx::Error::PoolTimedOut,
            };
            if !is_transient(&err) || left.is_zero() {
                return Err(DbError::Connect(err));
            }
            tracing::warn!(error = %err, "the database is not reachable yet; trying again");
            tokio::time::sleep(pause.min(left)).await;
            pause = (pause * 2).min(Duration::from_secs(2));
        }
    }

    /// Opens the pools without talking to the server.
    ///
    /// # Errors
    /// [`DbError::Options`] for an unusable URL.
    pub fn connect_lazy(options: &DbOptions) -> Result<Self> {
        let primary = options.pool(&options.url)?;
        let replica = options.replica_url.as_deref().map(|url| options.pool(url)).transpose()?;
        let replica = replica.map(|pool| Replica {
            pool,
            max_lag: options.replica_max_lag,
            patience: options.replica_patience,
            lag: Arc::default(),
        });
        let local = options.time_outs("SET LOCAL");
        let begin = (options.transaction_pooler && !local.is_empty())
            .then(|| format!("BEGIN; {local}").into());
        Ok(Self { primary, replica, begin })
    }

    /// A connection to the primary; each statement commits by itself.
    ///
    /// # Errors
    /// [`DbError::Busy`] if none became free in time.
    #[boxed]
    pub async fn acquire(&self) -> Result<Conn> {
        self.primary.acquire().await.map(Conn)
    }

    /// A connection for reads that may be a moment old: to the replica if there is one that answers and was not too
    /// far behind when [`Db::measure_replica`] last looked, else to the primary.
    ///
    /// # Errors
    /// As [`Db::acquire`].
    #[boxed]
    pub async fn acquire_replica(&self) -> Result<Conn> {
        let Some(replica) = self.replica.as_ref().filter(|replica| replica.is_fit()) else {
            return self.acquire().await;
        };
        match replica.pool.acquire().await {
            Ok(conn) => Ok(Conn(conn)),
            Err(err) => {
                tracing::warn!(error = %err, "the replica gave no connection; using the primary");
                self.acquire().await
            }
        }
    }

    /// How far the replica is behind, remembered for [`Db::acquire_replica`]; nothing without a replica.
    ///
    /// # Errors
    /// If it does not say; until it does, everything is read from the primary.
    #[boxed]
    pub async fn measure_replica(&self) -> Option<Result<Duration>> {
        let replica = self.replica.as_ref()?;
        let measured = match tokio::time::timeout(replica.patience, replica.measure()).await {
            Ok(measured) => measured,
            Err(_) => Err(DbError::Busy),
        };
        let millis =
            measured.as_ref().map_or(AWAY, |lag| u64::try_from(lag.as_millis()).unwrap_or(AWAY));
        replica.lag.store(millis, Ordering::Relaxed);
        Some(measured)
    }

    /// A transaction on the primary. Dropping it rolls back.
    ///
    /// # Errors
    /// As [`Db::acquire`].
    #[boxed]
    pub async fn begin(&self) -> Result<Tx> {
        let conn = self.primary.acquire().await?;
        let begin = self.begin.as_ref().map(|sql| AssertSqlSafe(Arc::clone(sql)));
        let tx = match begin {
            // Numbers and constant names only.
            Some(sql) => Transaction::begin(conn, Some(sqlx::SqlSafeStr::into_sql_str(sql))).await,
            None => Transaction::begin(conn, None).await,
        };
        Ok(Tx(tx?))
    }

    /// Whether the primary answers.
    ///
    /// # Errors
    /// Whatever keeps it from answering.
    #[boxed]
    pub async fn ping(&self) -> Result<()> {
        Ok(self.acquire().await?.ping().await?)
    }

    /// The pool over the primary, for metrics.
    #[must_use]
    pub fn stats(&self) -> PoolStats {
        self.primary.stats()
    }

    /// The pool over the replica, for metrics.
    #[must_use]
    pub fn replica_stats(&self) -> Option<PoolStats> {
        self.replica.as_ref().map(|replica| replica.pool.stats())
    }

    /// Closes every connection once it is handed back; later acquires fail.
    #[boxed]
    pub async fn close(&self) {
        self.primary.pool.close().await;
        if let Some(replica) = &self.replica {
            replica.pool.pool.close().await;
        }
    }
}

impl Replica {
    fn is_fit(&self) -> bool {
        u128::from(self.lag.load(Ordering::Relaxed)) <= self.max_lag.as_millis()
    }

    async fn measure(&self) -> Result<Duration> {
        let mut conn = self.pool.acquire().await?;
        // Without writes on the primary the last transaction grows old although nothing is missing; so a replica that
        // replayed all it received counts as up to date. `wal_receiver` gone means nobody knows what is missing.
        let seconds: f64 = sqlx::query_scalar(
            "SELECT (CASE
                WHEN NOT pg_is_in_recovery() THEN 0
                WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
                    AND EXISTS (SELECT FROM pg_stat_wal_receiver) THEN 0
                ELSE greatest(extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp()), 0)
             END)::float8",
        )
        .fetch_one(&mut *conn)
        .await?;
        Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
    }
}

impl Pool {
    async fn acquire(&self) -> Result<PoolConnection<Postgres>> {
        let start = Instant::now();
        let waiting = Waiting::new(&self.counters);
        let conn = self.pool.acquire().await;
        drop(waiting);
        let outcome = if conn.is_ok() { &self.counters.acquired } else { &self.counters.failed };
        outcome.fetch_add(1, Ordering::Relaxed);
        let nanos = u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.counters.wait_nanos.fetch_add(nanos, Ordering::Relaxed);
        Ok(conn?)
    }

    fn stats(&self) -> PoolStats {
        let size = self.pool.size();
        let idle = u32::try_from(self.pool.num_idle()).unwrap_or(u32::MAX).min(size);
        PoolStats {
            max: self.pool.options().get_max_connections(),
            size,
            idle,
            in_use: size - idle,
            waiting: self.counters.waiting.load(Ordering::Relaxed),
            acquired_total: self.counters.acquired.load(Ordering::Relaxed),
            failed_total: self.counters.failed.load(Ordering::Relaxed),
            wait_total: Duration::from_nanos(self.counters.wait_nanos.load(Ordering::Relaxed)),
        }
    }
}

/// Counts a waiting caller, also one that gives up halfway.
struct Waiting<'a>(&'a Counters);

impl<'a> Waiting<'a> {
    fn new(counters: &'a Counters) -> Self {
        counters.waiting.fetch_add(1, Ordering::Relaxed);
        Self(counters)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A connection of the pool; goes back when dropped.
pub struct Conn(PoolConnection<Postgres>);

impl Deref for Conn {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Conn {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}

/// A transaction; rolls back when dropped.
pub struct Tx(Transaction<'static, Postgres>);

impl Tx {
    /// Makes the changes last.
    ///
    /// # Errors
    /// If the server refuses or the connection breaks; in the latter case the outcome is unknown.
    #[boxed]
    pub async fn commit(self) -> Result<()> {
        Ok(self.0.commit().await?)
    }

    /// Takes the changes back, and waits for it.
    ///
    /// # Errors
    /// If the connection breaks.
    #[boxed]
    pub async fn rollback(self) -> Result<()> {
        Ok(self.0.rollback().await?)
    }
}

impl Deref for Tx {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.0
    }
}

impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.0
    }
}
