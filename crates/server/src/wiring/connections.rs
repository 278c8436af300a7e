//! From `REDIS_*` and `CELERY_*` to clients and the queue.

use std::sync::Arc;

use anyhow::Context;
use config::{Config, RedisSettings, RedisTls, RedisTopology};
use jobs::{JobQueue, RedisQueue};
use redis::{Redis, RedisOptions};

/// The queue: in the broker's Redis, else in the one there is, else in this process.
pub(super) fn queue(config: &Config, redis: &Redis) -> anyhow::Result<Arc<dyn JobQueue>> {
    let broker = config.middleware.celery_broker_url.as_deref().filter(|url| !url.is_empty());
    let redis = match broker {
        // Without a Redis of our own this is a single process, and nobody else reads its queue.
        Some(url) if !redis.is_in_process() => {
            let settings = &config.middleware;
            let service = settings.celery_sentinel_master_name.as_deref();
            let mut options =
                RedisOptions::from_url(url, service).context("CELERY_BROKER_URL cannot be used")?;
            if options.tls.is_some() {
                options.tls = Some(tls_options(&config.redis_tls())?);
            }
            if let redis::Endpoint::Sentinel { password, .. } = &mut options.endpoint {
                password.clone_from(&settings.celery_sentinel_password);
            }
            Redis::new(options).context("CELERY_BROKER_URL cannot be used")?
        }
        _ => redis.clone(),
    };
    Ok(Arc::new(RedisQueue::new(redis)?))
}

/// What the client needs to know of `REDIS_*`.
pub(super) fn options(settings: RedisSettings) -> anyhow::Result<RedisOptions> {
    let mut options = match &settings.topology {
        RedisTopology::Single(url) => RedisOptions::from_url(url, None)?,
        RedisTopology::Sentinel(sentinel) => RedisOptions::new(redis::Endpoint::Sentinel {
            nodes: sentinel.nodes.iter().map(|node| (node.host.clone(), node.port)).collect(),
            service: sentinel.service.clone(),
            username: sentinel.username.clone(),
            password: sentinel.password.clone(),
        }),
        RedisTopology::Cluster { nodes, password } => {
            let mut options = RedisOptions::new(redis::Endpoint::Cluster {
                nodes: nodes.iter().map(|node| (node.host.clone(), node.port)).collect(),
            });
            options.password.clone_from(password);
            options
        }
    };
    if !matches!(settings.topology, RedisTopology::Single(_)) {
        options.username = options.username.or(settings.username);
        options.password = options.password.or(settings.password);
        options.db = settings.db;
    }
    if let Some(cap) = settings.max_connections {
        // Shared connections carry any number of calls; the rest of the cap is for those that wait.
        options.connections = options.connections.min(cap);
        options.max_blocking =
            options.max_blocking.min(cap.saturating_sub(options.connections).max(1));
    }
    if let Some(tls) = settings.tls {
        options.tls = Some(tls_options(&tls)?);
    }
    Ok(options)
}

fn tls_options(tls: &RedisTls) -> anyhow::Result<redis::TlsOptions> {
    let read = |path: &Option<std::path::PathBuf>| -> anyhow::Result<Option<Vec<u8>>> {
        path.as_ref()
            .map(|path| {
                std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))
            })
            .transpose()
    };
    Ok(redis::TlsOptions {
        verify: tls.verify,
        ca_pem: read(&tls.ca_file)?,
        client_pem: read(&tls.cert_file)?.zip(read(&tls.key_file)?),
    })
}
