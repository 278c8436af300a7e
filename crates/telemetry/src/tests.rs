use config::Config;
use tracing::{info, warn};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::request::RequestIds;

fn config(pairs: &[(&str, &str)]) -> Config {
    Config::from_map(pairs.iter().copied()).unwrap()
}

/// The lines the settings make of what `work` logs.
fn lines(pairs: &[(&str, &str)], work: impl FnOnce()) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("log");
    let mut pairs = pairs.to_vec();
    pairs.push(("LOG_FILE", path.to_str().unwrap()));
    let config = config(&pairs);
    let layer = log::LogLayer::new(&config, false).unwrap().with_filter(filter(&config).unwrap());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn text_lines_carry_the_ids_of_their_request() {
    let ids = RequestIds::new();
    let format =
        "%(levelname)-8s|%(lineno)05d|%(req_id)s|%(trace_id)s|%(user_id)s|100%% %(message)s";
    let found = lines(&[("LOG_FORMAT", format), ("LOG_LEVEL", "warning")], || {
        let span = request::span(&ids, "GET", "/x");
        let _in_request = span.enter();
        request::identify(&span, Some("t"), "u", "account");
        info!("not at this level");
        let inner = tracing::info_span!("inner");
        inner.in_scope(|| warn!(app.id = 7, "careful"));
        assert_eq!(request::current_ids(), Some(ids.clone()));
        assert!(propagation::traceparent().unwrap().starts_with(&format!("00-{}-", ids.trace_id)));
    });
    assert_eq!(found.len(), 1, "{found:?}");
    let parts: Vec<&str> = found[0].split('|').collect();
    assert_eq!(parts[0], "WARNING ");
    assert_eq!(parts[1].len(), 5);
    assert_eq!(parts[2..], [&ids.req_id, &ids.trace_id, "u", "100% careful app.id=7"]);
    assert_eq!((ids.req_id.len(), ids.trace_id.len()), (10, 32));
    assert_eq!(propagation::traceparent(), None);
}

#[test]
fn the_default_pattern_and_time_zone() {
    let found =
        lines(&[("LOG_TZ", "Asia/Shanghai"), ("LOG_DATEFORMAT", "%H%z")], || info!("hello"));
    let (time, rest) = found[0].split_once(' ').unwrap();
    assert!(time.contains("+0800.") && time.len() == 11, "{time}");
    assert!(
        rest.starts_with("INFO [") && rest.contains("[tests.rs:") && rest.ends_with(" - hello"),
        "{rest}"
    );
    let plain = lines(&[], || info!("x"));
    // Like the reference's default: the milliseconds come twice.
    assert_eq!(plain[0].find(" INFO "), Some("2026-01-01 00:00:00,000.000".len()), "{plain:?}");
}

#[test]
fn json_lines_have_the_references_keys() {
    let ids = RequestIds::new();
    let found = lines(&[("LOG_OUTPUT_FORMAT", "json"), ("APPLICATION_NAME", "svc")], || {
        let span = request::task_span(&ids, "mail");
        request::identify(&span, None, "u", "end_user");
        span.in_scope(|| tracing::error!(stack_trace = "at x", count = 2, "broken \"thing\""));
    });
    let line: serde_json::Value = serde_json::from_str(&found[0]).unwrap();
    assert_eq!(line["severity"], "ERROR");
    assert_eq!(line["service"], "svc");
    assert_eq!(line["message"], "broken \"thing\"");
    assert_eq!(line["trace_id"], ids.trace_id.as_str());
    assert_eq!(line["identity"], serde_json::json!({"user_id": "u", "user_type": "end_user"}));
    assert_eq!(line["attributes"], serde_json::json!({"count": 2}));
    assert_eq!(line["stack_trace"], "at x");
    assert!(line["caller"].as_str().unwrap().starts_with("tests.rs:"));
    assert!(line["ts"].as_str().unwrap().ends_with('Z') && line.get("span_id").is_none());
}

#[test]
fn bad_settings_are_refused_by_name() {
    let error = |pairs: &[(&str, &str)]| {
        let config = config(pairs);
        let layer = log::LogLayer::new(&config, false).err();
        layer.or_else(|| filter(&config).err()).unwrap().to_string()
    };
    assert!(error(&[("LOG_LEVEL", "loud")]).starts_with("LOG_LEVEL"));
    assert!(error(&[("LOG_TZ", "Mars")]).starts_with("LOG_TZ"));
    assert!(error(&[("LOG_DATEFORMAT", "%Q!")]).starts_with("LOG_DATEFORMAT"));
    assert!(error(&[("LOG_FILE", "/proc/none/log")]).contains("/proc/none/log"));
    assert!(error(&[("RUST_LOG", "a=b=c")]).starts_with("RUST_LOG"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_reach_the_collector_and_lines_carry_their_ids() {
    let collector = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/traces"))
        .and(header("authorization", "Bearer key"))
        .respond_with(ResponseTemplate::new(200))
        .expect(1)
        .mount(&collector)
        .await;
    let address = collector.uri();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("log");
    let config = config(&[
        ("ENABLE_OTEL", "true"),
        ("OTLP_BASE_ENDPOINT", &address),
        ("OTLP_API_KEY", "key"),
        ("OTEL_SAMPLING_RATE", "1"),
        ("LOG_OUTPUT_FORMAT", "json"),
        ("LOG_FILE", file.to_str().unwrap()),
    ]);
    let exporter = otlp::exporter(&config).unwrap().unwrap();
    let lines = log::LogLayer::new(&config, true).unwrap().with_filter(filter(&config).unwrap());
    let subscriber = tracing_subscriber::registry().with(exporter.layer()).with(lines);
    let caller = "0af7651916cd43dd8448eb211c80319c";
    tracing::subscriber::with_default(subscriber, || {
        let span = request::span(&RequestIds::new(), "GET", "/v1/x");
        propagation::set_parent(&span, &format!("00-{caller}-b7ad6b7169203331-01"), None);
        span.in_scope(|| {
            info!("inside");
            let (trace, own) = propagation::span_ids(&span).unwrap();
            assert_eq!(trace, caller);
            assert_eq!(propagation::traceparent().unwrap(), format!("00-{caller}-{own}-01"));
        });
        request::finish(&span, "GET", Some("/v1/{x}"), 200);
    });
    tokio::task::spawn_blocking(|| exporter.shutdown()).await.unwrap();
    let line: serde_json::Value =
        serde_json::from_str(std::fs::read_to_string(file).unwrap().trim()).unwrap();
    assert_eq!(line["trace_id"], caller);
    assert_eq!(line["span_id"].as_str().unwrap().len(), 16);
    // Dropping the collector checks that it got its one request.
    drop(collector);
}

#[tokio::test]
async fn exporters_that_are_not_built_in_export_nothing() {
    for pairs in [("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_TYPE", "console")] {
        assert!(otlp::exporter(&config(&[("ENABLE_OTEL", "true"), pairs])).unwrap().is_none());
    }
}
