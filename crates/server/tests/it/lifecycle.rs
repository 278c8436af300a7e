//! Starting, serving and stopping.

use std::io::{Read as _, Write as _};

use test_support::TestDb;

use crate::process::{Server, until};

#[tokio::test]
async fn it_says_how_it_is() {
    let db = TestDb::new().await;
    let server = Server::start(&[("DATABASE_URL", db.url()), ("DEPLOY_ENV", "TEST")]);
    let health = server.get("/health").unwrap();
    assert!(health.body.contains(r#""status":"ok","version":"1.13.2""#), "{health:?}");
    let head = health.head.to_lowercase();
    for line in ["x-version: 1.13.2", "x-env: test", "x-response-time: ", "server-timing: app;dur="]
    {
        assert!(head.contains(line), "{line}\n{head}");
    }
    assert_eq!(server.get("/livez").unwrap().body, "ok");
    let ready = server.get("/readyz").unwrap();
    assert_eq!(ready.body, r#"{"ready":true,"database":"up","redis":"up"}"#);
    let id = server.send("GET", "/livez", "X-Request-ID: abc-123\r\n", "").unwrap();
    assert!(id.head.to_lowercase().contains("x-request-id: abc-123"), "{id:?}");

    let metrics = server.get("/metrics").unwrap().body;
    for name in [
        r#"http_requests_total{method="GET",route="/health",status="200"} 1"#,
        "\nopen_streams 0\n",
        "http_request_duration_seconds_bucket",
        r#"db_pool_in_use{pool="primary"}"#,
        r#"db_pool_idle{pool="primary"}"#,
        r#"db_pool_waiting{pool="primary"} 0"#,
        r#"job_queue_depth{queue="mail"} 0"#,
        "process_resident_memory_bytes",
        r#"dify_version="1.13.2"} 1"#,
    ] {
        assert!(metrics.contains(name), "{name}\n{metrics}");
    }
    assert!(!metrics.contains("redis_cluster_state") && !metrics.contains("pg_replication_lag"));
}

#[tokio::test]
async fn lag_is_measured_where_there_is_a_replica_and_metrics_can_be_off() {
    let db = TestDb::new().await;
    let settings = [("DATABASE_URL", db.url()), ("DATABASE_REPLICA_URL", db.url())];
    let server = Server::start(&settings);
    until("the lag is measured", || {
        server.get("/metrics")?.body.contains("\npg_replication_lag 0\n").then_some(())
    });
    let off = Server::start(&[("DATABASE_URL", db.url()), ("METRICS_ENABLED", "false")]);
    assert_eq!(off.get("/metrics").unwrap().status, 404);
}

#[tokio::test]
async fn a_signal_lets_open_requests_end() {
    let db = TestDb::new().await;
    let mut server = Server::start(&[("DATABASE_URL", db.url())]);
    let mut open = server.connect();
    let body = r#"{"email":"a@example.com","password":"eA=="}"#;
    let head = format!(
        "POST /console/api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    open.write_all(head.as_bytes()).unwrap();
    let (first, rest) = body.split_at(5);
    open.write_all(first.as_bytes()).unwrap();
    // So that the server has taken the connection: one that comes later is answered.
    server.get("/livez").unwrap();

    server.signal("TERM");
    until("nobody takes connections", || server.get("/livez").is_none().then_some(()));
    open.write_all(rest.as_bytes()).unwrap();
    let mut answer = String::new();
    open.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert_eq!(server.end().code(), Some(0), "{}", server.log());
}

#[tokio::test]
async fn a_second_signal_ends_it_at_once() {
    let db = TestDb::new().await;
    let mut server = Server::start(&[("DATABASE_URL", db.url())]);
    let mut open = server.connect();
    open.write_all(b"POST /console/api/login HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
        .unwrap();
    server.get("/livez").unwrap();
    server.signal("TERM");
    until("nobody takes connections", || server.get("/livez").is_none().then_some(()));
    server.signal("TERM");
    assert_eq!(server.end().code(), Some(130), "{}", server.log());
}

#[tokio::test]
async fn an_early_answer_leaves_the_connection_open() {
    let db = TestDb::new().await;
    let server = Server::start(&[("DATABASE_URL", db.url())]);
    let mut stream = server.connect();
    for _ in 0..20 {
        // Nobody reads this body: the path is unknown. It comes in a piece of its own, as many clients send it.
        stream
            .write_all(b"POST /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n")
            .unwrap();
        stream.flush().unwrap();
        std::thread::yield_now();
        stream.write_all(b"body").unwrap();
        let mut seen = Vec::new();
        let mut byte = [0];
        while !seen.ends_with(b"</p>\n") {
            stream.read_exact(&mut byte).unwrap();
            seen.extend(byte);
        }
        assert!(seen.starts_with(b"HTTP/1.1 404"), "{}", String::from_utf8_lossy(&seen));
    }
}

#[tokio::test]
async fn without_any_setting_it_brings_its_own_database() {
    let mut server = Server::start(&[]);
    let made = server.post(
        "/console/api/setup",
        r#"{"email":"me@example.com","name":"Me","password":"Passw0rd1"}"#,
    );
    assert_eq!(made.status, 201, "{made:?}");
    server.signal("INT");
    assert_eq!(server.end().code(), Some(0), "{}", server.log());
}
