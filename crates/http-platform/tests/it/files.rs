//! Uploads, signed links, remote files.

use axum::http::{Method, Request};
use serde_json::{Value, json};
use test_support::{Answer, Listener, TestApp, app::with_form};

const UPLOAD: &str = "/console/api/files/upload";

async fn upload(app: &TestApp, name: &str, kind: &str, content: &[u8]) -> Answer {
    let request = app.owner.request(Method::POST, UPLOAD);
    app.send(with_form(request, &[], &[("file", name, kind, content)])).await
}

/// The path and query of a link.
fn path(link: &Value) -> String {
    let link = link.as_str().unwrap();
    link.strip_prefix("http://files.test").unwrap().to_owned()
}

#[tokio::test]
async fn an_upload_is_handed_out_by_its_signed_link_only() {
    let app = TestApp::new().await;
    let answer = upload(&app, "pic.PNG", "image/png", b"\x89PNG....").await;
    assert_eq!(answer.status, 201);
    let file = answer.json();
    assert_eq!(file["extension"], "png");
    assert_eq!(file["size"], 8);
    assert_eq!(file["tenant_id"], json!(app.owner.tenant));
    let link = path(&file["source_url"]);

    let shown = app.get_anonymously(&link).await;
    assert_eq!(shown.status, 200);
    assert_eq!(&shown.bytes[..], b"\x89PNG....");
    assert_eq!(shown.header("content-type"), "application/octet-stream");
    assert_eq!(shown.header("content-length"), "8");

    let saved = app.get_anonymously(&format!("{link}&as_attachment=true")).await;
    assert_eq!(saved.header("content-disposition"), "attachment; filename*=UTF-8''pic.PNG");

    for wrong in [link.replace("sign=", "sign=x"), link.replace("timestamp=1", "timestamp=2")] {
        let refused = app.get_anonymously(&wrong).await;
        assert_eq!(refused.error(), (404, "not_found".to_owned()), "{wrong}");
    }
}

#[tokio::test]
async fn a_file_over_the_limit_of_its_kind_leaves_nothing_behind() {
    let app =
        TestApp::with(&[("UPLOAD_FILE_SIZE_LIMIT", "0"), ("UPLOAD_IMAGE_FILE_SIZE_LIMIT", "1")])
            .await;
    let refused = upload(&app, "a.txt", "text/plain", b"x").await;
    assert_eq!(refused.error(), (413, "file_too_large".to_owned()));
    assert_eq!(upload(&app, "a.png", "image/png", b"x").await.status, 201);

    let big = vec![0; (1 << 20) + 1];
    assert_eq!(upload(&app, "b.png", "image/png", &big).await.status, 413);
    let kept = app.ctx().storage.scan("upload_files").await.unwrap();
    assert_eq!(kept.iter().filter(|object| !object.is_directory).count(), 1);
}

#[tokio::test]
async fn a_form_has_exactly_one_acceptable_file() {
    let app = TestApp::with(&[("UPLOAD_FILE_EXTENSION_BLACKLIST", "exe")]).await;
    let file = ("file", "a.txt", "text/plain", &b"x"[..]);
    let send = |fields: &'static [(&str, &str)], files: &[(&str, &str, &str, &[u8])]| {
        app.send(with_form(app.owner.request(Method::POST, UPLOAD), fields, files))
    };
    for (answer, expected) in [
        (send(&[], &[]).await, "no_file_uploaded"),
        (send(&[("file", "text")], &[]).await, "no_file_uploaded"),
        (send(&[], &[file, ("more", "b.txt", "text/plain", b"y")]).await, "too_many_files"),
        (send(&[], &[("file", "a/b.txt", "text/plain", b"x")]).await, "invalid_param"),
        (send(&[], &[("file", "a.exe", "text/plain", b"x")]).await, "file_extension_blocked"),
        (
            send(&[("source", "datasets")], &[("file", "a.png", "image/png", b"x")]).await,
            "unsupported_file_type",
        ),
    ] {
        assert_eq!(answer.error().1, expected);
    }
    // What was refused after it was read is gone from storage too.
    let kept = app.ctx().storage.scan("upload_files").await.unwrap();
    assert_eq!(kept.iter().filter(|object| !object.is_directory).count(), 0);
}

#[tokio::test]
async fn only_the_own_workspace_previews_a_document() {
    let app = TestApp::new().await;
    let file = upload(&app, "t.csv", "text/csv", b"a,b\n1,2\n").await.json();
    let preview = format!("/console/api/files/{}/preview", file["id"].as_str().unwrap());
    assert_eq!(app.get(&preview).await.json(), json!({"content": "a: 1;b: 2"}));

    let stranger = app.stranger().await;
    let refused = app.call_as(&stranger, Method::GET, &preview, None).await;
    assert_eq!(refused.error(), (404, "not_found".to_owned()));
    assert_eq!(app.get_anonymously(&preview).await.status, 401);
}

#[tokio::test]
async fn a_web_page_is_saved_and_never_shown() {
    let app = TestApp::new().await;
    let file = upload(&app, "x.html", "text/html", b"<script>1</script>").await.json();
    let shown = app.get_anonymously(&path(&file["source_url"])).await;
    assert_eq!(shown.header("content-disposition"), "attachment; filename*=UTF-8''x.html");
    assert_eq!(shown.header("x-content-type-options"), "nosniff");
}

#[tokio::test]
async fn a_remote_file_is_fetched_or_told_why_not() {
    let app = TestApp::new().await;
    let site = Listener::new(&[
        ("HEAD /a.txt", 200, "text/plain", b""),
        ("GET /a.txt", 200, "text/plain", b"hello"),
        ("GET /only-get.png", 200, "image/png", b"png"),
    ])
    .await;
    let fetch = |path: &str| {
        let url = format!("{}{path}", site.url);
        app.post("/console/api/remote-files/upload", json!({ "url": url }))
    };
    let file = fetch("/a.txt").await;
    assert_eq!(file.status, 201);
    assert_eq!(file.json()["size"], 5);
    let content = app.get_anonymously(&path(&file.json()["url"])).await;
    assert_eq!(&content.bytes[..], b"hello");

    assert_eq!(fetch("/only-get.png").await.json()["extension"], "png");
    let refused = fetch("/gone").await;
    assert_eq!(refused.error(), (400, "remote_file_upload_error".to_owned()));
    assert!(refused.text().contains("no such route"));
    let nonsense = app.post("/console/api/remote-files/upload", json!({"url": "nonsense"})).await;
    assert_eq!(nonsense.error(), (400, "invalid_param".to_owned()));
}

#[tokio::test]
async fn a_plugin_uploads_over_a_link_signed_for_that_file() {
    use crypto::file_link::PluginUpload;
    use services_platform::{links, tool_file};

    let app = TestApp::new().await;
    let ctx = app.ctx();
    let user = tool_file::plugin_user(ctx, app.owner.tenant, None).await.unwrap();
    let file = PluginUpload {
        filename: "made.txt",
        mimetype: "text/plain",
        tenant: &app.owner.tenant.to_string(),
        user: &user.id.to_string(),
    };
    let link = links::links(ctx).plugin_upload(&file, &links::stamp(ctx));
    let link = link.strip_prefix("http://files.test").unwrap().to_owned();
    let send = |name: &'static str| {
        let request = Request::builder().method(Method::POST).uri(&link);
        app.send(with_form(request, &[], &[("file", name, "text/plain", b"made")]))
    };
    let made = send("made.txt").await;
    assert_eq!(made.status, 201, "{}", made.text());
    let shown = app.get_anonymously(&path(&made.json()["preview_url"])).await;
    assert_eq!((shown.status.as_u16(), &shown.bytes[..]), (200, &b"made"[..]));

    assert_eq!(send("other.txt").await.error(), (403, "forbidden".to_owned()));
}

#[tokio::test]
async fn a_workspaces_logo_is_public_and_its_own() {
    let app = TestApp::new().await;
    let request =
        app.owner.request(Method::POST, "/console/api/workspaces/custom-config/webapp-logo/upload");
    let svg = b"<svg xmlns='http://www.w3.org/2000/svg'/>";
    let logo = app.send(with_form(request, &[], &[("file", "l.svg", "image/svg+xml", svg)])).await;
    assert_eq!(logo.status, 201);
    let config = json!({"replace_webapp_logo": logo.json()["id"]}).to_string();

    let shown = format!("/files/workspaces/{}/webapp-logo", app.owner.tenant);
    assert_eq!(app.get_anonymously(&shown).await.status, 404);
    let stranger = app.stranger().await;
    let mut conn = app.ctx().db.acquire().await.unwrap();
    for tenant in [app.owner.tenant, stranger.tenant] {
        db::tenant::set_custom_config(&mut conn, tenant, &config).await.unwrap();
    }
    let answer = app.get_anonymously(&shown).await;
    assert_eq!(&answer.bytes[..], svg);
    // Naming another workspace's file shows nothing of it.
    let foreign = format!("/files/workspaces/{}/webapp-logo", stranger.tenant);
    assert_eq!(app.get_anonymously(&foreign).await.status, 404);
}
