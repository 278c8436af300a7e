//! How to open connections to each kind of endpoint.

use boxed::boxed;
use std::time::Duration;

use deadpool_redis::redis::aio::{ConnectionLike, MultiplexedConnection, PubSub};
use deadpool_redis::redis::cluster::{ClusterClient, ClusterClientBuilder};
use deadpool_redis::redis::cluster_async::ClusterConnection;
use deadpool_redis::redis::sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType};
use deadpool_redis::redis::{
    self as driver, AsyncConnectionConfig, Client, ClientTlsConfig, Cmd, ConnectionAddr,
    ConnectionInfo, IntoConnectionInfo, Pipeline, RedisConnectionInfo, RedisFuture,
    TlsCertificates, TlsMode, Value,
};
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::error::RedisError;
use crate::options::{Endpoint, RedisOptions, TlsOptions};

pub(crate) struct Connector {
    options: RedisOptions,
    kind: Kind,
}

enum Kind {
    Single(ConnectionInfo),
    /// Finding the master needs the sentinels one after the other.
    Sentinel(Mutex<SentinelClient>),
    Cluster(Vec<ConnectionInfo>),
}

/// A connection of either kind.
#[derive(Clone)]
pub(crate) enum Connection {
    Single(MultiplexedConnection),
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Single(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        cmd: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Single(connection) => connection.req_packed_commands(cmd, offset, count),
            Self::Cluster(connection) => connection.req_packed_commands(cmd, offset, count),
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Single(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

impl Connector {
    pub fn new(options: RedisOptions) -> Result<Self, RedisError> {
        // Whoever comes first installs it; TLS would panic without.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let kind = match &options.endpoint {
            Endpoint::InProcess { .. } => {
                return Err(RedisError::Config("in-process has no address".to_owned()));
            }
            Endpoint::Standalone { host, port } => Kind::Single(info(&options, host, *port)?),
            Endpoint::Sentinel { nodes, service, username, password } => {
                let sentinel =
                    sentinel(&options, nodes, service, username.as_deref(), password.as_deref())?;
                Kind::Sentinel(Mutex::new(sentinel))
            }
            Endpoint::Cluster { nodes } => {
                let mut infos = Vec::new();
                for (host, port) in nodes {
                    infos.push(info(&options, host, *port)?);
                }
                if infos.is_empty() {
                    return Err(RedisError::Config("a cluster needs nodes".to_owned()));
                }
                Kind::Cluster(infos)
            }
        };
        Ok(Self { options, kind })
    }

    pub fn is_cluster(&self) -> bool {
        matches!(self.kind, Kind::Cluster(_))
    }

    pub fn response_timeout(&self) -> Duration {
        self.options.response_timeout
    }

    /// A connection for ordinary commands.
    #[boxed]
    pub async fn connect(&self) -> Result<Connection, RedisError> {
        self.open(Some(self.options.response_timeout)).await
    }

    /// A connection whose answers may take as long as the caller waits.
    #[boxed]
    pub async fn connect_blocking(&self) -> Result<Connection, RedisError> {
        self.open(None).await
    }

    /// A pub/sub connection. In a cluster any node hears every ordinary message.
    #[boxed]
    pub async fn connect_pubsub(&self) -> Result<PubSub, RedisError> {
        let open = async {
            match &self.kind {
                Kind::Single(info) => Client::open(info.clone())?.get_async_pubsub().await,
                Kind::Sentinel(sentinel) => {
                    let client = sentinel.lock().await.async_get_client().await?;
                    client.get_async_pubsub().await
                }
                Kind::Cluster(nodes) => {
                    let mut last = None;
                    for node in nodes {
                        match Client::open(node.clone())?.get_async_pubsub().await {
                            Ok(pubsub) => return Ok(pubsub),
                            Err(err) => last = Some(err),
                        }
                    }
                    Err(last.unwrap_or_else(|| {
                        (driver::ErrorKind::InvalidClientConfig, "a cluster needs nodes").into()
                    }))
                }
            }
        };
        match timeout(self.options.connect_timeout * 2, open).await {
            Ok(Ok(pubsub)) => Ok(pubsub),
            Ok(Err(err)) => Err(err.into()),
            Err(_) => Err(too_slow()),
        }
    }

    async fn open(&self, response_timeout: Option<Duration>) -> Result<Connection, RedisError> {
        let open = async {
            let config = AsyncConnectionConfig::new()
                .set_connection_timeout(Some(self.options.connect_timeout))
                .set_response_timeout(response_timeout);
            match &self.kind {
                Kind::Single(info) => {
                    let client = Client::open(info.clone())?;
                    client
                        .get_multiplexed_async_connection_with_config(&config)
                        .await
                        .map(Connection::Single)
                }
                Kind::Sentinel(sentinel) => {
                    let client = sentinel.lock().await.async_get_client().await?;
                    let info = client.get_connection_info().clone();
                    Client::open(info)?
                        .get_multiplexed_async_connection_with_config(&config)
                        .await
                        .map(Connection::Single)
                }
                Kind::Cluster(nodes) => self
                    .cluster(nodes, response_timeout)?
                    .get_async_connection()
                    .await
                    .map(Connection::Cluster),
            }
        };
        // Sentinels are asked one after the other, hence more than one connect's time.
        match timeout(self.options.connect_timeout * 2, open).await {
            Ok(Ok(connection)) => Ok(connection),
            Ok(Err(err)) => Err(err.into()),
            Err(_) => Err(too_slow()),
        }
    }

    fn cluster(
        &self,
        nodes: &[ConnectionInfo],
        response_timeout: Option<Duration>,
    ) -> driver::RedisResult<ClusterClient> {
        let mut builder = ClusterClientBuilder::new(nodes.to_vec())
            .retries(3)
            .connection_timeout(self.options.connect_timeout)
            // A day stands for "as long as the caller waits"; the caller has its own clock.
            .response_timeout(response_timeout.unwrap_or(Duration::from_secs(86_400)));
        if let Some(username) = &self.options.username {
            builder = builder.username(username);
        }
        if let Some(password) = &self.options.password {
            builder = builder.password(password);
        }
        if let Some(tls) = &self.options.tls {
            builder = builder.tls(tls_mode(tls)).certs(certificates(tls));
        }
        builder.build()
    }
}

fn too_slow() -> RedisError {
    RedisError::Unavailable("could not connect in time".to_owned())
}

fn info(options: &RedisOptions, host: &str, port: u16) -> Result<ConnectionInfo, RedisError> {
    let mut redis = RedisConnectionInfo::default().set_db(options.db);
    if let Some(username) = &options.username {
        redis = redis.set_username(username);
    }
    if let Some(password) = &options.password {
        redis = redis.set_password(password);
    }
    let addr = address(options, host, port);
    let info = addr.into_connection_info()?.set_redis_settings(redis);
    match &options.tls {
        None => Ok(info),
        Some(tls) => {
            let client = Client::build_with_tls(info, certificates(tls))?;
            Ok(client.get_connection_info().clone())
        }
    }
}

fn address(options: &RedisOptions, host: &str, port: u16) -> ConnectionAddr {
    match &options.tls {
        None => ConnectionAddr::Tcp(host.to_owned(), port),
        Some(tls) => ConnectionAddr::TcpTls {
            host: host.to_owned(),
            port,
            insecure: !tls.verify,
            tls_params: None,
        },
    }
}

fn sentinel(
    options: &RedisOptions,
    nodes: &[(String, u16)],
    service: &str,
    username: Option<&str>,
    password: Option<&str>,
) -> Result<SentinelClient, RedisError> {
    // As in the reference, TLS does not apply to Sentinel installations unless asked for explicitly.
    let addresses = nodes.iter().map(|(host, port)| address(options, host, *port));
    let mut builder = SentinelClientBuilder::new(addresses, service, SentinelServerType::Master)?
        .set_client_to_redis_db(options.db);
    if let Some(username) = &options.username {
        builder = builder.set_client_to_redis_username(username);
    }
    if let Some(password) = &options.password {
        builder = builder.set_client_to_redis_password(password);
    }
    if let Some(username) = username {
        builder = builder.set_client_to_sentinel_username(username);
    }
    if let Some(password) = password {
        builder = builder.set_client_to_sentinel_password(password);
    }
    if let Some(tls) = &options.tls {
        builder = builder
            .set_client_to_redis_tls_mode(tls_mode(tls))
            .set_client_to_redis_certificates(certificates(tls))
            .set_client_to_sentinel_tls_mode(tls_mode(tls))
            .set_client_to_sentinel_certificates(certificates(tls));
    }
    Ok(builder.build()?)
}

fn tls_mode(tls: &TlsOptions) -> TlsMode {
    if tls.verify { TlsMode::Secure } else { TlsMode::Insecure }
}

fn certificates(tls: &TlsOptions) -> TlsCertificates {
    TlsCertificates {
        client_tls: tls.client_pem.as_ref().map(|(cert, key)| ClientTlsConfig {
            client_cert: cert.clone(),
            client_key: key.clone(),
        }),
        root_cert: tls.ca_pem.clone(),
    }
}
