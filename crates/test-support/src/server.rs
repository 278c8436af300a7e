//! A server for tests of who may do what: nobody has set it up, and callers are browsers with cookies.

use std::sync::Arc;

use axum::Router;
use http_core::AppState;
use jobs::{Job, tasks};
use serde_json::{Value, json};
use services_core::Ctx;
use tempfile::TempDir;

use crate::{
    Client, TestDb,
    boot::{Boot, boot, wire},
};

/// The address of the owner [`TestServer::set_up`] makes.
pub const OWNER: &str = "owner@example.com";
/// The password of every account this module makes.
pub const PASSWORD: &str = "Passw0rd!2026";

/// The whole server on a private database, with Redis and queue in the process. Nothing works jobs off: a test looks
/// at them with [`TestServer::jobs`] and runs what it wants.
pub struct TestServer {
    router: Router,
    state: AppState,
    db: Arc<TestDb>,
    files: Arc<TempDir>,
}

impl TestServer {
    /// A server nobody has set up.
    ///
    /// # Panics
    /// If there is no PostgreSQL.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// The same with settings of its own, as environment variables.
    ///
    /// # Panics
    /// If there is no PostgreSQL, or a setting is unusable.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let Boot { db, state, router, files } = boot(settings).await;
        Self { router, state, db: Arc::new(db), files: Arc::new(files) }
    }

    /// Another server with the same settings over the same database, Redis and storage.
    ///
    /// # Panics
    /// If it cannot be wired.
    #[must_use]
    pub fn beside(&self) -> Self {
        let (config, redis) = (self.state.ctx.config.clone(), self.state.ctx.redis.clone());
        let (state, router) = wire(config, &self.db, redis, self.files.path());
        Self { router, state, db: Arc::clone(&self.db), files: Arc::clone(&self.files) }
    }

    /// A server that is set up, and its owner, signed in.
    ///
    /// # Panics
    /// As [`TestServer::with`].
    pub async fn set_up() -> (Self, Client) {
        Self::set_up_with(&[]).await
    }

    /// The same with settings of its own.
    ///
    /// # Panics
    /// As [`TestServer::with`].
    pub async fn set_up_with(settings: &[(&str, &str)]) -> (Self, Client) {
        let app = Self::with(settings).await;
        let body = json!({"email": OWNER, "name": "Owner", "password": PASSWORD});
        app.client().post("/console/api/setup", body).await.expect(201);
        let owner = app.sign_in(OWNER, PASSWORD).await;
        (app, owner)
    }

    /// Somebody without a session.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::new(self.router.clone())
    }

    /// Signs an account in.
    ///
    /// # Panics
    /// If it is refused.
    pub async fn sign_in(&self, email: &str, password: &str) -> Client {
        let client = self.client();
        let body = json!({"email": email, "password": crypto::base64::encode(password.as_bytes())});
        client.post("/console/api/login", body).await.expect(200);
        client
    }

    /// Invites an address into the inviter's workspace, gives it [`PASSWORD`] and signs it in.
    ///
    /// # Panics
    /// If any step is refused.
    pub async fn member(&self, inviter: &Client, role: &str, email: &str) -> Client {
        let body = json!({"emails": [email], "role": role, "language": "en-US"});
        let path = "/console/api/workspaces/current/members/invite-email";
        let answer = inviter.post(path, body).await.expect(201);
        let url = answer["invitation_results"][0]["url"].as_str().unwrap_or_default().to_owned();
        let token = url.split("token=").nth(1).unwrap_or_default();
        let client = self.client();
        let body = json!({
            "email": email,
            "password": crypto::base64::encode(PASSWORD.as_bytes()),
            "invite_token": token,
        });
        client.post("/console/api/login", body).await.expect(200);
        client
    }

    /// Another workspace with an owner of its own, signed in.
    ///
    /// # Panics
    /// If it cannot be made.
    pub async fn stranger(&self, email: &str) -> Client {
        let password =
            services_account::maintenance::create_tenant(&self.state.ctx, email, None, None)
                .await
                .expect("another workspace");
        self.sign_in(email, &password).await
    }

    /// The jobs that were queued since the last look, oldest first.
    ///
    /// # Panics
    /// If the queue fails.
    pub async fn jobs(&self) -> Vec<Job> {
        let queues = tasks::queues();
        let wanted: Vec<(&str, usize)> = queues.iter().map(|queue| (*queue, 1000)).collect();
        let mut found = Vec::new();
        loop {
            let taken = self.state.ctx.jobs.take(&wanted).await.expect("the queue");
            if taken.is_empty() {
                return found;
            }
            for taken in taken {
                self.state.ctx.jobs.finish(&taken.lease).await.expect("the queue");
                found.push(taken.job.expect("a readable job"));
            }
        }
    }

    /// An argument of the newest queued job that has it.
    ///
    /// # Panics
    /// If no job has it.
    pub async fn job_argument(&self, name: &str) -> Value {
        let jobs = self.jobs().await;
        let found = jobs.iter().rev().find_map(|job| job.kwargs.get(name).cloned());
        found.unwrap_or_else(|| panic!("no job has an argument {name}: {jobs:?}"))
    }

    /// What use cases reach.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.state.ctx
    }

    /// What handlers reach.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// Where its storage is.
    #[must_use]
    pub fn files(&self) -> &std::path::Path {
        self.files.path()
    }

    /// The database.
    #[must_use]
    pub fn db(&self) -> &TestDb {
        &self.db
    }
}
