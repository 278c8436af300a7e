//! Where Redis is and how to talk to it; the server fills this from `REDIS_*` and `CELERY_*`.

use std::time::Duration;

use url::Url;

use crate::error::RedisError;

/// Settings of one Redis.
#[derive(Clone)]
pub struct RedisOptions {
    /// Where the data is.
    pub endpoint: Endpoint,
    /// `REDIS_USERNAME`.
    pub username: Option<String>,
    /// `REDIS_PASSWORD` (for clusters `REDIS_CLUSTERS_PASSWORD`).
    pub password: Option<String>,
    /// `REDIS_DB`; ignored by clusters.
    pub db: i64,
    /// `REDIS_USE_SSL` and friends; `None` is plain TCP.
    pub tls: Option<TlsOptions>,
    /// Put before every key and channel.
    pub key_prefix: String,
    /// Shared connections; commands of all tasks are pipelined over them.
    pub connections: usize,
    /// Connections that may wait in blocking commands at once; more callers poll instead.
    pub max_blocking: usize,
    /// Longest time to connect, sign in included.
    pub connect_timeout: Duration,
    /// Longest wait for an answer.
    pub response_timeout: Duration,
}

/// Where the data is.
#[derive(Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// In this process, at most `max_bytes` of keys and values (approximately).
    InProcess {
        /// Above this, keys with an expiry are dropped, nearest first; then writes are refused.
        max_bytes: usize,
    },
    /// `REDIS_HOST`, `REDIS_PORT`.
    Standalone {
        /// Name or address.
        host: String,
        /// TCP port.
        port: u16,
    },
    /// `REDIS_USE_SENTINEL`.
    Sentinel {
        /// `REDIS_SENTINELS`.
        nodes: Vec<(String, u16)>,
        /// `REDIS_SENTINEL_SERVICE_NAME`.
        service: String,
        /// `REDIS_SENTINEL_USERNAME`.
        username: Option<String>,
        /// `REDIS_SENTINEL_PASSWORD`.
        password: Option<String>,
    },
    /// `REDIS_USE_CLUSTERS`.
    Cluster {
        /// `REDIS_CLUSTERS`.
        nodes: Vec<(String, u16)>,
    },
}

/// TLS to Redis.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsOptions {
    /// `REDIS_SSL_CERT_REQS`: false for `CERT_NONE`, which is the reference's default.
    pub verify: bool,
    /// PEM of `REDIS_SSL_CA_CERTS`; without it the public roots count.
    pub ca_pem: Option<Vec<u8>>,
    /// PEM of `REDIS_SSL_CERTFILE` and `REDIS_SSL_KEYFILE`.
    pub client_pem: Option<(Vec<u8>, Vec<u8>)>,
}

impl RedisOptions {
    /// An in-process store of at most 256 MiB.
    #[must_use]
    pub fn in_process() -> Self {
        Self::new(Endpoint::InProcess { max_bytes: 256 * 1024 * 1024 })
    }

    /// A single server without password, database 0.
    #[must_use]
    pub fn standalone(host: impl Into<String>, port: u16) -> Self {
        Self::new(Endpoint::Standalone { host: host.into(), port })
    }

    /// Defaults for an endpoint.
    #[must_use]
    pub fn new(endpoint: Endpoint) -> Self {
        Self {
            endpoint,
            username: None,
            password: None,
            db: 0,
            tls: None,
            key_prefix: String::new(),
            connections: 2,
            max_blocking: 64,
            connect_timeout: Duration::from_secs(2),
            response_timeout: Duration::from_secs(5),
        }
    }

    /// `redis://user:password@host:port/db` or `rediss://…` (`CELERY_BROKER_URL`, `PUBSUB_REDIS_URL`).
    /// `sentinel://…;sentinel://…` as kombu writes it needs `service` too.
    ///
    /// # Errors
    /// [`RedisError::Config`] naming what is wrong, never the password.
    pub fn from_url(url: &str, service: Option<&str>) -> Result<Self, RedisError> {
        let parts: Vec<Url> = url
            .split(';')
            .filter(|part| !part.trim().is_empty())
            .map(|part| Url::parse(part.trim()))
            .collect::<Result<_, _>>()
            .map_err(|err| RedisError::Config(format!("the URL does not parse: {err}")))?;
        let Some(first) = parts.first() else {
            return Err(RedisError::Config("the URL is empty".to_owned()));
        };
        let endpoint = match first.scheme() {
            "redis" | "rediss" => {
                let (host, port) = address(first, 6379);
                Endpoint::Standalone { host, port }
            }
            "sentinel" => Endpoint::Sentinel {
                nodes: parts.iter().map(|part| address(part, 26379)).collect(),
                service: service
                    .ok_or_else(|| RedisError::Config("no Sentinel master name".to_owned()))?
                    .to_owned(),
                username: None,
                password: None,
            },
            other => {
                return Err(RedisError::Config(format!("unknown URL scheme {other}")));
            }
        };
        let mut options = Self::new(endpoint);
        options.username = decoded(Some(first.username()))?;
        options.password = decoded(first.password())?;
        let path_db = first.path().trim_start_matches('/');
        let query_db = first.query_pairs().find(|(name, _)| name == "db").map(|(_, db)| db);
        if let Some(db) = query_db.as_deref().or(Some(path_db)).filter(|db| !db.is_empty()) {
            options.db = db
                .parse()
                .map_err(|_| RedisError::Config("the database is not a number".to_owned()))?;
        }
        if first.scheme() == "rediss" {
            let requirement = first.query_pairs().find(|(name, _)| name == "ssl_cert_reqs");
            let verify = requirement
                .is_none_or(|(_, value)| !matches!(value.as_ref(), "none" | "CERT_NONE"));
            options.tls = Some(TlsOptions { verify, ..TlsOptions::default() });
        }
        Ok(options)
    }

    /// Parses `host:port,host:port` (`REDIS_SENTINELS`, `REDIS_CLUSTERS`).
    ///
    /// # Errors
    /// [`RedisError::Config`] for an empty list or a port that is none.
    pub fn parse_nodes(list: &str) -> Result<Vec<(String, u16)>, RedisError> {
        let nodes: Vec<(String, u16)> = list
            .split(',')
            .map(str::trim)
            .filter(|node| !node.is_empty())
            .map(|node| {
                let (host, port) = node.rsplit_once(':')?;
                Some((host.to_owned(), port.parse().ok()?))
            })
            .collect::<Option<_>>()
            .ok_or_else(|| RedisError::Config(format!("not a list of host:port: {list}")))?;
        if nodes.is_empty() {
            return Err(RedisError::Config("the list of nodes is empty".to_owned()));
        }
        Ok(nodes)
    }
}

impl Default for RedisOptions {
    fn default() -> Self {
        Self::in_process()
    }
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::InProcess { .. } => f.write_str("in-process"),
            Self::Standalone { host, port } => write!(f, "{host}:{port}"),
            Self::Sentinel { nodes, service, .. } => write!(f, "sentinel {service} at {nodes:?}"),
            Self::Cluster { nodes } => write!(f, "cluster at {nodes:?}"),
        }
    }
}

impl std::fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RedisOptions")
            .field("endpoint", &self.endpoint)
            .field("db", &self.db)
            .field("tls", &self.tls.is_some())
            .finish_non_exhaustive()
    }
}

fn address(url: &Url, default_port: u16) -> (String, u16) {
    let host = url.host_str().filter(|host| !host.is_empty()).unwrap_or("localhost");
    (host.trim_matches(['[', ']']).to_owned(), url.port().unwrap_or(default_port))
}

fn decoded(text: Option<&str>) -> Result<Option<String>, RedisError> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        let hex = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(value) if byte == b'%' => {
                bytes.push(value);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = tail;
            }
        }
    }
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| RedisError::Config("user or password is not UTF-8".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, RedisOptions};

    #[test]
    fn urls_are_understood() {
        let options = RedisOptions::from_url("redis://:di%40fy@redis:6380/1", None).unwrap();
        assert_eq!(options.endpoint, Endpoint::Standalone { host: "redis".into(), port: 6380 });
        assert_eq!(options.password.as_deref(), Some("di@fy"));
        assert_eq!((options.username, options.db), (None, 1));

        let url = "rediss://u:p@h?ssl_cert_reqs=none&db=3";
        let options = RedisOptions::from_url(url, None).unwrap();
        assert_eq!(options.db, 3);
        assert!(!options.tls.unwrap().verify);

        let url = "sentinel://:p@a:1/2;sentinel://:p@b:2/2";
        let options = RedisOptions::from_url(url, Some("main")).unwrap();
        let Endpoint::Sentinel { nodes, service, .. } = options.endpoint else { panic!() };
        assert_eq!((nodes.len(), service.as_str(), options.db), (2, "main", 2));

        assert!(RedisOptions::from_url(url, None).is_err());
        assert!(RedisOptions::from_url("amqp://x", None).is_err());
        assert!(RedisOptions::from_url("redis://h/x", None).is_err());
    }

    #[test]
    fn node_lists_are_understood() {
        assert_eq!(RedisOptions::parse_nodes("a:1, b:2").unwrap().len(), 2);
        assert!(RedisOptions::parse_nodes("a").is_err());
        assert!(RedisOptions::parse_nodes("").is_err());
    }
}
