//! [`Redis`] itself: which implementation, how a command runs.

use boxed::boxed;
use std::sync::Arc;
use std::time::Duration;

use deadpool_redis::redis::{Arg, Cmd, FromRedisValue, Value, cmd, from_redis_value};

use crate::error::RedisError;
use crate::local::Local;
use crate::options::{Endpoint, RedisOptions};
use crate::remote::Remote;
use crate::script::Script;

/// A Redis, or its in-process twin. Clones share connections and data.
#[derive(Clone)]
pub struct Redis {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub backend: Backend,
    pub prefix: String,
}

pub(crate) enum Backend {
    Local(Local),
    Remote(Box<Remote>),
}

impl std::fmt::Debug for Redis {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_in_process() { "Redis(in-process)" } else { "Redis(server)" })
    }
}

impl Redis {
    /// Sets up the client. Does not connect: a server that starts before its Redis must come up. See [`Redis::ping`].
    ///
    /// # Errors
    /// [`RedisError::Config`] for settings that cannot work (certificates, empty node lists).
    pub fn new(options: RedisOptions) -> Result<Self, RedisError> {
        let prefix = options.key_prefix.clone();
        let backend = match options.endpoint {
            Endpoint::InProcess { max_bytes } => Backend::Local(Local::new(max_bytes)),
            _ => Backend::Remote(Box::new(Remote::new(options)?)),
        };
        Ok(Self { inner: Arc::new(Inner { backend, prefix }) })
    }

    /// An in-process store, as used without `REDIS_*` and in tests.
    #[must_use]
    pub fn in_process() -> Self {
        let backend = Backend::Local(Local::new(256 * 1024 * 1024));
        Self { inner: Arc::new(Inner { backend, prefix: String::new() }) }
    }

    /// True when the data lives in this process only.
    #[must_use]
    pub fn is_in_process(&self) -> bool {
        matches!(self.inner.backend, Backend::Local(_))
    }

    /// True for Redis Cluster, where keys of one call must share a slot.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        matches!(&self.inner.backend, Backend::Remote(remote) if remote.is_cluster())
    }

    /// Asks for a sign of life.
    ///
    /// # Errors
    /// [`RedisError::Unavailable`].
    #[boxed]
    pub async fn ping(&self) -> Result<(), RedisError> {
        self.run(cmd("PING")).await.map(drop)
    }

    /// Whether the nodes of a cluster serve all slots; nothing if this is no cluster.
    ///
    /// # Errors
    /// [`RedisError::Unavailable`].
    #[boxed]
    pub async fn cluster_is_whole(&self) -> Option<Result<bool, RedisError>> {
        if !self.is_cluster() {
            return None;
        }
        let mut command = cmd("CLUSTER");
        command.arg("INFO");
        Some(self.run(command).await.map(|answer| says_ok(&answer)))
    }

    /// Moves the in-process clock forward, so that tests of expiry need not wait. No effect on a server.
    pub fn advance_clock(&self, by: Duration) {
        if let Backend::Local(local) = &self.inner.backend {
            local.advance(by);
        }
    }

    /// A transaction (`MULTI` … `EXEC`): all commands or none, nobody in between.
    pub fn atomic(&self) -> Pipe {
        Pipe { redis: self.clone(), commands: Vec::new() }
    }

    /// Runs a script with prefixed keys.
    ///
    /// # Errors
    /// As any call.
    pub async fn eval<T: FromRedisValue>(
        &self,
        script: &Script,
        keys: &[&str],
        args: &[&[u8]],
    ) -> Result<T, RedisError> {
        let keys: Vec<String> = keys.iter().map(|key| self.key(key)).collect();
        let value = match &self.inner.backend {
            Backend::Local(local) => local.script(script, &keys, args)?,
            Backend::Remote(remote) => remote.script(script, &keys, args).await?,
        };
        Ok(from_redis_value(value)?)
    }

    pub(crate) fn key(&self, key: &str) -> String {
        let prefix = &self.inner.prefix;
        if prefix.is_empty() { key.to_owned() } else { format!("{prefix}{key}") }
    }

    /// A command on `key`.
    pub(crate) fn on(&self, name: &str, key: &str) -> Cmd {
        let mut command = cmd(name);
        command.arg(self.key(key));
        command
    }

    pub(crate) async fn run(&self, command: Cmd) -> Result<Value, RedisError> {
        match &self.inner.backend {
            Backend::Local(local) => local.run(&words(&command)),
            Backend::Remote(remote) => remote.run(&command).await,
        }
    }

    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let value = match &self.inner.backend {
            Backend::Local(local) => local.run(&words(command))?,
            Backend::Remote(remote) => remote.run(command).await?,
        };
        Ok(from_redis_value(value)?)
    }

    /// Runs a command that waits on the server for at most `wait`.
    pub(crate) async fn ask_blocking<T: FromRedisValue>(
        &self,
        command: &Cmd,
        wait: Duration,
    ) -> Result<T, RedisError> {
        let value = match &self.inner.backend {
            Backend::Local(local) => local.run_blocking(&words(command), wait).await?,
            Backend::Remote(remote) => remote.run_blocking(command, wait).await?,
        };
        Ok(from_redis_value(value)?)
    }
}

/// Whether every `CLUSTER INFO` in an answer, one or one a node, says that all is well.
fn says_ok(answer: &Value) -> bool {
    const OK: &[u8] = b"cluster_state:ok";
    let text_is_ok = |text: &[u8]| text.windows(OK.len()).any(|window| window == OK);
    match answer {
        Value::BulkString(text) => text_is_ok(text),
        Value::VerbatimString { text, .. } => text_is_ok(text.as_bytes()),
        Value::SimpleString(text) => text_is_ok(text.as_bytes()),
        Value::Map(nodes) => !nodes.is_empty() && nodes.iter().all(|(_, node)| says_ok(node)),
        Value::Array(nodes) => !nodes.is_empty() && nodes.iter().all(says_ok),
        _ => false,
    }
}

/// The words of a command, name first.
fn words(command: &Cmd) -> Vec<&[u8]> {
    command
        .args_iter()
        .map(|arg| match arg {
            Arg::Simple(word) => word,
            // Only cursor commands of the driver have others, and none is used here.
            _ => b"0",
        })
        .collect()
}

/// Commands to be run as one, see [`Redis::atomic`].
#[must_use = "nothing runs before exec"]
pub struct Pipe {
    redis: Redis,
    commands: Vec<Cmd>,
}

impl Pipe {
    /// Adds a command: its name, its key, its other arguments in the order of the Redis manual.
    pub fn add(mut self, name: &str, key: &str, args: &[&[u8]]) -> Self {
        let mut command = self.redis.on(name, key);
        for arg in args {
            command.arg(*arg);
        }
        self.commands.push(command);
        self
    }

    /// Runs everything; one reply per command.
    ///
    /// # Errors
    /// The first command's refusal, or as any call.
    #[boxed]
    pub async fn exec(self) -> Result<Vec<Value>, RedisError> {
        match &self.redis.inner.backend {
            Backend::Local(local) => {
                let commands: Vec<Vec<&[u8]>> = self.commands.iter().map(words).collect();
                local.run_all(&commands)
            }
            Backend::Remote(remote) => remote.run_all(&self.commands).await,
        }
    }
}
