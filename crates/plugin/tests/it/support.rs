//! A daemon of the test.

use std::time::Duration;

use plugin::{Daemon, DaemonOptions};
use serde_json::{Map, Value, json};
use wiremock::{MockServer, ResponseTemplate};

pub fn daemon_at(url: &str) -> Daemon {
    let http = net::Http::new(net::HttpOptions::default()).unwrap();
    let options = DaemonOptions {
        url: url.to_owned(),
        key: "key".to_owned(),
        timeout: Some(Duration::from_secs(10)),
        ..DaemonOptions::default()
    };
    Daemon::new(http, options)
}

pub async fn daemon() -> (MockServer, Daemon) {
    let server = MockServer::start().await;
    let daemon = daemon_at(&format!("{}/", server.uri()));
    (server, daemon)
}

/// A good answer in one piece.
pub fn good(data: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"code": 0, "message": "success", "data": data}))
}

/// An error in one piece or on a line.
pub fn bad(kind: &str, message: &str, code: i64) -> Value {
    let inner = json!({"error_type": kind, "message": message, "args": null}).to_string();
    json!({"code": code, "message": inner, "data": null})
}

/// What a plugin raised.
pub fn raised(kind: &str, message: &str) -> Value {
    let inner = json!({"error_type": kind, "message": message, "args": {}}).to_string();
    bad("PluginInvokeError", &inner, -500)
}

/// A streamed answer: data as it is, errors as made by [`bad`] and [`raised`].
pub fn lines(lines: &[Value]) -> ResponseTemplate {
    let body: String = lines
        .iter()
        .map(|line| match line.get("code") {
            Some(_) => format!("data: {line}\n\n"),
            None => format!("data: {}\n\n", json!({"code": 0, "message": "success", "data": line})),
        })
        .collect();
    ResponseTemplate::new(200).set_body_raw(body, "text/event-stream")
}

pub fn object(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { panic!("no object") };
    object
}
