//! Management, tools, sources, triggers.

use futures::StreamExt;
use http::{HeaderMap, Method};
use model_runtime::ProviderId;
use plugin::{
    CredentialType, ToolPayload,
    datasource::{DatasourceCall, FILE_PROVIDER},
    oauth::IncomingRequest,
    tool::{ToolContext, ToolInvocation},
    trigger::TriggerCall,
};
use serde_json::{Value, json};
use types::TenantId;
use wiremock::{
    Mock,
    matchers::{body_partial_json, header, method, path, query_param},
};

use crate::support::{bad, daemon, daemon_at, good, lines, object, raised};

fn manifest() -> Value {
    json!({
        "version": "0.1.0", "author": "simlab", "name": "toolbox", "label": {"en_US": "Toolbox"},
        "description": {"en_US": "Tools."}, "icon": "i.svg", "icon_dark": "", "created_at": "2025-01-15T08:00:00Z",
        "resource": {"memory": 1, "permission": {"tool": {"enabled": true}}}, "tags": ["utilities"],
        "plugins": {"tools": ["t.yaml"], "models": null},
        "meta": {"version": "0.0.1", "arch": ["amd64"], "runner": {}, "minimum_dify_version": null},
        "tool": {"identity": {"author": "simlab", "name": "toolbox", "description": {"en_US": "Tools."},
                              "icon": "i.svg", "label": {"en_US": "Toolbox"}, "tags": []},
                 "tools": [{"identity": {"name": "echo"}}]},
    })
}

#[tokio::test]
async fn installed_plugins_are_shown_as_the_reference_shows_them() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    let row = json!({
        "id": "1", "created_at": "2025-02-01T00:00:00Z", "updated_at": "2025-02-01T00:00:00.5Z", "tenant_id": "t",
        "endpoints_setups": 0, "endpoints_active": 0, "runtime_type": "local", "source": "marketplace", "meta": {},
        "plugin_id": "simlab/toolbox", "plugin_unique_identifier": "simlab/toolbox:0.1.0@c", "version": "0.1.0",
        "checksum": "c", "declaration": manifest(), "name": "toolbox", "installation_id": "1",
    });
    Mock::given(method("GET"))
        .and(path(format!("/plugin/{tenant}/management/list")))
        .and(query_param("page_size", "256"))
        .and(header("X-Api-Key", "key"))
        .respond_with(good(json!({"list": [row], "total": 1})))
        .mount(&server)
        .await;
    let listed = daemon.list_plugins(tenant, 1, 256).await.unwrap();
    let shown = serde_json::to_value(&listed.list[0]).unwrap();
    assert_eq!(shown["created_at"], "2025-02-01T00:00:00+00:00");
    assert_eq!(shown["updated_at"], "2025-02-01T00:00:00.500000+00:00");
    let declaration = &shown["declaration"];
    assert_eq!(declaration["category"], "tool");
    assert_eq!(declaration["meta"], json!({"minimum_dify_version": null, "version": "0.0.1"}));
    assert_eq!(
        declaration["plugins"],
        json!({"tools": ["t.yaml"], "models": null, "endpoints": [], "datasources": [], "triggers": []})
    );
    assert_eq!(declaration["model"], Value::Null);
    let everywhere =
        |text: &str| json!({"en_US": text, "zh_Hans": text, "pt_BR": text, "ja_JP": text});
    assert_eq!(
        declaration["tool"],
        json!({
            "identity": {"author": "simlab", "name": "toolbox", "description": everywhere("Tools."), "icon": "i.svg",
                         "icon_dark": null, "label": everywhere("Toolbox"), "tags": []},
            "plugin_id": "simlab/toolbox", "credentials_schema": [], "oauth_schema": null,
        })
    );
}

#[tokio::test]
async fn errors_of_calls_in_one_piece() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    let answer = |page: &'static str, template| {
        let listed = path(format!("/plugin/{tenant}/management/install/tasks"));
        Mock::given(listed).and(query_param("page", page)).respond_with(template)
    };
    let json = |value: Value| wiremock::ResponseTemplate::new(200).set_body_json(value);
    answer("1", json(bad("PluginNotFoundError", "plugin not found", -404))).mount(&server).await;
    answer("2", json(json!({"code": -1, "message": "odd", "data": null}))).mount(&server).await;
    answer("3", wiremock::ResponseTemplate::new(502)).mount(&server).await;
    answer("4", good(json!({"no": "list"}))).mount(&server).await;
    answer("5", good(Value::Null)).mount(&server).await;
    let ask = |page| {
        let daemon = daemon.clone();
        async move { daemon.list_install_tasks(tenant, page, 10).await.unwrap_err().to_string() }
    };
    assert!(ask(1).await.ends_with("PluginNotFoundError: plugin not found"));
    assert_eq!(ask(2).await, "odd, code: -1");
    let listed = format!("plugin/{tenant}/management/install/tasks");
    assert_eq!(ask(3).await, format!("Plugin daemon answered 502 for {listed}"));
    assert_eq!(
        ask(4).await,
        format!(
            "Failed to parse response from plugin daemon to PluginDaemonBasicResponse [list], url: {listed}"
        )
    );
    assert_eq!(ask(5).await, format!("got empty data from plugin daemon: {listed}"));
    let nobody = daemon_at("http://127.0.0.1:9");
    let error = nobody.list_install_tasks(tenant, 1, 10).await.unwrap_err();
    assert_eq!(error.to_string(), format!("Failed to request plugin daemon, url: {listed}"));
}

#[tokio::test]
async fn a_tool_is_called_and_its_files_are_put_together() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    Mock::given(method("POST"))
        .and(path(format!("/plugin/{tenant}/dispatch/tool/invoke")))
        .and(header("X-Plugin-ID", "simlab/toolbox"))
        .and(body_partial_json(json!({
            "user_id": "u", "app_id": "a", "conversation_id": null, "message_id": null,
            "data": {"provider": "toolbox", "tool": "make", "credential_type": "api-key", "tool_parameters": {"x": 1}},
        })))
        .respond_with(lines(&[
            json!({"type": "text", "message": {"text": "hi"}}),
            json!({"type": "blob_chunk", "message": {"id": "f", "sequence": 0, "total_length": 4, "blob": "YWI=", "end": false}}),
            json!({"type": "blob_chunk", "message": {"id": "f", "sequence": 1, "total_length": 4, "blob": "Y2Q=", "end": true}, "meta": {"mime_type": "x"}}),
            raised("ValueError", "broken"),
        ]))
        .mount(&server)
        .await;
    let provider: ProviderId = "simlab/toolbox/toolbox".parse().unwrap();
    let nothing = object(json!({}));
    let parameters = object(json!({"x": 1}));
    let ctx = ToolContext { tenant, user: "u", conversation: None, app: Some("a"), message: None };
    let call = ToolInvocation {
        provider: &provider,
        tool: "make",
        credentials: &nothing,
        credential_type: CredentialType::ApiKey,
        parameters: &parameters,
    };
    let mut messages = daemon.invoke_tool(ctx, call).await.unwrap();
    let text = messages.next().await.unwrap().unwrap();
    assert_eq!(text.payload, ToolPayload::Text("hi".to_owned()));
    let file = messages.next().await.unwrap().unwrap();
    assert_eq!(file.payload, ToolPayload::Blob("abcd".into()));
    assert_eq!(file.meta, Some(object(json!({"mime_type": "x"}))));
    let error = messages.next().await.unwrap().unwrap_err();
    assert_eq!(error.plugin_failure().unwrap().message(), "broken");
    assert!(messages.next().await.is_none());
}

#[tokio::test]
async fn providers_of_tools_have_their_names_in_full() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    let text = |text: &str| json!({"en_US": text});
    Mock::given(path(format!("/plugin/{tenant}/management/tool")))
        .and(query_param("provider", "toolbox"))
        .and(query_param("plugin_id", "simlab/toolbox"))
        .respond_with(good(json!({
            "provider": "toolbox", "plugin_id": "simlab/toolbox", "plugin_unique_identifier": "x", "declaration": {
                "identity": {"author": "a", "name": "toolbox", "description": text("d"), "icon": "i", "label": text("l")},
                "tools": [{"identity": {"author": "a", "name": "echo", "label": text("Echo")}, "parameters": null,
                           "description": {"human": text("h"), "llm": "m"}, "output_schema": null}]}})))
        .mount(&server)
        .await;
    let id = "simlab/toolbox/toolbox".parse().unwrap();
    let found = daemon.find_tool_provider(tenant, &id).await.unwrap();
    assert_eq!(found.declaration.entry.identity.name, "simlab/toolbox/toolbox");
    assert_eq!(found.declaration.tools[0].identity.provider, "simlab/toolbox/toolbox");
}

#[tokio::test]
async fn sources_answer_as_they_work() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    Mock::given(path(format!("/plugin/{tenant}/dispatch/datasource/get_website_crawl")))
        .and(body_partial_json(json!({"data": {"datasource": "crawl", "datasource_parameters": {"url": "u"}}})))
        .respond_with(lines(&[
            json!({"result": {"status": "processing", "web_info_list": [], "total": 1, "completed": 0}}),
            json!({"result": {"status": "completed", "total": 1, "completed": 1, "web_info_list": [
                {"source_url": "u", "content": "c", "title": "t", "description": "d"}]}}),
        ]))
        .mount(&server)
        .await;
    let provider: ProviderId = "simlab/crawler/crawler".parse().unwrap();
    let nothing = object(json!({}));
    let call = DatasourceCall {
        tenant,
        user: "u",
        provider: &provider,
        datasource: "crawl",
        credentials: &nothing,
    };
    let stream = daemon.crawl_website(call, &object(json!({"url": "u"}))).await.unwrap();
    let states: Vec<_> = stream.map(|state| state.unwrap().status.unwrap()).collect().await;
    assert_eq!(states, ["processing", "completed"]);

    let file = FILE_PROVIDER.parse().unwrap();
    let file = daemon.find_datasource_provider(tenant, &file).await.unwrap();
    assert_eq!(file.declaration.entry.provider_type, "local_file");
}

#[tokio::test]
async fn events_are_dispatched_with_the_whole_request() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    let raw = hex::encode("POST /t?x=1 HTTP/1.1\r\nX-Sim: s\r\n\r\n{}");
    let response = hex::encode("HTTP/1.1 202 Accepted\r\nContent-Type: text/plain\r\n\r\nok");
    Mock::given(path(format!("/plugin/{tenant}/dispatch/trigger/dispatch_event")))
        .and(body_partial_json(
            json!({"data": {"raw_http_request": raw, "credential_type": "unauthorized"}}),
        ))
        .respond_with(lines(&[
            json!({"user_id": "u", "events": ["made"], "response": response, "payload": {"a": 1}}),
        ]))
        .mount(&server)
        .await;
    Mock::given(path(format!("/plugin/{tenant}/dispatch/trigger/invoke_event")))
        .respond_with(lines(&[raised("EventIgnoreError", "not mine")]))
        .mount(&server)
        .await;
    let provider: ProviderId = "simlab/events/events".parse().unwrap();
    let nothing = object(json!({}));
    let call = TriggerCall {
        tenant,
        user: "u",
        provider: &provider,
        credentials: &nothing,
        credential_type: CredentialType::Unauthorized,
    };
    let mut headers = HeaderMap::new();
    headers.insert("x-sim", "s".parse().unwrap());
    let request =
        IncomingRequest { method: &Method::POST, target: "/t?x=1", headers: &headers, body: b"{}" };
    let events = daemon.dispatch_event(call, &nothing, request).await.unwrap();
    assert_eq!(events.events, ["made"]);
    assert_eq!((events.response.status.as_u16(), events.response.body), (202, b"ok".to_vec()));

    let subscription =
        serde_json::from_value(json!({"expires_at": -1, "endpoint": "e", "properties": {}}))
            .unwrap();
    let ignored =
        daemon.invoke_event(call, "made", &subscription, b"", &nothing, &events.payload).await;
    assert_eq!(ignored.unwrap_err().class(), "EventIgnoreError");
}

#[tokio::test]
async fn an_endpoint_that_is_gone_is_removed() {
    let (server, daemon) = daemon().await;
    let tenant = TenantId::random();
    let gone =
        bad("PluginDaemonInternalServerError", "failed to find endpoint: record not found", -500);
    Mock::given(path(format!("/plugin/{tenant}/endpoint/remove")))
        .respond_with(wiremock::ResponseTemplate::new(200).set_body_json(gone))
        .mount(&server)
        .await;
    assert!(daemon.delete_endpoint(tenant, "e").await.unwrap());
}
