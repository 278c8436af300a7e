//! A browser or a program that talks to a [`crate::TestServer`].

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{Mutex, PoisonError},
};

use axum::{Router, body::Body, response::Response};
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt as _;
use serde_json::Value;
use tower::ServiceExt as _;

/// A caller with cookies of its own. Shows the CSRF token it has, as the console does.
pub struct Client {
    router: Router,
    cookies: Mutex<BTreeMap<String, String>>,
    headers: HeaderMap,
}

impl Client {
    pub(crate) fn new(router: Router) -> Self {
        Self { router, cookies: Mutex::default(), headers: HeaderMap::new() }
    }

    /// Sends `value` with every call.
    ///
    /// # Panics
    /// If it is no header.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.insert(name, value.parse().expect("a header"));
        self
    }

    /// Shows a key of the service API with every call.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("authorization", &format!("Bearer {token}"))
    }

    /// A cookie it has.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    /// Gives it a cookie.
    pub fn set_cookie(&self, name: &str, value: &str) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        cookies.insert(name.to_owned(), value.to_owned());
    }

    /// `GET`.
    pub async fn get(&self, path: &str) -> Reply {
        self.call(Method::GET, path, None).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, body: Value) -> Reply {
        self.call(Method::POST, path, Some(body)).await
    }

    /// `PUT` with a JSON body.
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.call(Method::PUT, path, Some(body)).await
    }

    /// `PATCH` with a JSON body.
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.call(Method::PATCH, path, Some(body)).await
    }

    /// `DELETE`.
    pub async fn delete(&self, path: &str) -> Reply {
        self.call(Method::DELETE, path, None).await
    }

    /// Any call.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Reply {
        let mut request = Request::builder().method(method).uri(path);
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).expect("a request")).await
    }

    /// Any request, with the client's headers and cookies; the whole answer.
    ///
    /// # Panics
    /// If a cookie is no header, or the answer breaks off.
    pub async fn send(&self, request: Request<Body>) -> Reply {
        let (parts, body) = self.open(request).await.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let json = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Reply { status: parts.status, headers: parts.headers, bytes: bytes.to_vec(), json }
    }

    /// Any request, with the client's headers and cookies; its answer as it comes.
    ///
    /// # Panics
    /// If a cookie is no header.
    pub async fn open(&self, mut request: Request<Body>) -> Response {
        let headers = request.headers_mut();
        {
            let cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(csrf) = cookies.get("csrf_token") {
                headers.insert("x-csrf-token", csrf.parse().expect("a header"));
            }
            let all: Vec<String> = cookies.iter().map(|(k, v)| format!("{k}={v}")).collect();
            if !all.is_empty() {
                headers.insert(header::COOKIE, all.join("; ").parse().expect("a header"));
            }
        }
        headers.extend(self.headers.clone());
        let Ok(response) = self.router.clone().oneshot(request).await;
        self.keep(response.headers());
        response
    }

    fn keep(&self, headers: &HeaderMap) {
        let mut cookies = self.cookies.lock().unwrap_or_else(PoisonError::into_inner);
        for cookie in headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap_or_default();
            let pair = text.split(';').next().unwrap_or_default();
            let Some((name, value)) = pair.split_once('=') else { continue };
            if value.is_empty() {
                cookies.remove(name);
            } else {
                cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Reply {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub bytes: Vec<u8>,
    /// The body, if it is JSON; else null.
    pub json: Value,
}

impl Reply {
    /// The answer, if it has that status.
    ///
    /// # Panics
    /// If it has another.
    #[must_use = "the body says more than the status"]
    #[track_caller]
    pub fn with(self, status: u16) -> Self {
        self.check(status);
        self
    }

    /// The body, if the answer has that status.
    ///
    /// # Panics
    /// If it has another.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        self.check(status);
        self.json
    }

    /// The `code` of an error, if the answer has that status.
    ///
    /// # Panics
    /// If it has another.
    #[track_caller]
    #[must_use]
    pub fn code(self, status: u16) -> String {
        self.check(status);
        self.json["code"].as_str().unwrap_or_default().to_owned()
    }

    #[track_caller]
    fn check(&self, status: u16) {
        assert_eq!(
            self.status.as_u16(),
            status,
            "{}",
            String::from_utf8_lossy(&self.bytes[..self.bytes.len().min(2000)])
        );
    }
}

impl Deref for Reply {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.json
    }
}
