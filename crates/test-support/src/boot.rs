//! Boots the whole server in the test's process.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use axum::Router;
use config::Config;
use crypto::tenant_key::{self, KeyPair};
use http_core::AppState;
use services_core::{Ctx, CtxParts, KeyPairs};
use tempfile::TempDir;

use crate::TestDb;

/// A server nobody has set up: its own database, Redis and queue in the process, storage in a temporary directory,
/// mails recorded. Nothing works jobs off.
pub(crate) struct Boot {
    pub db: TestDb,
    pub state: AppState,
    pub router: Router,
    pub files: TempDir,
}

/// A server with these settings, as environment variables.
pub(crate) async fn boot(settings: &[(&str, &str)]) -> Boot {
    net::install_crypto_provider();
    let db = TestDb::new().await;
    let files = tempfile::tempdir().expect("a temporary directory");
    let defaults = [
        ("SECRET_KEY", "test-secret"),
        ("CONSOLE_WEB_URL", "http://console.test"),
        ("FILES_URL", "http://files.test"),
        ("CHECK_UPDATE_URL", ""),
        ("HOSTED_FETCH_APP_TEMPLATES_MODE", "builtin"),
    ];
    let settings = defaults.iter().chain(settings).map(|(name, value)| (*name, *value));
    let config = Arc::new(Config::from_map(settings).expect("settings"));
    let redis = redis::Redis::in_process();
    let (state, router) = wire(config, &db, redis, files.path());
    Boot { db, state, router, files }
}

/// Key pairs of workspaces. The first one was made in advance: most tests need no other, and a pair takes as long to make
/// as all the rest of a set-up.
fn key_pairs() -> KeyPairs {
    let is_used = AtomicBool::new(false);
    Arc::new(move || {
        if is_used.swap(true, Ordering::Relaxed) {
            return tenant_key::generate();
        }
        Ok(KeyPair {
            private_pem: include_str!("../keys/private.pem").trim_end().to_owned(),
            public_pem: include_str!("../keys/public.pem").trim_end().to_owned(),
        })
    })
}

/// A server over what is there.
pub(crate) fn wire(
    config: Arc<Config>,
    db: &TestDb,
    redis: redis::Redis,
    files: &Path,
) -> (AppState, Router) {
    let http = net::Http::new(net::HttpOptions::default()).expect("an HTTP client");
    let ctx = Ctx::new(CtxParts {
        secret: config.feature.secret_key.as_str().into(),
        db: db.db().clone(),
        jobs: Arc::new(jobs::RedisQueue::new(redis.clone()).expect("a queue")),
        redis,
        storage: storage::Storage::local(files).expect("storage"),
        mail: mail::Mailer::recording(),
        key_pairs: key_pairs(),
        http,
        config,
    });
    let state = server::wiring::wire(ctx).expect("a wired server");
    let routes = server::routes::router(&state.ctx.config);
    let router = server::shell::wrap(routes, state.clone());
    (state, router)
}
