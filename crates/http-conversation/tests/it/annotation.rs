//! Annotations that answer by themselves, and annotations from files.

use axum::http::Request;
use serde_json::{Value, json};
use services_conversation::{
    annotation_import::{self, Import},
    annotation_reply::{
        Annotations, Enable, Wanted,
        status::{Action, Status, put},
    },
};
use test_support::app::with_form;

use crate::support::{App, OPENAI, World, text};

fn wanted(threshold: f64) -> Value {
    json!({
        "score_threshold": threshold,
        "embedding_provider_name": OPENAI,
        "embedding_model_name": "text-embedding-3-small",
    })
}

/// Does what a worker does of the job that was queued.
async fn switch_on(world: &World, app: &App, threshold: f64) {
    let path = format!("/console/api/apps/{}/annotation-reply/enable", app.id);
    let queued = world.owner.post(&path, wanted(threshold)).await.expect(200);
    assert_eq!(text(&queued, "job_status"), "waiting");
    let job = world.server.jobs().await.pop().unwrap();
    let annotations = world.server.state().part::<Annotations>().unwrap();
    let enable = Enable {
        tenant: job.get("tenant_id").unwrap(),
        app: job.get("app_id").unwrap(),
        by: job.get("user_id").unwrap(),
        wanted: Wanted {
            score_threshold: job.get("score_threshold").unwrap(),
            provider: job.get("embedding_provider_name").unwrap(),
            model: job.get("embedding_model_name").unwrap(),
        },
    };
    annotations.enable(enable).await.unwrap();
    let id = job.get("job_id").unwrap();
    put(world.server.ctx(), Action::Enable, id, &Status::Completed).await.unwrap();
    let state = world.owner.get(&format!("{path}/status/{id}")).await.expect(200);
    assert_eq!(state, json!({"job_id": id, "job_status": "completed", "error_msg": ""}));
}

#[tokio::test]
async fn a_question_near_an_annotated_one_gets_its_answer() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let path = format!("/console/api/apps/{}/annotations", app.id);
    let body = json!({"question": "How tall is the tower?", "answer": "Ninety metres"});
    let made = world.owner.post(&path, body).await.expect(200);
    assert_eq!(
        world.owner.get(&path.replace("annotations", "annotation-setting")).await.expect(200),
        json!({"enabled": false})
    );
    switch_on(&world, &app, 0.8).await;

    let hit = app.ask("How tall is the tower?").await.expect(200);
    assert_eq!(text(&hit, "answer"), "Ninety metres");
    assert_eq!(hit["metadata"]["annotation_reply"]["id"], made["id"]);
    assert_eq!(hit["metadata"]["annotation_reply"]["account"]["name"], "Owner");
    assert!(world.asked("chat").await.is_empty());
    let miss = app.ask("Something about cheese [[reply:Brie]]").await.expect(200);
    assert_eq!(text(&miss, "answer"), "Brie");
    let history = world.owner.get(&format!("{path}/{}/hit-histories", text(&made, "id"))).await;
    let history = history.expect(200);
    assert_eq!(history["total"], 1);
    assert_eq!(history["data"][0]["score"], 1.0);

    // What is changed counts at once, what is deleted no more.
    let changed = json!({"question": "How tall is the tower?", "answer": "A hundred"});
    world.owner.post(&format!("{path}/{}", text(&made, "id")), changed).await.expect(200);
    assert_eq!(text(&app.ask("How tall is the tower?").await.expect(200), "answer"), "A hundred");
    world.owner.delete(&format!("{path}/{}", text(&made, "id"))).await.expect(204);
    let gone = app.ask("How tall is the tower? [[reply:Who knows]]").await.expect(200);
    assert_eq!(text(&gone, "answer"), "Who knows");
    assert_eq!(world.count("SELECT count(*) FROM dify_rs_annotation_vectors").await, 0);
}

#[tokio::test]
async fn annotations_are_only_the_apps_own() {
    let world = World::new(&[]).await;
    let (one, other) = (world.app("chat", json!({})).await, world.app("chat", json!({})).await);
    let path = format!("/console/api/apps/{}/annotations", one.id);
    let body = json!({"question": "How tall is the tower?", "answer": "Ninety metres"});
    world.owner.post(&path, body).await.expect(200);
    switch_on(&world, &one, 0.8).await;
    switch_on(&world, &other, 0.8).await;
    let answered = other.ask("How tall is the tower? [[reply:No idea]]").await.expect(200);
    assert_eq!(text(&answered, "answer"), "No idea");
    let stranger = world.server.stranger("stranger@example.com").await;
    let switch = format!("/console/api/apps/{}/annotation-reply/disable", one.id);
    assert_eq!(stranger.post(&switch, wanted(0.5)).await.code(404), "not_found");
    let unknown = format!("{switch}/status/00000000-0000-0000-0000-000000000001");
    assert_eq!(world.owner.get(&unknown).await.code(400), "invalid_param");
}

#[tokio::test]
async fn a_file_becomes_annotations_once() {
    let world = World::new(&[]).await;
    let app = world.app("chat", json!({})).await;
    let path = format!("/console/api/apps/{}/annotations", app.id);
    let send = async |name: &str, data: &[u8]| {
        let files = [("file", name, "text/csv", data)];
        let request = with_form(Request::post(format!("{path}/batch-import")), &[], &files);
        world.owner.send(request).await
    };
    let csv = "question,answer\nRed?,Yes\n\"Comma, \"\"quoted\"\"\",Ünï\n,skipped\n";
    let queued = send("a.csv", csv.as_bytes()).await.expect(200);
    assert_eq!((text(&queued, "job_status"), &queued["record_count"]), ("waiting", &json!(2)));
    let job = world.server.jobs().await.pop().unwrap();
    let import = Import {
        job: job.get("job_id").unwrap(),
        tenant: job.get("tenant_id").unwrap(),
        app: job.get("app_id").unwrap(),
        by: job.get("user_id").unwrap(),
        lines: job.get("content_list").unwrap(),
    };
    let ctx = world.server.ctx();
    annotation_import::import(ctx, &import).await.unwrap();
    annotation_import::import(ctx, &import).await.unwrap();
    annotation_import::ended(ctx, &import, &Status::Completed).await.unwrap();
    let listed = world.owner.get(&path).await.expect(200);
    assert_eq!(listed["total"], 2);
    let state = world.owner.get(&format!("{path}/batch-import-status/{}", import.job)).await;
    assert_eq!(text(&state.expect(200), "job_status"), "completed");

    assert_eq!(send("a.txt", csv.as_bytes()).await.code(400), "invalid_param");
    let refused = send("a.csv", b"only\none\n").await.expect(200);
    assert!(text(&refused, "error_msg").contains("at least 2 columns"));
    assert_eq!(
        send("a.csv", &vec![b'x'; (2 << 20) + 1]).await.code(413),
        "request_entity_too_large"
    );
    let nothing = with_form(Request::post(format!("{path}/batch-import")), &[], &[]);
    assert_eq!(world.owner.send(nothing).await.code(400), "no_file_uploaded");
    assert_eq!(send("a.csv", csv.as_bytes()).await.code(429), "too_many_requests");
}
