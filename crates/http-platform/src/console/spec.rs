//! `/console/api/spec`

use http_core::{AppState, ErrorBody, Json, guard::Console};
use serde_json::Value;
use services_platform::schema_definition;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_schema_definitions))
}

/// JSON schemas the console knows the structured outputs of nodes by: `{name, label, schema}`.
#[utoipa::path(
    get,
    path = "/console/api/spec/schema-definitions",
    tag = "spec",
    responses((status = 200, body = [Object]), (status = "4XX", body = ErrorBody)),
)]
async fn list_schema_definitions(_: Console) -> Json<&'static [Value]> {
    Json(schema_definition::list())
}
