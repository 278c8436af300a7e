//! The server side: shared connections that come back by themselves.

use boxed::boxed;
use std::future::Future;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::Duration;

use deadpool_redis::redis::aio::ConnectionLike;
use deadpool_redis::redis::{self as driver, Cmd, Pipeline, Value, cmd};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use crate::error::RedisError;
use crate::options::RedisOptions;
use crate::pubsub::Hub;
use crate::script::Script;

pub(crate) mod breaker;
pub(crate) mod connector;

use breaker::Breaker;
use connector::{Connection, Connector};

/// A connection unused for this long is asked for a sign of life first, so that a command which must not be sent
/// twice is not sent into a socket the server closed meanwhile.
const STALE: Duration = Duration::from_secs(15);
/// Connections kept for blocking commands.
const MAX_PARKED: usize = 8;

pub(crate) struct Remote {
    pub connector: Connector,
    links: Vec<Link>,
    next: AtomicUsize,
    breaker: Breaker,
    parked: Mutex<Vec<Connection>>,
    blocking: Semaphore,
    started: Instant,
    /// Pub/sub.
    pub hub: Hub,
}

/// One shared connection, replaced when it breaks.
#[derive(Default)]
struct Link {
    current: RwLock<Option<(u64, Connection)>>,
    connecting: tokio::sync::Mutex<u64>,
    /// Milliseconds after `Remote::started`.
    last_used: AtomicU64,
}

/// What to run on a connection.
#[derive(Clone, Copy)]
enum Work<'a> {
    One(&'a Cmd),
    Transaction(&'a Pipeline),
}

impl Work<'_> {
    async fn run(self, mut connection: Connection) -> driver::RedisResult<Value> {
        match self {
            Self::One(command) => connection.req_packed_command(command).await?.extract_error(),
            Self::Transaction(pipe) => pipe.query_async(&mut connection).await.map(Value::Array),
        }
    }
}

impl Remote {
    pub fn new(options: RedisOptions) -> Result<Self, RedisError> {
        let links = (0..options.connections.max(1)).map(|_| Link::default()).collect();
        let blocking = Semaphore::new(options.max_blocking.max(1));
        Ok(Self {
            connector: Connector::new(options)?,
            links,
            next: AtomicUsize::new(0),
            breaker: Breaker::default(),
            parked: Mutex::default(),
            blocking,
            started: Instant::now(),
            hub: Hub::default(),
        })
    }

    pub fn is_cluster(&self) -> bool {
        self.connector.is_cluster()
    }

    #[boxed]
    pub async fn run(&self, command: &Cmd) -> Result<Value, RedisError> {
        // The futures of a driver for every topology are large, and a run holds several.
        Box::pin(self.with_link(is_idempotent(command), Work::One(command))).await
    }

    #[boxed]
    pub async fn run_all(&self, commands: &[Cmd]) -> Result<Vec<Value>, RedisError> {
        if commands.is_empty() {
            return Ok(Vec::new());
        }
        let mut pipe = Pipeline::with_capacity(commands.len());
        pipe.atomic();
        for command in commands {
            pipe.add_command(command.clone());
        }
        let again = commands.iter().all(is_idempotent);
        match Box::pin(self.with_link(again, Work::Transaction(&pipe))).await? {
            Value::Array(replies) => Ok(replies),
            other => Err(RedisError::Reply(format!("{other:?}"))),
        }
    }

    #[boxed]
    pub async fn script(
        &self,
        script: &Script,
        keys: &[String],
        args: &[&[u8]],
    ) -> Result<Value, RedisError> {
        let build = |name: &str, program: &str| {
            let mut command = cmd(name);
            command.arg(program).arg(keys.len());
            for key in keys {
                command.arg(key);
            }
            for arg in args {
                command.arg(*arg);
            }
            command
        };
        match self.run(&build("EVALSHA", script.hash())).await {
            Err(RedisError::Refused(why))
                if why.contains("NoScript") || why.contains("NOSCRIPT") =>
            {
                self.run(&build("EVAL", script.lua())).await
            }
            other => other,
        }
    }

    /// Runs a command that waits on the server, on a connection nobody else uses. Dropping the future closes that
    /// connection. With too many waiting already the command must not block: it is asked for again in turns.
    #[boxed]
    pub async fn run_blocking(&self, command: &Cmd, wait: Duration) -> Result<Value, RedisError> {
        let limit = wait + self.connector.response_timeout();
        let permit = self.blocking.acquire();
        let Ok(Ok(_permit)) = timeout(limit, permit).await else {
            return Err(RedisError::Unavailable("too many blocking commands".to_owned()));
        };
        for attempt in 0.. {
            let parked = lock(&self.parked).pop();
            let fresh = parked.is_none();
            let mut connection = match parked {
                Some(connection) => connection,
                None => self.guarded(self.connector.connect_blocking()).await?,
            };
            let answer = timeout(limit, connection.req_packed_command(command)).await;
            match answer {
                Ok(Ok(value)) => {
                    let mut parked = lock(&self.parked);
                    if parked.len() < MAX_PARKED {
                        parked.push(connection);
                    }
                    return Ok(value.extract_error()?);
                }
                // A parked connection may have been closed by the server while nobody watched.
                Ok(Err(err)) if err.is_unrecoverable_error() && !fresh && attempt < MAX_PARKED => {}
                Ok(Err(err)) => return Err(err.into()),
                Err(_) => break,
            }
        }
        Err(RedisError::Unavailable("no answer in time".to_owned()))
    }

    /// Runs `work` on a shared connection; once more on a new one if it was cut and `again` allows.
    async fn with_link(&self, again: bool, work: Work<'_>) -> Result<Value, RedisError> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % self.links.len().max(1);
        let Some(link) = self.links.get(turn) else {
            return Err(RedisError::Config("no connections".to_owned()));
        };
        let mut retried = false;
        loop {
            let (id, connection) = self.connection(link).await?;
            match work.run(connection).await {
                Ok(value) => return Ok(value),
                Err(err) => {
                    let lost = err.is_unrecoverable_error() || err.is_timeout() || demoted(&err);
                    if lost {
                        link.forget(id);
                    }
                    if lost && again && !retried && !err.is_timeout() {
                        retried = true;
                        continue;
                    }
                    return Err(err.into());
                }
            }
        }
    }

    async fn connection(&self, link: &Link) -> Result<(u64, Connection), RedisError> {
        let now = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let idle = now.saturating_sub(link.last_used.swap(now, Ordering::Relaxed));
        if let Some((id, mut connection)) = link.get() {
            if u128::from(idle) < STALE.as_millis() {
                return Ok((id, connection));
            }
            if connection.req_packed_command(&cmd("PING")).await.is_ok() {
                return Ok((id, connection));
            }
            link.forget(id);
        }
        let mut last_id = link.connecting.lock().await;
        if let Some(found) = link.get() {
            return Ok(found);
        }
        let connection = self.guarded(self.connector.connect()).await?;
        *last_id += 1;
        link.set(*last_id, connection.clone());
        Ok((*last_id, connection))
    }

    /// Connects unless that failed a moment ago.
    async fn guarded(
        &self,
        connect: impl Future<Output = Result<Connection, RedisError>>,
    ) -> Result<Connection, RedisError> {
        self.breaker.check()?;
        match connect.await {
            Ok(connection) => {
                self.breaker.succeeded();
                Ok(connection)
            }
            Err(err) => {
                self.breaker.failed(&err);
                Err(err)
            }
        }
    }
}

impl Link {
    fn get(&self) -> Option<(u64, Connection)> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set(&self, id: u64, connection: Connection) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some((id, connection));
    }

    fn forget(&self, id: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        if current.as_ref().is_some_and(|(current, _)| *current == id) {
            *current = None;
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The server became a replica: the master is elsewhere now.
fn demoted(err: &driver::RedisError) -> bool {
    matches!(
        err.kind(),
        driver::ErrorKind::Server(
            driver::ServerErrorKind::ReadOnly | driver::ServerErrorKind::MasterDown
        )
    )
}

/// True when running the command twice ends as running it once.
fn is_idempotent(command: &Cmd) -> bool {
    let mut words = command.args_iter().filter_map(|arg| match arg {
        driver::Arg::Simple(word) => Some(word),
        _ => None,
    });
    let Some(name) = words.next() else { return false };
    match name {
        // Only without NX, whose answer would differ.
        b"SET" => !words.any(|word| word == b"NX" || word == b"GET"),
        b"PING" | b"GET" | b"MGET" | b"EXISTS" | b"TTL" | b"PTTL" | b"EXPIRE" | b"PEXPIRE"
        | b"SCAN" | b"HGET" | b"HMGET" | b"HGETALL" | b"HLEN" | b"HEXISTS" | b"HSET"
        | b"LRANGE" | b"LLEN" | b"LINDEX" | b"SMEMBERS" | b"SISMEMBER" | b"SCARD" | b"ZCARD"
        | b"ZSCORE" | b"ZCOUNT" | b"ZRANGE" | b"ZRANGEBYSCORE" | b"ZREMRANGEBYSCORE" | b"XLEN"
        | b"TYPE" => true,
        _ => false,
    }
}
