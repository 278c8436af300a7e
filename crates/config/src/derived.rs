//! What follows from several settings at once: addresses, pools, cookies, queues.

use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use crate::Config;

/// What the process is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Serves HTTP. Any unknown `MODE` is this.
    Api,
    /// Consumes the queue.
    Worker,
    /// Publishes the scheduled tasks.
    Beat,
    /// Runs one command and exits.
    Job,
    /// Migrates the schema and exits (the API when `MIGRATION_ENABLED` is off).
    Migration,
}

/// A PostgreSQL pool.
#[derive(Clone)]
pub struct DatabaseSettings {
    /// DSN of the primary.
    pub url: String,
    /// DSN of the read replica.
    pub replica_url: Option<String>,
    /// Lag of the replica above which reads go to the primary.
    pub replica_max_lag: Duration,
    /// Pool cap of this process.
    pub max_connections: u32,
    /// How long a caller waits for a connection.
    pub acquire_timeout: Duration,
    /// Age at which a connection is closed; none = never.
    pub max_lifetime: Option<Duration>,
    /// Whether connections are pinged before use.
    pub test_before_acquire: bool,
    /// Statement timeout of requests; none = unlimited.
    pub statement_timeout: Option<Duration>,
}

/// A server address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisNode {
    /// Name or address.
    pub host: String,
    /// TCP port.
    pub port: u16,
}

/// How to find the Redis server.
#[derive(Clone)]
pub enum RedisTopology {
    /// One server, by URL with user, password and database.
    Single(String),
    /// A master behind Sentinels.
    Sentinel(SentinelSettings),
    /// Redis Cluster: seed nodes and password.
    Cluster {
        /// Seed nodes.
        nodes: Vec<RedisNode>,
        /// Password of every node.
        password: Option<String>,
    },
}

/// A master behind Sentinels.
#[derive(Clone)]
pub struct SentinelSettings {
    /// The Sentinels.
    pub nodes: Vec<RedisNode>,
    /// Name of the master.
    pub service: String,
    /// User of the Sentinels.
    pub username: Option<String>,
    /// Password of the Sentinels.
    pub password: Option<String>,
}

/// Certificates towards Redis.
#[derive(Debug, Clone)]
pub struct RedisTls {
    /// Whether the server's certificate must be valid (`CERT_OPTIONAL` counts as required).
    pub verify: bool,
    /// File of the authority.
    pub ca_file: Option<PathBuf>,
    /// Client certificate.
    pub cert_file: Option<PathBuf>,
    /// Client key.
    pub key_file: Option<PathBuf>,
}

/// A Redis connection pool.
#[derive(Clone)]
pub struct RedisSettings {
    /// Where it is.
    pub topology: RedisTopology,
    /// User of the data nodes.
    pub username: Option<String>,
    /// Password of the data nodes.
    pub password: Option<String>,
    /// Logical database (not with a cluster).
    pub db: i64,
    /// TLS; a single server only, like the reference.
    pub tls: Option<RedisTls>,
    /// Pool cap; none = the pool's own default.
    pub max_connections: Option<usize>,
}

const DB_NAMES: &[&str] = &["DB_HOST", "DB_PORT", "DB_USERNAME", "DB_PASSWORD", "DB_DATABASE"];
const REDIS_NAMES: &[&str] = &["REDIS_HOST", "REDIS_PORT", "REDIS_SENTINELS", "REDIS_CLUSTERS"];

const QUEUES: &[&str] = &[
    "api_token",
    "dataset",
    "dataset_summary",
    "priority_dataset",
    "priority_pipeline",
    "pipeline",
    "mail",
    "ops_trace",
    "app_deletion",
    "plugin",
    "workflow_storage",
    "conversation",
];
const QUEUES_AFTER: &[&str] = &[
    "schedule_poller",
    "schedule_executor",
    "triggered_workflow_dispatcher",
    "trigger_refresh_executor",
    "retention",
    "workflow_based_app_execution",
];
/// Published to by the reference but in none of its default lists, so that its own workers leave them.
const QUEUES_FORGOTTEN: &[&str] =
    &["monitor", "trigger_refresh_publisher", "workflow_draft_var", "celery"];

/// The items of a comma list, trimmed, empty ones left out.
#[must_use]
pub fn list(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

impl Config {
    /// What this process is to be.
    #[must_use]
    pub fn mode(&self) -> Mode {
        match self.entrypoint.mode.as_deref() {
            Some("worker") => Mode::Worker,
            Some("beat") => Mode::Beat,
            Some("job") => Mode::Job,
            Some("migration") if self.entrypoint.migration_enabled => Mode::Migration,
            _ => Mode::Api,
        }
    }

    /// Whether this is the cloud edition (`EDITION=CLOUD`).
    #[must_use]
    pub fn is_cloud(&self) -> bool {
        self.deploy.edition == "CLOUD"
    }

    /// Whether the server runs its own PostgreSQL, because neither `DATABASE_URL` nor any `DB_*` is set.
    #[must_use]
    pub fn is_embedded_database(&self) -> bool {
        self.own.database_url.is_none() && !DB_NAMES.iter().any(|name| self.is_set(name))
    }

    /// DSN of the primary: `DATABASE_URL`, else built from `DB_*`; none with the embedded database.
    #[must_use]
    pub fn database_url(&self) -> Option<String> {
        if let Some(url) = &self.own.database_url {
            return Some(url.clone());
        }
        if self.is_embedded_database() {
            return None;
        }
        let settings = &self.middleware;
        let mut url = Url::parse("postgres://localhost").ok()?;
        url.set_username(&settings.db_username).ok()?;
        if !settings.db_password.is_empty() {
            url.set_password(Some(&settings.db_password)).ok()?;
        }
        url.set_port(u16::try_from(settings.db_port).ok()).ok()?;
        url.path_segments_mut().ok()?.push(&settings.db_database);
        let mut options = String::new();
        for (name, value) in
            url::form_urlencoded::parse(settings.db_extras.trim_matches('&').as_bytes())
        {
            if name == "options" {
                options.push_str(&value);
                options.push(' ');
            } else {
                url.query_pairs_mut().append_pair(&name, &value);
            }
        }
        options.push_str("-c timezone=UTC");
        url.query_pairs_mut().append_pair("options", &options);
        if settings.db_host.starts_with('/') {
            // A directory of Unix sockets, which has no place in the authority.
            url.query_pairs_mut().append_pair("host", &settings.db_host);
        } else {
            url.set_host(Some(&settings.db_host)).ok()?;
        }
        Some(url.into())
    }

    /// The pool of this process on `url` (a DSN of the embedded server, or [`Config::database_url`]).
    #[must_use]
    pub fn database(&self, url: String) -> DatabaseSettings {
        let settings = &self.middleware;
        let cap = self.own.db_max_connections.unwrap_or(
            settings.sqlalchemy_pool_size.saturating_add(settings.sqlalchemy_max_overflow),
        );
        DatabaseSettings {
            url,
            replica_url: self.own.database_replica_url.clone(),
            replica_max_lag: Duration::from_millis(
                u64::try_from(self.own.db_replica_max_lag_ms).unwrap_or(5000),
            ),
            max_connections: u32::try_from(cap).unwrap_or(40).max(1),
            acquire_timeout: seconds(settings.sqlalchemy_pool_timeout),
            max_lifetime: some_seconds(settings.sqlalchemy_pool_recycle),
            test_before_acquire: settings.sqlalchemy_pool_pre_ping,
            statement_timeout: match u64::try_from(self.own.db_statement_timeout_ms) {
                Ok(0) | Err(_) => None,
                Ok(ms) => Some(Duration::from_millis(ms)),
            },
        }
    }

    /// The Redis pool; none when neither `REDIS_URL` nor any `REDIS_*` is set: cache and queue then
    /// live in the process.
    #[must_use]
    pub fn redis(&self) -> Option<RedisSettings> {
        let settings = &self.middleware;
        let switched = settings.redis_use_sentinel || settings.redis_use_clusters;
        if self.own.redis_url.is_none() && !switched && !REDIS_NAMES.iter().any(|n| self.is_set(n))
        {
            return None;
        }
        let topology = if let Some(url) = &self.own.redis_url {
            RedisTopology::Single(url.clone())
        } else if settings.redis_use_sentinel {
            RedisTopology::Sentinel(SentinelSettings {
                nodes: nodes(settings.redis_sentinels.as_deref(), 26379),
                service: settings.redis_sentinel_service_name.clone().unwrap_or_default(),
                username: settings.redis_sentinel_username.clone(),
                password: settings.redis_sentinel_password.clone(),
            })
        } else if settings.redis_use_clusters {
            RedisTopology::Cluster {
                nodes: nodes(settings.redis_clusters.as_deref(), 6379),
                password: settings.redis_clusters_password.clone(),
            }
        } else {
            RedisTopology::Single(self.single_redis_url())
        };
        let tls = settings.redis_use_ssl && matches!(topology, RedisTopology::Single(_));
        Some(RedisSettings {
            topology,
            username: settings.redis_username.clone(),
            password: settings.redis_password.clone(),
            db: settings.redis_db,
            tls: tls.then(|| self.redis_tls()),
            max_connections: settings.redis_max_connections.and_then(|n| usize::try_from(n).ok()),
        })
    }

    /// Certificates towards Redis (`REDIS_SSL_*`), which also hold for a broker reached over TLS.
    #[must_use]
    pub fn redis_tls(&self) -> RedisTls {
        let settings = &self.middleware;
        let file = |path: &Option<String>| path.clone().map(PathBuf::from);
        RedisTls {
            verify: matches!(
                settings.redis_ssl_cert_reqs.as_str(),
                "CERT_REQUIRED" | "CERT_OPTIONAL"
            ),
            ca_file: file(&settings.redis_ssl_ca_certs),
            cert_file: file(&settings.redis_ssl_certfile),
            key_file: file(&settings.redis_ssl_keyfile),
        }
    }

    fn single_redis_url(&self) -> String {
        let settings = &self.middleware;
        let scheme = if settings.redis_use_ssl { "rediss" } else { "redis" };
        let Ok(mut url) = Url::parse(&format!("{scheme}://localhost")) else {
            return String::new();
        };
        // Each setter refuses only addresses that cannot have the part; these can.
        let _ = url.set_host(Some(&settings.redis_host));
        let _ = url.set_port(u16::try_from(settings.redis_port).ok());
        let _ = url.set_username(settings.redis_username.as_deref().unwrap_or_default());
        let _ = url.set_password(settings.redis_password.as_deref());
        url.set_path(&settings.redis_db.to_string());
        url.into()
    }

    /// Queues a worker consumes: `CELERY_WORKER_QUEUES`, else `CELERY_QUEUES`, else all of the edition,
    /// with those the reference publishes to and forgets to consume.
    #[must_use]
    pub fn worker_queues(&self) -> Vec<String> {
        let chosen = self
            .entrypoint
            .celery_worker_queues
            .as_ref()
            .or(self.entrypoint.celery_queues.as_ref());
        if let Some(chosen) = chosen {
            return list(chosen);
        }
        let workflow: &[&str] = if self.is_cloud() {
            &["workflow_professional", "workflow_team", "workflow_sandbox"]
        } else {
            &["workflow"]
        };
        [QUEUES, workflow, QUEUES_AFTER, QUEUES_FORGOTTEN]
            .concat()
            .into_iter()
            .map(str::to_owned)
            .collect()
    }

    /// Tasks a worker runs at a time: `CELERY_WORKER_CONCURRENCY`, else the autoscale maximum, else
    /// `CELERY_WORKER_AMOUNT`; at least 1. `cpus` stands in for an unset `CELERY_MAX_WORKERS`.
    #[must_use]
    pub fn worker_concurrency(&self, cpus: usize) -> usize {
        let settings = &self.entrypoint;
        let wanted = match settings.celery_worker_concurrency {
            Some(fixed) => usize::try_from(fixed).ok(),
            None if settings.celery_auto_scale => {
                settings.celery_max_workers.map_or(Some(cpus), |max| usize::try_from(max).ok())
            }
            None => usize::try_from(settings.celery_worker_amount).ok(),
        };
        wanted.unwrap_or(1).max(1)
    }

    /// Whether cookies carry `Secure`: both console addresses are https.
    #[must_use]
    pub fn secure_cookies(&self) -> bool {
        self.feature.console_web_url.starts_with("https")
            && self.feature.console_api_url.starts_with("https")
    }

    /// The cookies' `Domain`, without its leading dot; none when unset.
    #[must_use]
    pub fn cookie_domain(&self) -> Option<String> {
        let domain = self.feature.cookie_domain.trim();
        let domain = domain.strip_prefix('.').unwrap_or(domain);
        (!domain.is_empty()).then(|| domain.to_owned())
    }

    /// The cookie's real name: `__Host-` before it when cookies are secure and have no domain.
    #[must_use]
    pub fn cookie_name(&self, name: &str) -> String {
        if self.secure_cookies() && self.cookie_domain().is_none() {
            format!("__Host-{name}")
        } else {
            name.to_owned()
        }
    }

    /// Origins the console API allows.
    #[must_use]
    pub fn console_cors_origins(&self) -> Vec<String> {
        list(&self.feature.console_cors_allow_origins)
    }

    /// Origins the web-app API allows; `*` is any.
    #[must_use]
    pub fn web_cors_origins(&self) -> Vec<String> {
        list(&self.feature.web_api_cors_allow_origins)
    }

    /// Base of signed file links for browsers.
    #[must_use]
    pub fn files_url(&self) -> &str {
        &self.feature.files_url
    }

    /// Base of signed file links for plugins and tools: `INTERNAL_FILES_URL`, else the public one.
    #[must_use]
    pub fn internal_files_url(&self) -> &str {
        match self.feature.internal_files_url.as_str() {
            "" => self.files_url(),
            internal => internal,
        }
    }

    /// How long a signed file link opens, seconds.
    #[must_use]
    pub fn files_access_timeout(&self) -> i64 {
        self.feature.files_access_timeout
    }

    /// Whether a plugin daemon was named; the default address alone does not count.
    #[must_use]
    pub fn is_plugin_daemon_configured(&self) -> bool {
        self.is_set("PLUGIN_DAEMON_URL")
    }

    /// Options of the storage operator from `OPENDAL_<SCHEME>_*`, keyed in lower case.
    #[must_use]
    pub fn opendal_options(&self, scheme: &str) -> Vec<(String, String)> {
        let prefix = format!("{}_", scheme.to_ascii_lowercase());
        let option = |(name, value): (&String, &String)| {
            let rest = name.strip_prefix(&prefix).filter(|rest| !rest.is_empty())?;
            Some((rest.to_owned(), value.clone()))
        };
        self.opendal.iter().filter_map(option).collect()
    }

    /// Suffixes no upload may have: lower case, without the dot.
    #[must_use]
    pub fn blocked_extensions(&self) -> Vec<String> {
        list(&self.feature.upload_file_extension_blacklist)
            .into_iter()
            .map(|extension| extension.trim_start_matches('.').to_lowercase())
            .collect()
    }
}

fn seconds(number: i64) -> Duration {
    Duration::from_secs(u64::try_from(number).unwrap_or_default())
}

fn some_seconds(number: i64) -> Option<Duration> {
    (number > 0).then(|| seconds(number))
}

fn nodes(text: Option<&str>, default_port: u16) -> Vec<RedisNode> {
    list(text.unwrap_or_default())
        .into_iter()
        .map(|item| match item.rsplit_once(':').map(|(host, port)| (host, port.parse())) {
            Some((host, Ok(port))) => RedisNode { host: host.to_owned(), port },
            _ => RedisNode { host: item, port: default_port },
        })
        .collect()
}

#[cfg(test)]
mod tests;
