//! From settings to a context: what is opened at start, in which order, and closed at the end.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use config::Config;
use db::{Db, DbOptions, embedded::Embedded};
use http_core::AppState;
use mail::{MailOptions, Mailer, SmtpOptions, SmtpSecurity, Transport};
use model_runtime::{Precedence, Registry};
use redis::Redis;
use services_conversation::{Engine, annotation_reply::Annotations};
use services_core::{Ctx, CtxParts};
use services_model::Models;
use services_workflow::{
    run::{
        Runs, SignedUrls,
        ports::{self, AllNodes},
    },
    trigger::plugin::Events,
};
use tokio::task::JoinHandle;

use crate::{gauges, leases, lifecycle::Roles};

mod connections;

/// The database, opened as the settings say.
pub struct Base {
    /// Every setting.
    pub config: Arc<Config>,
    /// The database.
    pub db: Db,
    embedded: Option<Embedded>,
}

impl Base {
    /// Opens the database; starts the private one where none is configured.
    ///
    /// # Errors
    /// If there is no database to be had.
    pub async fn open(config: Config) -> anyhow::Result<Self> {
        let config = Arc::new(config);
        let kind = &config.middleware.db_type;
        if kind != "postgresql" && config.own.database_url.is_none() {
            anyhow::bail!("DB_TYPE is {kind}; this server works with postgresql only");
        }
        let (url, embedded) = match config.database_url() {
            Some(url) => (url, None),
            None => {
                let directory = Path::new(&config.own.dify_data_dir).join("postgres");
                let server = Embedded::start(&directory)
                    .await
                    .context("no database is configured, and the private one does not start")?;
                (server.url().to_owned(), Some(server))
            }
        };
        let settings = config.database(url);
        let mut options = DbOptions::new(settings.url);
        options.replica_url = settings.replica_url;
        options.replica_max_lag = settings.replica_max_lag;
        options.max_connections = settings.max_connections;
        options.acquire_timeout = settings.acquire_timeout;
        options.max_lifetime = settings.max_lifetime;
        options.pre_ping = settings.test_before_acquire;
        options.statement_timeout = settings.statement_timeout;
        options.transaction_pooler = config.own.db_transaction_pooler;
        let db = Db::connect(&options).await.context("the database cannot be opened")?;
        Ok(Self { config, db, embedded })
    }

    /// Closes the database.
    pub async fn close(self) {
        self.db.close().await;
        if let Some(server) = self.embedded
            && let Err(err) = server.stop().await
        {
            tracing::warn!(error = %err, "the private database does not stop");
        }
    }
}

/// Everything a running server holds.
pub struct Wired {
    /// What handlers reach.
    pub state: AppState,
    base: Base,
}

impl Wired {
    /// Starts what runs beside requests; stops with the server.
    ///
    /// # Errors
    /// If the schedule cannot be used.
    pub fn start_background(&self, roles: Roles) -> anyhow::Result<Vec<JoinHandle<()>>> {
        let ctx = &self.state.ctx;
        let mut tasks = vec![
            tokio::spawn(leases::reap(ctx.clone())),
            tokio::spawn(gauges::watch_replica(ctx.clone())),
        ];
        let runs = self.state.part::<Runs>().context("nothing runs workflows")?;
        let events = self.state.part::<Events>().context("nothing hears of events")?;
        if roles.api || roles.worker {
            let stop = ctx.shutdown().clone();
            let runs = Runs::clone(&runs);
            tasks.push(tokio::spawn(async move {
                let beside = async {
                    tokio::join!(
                        leases::listen_for_watchers(runs.clone()),
                        leases::resume(runs.clone()),
                    )
                };
                tokio::select! {
                    _ = beside => {}
                    () = stop.cancelled() => {}
                }
            }));
        }
        let mut handlers = worker::handlers(ctx, &runs, &events);
        if let Some(annotations) = self.state.part::<Annotations>() {
            handlers = worker::annotation::register(handlers, ctx, &annotations);
        }
        if roles.beat {
            let beat = worker::beat(ctx, &handlers)?;
            tasks.push(tokio::spawn(beat.run(ctx.shutdown().clone())));
        }
        if roles.worker {
            let worker = worker::worker(ctx, handlers);
            tasks.push(tokio::spawn(worker.run(ctx.shutdown().clone())));
        }
        Ok(tasks)
    }

    /// Closes what was opened.
    pub async fn close(self) {
        self.base.close().await;
    }
}

/// Opens everything the settings name.
///
/// # Errors
/// Whatever cannot be opened, with its name.
pub async fn open(config: Config) -> anyhow::Result<Wired> {
    let base = Base::open(config).await?;
    let config = base.config.clone();
    prepare_schema(&base).await?;
    let redis = match config.redis() {
        Some(settings) => {
            Redis::new(connections::options(settings)?).context("Redis cannot be used")?
        }
        None => Redis::in_process(),
    };
    let http = http(&config)?;
    let ctx = Ctx::new(CtxParts {
        secret: secret(&config)?,
        db: base.db.clone(),
        jobs: connections::queue(&config, &redis)?,
        redis,
        storage: storage(&config)?,
        mail: mailer(&config, &http)?,
        key_pairs: Arc::new(crypto::tenant_key::generate),
        http,
        config,
    });
    let mut state = wire(ctx)?;
    if state.ctx.config.own.metrics_enabled {
        let commit = option_env!("COMMIT_SHA").unwrap_or_default();
        state = state.with(telemetry::metrics::install(env!("CARGO_PKG_VERSION"), commit)?);
    }
    Ok(Wired { state, base })
}

/// What handlers reach, over a context. Tests wire a context of their own.
///
/// # Errors
/// Whatever cannot be built, with its name.
pub fn wire(ctx: Ctx) -> anyhow::Result<AppState> {
    let daemon = daemon(&ctx);
    let plugin_models = plugin::PluginModels::new(daemon.clone());
    let models = Models::new(ctx.clone(), registry(&ctx, &plugin_models)?);
    let plugins = ctx.config.is_plugin_daemon_configured().then(|| daemon.clone());
    let world = ports::ports(&ctx, &models);
    let tools = services_tool::Tools::new(services_tool::Parts {
        ctx: ctx.clone(),
        daemon: plugins.clone(),
        models: models.clone(),
        files: world.files.clone(),
        code: world.code.clone(),
    });
    let events = Events::new(ctx.clone(), plugins.clone());
    let ports = services_app::Ports::new(models.clone(), plugins);
    let annotations = Annotations::new(&models);
    let mut world = services_conversation::adapt::ports(&models, &annotations);
    world.tools = Arc::new(tools.clone());
    let engine = Engine::new(ctx.clone(), world);
    engine.watch();
    let runs = Runs::new(
        ctx.clone(),
        engine.hub().clone(),
        Arc::new(AllNodes::new(&ctx, &models, |ports| {
            ports.tools = Arc::new(tools.clone());
            ports.agents = Arc::new(tools.clone());
        })),
        Arc::new(SignedUrls(ctx.clone())),
    );
    tools.run_workflows_with(runs.clone());
    runs.serve(&engine);
    Ok(AppState::new(ctx)
        .with(models)
        .with(daemon)
        .with(plugin_models)
        .with(ports)
        .with(tools)
        .with(engine)
        .with(annotations)
        .with(runs)
        .with(events))
}

/// The model providers: those built in, then those of the plugin daemon if one is named.
fn registry(ctx: &Ctx, plugins: &plugin::PluginModels) -> anyhow::Result<Registry> {
    let own = &ctx.config.own;
    let seconds = |value| u64::try_from(value).map(Duration::from_secs);
    let defaults = model_runtime::Limits::default();
    let limits = model_runtime::Limits {
        first_byte: seconds(own.model_first_byte_timeout_seconds).unwrap_or(defaults.first_byte),
        idle: seconds(own.model_idle_timeout_seconds).unwrap_or(defaults.idle),
        ..defaults
    };
    let providers = model_runtime::built_in(&ctx.http, limits)
        .context("a built-in provider is not declared right")?;
    let registry = Registry::new(providers);
    if !ctx.config.is_plugin_daemon_configured() {
        return Ok(registry);
    }
    Ok(registry.with_source(Arc::new(plugins.clone()), Precedence::NativeFirst))
}

/// The client of the plugin daemon.
fn daemon(ctx: &Ctx) -> plugin::Daemon {
    let settings = &ctx.config.feature;
    let timeout = Duration::try_from_secs_f64(settings.plugin_daemon_timeout).ok();
    let options = plugin::DaemonOptions {
        url: settings.plugin_daemon_url.clone(),
        key: settings.plugin_daemon_key.clone(),
        timeout: timeout.filter(|timeout| !timeout.is_zero()),
        max_file_size: usize::try_from(settings.plugin_max_file_size).unwrap_or(50 << 20),
        schema_ttl: Duration::from_secs(
            u64::try_from(settings.plugin_model_schema_cache_ttl).unwrap_or(3600),
        ),
        endpoint_url_template: settings.endpoint_url_template.clone(),
    };
    plugin::Daemon::new(ctx.http.clone(), options)
}

/// Builds the schema of a private database, or where asked to; everywhere else it must be there already.
async fn prepare_schema(base: &Base) -> anyhow::Result<()> {
    let status =
        db::migrate::status(&base.db).await.context("the database's schema cannot be read")?;
    if status.is_current() {
        return Ok(());
    }
    if base.embedded.is_some() || base.config.entrypoint.migration_enabled {
        let report = db::migrate::run(&base.db).await?;
        tracing::info!(%report, "schema prepared");
        return Ok(());
    }
    anyhow::bail!(
        "the database is not ready: {status}. Run `dify-api migrate run` once, or start with MIGRATION_ENABLED=true"
    )
}

/// `SECRET_KEY`, or one made for this installation and kept in its data directory.
fn secret(config: &Config) -> anyhow::Result<Arc<str>> {
    if !config.feature.secret_key.is_empty() {
        return Ok(config.feature.secret_key.as_str().into());
    }
    let path = Path::new(&config.own.dify_data_dir).join("secret_key");
    match std::fs::read_to_string(&path) {
        Ok(secret) if !secret.trim().is_empty() => return Ok(secret.trim().into()),
        Ok(_) => {}
        Err(err) if err.kind() == std::io::ErrorKind::NotFound => {}
        Err(err) => return Err(err).with_context(|| format!("{} cannot be read", path.display())),
    }
    let secret = crypto::token::url_safe(42);
    let write = || -> std::io::Result<()> {
        use std::{io::Write as _, os::unix::fs::OpenOptionsExt as _};
        std::fs::create_dir_all(&config.own.dify_data_dir)?;
        let mut file = std::fs::OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)?;
        file.write_all(secret.as_bytes())
    };
    write().with_context(|| {
        format!(
            "SECRET_KEY is not set, and one made for this installation cannot be kept in {}",
            path.display()
        )
    })?;
    tracing::warn!(path = %path.display(), "SECRET_KEY is not set; made one and kept it there");
    Ok(secret.into())
}

/// Storage as `STORAGE_TYPE` says; beside the private database where neither is configured.
fn storage(config: &Config) -> anyhow::Result<storage::Storage> {
    let configured = config
        .variables()
        .any(|(name, _)| name.starts_with("STORAGE_") || name.starts_with("OPENDAL_"));
    let options = if config.is_embedded_database() && !configured {
        storage::StorageOptions::local(Path::new(&config.own.dify_data_dir).join("storage"))
    } else {
        storage::StorageOptions::from_vars(config.variables())?
    };
    storage::Storage::open(&options).context("object storage cannot be opened")
}

/// Mail as `MAIL_TYPE` says.
fn mailer(config: &Config, http: &net::Http) -> anyhow::Result<Mailer> {
    let settings = &config.feature;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let transport = match settings.mail_type.as_deref().unwrap_or_default() {
        "" => Transport::Off,
        "resend" => Transport::Resend {
            api_key: text(&settings.resend_api_key),
            api_url: settings.resend_api_url.clone(),
        },
        "sendgrid" => {
            Transport::SendGrid { api_key: text(&settings.sendgrid_api_key), api_url: None }
        }
        "smtp" => Transport::Smtp(SmtpOptions {
            server: text(&settings.smtp_server),
            port: u16::try_from(settings.smtp_port).context("SMTP_PORT is no port")?,
            username: text(&settings.smtp_username),
            password: text(&settings.smtp_password),
            security: SmtpSecurity::from_flags(
                settings.smtp_use_tls,
                settings.smtp_opportunistic_tls,
            )?,
            local_hostname: settings.smtp_local_hostname.clone(),
            accept_invalid_certs: false,
        }),
        other => anyhow::bail!("MAIL_TYPE is {other}, which is none of smtp, resend and sendgrid"),
    };
    let options = MailOptions { transport, from: settings.mail_default_send_from.clone() };
    Ok(Mailer::new(options, http)?)
}

fn http(config: &Config) -> anyhow::Result<net::Http> {
    let feature = &config.feature;
    let options = net::HttpOptions {
        ssrf: net::SsrfOptions {
            proxy_all: feature.ssrf_proxy_all_url.clone(),
            proxy_http: feature.ssrf_proxy_http_url.clone(),
            proxy_https: feature.ssrf_proxy_https_url.clone(),
            max_retries: u32::try_from(feature.ssrf_default_max_retries).unwrap_or(3),
            deny_private: config.own.ssrf_deny_private,
            ..net::SsrfOptions::default()
        },
        ..net::HttpOptions::default()
    };
    net::Http::new(options).context("the HTTP client cannot be built")
}
