//! Old runs.

use chrono::TimeDelta;
use serde_json::json;
use services_workflow::run::retention;
use tokio_util::sync::CancellationToken;

use crate::Lab;

#[tokio::test]
async fn runs_older_than_the_operator_keeps_them_go() {
    let start = json!({"type": "start", "title": "Start", "variables": []});
    let lab = Lab::new(start, "x", &[("WORKFLOW_LOG_RETENTION_DAYS", "30")]).await;
    let key = lab.owner.post(&format!("{}/api-keys", lab.path), json!({})).await.expect(201);
    let caller = lab.server.client().bearer(key["token"].as_str().unwrap());
    for _ in 0..3 {
        let ask = json!({"inputs": {}, "user": "u", "response_mode": "blocking"});
        caller.post("/v1/workflows/run", ask).await.expect(200);
    }
    let ctx = lab.server.ctx();
    let stop = CancellationToken::new();
    let now = ctx.now_naive();
    let clean = |days| retention::clean_logs(ctx, now + TimeDelta::days(days), &stop);
    assert_eq!(clean(29).await.unwrap(), 0);
    assert_eq!(lab.logged().await.len(), 3);
    assert_eq!(clean(31).await.unwrap(), 3);
    assert!(lab.logged().await.is_empty());
    let runs = format!("{}/workflow-runs?triggered_from=app-run", lab.path);
    assert_eq!(lab.owner.get(&runs).await.expect(200)["data"], json!([]));
}
