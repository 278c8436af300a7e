//! What the console reads of knowledge bases.

#![expect(clippy::unwrap_used, reason = "what cannot be unwrapped has failed the test")]

use axum::http::Method;
use serde_json::{Value, json};
use test_support::{TestApp, TestUser};

/// Ids of the knowledge bases a test puts into the database.
fn id(n: u32) -> String {
    format!("00000000-0000-4000-8000-0000000000{n:02}")
}

/// A knowledge base of the owner, the `n`th from the beginning of time.
async fn dataset(app: &TestApp, n: u32, name: &str, permission: &str) {
    let (tenant, owner, id) = (app.owner.tenant, app.owner.id, id(n));
    app.db()
        .execute(&format!(
            "INSERT INTO datasets (id, tenant_id, name, permission, created_by, created_at, embedding_model, \
               embedding_model_provider) \
             VALUES ('{id}', '{tenant}', '{name}', '{permission}', '{owner}', to_timestamp({n}), NULL, NULL)"
        ))
        .await;
}

async fn let_in(app: &TestApp, n: u32, member: &TestUser) {
    let (tenant, account, id) = (app.owner.tenant, member.id, id(n));
    app.db()
        .execute(&format!(
            "INSERT INTO dataset_permissions (dataset_id, account_id, tenant_id) VALUES ('{id}', '{account}', '{tenant}')"
        ))
        .await;
}

fn names(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect()
}

async fn seen_by(app: &TestApp, user: &TestUser, query: &str) -> Value {
    let path = format!("/console/api/datasets{query}");
    let answer = app.call_as(user, Method::GET, &path, None).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

#[tokio::test]
async fn a_list_has_pages_and_is_searched() {
    let app = TestApp::new().await;
    let empty = app.get("/console/api/datasets?limit=30").await.json();
    let expected = json!({"data": [], "has_more": false, "limit": 30, "total": 0, "page": 1});
    assert_eq!(empty, expected);
    for (n, name) in [(1, "Law a"), (2, "law b%"), (3, "Physics c_")] {
        dataset(&app, n, name, "all_team_members").await;
    }
    let list = |query: &'static str| seen_by(&app, &app.owner, query);
    assert_eq!(names(&list("").await), ["Physics c_", "law b%", "Law a"]);
    let first = list("?limit=2").await;
    assert_eq!((names(&first).len(), &first["has_more"]), (2, &json!(true)));
    let second = list("?limit=2&page=2").await;
    assert_eq!((names(&second), &second["has_more"]), (vec!["Law a"], &json!(false)));
    let beyond = list("?limit=2&page=9").await;
    assert_eq!((names(&beyond).len(), &beyond["total"]), (0, &json!(3)));
    assert_eq!(names(&list("?keyword=LAW").await), ["law b%", "Law a"]);
    assert_eq!(names(&list("?keyword=b%25").await), ["law b%"]);
    assert_eq!(names(&list("?keyword=_").await), ["Physics c_"]);
    let chosen = format!("?ids={}&ids={}&ids=nonsense", id(1), id(3));
    assert_eq!(names(&seen_by(&app, &app.owner, &chosen).await), ["Physics c_", "Law a"]);
    let wrong = app.get("/console/api/datasets?page=x").await;
    assert_eq!(wrong.error(), (400, "invalid_param".to_owned()));
}

#[tokio::test]
async fn tags_narrow_a_list() {
    let app = TestApp::new().await;
    dataset(&app, 1, "tagged", "only_me").await;
    dataset(&app, 2, "plain", "only_me").await;
    let tag = app.post("/console/api/tags", json!({"name": "t", "type": "knowledge"})).await.json();
    let tag = tag["id"].as_str().unwrap();
    let bind = json!({"tag_ids": [tag], "target_id": id(1), "type": "knowledge"});
    assert_eq!(app.post("/console/api/tag-bindings/create", bind).await.status, 200);
    let found = app.get(&format!("/console/api/datasets?tag_ids={tag}")).await.json();
    assert_eq!(names(&found), ["tagged"]);
    assert_eq!(found["data"][0]["tags"], json!([{"id": tag, "name": "t", "type": "knowledge"}]));
    let none = app.get("/console/api/datasets?tag_ids=nonsense").await.json();
    assert_eq!(names(&none), [""; 0]);
}

#[tokio::test]
async fn everybody_sees_what_is_for_them() {
    let app = TestApp::new().await;
    for (n, permission) in [(1, "only_me"), (2, "partial_members"), (3, "all_team_members")] {
        dataset(&app, n, permission, permission).await;
    }
    let (editor, operator) = (app.member("editor").await, app.member("dataset_operator").await);
    assert_eq!(names(&seen_by(&app, &app.owner, "").await), ["all_team_members", "only_me"]);
    let all = seen_by(&app, &app.owner, "?include_all=true").await;
    assert_eq!(names(&all), ["all_team_members", "partial_members", "only_me"]);
    assert_eq!(names(&seen_by(&app, &editor, "?include_all=true").await), ["all_team_members"]);
    assert_eq!(names(&seen_by(&app, &operator, "").await), [""; 0]);
    let_in(&app, 2, &editor).await;
    let_in(&app, 3, &operator).await;
    let of_editor = seen_by(&app, &editor, "").await;
    assert_eq!(names(&of_editor), ["all_team_members", "partial_members"]);
    assert_eq!(of_editor["data"][1]["partial_member_list"], json!([editor.id.to_string()]));
    assert_eq!(of_editor["data"][0]["partial_member_list"], json!([]));
    assert_eq!(names(&seen_by(&app, &operator, "").await), ["all_team_members"]);

    let stranger = app.stranger().await;
    for (user, n, status) in [
        (&app.owner, 2, 200),
        (&editor, 1, 403),
        (&editor, 2, 200),
        (&editor, 3, 200),
        (&operator, 2, 403),
        (&stranger, 3, 404),
        (&app.owner, 9, 404),
    ] {
        let path = format!("/console/api/datasets/{}", id(n));
        let answer = app.call_as(user, Method::GET, &path, None).await;
        assert_eq!(answer.status, status, "{n} {}", answer.text());
    }
    let theirs = format!("?ids={}", id(3));
    assert_eq!(names(&seen_by(&app, &stranger, &theirs).await), [""; 0]);
}

#[tokio::test]
async fn a_knowledge_base_is_shown_with_what_belongs_to_it() {
    let app = TestApp::new().await;
    dataset(&app, 1, "filled", "only_me").await;
    let path = format!("/console/api/datasets/{}", id(1));
    let bare = app.get(&path).await.json();
    let usual = json!({"search_method": "semantic_search", "reranking_enable": false, "reranking_mode": null,
        "reranking_model": {"reranking_provider_name": "", "reranking_model_name": ""}, "weights": null, "top_k": 2,
        "score_threshold_enabled": false, "score_threshold": null});
    assert_eq!(bare["retrieval_model_dict"], usual);
    assert_eq!(bare["embedding_available"], true);
    assert_eq!(bare["icon_info"]["icon"], Value::Null);
    assert!(bare.get("partial_member_list").is_none());

    let (tenant, owner, id) = (app.owner.tenant, app.owner.id, id(1));
    app.db()
        .execute(&format!(
            "UPDATE datasets SET provider = 'external', indexing_technique = 'high_quality', embedding_model = 'none-such', \
               embedding_model_provider = 'openai', built_in_field_enabled = true, icon_info = '{{\"icon\": \"x\"}}', \
               retrieval_model = '{{\"search_method\": \"hybrid_search\", \"top_k\": 7, \"score_threshold\": 0.5, \
                 \"reranking_model\": null, \"weights\": {{\"vector_setting\": {{\"vector_weight\": 0.6}}}}}}'; \
             INSERT INTO documents (tenant_id, dataset_id, position, data_source_type, batch, name, created_from, created_by, \
               indexing_status, enabled, archived, word_count, doc_form) \
             SELECT '{tenant}', '{id}', n, 'upload_file', 'b', 'd', 'web', '{owner}', 'completed', n < 3, n = 1, 10, 'text_model' \
             FROM generate_series(1, 3) n; \
             INSERT INTO dataset_metadatas (tenant_id, dataset_id, type, name, created_by) \
             VALUES ('{tenant}', '{id}', 'number', 'year', '{owner}'); \
             INSERT INTO external_knowledge_apis (id, name, description, tenant_id, settings, created_by) \
             VALUES ('{id}', 'far away', '', '{tenant}', '{{\"endpoint\": \"https://far.example\"}}', '{owner}'); \
             INSERT INTO external_knowledge_bindings (tenant_id, external_knowledge_api_id, dataset_id, external_knowledge_id, \
               created_by) \
             VALUES ('{tenant}', '{id}', '{id}', 'k-1', '{owner}')"
        ))
        .await;
    let full = app.get(&path).await.json();
    assert_eq!(
        (&full["document_count"], &full["total_available_documents"], &full["word_count"]),
        (&json!(3), &json!(1), &json!(30))
    );
    assert_eq!(
        (&full["doc_form"], &full["icon_info"]["icon"]),
        (&json!("text_model"), &json!("x"))
    );
    let fields: Vec<&str> = full["doc_metadata"]
        .as_array()
        .unwrap()
        .iter()
        .map(|field| field["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        fields,
        ["year", "document_name", "uploader", "upload_date", "last_update_date", "source"]
    );
    assert_eq!(
        full["external_knowledge_info"],
        json!({"external_knowledge_id": "k-1", "external_knowledge_api_id": id, "external_knowledge_api_name": "far away",
            "external_knowledge_api_endpoint": "https://far.example"})
    );
    assert_eq!(
        full["retrieval_model_dict"],
        json!({"search_method": "hybrid_search", "reranking_enable": null, "reranking_mode": null,
            "reranking_model": {"reranking_provider_name": null, "reranking_model_name": null},
            "weights": {"weight_type": null, "keyword_setting": {"keyword_weight": null}, "vector_setting":
                {"vector_weight": 0.6, "embedding_model_name": null, "embedding_provider_name": null}},
            "top_k": 7, "score_threshold_enabled": null, "score_threshold": 0.5})
    );
    // Nobody can make its vectors: the workspace has no such model.
    assert_eq!(full["embedding_model_provider"], "langgenius/openai/openai");
    assert_eq!(full["embedding_available"], false);
}

#[tokio::test]
async fn stores_say_how_they_are_searched() {
    let app = TestApp::with(&[("VECTOR_STORE", "chroma")]).await;
    let path = "/console/api/datasets/retrieval-setting";
    let of_server = app.get(path).await.json();
    assert_eq!(of_server, json!({"retrieval_method": ["semantic_search"]}));
    let all = ["semantic_search", "full_text_search", "hybrid_search"];
    let of_name = app.get(&format!("{path}/weaviate")).await.json();
    assert_eq!(of_name, json!({"retrieval_method": all}));
    let unknown = app.get(&format!("{path}/paper")).await;
    assert_eq!(unknown.error(), (400, "invalid_param".to_owned()));
    assert_eq!(unknown.json()["message"], "Unsupported vector db type paper.");
    // A server that names none has its own.
    let usual = TestApp::new().await.get(path).await.json();
    assert_eq!(usual, json!({"retrieval_method": all}));
}
