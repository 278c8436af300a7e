//! `/api/workflow/{task_id}/events`, `/console/api/workflow/{workflow_run_id}/events`, `/v1/workflow/{task_id}/events`:
//! coming back to a run.

use axum::response::Response;
use futures::{StreamExt, stream::BoxStream};
use http_core::{
    ApiError, AppState, ErrorBody, Part, Path, Query,
    guard::{Console, QueryUser, Visitor},
    sse::{self, Frame},
};
use serde::Deserialize;
use services_workflow::run::{
    Runs,
    watch::{self, Event, Wish},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{console::runner as member, service::runner as end_user};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(web_workflow_events))
        .routes(routes!(console_workflow_events))
        .routes(routes!(service_workflow_events))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct EventsQuery {
    /// `true`: what happened so far comes first, in short.
    include_state_snapshot: Option<String>,
}

impl EventsQuery {
    fn wants_snapshot(&self) -> bool {
        self.include_state_snapshot.as_deref().is_some_and(|it| it.eq_ignore_ascii_case("true"))
    }
}

/// Come back to a run of a web app.
#[utoipa::path(
    get,
    path = "/api/workflow/{task_id}/events",
    tag = "workflow",
    params(("task_id" = String, Path), EventsQuery),
    responses((status = 200, description = "What happens in the run"), (status = "4XX", body = ErrorBody)),
)]
async fn web_workflow_events(
    runs: Part<Runs>,
    Visitor(visitor): Visitor,
    Path(run): Path<String>,
    Query(query): Query<EventsQuery>,
) -> Result<Response, ApiError> {
    let wish = Wish {
        tenant: visitor.app.tenant_id,
        app: Some(visitor.app.id),
        run: &run,
        runner: &end_user(&visitor.end_user),
        snapshot: query.wants_snapshot(),
    };
    Ok(answer(watch::events(&runs, &wish).await?))
}

/// Come back to a run of the service API.
#[utoipa::path(
    get,
    path = "/v1/workflow/{task_id}/events",
    tag = "workflow",
    params(("task_id" = String, Path), ("user" = Option<String>, Query), EventsQuery),
    responses((status = 200, description = "What happens in the run"), (status = "4XX", body = ErrorBody)),
)]
async fn service_workflow_events(
    runs: Part<Runs>,
    user: QueryUser,
    Path(run): Path<String>,
    Query(query): Query<EventsQuery>,
) -> Result<Response, ApiError> {
    let wish = Wish {
        tenant: user.app.tenant_id,
        app: Some(user.app.id),
        run: &run,
        runner: &end_user(&user.end_user),
        snapshot: query.wants_snapshot(),
    };
    Ok(answer(watch::events(&runs, &wish).await?))
}

/// Come back to a run of the console.
#[utoipa::path(
    get,
    path = "/console/api/workflow/{workflow_run_id}/events",
    tag = "workflow run",
    params(("workflow_run_id" = String, Path), EventsQuery),
    responses((status = 200, description = "What happens in the run"), (status = "4XX", body = ErrorBody)),
)]
async fn console_workflow_events(
    runs: Part<Runs>,
    Console(user): Console,
    Path(run): Path<String>,
    Query(query): Query<EventsQuery>,
) -> Result<Response, ApiError> {
    let wish = Wish {
        tenant: user.tenant,
        app: None,
        run: &run,
        runner: &member(&user),
        snapshot: query.wants_snapshot(),
    };
    Ok(answer(watch::events(&runs, &wish).await?))
}

fn answer(events: BoxStream<'static, Event>) -> Response {
    sse::response(events.map(|event| Frame::data(&event)))
}
