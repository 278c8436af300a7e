//! Every served route with no credentials, with another workspace's, and with too low a role: none may succeed.
//!
//! Routes come from the OpenAPI documents, so a new one is covered the day it is added. Paths and bodies are filled
//! with the owner's own ids and with values made from the schema, so that a call gets as far as its checks let it.

use std::{collections::HashMap, fmt::Write as _};

use axum::http::Method;
use serde_json::{Map, Value, json};
use server::routes;
use test_support::{Client, Reply, TestServer};

/// Routes of the console that ask for no session, as in the reference.
const PUBLIC_CONSOLE: [&str; 35] = [
    "GET /console/api/ping",
    "GET /console/api/setup",
    "POST /console/api/setup",
    "GET /console/api/init",
    "POST /console/api/init",
    "GET /console/api/version",
    "GET /console/api/system-features",
    "GET /console/api/activate/check",
    "POST /console/api/activate",
    "POST /console/api/login",
    "POST /console/api/email-code-login",
    "POST /console/api/email-code-login/validity",
    "POST /console/api/reset-password",
    "POST /console/api/forgot-password",
    "POST /console/api/forgot-password/validity",
    "POST /console/api/forgot-password/resets",
    "POST /console/api/email-register",
    "POST /console/api/email-register/send-email",
    "POST /console/api/email-register/validity",
    "POST /console/api/account/change-email/check-email-unique",
    "POST /console/api/account/delete/feedback",
    "POST /console/api/oauth/provider",
    "POST /console/api/oauth/provider/token",
    "GET /console/api/oauth/login/{}",
    "GET /console/api/oauth/authorize/{}",
    "GET /console/api/oauth/data-source/callback/{}",
    "GET /console/api/oauth/data-source/binding/{}",
    "GET /console/api/explore/banners",
    "GET /console/api/workspaces/{}/model-providers/{}/{}/{}",
    "GET /console/api/workspaces/current/plugin/icon",
    "GET /console/api/workspaces/current/tool-provider/builtin/{}/icon",
    "GET /console/api/mcp/oauth/callback",
    "GET /console/api/oauth/plugin/{}/tool/callback",
    "GET /console/api/oauth/plugin/{}/trigger/callback",
    "GET /console/api/oauth/plugin/{}/datasource/callback",
];

/// Routes of the web app's API that ask for no passport, as in the reference.
const PUBLIC_WEB: [&str; 12] = [
    "GET /api/system-features",
    "GET /api/passport",
    "GET /api/webapp/access-mode",
    "GET /api/webapp/permission",
    "GET /api/login/status",
    "POST /api/logout",
    "GET /api/form/human_input/{}",
    "POST /api/form/human_input/{}",
    "GET /api/",
    "GET /v1/",
    "GET /console/api/",
    "GET /inner/api/",
];

/// Files everybody may see who knows the id.
const PUBLIC_FILES: [&str; 1] = ["GET /files/workspaces/{}/webapp-logo"];

/// Which role a route asks for in the reference: method, path, `admin`, `editor` or `dataset_operator`.
const ROLES: &str = include_str!("roles.tsv");

struct Route {
    method: Method,
    path: String,
    body: Option<Value>,
}

impl Route {
    /// Method and path with its parameters left blank.
    fn pattern(&self) -> String {
        let mut text = format!("{} ", self.method);
        let mut rest = self.path.as_str();
        while let Some((before, after)) = rest.split_once('{') {
            text.push_str(before);
            text.push_str("{}");
            rest = after.split_once('}').map_or("", |(_, after)| after);
        }
        text + rest
    }

    /// The parameters of the path.
    fn parameters(&self) -> impl Iterator<Item = &str> {
        self.path.split('{').skip(1).filter_map(|part| part.split('}').next())
    }

    fn path_with(&self, ids: &Ids) -> String {
        let mut path = self.path.clone();
        for name in self.parameters() {
            path = path.replace(&format!("{{{name}}}"), &ids.of(name));
        }
        path
    }
}

/// The owner's ids by the name of a parameter or a field.
struct Ids(HashMap<&'static str, String>);

impl Ids {
    fn known(&self, name: &str) -> Option<&String> {
        self.0.get(name.trim_start_matches('*'))
    }

    fn of(&self, name: &str) -> String {
        self.known(name).cloned().unwrap_or_else(|| {
            if name.ends_with("id") { "00000000-0000-4000-8000-00000000beef" } else { "x" }
                .to_owned()
        })
    }
}

fn served(surface: &str) -> Vec<(Route, Value)> {
    let document: Value = serde_json::from_str(&routes::openapi(surface).unwrap()).unwrap();
    let schemas = document["components"]["schemas"].clone();
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
            let body = operation["requestBody"]["content"]["application/json"]["schema"].clone();
            let body = (!body.is_null()).then_some(body);
            found.push((Route { method, path: path.clone(), body }, schemas.clone()));
        }
    }
    assert!(!found.is_empty());
    found
}

/// A value that fits a schema, with the owner's ids where a field asks for one.
fn sample(schema: &Value, schemas: &Value, name: &str, ids: &Ids, depth: usize) -> Value {
    if let Some(known) = ids.known(name) {
        return json!(known);
    }
    if let Some(target) = schema["$ref"].as_str() {
        let target = target.rsplit('/').next().unwrap_or_default();
        return if depth == 0 {
            json!({})
        } else {
            sample(&schemas[target], schemas, name, ids, depth - 1)
        };
    }
    for union in ["oneOf", "anyOf", "allOf"] {
        if let Some(first) = schema[union]
            .as_array()
            .and_then(|all| all.iter().find(|one| one["type"] != "null").or(all.first()))
        {
            return sample(first, schemas, name, ids, depth);
        }
    }
    if let Some(first) = schema["enum"].as_array().and_then(|all| all.first()) {
        return first.clone();
    }
    let kind = match &schema["type"] {
        Value::Array(kinds) => {
            kinds.iter().find(|kind| **kind != "null").cloned().unwrap_or_default()
        }
        kind => kind.clone(),
    };
    match kind.as_str().unwrap_or_default() {
        "string" if name.contains("email") => json!("somebody@example.com"),
        "string" if schema["format"] == "uuid" => json!("00000000-0000-4000-8000-00000000beef"),
        "string" => json!("text"),
        "integer" | "number" => json!(1),
        "boolean" => json!(true),
        "array" => {
            let one = sample(
                &schema["items"],
                schemas,
                name.trim_end_matches('s'),
                ids,
                depth.saturating_sub(1),
            );
            json!([one])
        }
        _ => {
            let mut object = Map::new();
            for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
                object.insert(
                    name.clone(),
                    sample(schema, schemas, name, ids, depth.saturating_sub(1)),
                );
            }
            Value::Object(object)
        }
    }
}

async fn call(client: &Client, route: &Route, schemas: &Value, ids: &Ids) -> Reply {
    let body = route.body.as_ref().map(|schema| sample(schema, schemas, "", ids, 4));
    client.call(route.method.clone(), &route.path_with(ids), body).await
}

/// An owner's app, key, tag, file, chat and so on.
async fn things(app: &TestServer, owner: &Client) -> Ids {
    let account = owner.get("/console/api/account/profile").await.expect(200)["id"].clone();
    let tenant =
        owner.post("/console/api/workspaces/current", json!({})).await.expect(200)["id"].clone();
    let new = json!({"name": "Ours", "mode": "chat", "icon_type": "emoji", "icon": "x", "icon_background": "#fff"});
    let made = owner.post("/console/api/apps", new).await.expect(201)["id"].clone();
    let made = made.as_str().unwrap();
    let key =
        owner.post(&format!("/console/api/apps/{made}/api-keys"), json!({})).await.expect(201);
    let tag =
        owner.post("/console/api/tags", json!({"name": "Ours", "type": "app"})).await.expect(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let (account, tenant) = (text(&account), text(&tenant));
    let id = |n: u32| format!("00000000-0000-4000-8000-0000000000{n:02}");
    let [file, conversation, message, dataset, document] = [1, 2, 3, 4, 5].map(id);
    app.db()
        .execute(&format!(
            "INSERT INTO upload_files (id, tenant_id, storage_type, key, name, size, extension, mime_type, created_by, \
               created_by_role, created_at, used, hash, source_url) \
             VALUES ('{file}', '{tenant}', 'local', 'k', 'a.txt', 1, 'txt', 'text/plain', '{account}', 'account', now(), \
               false, '', ''); \
             INSERT INTO conversations (id, app_id, mode, name, inputs, status, from_source, from_account_id, \
               dialogue_count, is_deleted) \
             VALUES ('{conversation}', '{made}', 'chat', 'Ours', '{{}}', 'normal', 'console', '{account}', 1, false); \
             INSERT INTO messages (id, app_id, conversation_id, inputs, query, message, message_tokens, \
               message_unit_price, message_price_unit, answer, answer_tokens, answer_unit_price, answer_price_unit, \
               provider_response_latency, currency, status, from_source, from_account_id, agent_based) \
             VALUES ('{message}', '{made}', '{conversation}', '{{}}', 'q', '[]', 1, 0, 0.001, 'a', 1, 0, 0.001, 0, 'USD', \
               'normal', 'console', '{account}', false); \
             INSERT INTO datasets (id, tenant_id, name, permission, provider, created_by) \
             VALUES ('{dataset}', '{tenant}', 'Ours', 'all_team_members', 'vendor', '{account}'); \
             INSERT INTO documents (id, tenant_id, dataset_id, position, data_source_type, batch, name, created_from, \
               created_by, indexing_status, enabled, archived) \
             VALUES ('{document}', '{tenant}', '{dataset}', 1, 'upload_file', 'b', 'Ours', 'web', '{account}', 'completed', \
               true, false)"
        ))
        .await;
    Ids(HashMap::from([
        ("app_id", made.to_owned()),
        ("resource_id", made.to_owned()),
        ("api_key_id", text(&key["id"])),
        ("tag_id", text(&tag["id"])),
        ("file_id", file.clone()),
        ("upload_file_id", file),
        ("conversation_id", conversation),
        ("message_id", message),
        ("dataset_id", dataset),
        ("document_id", document),
        ("member_id", account.clone()),
        ("tenant_id", tenant.clone()),
        ("workspace_id", tenant),
        ("c_id", id(2)),
        ("target_id", made.to_owned()),
    ]))
}

#[derive(Default)]
struct Findings(String);

impl Findings {
    fn note(&mut self, what: &str, route: &Route, reply: &Reply) {
        let body = String::from_utf8_lossy(&reply.bytes[..reply.bytes.len().min(160)]);
        let _ = writeln!(self.0, "{what}: {} answers {}: {body}", route.pattern(), reply.status);
    }

    #[track_caller]
    fn must_be_none(self) {
        assert!(self.0.is_empty(), "{}", self.0);
    }
}

#[tokio::test]
async fn nobody_gets_in_without_credentials() {
    let (app, owner) = TestServer::set_up().await;
    let ids = things(&app, &owner).await;
    let nobody = app.client();
    let mut findings = Findings::default();
    for (surface, public, refusals) in [
        ("console", PUBLIC_CONSOLE.as_slice(), [401, 404, 404]),
        ("web", PUBLIC_WEB.as_slice(), [401, 404, 404]),
        ("service", PUBLIC_WEB.as_slice(), [401, 401, 401]),
        ("inner", PUBLIC_WEB.as_slice(), [401, 404, 404]),
    ] {
        for (route, schemas) in served(surface) {
            if PUBLIC_WEB.contains(&&*route.pattern()) || public.contains(&&*route.pattern()) {
                continue;
            }
            let reply = call(&nobody, &route, &schemas, &ids).await;
            // Trials are switched off before anybody is asked who he is.
            let is_off = route.path.contains("/trial-apps/") && reply.status == 403;
            if !is_off && !refusals.contains(&reply.status.as_u16()) {
                findings.note("without credentials", &route, &reply);
            }
        }
    }
    // Signed links, servers of tools and triggers: their secret is in the address, and this is none.
    for (route, schemas) in served("files") {
        if PUBLIC_FILES.contains(&&*route.pattern()) {
            continue;
        }
        let reply = call(&nobody, &route, &schemas, &ids).await;
        if !is_refusal(&reply) {
            findings.note("without a signature", &route, &reply);
        }
    }
    findings.must_be_none();
}

/// A client's mistake, or an error of JSON-RPC.
fn is_refusal(reply: &Reply) -> bool {
    reply.status.is_client_error() || reply.status.is_success() && reply.json.get("error").is_some()
}

#[tokio::test]
async fn another_workspaces_things_are_out_of_reach() {
    let (app, owner) = TestServer::set_up().await;
    let ids = things(&app, &owner).await;
    let stranger = app.stranger("stranger@example.com").await;
    let new = json!({"name": "Theirs", "mode": "chat", "icon_type": "emoji", "icon": "x", "icon_background": "#fff"});
    let theirs = stranger.post("/console/api/apps", new).await.expect(201)["id"].clone();
    let path = format!("/console/api/apps/{}/api-keys", theirs.as_str().unwrap());
    let app_key = stranger.post(&path, json!({})).await.expect(201)["token"].clone();
    let keys = stranger.post("/console/api/datasets/api-keys", json!({})).await.expect(200);
    let of_app = app.client().bearer(app_key.as_str().unwrap());
    let of_datasets = app.client().bearer(keys["token"].as_str().unwrap());
    let visitor = visitor(&app, &stranger, theirs.as_str().unwrap()).await;

    let mut findings = Findings::default();
    for (surface, clients) in [
        ("console", vec![&stranger]),
        ("service", vec![&of_app, &of_datasets]),
        ("web", vec![&visitor]),
        ("files", vec![&stranger, &visitor, &of_app]),
    ] {
        for (route, schemas) in served(surface) {
            let names_ours = route.parameters().any(|name| ids.known(name).is_some());
            if !names_ours || is_public_by_id(&route) {
                continue;
            }
            for client in &clients {
                let reply = call(client, &route, &schemas, &ids).await;
                // "Nothing" is an answer too.
                let is_empty = reply.bytes.starts_with(b"null") || is_empty_page(&reply.json);
                let is_open = reply.status.is_success() && !is_empty && !is_refusal(&reply);
                if is_open || reply.status.is_server_error() {
                    findings.note("with another workspace's credentials", &route, &reply);
                }
            }
        }
    }
    findings.must_be_none();
    owner.get(&format!("/console/api/apps/{}", ids.of("app_id"))).await.expect(200);
}

fn is_empty_page(body: &Value) -> bool {
    body["data"].as_array().is_some_and(Vec::is_empty)
}

/// Somebody with a passport of the web app of `app`.
async fn visitor(server: &TestServer, owner: &Client, app: &str) -> Client {
    let path = format!("/console/api/apps/{app}/site-enable");
    owner.post(&path, json!({"enable_site": true})).await.expect(200);
    let detail = owner.get(&format!("/console/api/apps/{app}")).await.expect(200);
    let code = detail["site"]["access_token"].as_str().unwrap().to_owned();
    let client = server.client().header("x-app-code", &code);
    let passport = client.get("/api/passport").await.expect(200)["access_token"].clone();
    client.bearer(passport.as_str().unwrap())
}

/// Icons and the like, which everybody may see who knows the id.
fn is_public_by_id(route: &Route) -> bool {
    PUBLIC_CONSOLE.contains(&&*route.pattern())
        || PUBLIC_WEB.contains(&&*route.pattern())
        || PUBLIC_FILES.contains(&&*route.pattern())
        || route.path.starts_with("/console/api/workspaces/{tenant_id}/")
}

#[tokio::test]
async fn roles_open_what_they_open_and_no_more() {
    let (app, owner) = TestServer::set_up().await;
    let ids = things(&app, &owner).await;
    let mut members = HashMap::new();
    for role in ["normal", "editor", "dataset_operator"] {
        members.insert(role, app.member(&owner, role, &format!("{role}@example.com")).await);
    }
    let needs: HashMap<String, &str> = ROLES
        .lines()
        .filter_map(|line| {
            let mut fields = line.split('\t');
            Some((format!("{} {}", fields.next()?, fields.next()?), fields.next()?))
        })
        .collect();
    let mut findings = Findings::default();
    for (route, schemas) in served("console") {
        let Some(role) = needs.get(&route.pattern()) else { continue };
        let too_low: &[&str] = match *role {
            "admin" => &["normal", "editor", "dataset_operator"],
            "editor" => &["normal", "dataset_operator"],
            _ => &["normal"],
        };
        for role in too_low {
            let reply = call(&members[role], &route, &schemas, &ids).await;
            if reply.status.is_success() || reply.status.is_server_error() {
                findings.note(role, &route, &reply);
            }
        }
    }
    findings.must_be_none();
}
