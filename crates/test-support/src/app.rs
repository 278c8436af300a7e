//! A whole server for a test: its own database, in-process Redis and queue, storage in a temporary directory.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use bytes::Bytes;
use http_body_util::BodyExt;
use http_core::AppState;
use serde_json::Value;
use services_core::Ctx;
use tempfile::TempDir;
use tower::ServiceExt;
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::{
    TestDb,
    boot::{Boot, boot},
};

/// A server that is set up: one workspace, and its owner, who makes the calls.
pub struct TestApp {
    db: TestDb,
    state: AppState,
    router: Router,
    /// The owner of the workspace.
    pub owner: TestUser,
    _files: TempDir,
}

/// A signed-in account.
#[derive(Debug, Clone)]
pub struct TestUser {
    /// The account.
    pub id: AccountId,
    /// The workspace it works in.
    pub tenant: TenantId,
    access: String,
    csrf: String,
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub bytes: Bytes,
}

impl Answer {
    /// The body as JSON; null if it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_default()
    }

    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes).into_owned()
    }

    /// A header as text; empty without it.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Status and `code` of an error.
    #[must_use]
    pub fn error(&self) -> (u16, String) {
        let code = self.json().get("code").and_then(Value::as_str).unwrap_or_default().to_owned();
        (self.status.as_u16(), code)
    }
}

impl TestApp {
    /// A server with default settings.
    ///
    /// # Panics
    /// If there is no PostgreSQL.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A server with these settings.
    ///
    /// # Panics
    /// If there is no PostgreSQL, or a setting is none.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        let Boot { db, state, router, files } = boot(settings).await;
        let owner = set_up(&state.ctx).await;
        Self { db, state, router, owner, _files: files }
    }

    /// The context of the server's use cases.
    #[must_use]
    pub fn ctx(&self) -> &Ctx {
        &self.state.ctx
    }

    /// The server's database.
    #[must_use]
    pub fn db(&self) -> &TestDb {
        &self.db
    }

    /// Another account with that role in the owner's workspace.
    ///
    /// # Panics
    /// If the database fails.
    pub async fn member(&self, role: &str) -> TestUser {
        let id = insert_account(self.ctx()).await;
        let mut conn = self.ctx().db.acquire().await.expect("a connection");
        db::tenant::join(&mut conn, self.owner.tenant, id, role, true).await.expect("a member");
        drop(conn);
        sign_in(self.ctx(), id, self.owner.tenant).await
    }

    /// Another account, owner of another workspace.
    ///
    /// # Panics
    /// If the database fails.
    pub async fn stranger(&self) -> TestUser {
        let id = insert_account(self.ctx()).await;
        let tenant = TenantId::random();
        let mut conn = self.ctx().db.acquire().await.expect("a connection");
        db::tenant::insert(&mut conn, tenant, "Elsewhere", "").await.expect("a workspace");
        db::tenant::join(&mut conn, tenant, id, "owner", true).await.expect("an owner");
        drop(conn);
        sign_in(self.ctx(), id, tenant).await
    }

    /// A call by the workspace's owner.
    ///
    /// # Panics
    /// If the request cannot be built.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_as(&self.owner, method, path, body).await
    }

    /// A call by `user`.
    ///
    /// # Panics
    /// If the request cannot be built.
    pub async fn call_as(
        &self,
        user: &TestUser,
        method: Method,
        path: &str,
        body: Option<Value>,
    ) -> Answer {
        let request = user.request(method, path);
        self.send(with_json(request, body)).await
    }

    /// `GET` by the owner.
    pub async fn get(&self, path: &str) -> Answer {
        self.call(Method::GET, path, None).await
    }

    /// `POST` by the owner.
    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `PATCH` by the owner.
    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE` by the owner.
    pub async fn delete(&self, path: &str) -> Answer {
        self.call(Method::DELETE, path, None).await
    }

    /// A call by nobody.
    ///
    /// # Panics
    /// If the request cannot be built.
    pub async fn get_anonymously(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).expect("a request")).await
    }

    /// Any request.
    ///
    /// # Panics
    /// If the answer breaks off.
    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a body").to_bytes();
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

impl TestUser {
    /// A request with the user's cookies.
    #[must_use]
    pub fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(
                header::COOKIE,
                format!("access_token={}; csrf_token={}", self.access, self.csrf),
            )
            .header("X-CSRF-Token", &self.csrf)
    }
}

/// A request with a JSON body, or none.
///
/// # Panics
/// If the request cannot be built.
#[must_use]
pub fn with_json(request: axum::http::request::Builder, body: Option<Value>) -> Request<Body> {
    match body {
        Some(body) => request
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string())),
        None => request.body(Body::empty()),
    }
    .expect("a request")
}

/// A request with a form: text fields, and files as `(field, file name, media type, content)`.
///
/// # Panics
/// If the request cannot be built.
#[must_use]
pub fn with_form(
    request: axum::http::request::Builder,
    fields: &[(&str, &str)],
    files: &[(&str, &str, &str, &[u8])],
) -> Request<Body> {
    const BOUNDARY: &str = "test-form-boundary";
    let mut body = Vec::new();
    for (name, value) in fields {
        body.extend(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
            .bytes(),
        );
    }
    for (name, file, kind, content) in files {
        body.extend(
            format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"{file}\"\r\n\
                 Content-Type: {kind}\r\n\r\n"
            )
            .bytes(),
        );
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").bytes());
    request
        .header(header::CONTENT_TYPE, format!("multipart/form-data; boundary={BOUNDARY}"))
        .body(Body::from(body))
        .expect("a request")
}

async fn set_up(ctx: &Ctx) -> TestUser {
    let cmd = services_account::setup::SetUp {
        email: "owner@example.com",
        name: "Owner",
        password: "Passw0rd1",
        language: Some("en-US"),
        ip: "127.0.0.1",
        init_done: true,
    };
    services_account::setup::set_up(ctx, cmd).await.expect("a set-up server");
    let mut conn = ctx.db.acquire().await.expect("a connection");
    let account = db::account::find_by_email(&mut conn, "owner@example.com")
        .await
        .expect("the database")
        .expect("the owner");
    let tenant = db::tenant::current_membership(&mut conn, account.id)
        .await
        .expect("the database")
        .expect("a workspace")
        .tenant_id;
    drop(conn);
    sign_in(ctx, account.id, tenant).await
}

async fn insert_account(ctx: &Ctx) -> AccountId {
    let email = format!("{}@example.com", Uuid::new_v4().simple());
    let id = AccountId::random();
    let new = db::account::NewAccount {
        id,
        name: "Somebody",
        email: &email,
        password: None,
        interface_language: "en-US",
        timezone: "UTC",
        status: "active",
        initialized_at: Some(ctx.now_naive()),
        last_login_ip: None,
    };
    let mut conn = ctx.db.acquire().await.expect("a connection");
    db::account::insert(&mut conn, new).await.expect("an account");
    id
}

async fn sign_in(ctx: &Ctx, id: AccountId, tenant: TenantId) -> TestUser {
    let tokens = services_account::sign_in::open(ctx, id, None).await.expect("a session");
    TestUser { id, tenant, access: tokens.access_token, csrf: tokens.csrf_token }
}
