use std::time::Duration;

use futures::StreamExt;
use net::{Http, HttpOptions, NetError, RequestContext, SsrfOptions, TimeoutKind, with_context};

use crate::server::{Answer, Server, answer, endless};

fn http(change: impl FnOnce(&mut SsrfOptions)) -> Http {
    let mut options = HttpOptions::default();
    change(&mut options.ssrf);
    Http::new(options).unwrap()
}

#[tokio::test]
async fn guarded_calls_retry_and_then_succeed() {
    let server = Server::start(vec![answer("503 Busy", ""), answer("200 OK", "yes")]).await;
    let response = http(|_| ()).guarded().get(&server.url).retries(1).send().await.unwrap();
    assert_eq!(response.text(10).await.unwrap(), "yes");
    assert_eq!(server.count(), 2);
}

#[tokio::test]
async fn guarded_calls_give_up_with_the_words_of_the_reference() {
    let server = Server::start(vec![answer("500 Oops", "")]).await;
    let err = http(|_| ()).guarded().get(&server.url).retries(0).send().await.unwrap_err();
    assert_eq!(err.to_string(), format!("Reached maximum retries (0) for URL {}/", server.url));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn upstream_calls_return_whatever_came() {
    let server = Server::start(vec![answer("500 Oops", "why")]).await;
    let response = http(|_| ()).upstream().get(&server.url).send().await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(response.text(10).await.unwrap(), "why");
}

#[tokio::test]
async fn a_body_over_the_limit_is_an_error() {
    let server = Server::start(vec![answer("200 OK", "12345"), endless("12345")]).await;
    for _ in 0..2 {
        let response = http(|_| ()).upstream().get(&server.url).send().await.unwrap();
        let err = response.bytes(4).await.unwrap_err();
        assert!(matches!(err, NetError::BodyTooLarge { limit: 4 }), "{err}");
    }
}

#[tokio::test]
async fn a_stalled_body_ends_with_an_idle_timeout() {
    let server = Server::start(vec![endless("data: 1\n\n")]).await;
    let call = http(|_| ()).upstream().get(&server.url).idle_timeout(Duration::from_secs(1));
    let mut events = call.send().await.unwrap().sse();
    assert_eq!(events.next().await.unwrap().unwrap().data, "1");
    let err = events.next().await.unwrap().unwrap_err();
    assert!(matches!(err, NetError::Timeout(TimeoutKind::Idle)), "{err}");
    assert!(events.next().await.is_none());
}

#[tokio::test]
async fn a_silent_server_ends_with_a_first_byte_timeout() {
    let server = Server::start(vec![Answer { text: String::new(), hold: true }]).await;
    let call = http(|_| ()).upstream().get(&server.url);
    let err = call.first_byte_timeout(Duration::from_millis(50)).send().await.unwrap_err();
    assert!(matches!(err, NetError::Timeout(TimeoutKind::FirstByte)), "{err}");
}

#[tokio::test]
async fn dropping_a_stream_closes_the_socket() {
    let server = Server::start(vec![endless("data: 1\n\n")]).await;
    let mut events = http(|_| ()).upstream().get(&server.url).send().await.unwrap().sse();
    events.next().await.unwrap().unwrap();
    drop(events);
    server.hung_up.notified().await;
}

#[tokio::test]
async fn private_addresses_are_refused_on_demand_also_behind_names_and_redirects() {
    let server = Server::start(vec![answer("200 OK", "")]).await;
    let port = server.url.rsplit(':').next().unwrap().to_owned();
    let guarded = http(|ssrf| ssrf.deny_private = true).guarded();
    for host in ["127.0.0.1", "localhost", "[::1]", "2130706433"] {
        let call = guarded.get(format!("http://{host}:{port}/")).retries(0);
        let err = call.send().await.unwrap_err();
        assert!(matches!(err, NetError::Blocked { .. }), "{host}: {err}");
    }
    assert_eq!(server.count(), 0);
    let open = http(|_| ()).guarded().get(&server.url).send().await;
    assert!(open.unwrap().is_success());
}

#[tokio::test]
async fn redirects_are_followed_when_asked() {
    let target = Server::start(vec![answer("200 OK", "there")]).await;
    let moved = Answer {
        text: format!(
            "HTTP/1.1 302 Found\r\nlocation: {}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
            target.url
        ),
        hold: false,
    };
    let server = Server::start(vec![moved]).await;
    let guarded = http(|_| ()).guarded();
    assert_eq!(guarded.get(&server.url).send().await.unwrap().status(), 302);
    let response = guarded.get(&server.url).follow_redirects(true).send().await.unwrap();
    assert_eq!(response.text(10).await.unwrap(), "there");
}

#[tokio::test]
async fn the_request_id_travels_upstream_and_the_trace_everywhere() {
    let server = Server::start(vec![answer("200 OK", "")]).await;
    let client = http(|_| ());
    let context =
        RequestContext { request_id: "abc".to_owned(), traceparent: Some("00-1-2-01".to_owned()) };
    with_context(context, async {
        client.upstream().get(&server.url).send().await.unwrap();
        client.guarded().get(&server.url).send().await.unwrap();
    })
    .await;
    let heads = server.heads.lock().await;
    assert!(heads[0].contains("x-request-id: abc") && heads[0].contains("traceparent: 00-1-2-01"));
    assert!(!heads[1].contains("x-request-id") && heads[1].contains("traceparent: 00-1-2-01"));
}

#[tokio::test]
async fn guarded_calls_in_flight_are_bounded() {
    let server = Server::start(vec![endless("x")]).await;
    let client = http(|ssrf| {
        ssrf.max_connections = 1;
        ssrf.pool_timeout = Duration::from_millis(500);
    });
    let first = client.guarded().get(&server.url).send().await.unwrap();
    let err = client.guarded().get(&server.url).send().await.unwrap_err();
    assert!(matches!(err, NetError::Timeout(TimeoutKind::Pool)), "{err}");
    drop(first);
    assert!(client.guarded().get(&server.url).send().await.is_ok());
}

#[tokio::test]
async fn mistakes_are_reported_when_sending() {
    let client = http(|_| ());
    for url in ["ftp://x/", "nothing", "http://"] {
        let err = client.upstream().get(url).send().await.unwrap_err();
        assert!(matches!(err, NetError::InvalidUrl(_)), "{url}: {err}");
    }
    let err = client.upstream().get("http://x/").header("a b", "c").send().await.unwrap_err();
    assert!(matches!(err, NetError::InvalidRequest(_)), "{err}");
}
