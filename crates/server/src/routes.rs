//! All routes, their OpenAPI documents, and which of the reference's routes they cover.

use std::{collections::BTreeMap, fmt::Write as _};

use anyhow::bail;
use axum::Router;
use config::Config;
use http_core::AppState;
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, PathItem, Paths};
use utoipa_axum::router::OpenApiRouter;

/// The APIs, and the paths that are theirs.
pub const SURFACES: [(&str, &[&str]); 5] = [
    ("console", &["/console/api/"]),
    ("service", &["/v1/"]),
    ("web", &["/api/"]),
    ("inner", &["/inner/api/"]),
    ("files", &["/files/", "/mcp/", "/triggers/"]),
];

/// Every route the reference has: method and path, a line each.
const REFERENCE: &str = include_str!("../data/routes.tsv");

fn documented() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(http_account::router())
        .merge(http_platform::router())
        .merge(http_app::router())
        .merge(http_model::router())
        .merge(http_conversation::router())
        .merge(http_workflow::router())
        .merge(http_tool::router())
        .merge(http_inner::router())
}

/// All routes of the APIs.
pub fn router(config: &Config) -> Router<AppState> {
    let (router, _) = documented().split_for_parts();
    if config.feature.swagger_ui_enabled {
        return router.merge(documents());
    }
    router
}

/// `/openapi/<api>.json` of every API.
fn documents() -> Router<AppState> {
    SURFACES.iter().fold(Router::new(), |router, (surface, _)| {
        router.route(
            &format!("/openapi/{surface}.json"),
            axum::routing::get(move || async move {
                (
                    [(axum::http::header::CONTENT_TYPE, "application/json")],
                    openapi(surface).unwrap_or_default(),
                )
            }),
        )
    })
}

/// The OpenAPI document of one API as JSON, or nothing for a name that is none.
#[must_use]
pub fn openapi(surface: &str) -> Option<String> {
    let (_, prefixes) = SURFACES.iter().find(|(name, _)| *name == surface)?;
    let (_, whole) = documented().split_for_parts();
    let mut paths = Paths::new();
    for (path, item) in whole.paths.paths {
        if prefixes.iter().any(|prefix| path.starts_with(prefix)) {
            paths.paths.insert(path, item);
        }
    }
    let info = InfoBuilder::new()
        .title(format!("Dify {surface} API"))
        .version(types::DIFY_VERSION)
        .build();
    let mut document: OpenApi =
        OpenApiBuilder::new().info(info).paths(paths).components(whole.components).build();
    prune(&mut document);
    document.to_pretty_json().ok().map(|json| json + "\n")
}

/// Drops the schemas this API does not refer to.
fn prune(document: &mut OpenApi) {
    let Some(mut components) = document.components.take() else { return };
    let mut wanted: Vec<String> = Vec::new();
    let mut open = serde_json::to_string(&document.paths).unwrap_or_default();
    loop {
        let fresh: Vec<String> = open
            .split("#/components/schemas/")
            .skip(1)
            .filter_map(|rest| rest.split('"').next().map(str::to_owned))
            .filter(|name| !wanted.contains(name))
            .collect();
        if fresh.is_empty() {
            break;
        }
        open.clear();
        for name in fresh {
            if !wanted.contains(&name) {
                if let Some(schema) = components.schemas.get(&name) {
                    open.push_str(&serde_json::to_string(schema).unwrap_or_default());
                }
                wanted.push(name);
            }
        }
    }
    components.schemas.retain(|name, _| wanted.contains(name));
    document.components = Some(components);
}

/// A generated document of `docs/`.
///
/// # Errors
/// For a name that is none.
pub fn document(name: &str) -> anyhow::Result<String> {
    match name {
        "configuration" => Ok(config::docs::markdown()?),
        "coverage" => Ok(coverage()),
        _ => bail!("no document is called {name}"),
    }
}

/// Every route of the reference: served or not yet.
#[must_use]
pub fn coverage() -> String {
    let served = served();
    let mut lines = String::new();
    let (mut done, mut all) = (0, 0);
    let mut areas: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for line in REFERENCE.lines() {
        let Some((method, path)) = line.split_once('\t') else { continue };
        let is_served = served.contains(&(method.to_owned(), shape(path)));
        let area = SURFACES
            .iter()
            .find(|(_, prefixes)| prefixes.iter().any(|prefix| path.starts_with(prefix)))
            .map_or("operations", |(name, _)| name);
        let entry = areas.entry(area).or_default();
        entry.1 += 1;
        all += 1;
        if is_served {
            entry.0 += 1;
            done += 1;
        }
        let mark = if is_served { "served" } else { "not yet" };
        let _ = writeln!(lines, "| {method} | `{path}` | {mark} |");
    }
    let mut text = format!(
        "# Coverage\nGenerated by `dify-api docs coverage` from the reference's route table and our router \
         (`make docs`).\n\n{done} of {all} routes are served. What is not yet served answers 404.\n\n| API | served | of |\n|---|---|---|\n"
    );
    for (area, (done, all)) in areas {
        let _ = writeln!(text, "| {area} | {done} | {all} |");
    }
    text.push_str("\n| method | path | |\n|---|---|---|\n");
    text.push_str(&lines);
    text
}

fn served() -> Vec<(String, String)> {
    let (_, whole) = documented().split_for_parts();
    let mut served = Vec::new();
    for (path, item) in &whole.paths.paths {
        for method in methods(item) {
            served.push((method.to_owned(), shape(path)));
        }
    }
    for path in ["/health", "/db-pool-stat"] {
        served.push(("GET".to_owned(), path.to_owned()));
    }
    served
}

fn methods(item: &PathItem) -> Vec<&'static str> {
    [
        ("GET", item.get.is_some()),
        ("POST", item.post.is_some()),
        ("PUT", item.put.is_some()),
        ("PATCH", item.patch.is_some()),
        ("DELETE", item.delete.is_some()),
    ]
    .into_iter()
    .filter_map(|(method, there)| there.then_some(method))
    .collect()
}

/// A path with its parameters made nameless: `/a/<uuid:id>` and `/a/{app_id}` are both `/a/{}`.
fn shape(path: &str) -> String {
    path.split('/')
        .map(|part| if part.starts_with('<') || part.starts_with('{') { "{}" } else { part })
        .collect::<Vec<_>>()
        .join("/")
}
