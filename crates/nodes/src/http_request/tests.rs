use std::sync::Arc;

use graph::{Value, VariablePool};
use serde_json::{Value as Json, json};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{body_string, header, method, query_param},
};

use crate::fake::{Script, file, outputs, run};

fn pool() -> VariablePool {
    let mut pool = VariablePool::default();
    pool.set("s", "q", "hé llo");
    pool.set("s", "doc", Value::from(file("n.txt", "file text")));
    pool
}

fn data(url: &str, more: Json) -> Json {
    let mut data = json!({"method": "post", "url": url, "authorization": {"type": "no-auth"}, "headers": "", "params": ""});
    if let (Some(data), Json::Object(more)) = (data.as_object_mut(), more) {
        data.extend(more);
    }
    data
}

#[tokio::test]
async fn a_request_is_sent_and_recorded() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(query_param("c", "hé llo"))
        .and(header("authorization", "Basic dTpw"))
        .and(body_string("{\"q\":\"hé llo\"}"))
        .respond_with(ResponseTemplate::new(404).set_body_string("näh"))
        .mount(&server)
        .await;
    let data = data(
        &format!("{}/x?a=1", server.uri()),
        json!({"params": "c:{{#s.q#}}", "headers": "X-A: 1\nbroken",
            "authorization": {"type": "api-key", "config": {"type": "basic", "api_key": "u:p"}},
            "body": {"type": "json", "data": [{"key": "", "type": "text", "value": "{'q': '{{#s.q#}}',}"}]}}),
    );
    let output = run(&Arc::default(), "http-request", data, pool()).await.0.unwrap();
    let shown = outputs(&output);
    assert_eq!((&shown["status_code"], &shown["body"]), (&json!(404), &json!("näh")));
    assert_eq!(shown["files"], json!([]));
    let host = server.uri().replace("http://", "");
    assert_eq!(
        output.process_data["request"].as_str().unwrap(),
        format!(
            "POST /x?c=h%C3%A9+llo HTTP/1.1\r\nHost: {host}\r\nX-A: 1\r\nbroken: \r\nAuthorization: **********\r\n\
             Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{{\"q\": \"h\\u00e9 llo\"}}"
        )
    );
}

#[tokio::test]
async fn files_are_sent_and_received() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(vec![1, 2], "image/png"))
        .mount(&server)
        .await;
    let body = json!({"type": "form-data", "data": [{"key": "a", "type": "text", "value": "x"},
        {"key": "f", "type": "file", "file": ["s", "doc"]}]});
    let data = data(&server.uri(), json!({"body": body, "headers": "content-type: text/plain"}));
    let script = Arc::new(Script::default());
    let output = run(&script, "http-request", data, pool()).await.0.unwrap();
    let shown = outputs(&output);
    assert_eq!((&shown["body"], &shown["files"][0]["filename"]), (&json!(""), &json!("made.bin")));
    assert_eq!(script.kept.lock().unwrap()[0].mime_type, "image/png");
    let sent = server.received_requests().await.unwrap();
    let text = String::from_utf8_lossy(&sent[0].body);
    assert!(text.contains(
        "name=\"f\"; filename=\"n.txt\"\r\nContent-Type: text/plain\r\n\r\nfile text\r\n"
    ));
    let log = output.process_data["request"].as_str().unwrap();
    assert!(
        log.contains("<file_content_binary: 'n.txt', type='text/plain', size=9 bytes>"),
        "{log}"
    );
}

#[tokio::test]
async fn failures_have_the_words_of_the_reference() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(200).set_body_raw(vec![b'x'; 1_100_000], "text/plain"))
        .mount(&server)
        .await;
    let key =
        json!({"authorization": {"type": "api-key", "config": {"type": "bearer", "api_key": ""}}});
    for (url, more, class, message) in [
        ("", json!({}), "InvalidURLError", "url is required"),
        ("x.y/z", json!({}), "InvalidURLError", "url should start with http:// or https://"),
        (
            "http://x",
            key,
            "AuthorizationConfigError",
            "API key is required for authorization but was empty. Please provide a valid API key.",
        ),
        (
            "http://x",
            json!({"body": {"type": "json", "data": "just words"}}),
            "RequestBodyError",
            "Failed to parse JSON: just words",
        ),
        (
            "http://x",
            json!({"method": "options"}),
            "InvalidHttpMethodError",
            "Invalid http method options",
        ),
        (
            &server.uri(),
            json!({}),
            "ResponseSizeError",
            "Text size is too large, max size is 1.00 MB, but current size is 1.05 MB.",
        ),
    ] {
        let error =
            run(&Arc::default(), "http-request", data(url, more), pool()).await.0.unwrap_err();
        assert_eq!((error.error_type.as_str(), error.message.as_str()), (class, message));
    }
}
