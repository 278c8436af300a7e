//! What is generated from the code and committed is what the code generates.

use std::path::Path;

use server::routes;

#[track_caller]
fn assert_current(path: &str, wanted: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    let found = std::fs::read_to_string(file).unwrap_or_default();
    assert!(found == wanted, "{path} is out of date: run `make docs` and commit what it changes");
}

#[test]
fn the_openapi_documents_are_current() {
    for (surface, _) in routes::SURFACES {
        assert_current(&format!("openapi/{surface}.json"), &routes::openapi(surface).unwrap());
    }
}

#[test]
fn the_coverage_is_current() {
    assert_current("docs/coverage.md", &routes::coverage());
}

#[test]
fn every_served_route_is_documented() {
    // A path that two crates serve would be found here as well: the router panics.
    let config = config::Config::from_map([("SWAGGER_UI_ENABLED", "true")]).unwrap();
    let _ = routes::router(&config);
    let taken = config::Config::from_map([("SWAGGER_UI_PATH", "/setup")]).unwrap();
    let _ = routes::router(&taken);
    assert!(routes::document("coverage").is_ok() && routes::document("other").is_err());
}
