//! `Idempotency-Key` of runs: asked for twice, run once.

use serde_json::{Value, json};
use test_support::{Reply, TestServer};

use crate::{graph, node};

/// A published workflow that says its input again, and a key of its app.
async fn published() -> (TestServer, String) {
    let (server, owner) = TestServer::set_up().await;
    let app = owner.post("/console/api/apps", json!({"name": "flow", "mode": "workflow"})).await;
    let app = app.expect(201)["id"].as_str().unwrap().to_owned();
    let form = json!([{"variable": "word", "label": "word", "type": "paragraph", "required": true, "max_length": 99}]);
    let graph = graph(
        vec![
            node("start", "start", json!({"variables": form})),
            node(
                "end",
                "end",
                json!({"outputs": [{"variable": "word", "value_selector": ["start", "word"]}]}),
            ),
        ],
        &[("start", "end")],
    );
    let draft = json!({"graph": graph, "features": {}, "environment_variables": [], "conversation_variables": []});
    owner.post(&format!("/console/api/apps/{app}/workflows/draft"), draft).await.expect(200);
    owner.post(&format!("/console/api/apps/{app}/workflows/publish"), json!({})).await.expect(200);
    let key = owner.post(&format!("/console/api/apps/{app}/api-keys"), json!({})).await.expect(201);
    (server, key["token"].as_str().unwrap().to_owned())
}

fn body(word: &str, mode: &str) -> Value {
    json!({"inputs": {"word": word}, "response_mode": mode, "user": "u"})
}

fn is_replayed(reply: &Reply) -> bool {
    reply.headers.contains_key("idempotency-replayed")
}

#[tokio::test]
async fn a_run_asked_for_twice_under_a_key_is_one() {
    let (server, token) = published().await;
    for mode in ["blocking", "streaming", "async"] {
        let client = server.client().bearer(&token).header("idempotency-key", mode);
        let ask = async |word| client.post("/v1/workflows/run", body(word, mode)).await;
        let first = ask("hello").await;
        assert!(first.status.is_success() && !is_replayed(&first), "{mode}");
        let again = ask("hello").await;
        assert!(is_replayed(&again), "{mode}");
        assert_eq!(first.status, again.status);
        assert_eq!(
            String::from_utf8_lossy(&first.bytes),
            String::from_utf8_lossy(&again.bytes),
            "{mode}"
        );
        assert_eq!(ask("other").await.code(422), "idempotency_key_reused");
    }
    assert_eq!(server.db().count("SELECT count(*) FROM workflow_runs").await, 3);

    // At the same time.
    let client = server.client().bearer(&token).header("idempotency-key", "both");
    let ask = async || client.post("/v1/workflows/run", body("both", "blocking")).await;
    let (one, two) = tokio::join!(ask(), ask());
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert!(statuses[0] == 200 && [200, 409].contains(&statuses[1]), "{statuses:?}");
    assert_eq!(server.db().count("SELECT count(*) FROM workflow_runs").await, 4);

    // What did not begin is begun anew, under another key or none as well.
    let client = server.client().bearer(&token).header("idempotency-key", "wrong");
    for _ in 0..2 {
        let refused = client.post("/v1/workflows/run", json!({"inputs": {}, "user": "u"})).await;
        assert!(!is_replayed(&refused));
        assert_eq!(refused.code(400), "invalid_param");
    }
}
