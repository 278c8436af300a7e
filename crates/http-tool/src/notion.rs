//! `/console/api/notion/pre-import/pages`: pages of Notion that may become documents.

use http_core::{
    ApiError, AppState, ErrorBody, Json, Part, Query, guard::Console, validation::JsonObject,
};
use plugin::datasource::{DocumentPage, DocumentWorkspace};
use serde::{Deserialize, Serialize};
use services_tool::{Tools, datasource::NotionPages};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_notion_pages))
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
#[into_params(parameter_in = Query)]
struct DataSourceNotionListQuery {
    /// The credential that opens them.
    #[garde(length(min = 1))]
    credential_id: String,
    /// The knowledge base whose documents are marked.
    dataset_id: Option<String>,
}

/// A page.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NotionIntegratePage {
    page_name: String,
    page_id: String,
    #[schema(value_type = Option<Object>)]
    page_icon: Option<JsonObject>,
    /// Whether it is a document already.
    is_bound: bool,
    parent_id: Option<String>,
    r#type: String,
}

/// A workspace of Notion.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NotionIntegrateWorkspace {
    workspace_name: Option<String>,
    workspace_id: Option<String>,
    workspace_icon: Option<String>,
    pages: Vec<NotionIntegratePage>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct NotionIntegrateInfoList {
    /// Always one, with the pages of all.
    notion_info: [NotionIntegrateWorkspace; 1],
}

impl From<NotionPages> for NotionIntegrateInfoList {
    fn from(all: NotionPages) -> Self {
        let shown = |(page, is_bound): (DocumentPage, bool)| NotionIntegratePage {
            page_name: page.page_name,
            page_id: page.page_id,
            page_icon: page.page_icon,
            is_bound,
            parent_id: page.parent_id,
            r#type: page.kind,
        };
        let pages = all.pages.into_iter().map(shown).collect();
        let workspace = all.workspace;
        let text = |of: fn(&DocumentWorkspace) -> &Option<String>| {
            workspace.as_ref().and_then(|workspace| of(workspace).clone())
        };
        Self {
            notion_info: [NotionIntegrateWorkspace {
                workspace_name: text(|it| &it.workspace_name),
                workspace_id: text(|it| &it.workspace_id),
                workspace_icon: text(|it| &it.workspace_icon),
                pages,
            }],
        }
    }
}

/// Pages of Notion that may become documents.
#[utoipa::path(
    get,
    path = "/console/api/notion/pre-import/pages",
    tag = "datasources",
    params(DataSourceNotionListQuery),
    responses((status = 200, body = NotionIntegrateInfoList), (status = "4XX", body = ErrorBody)),
)]
async fn list_notion_pages(
    Console(user): Console,
    Part(tools): Part<Tools>,
    Query(query): Query<DataSourceNotionListQuery>,
) -> Result<Json<NotionIntegrateInfoList>, ApiError> {
    let (tenant, account) = (user.tenant, user.account.id);
    let (credential, dataset) = (query.credential_id, query.dataset_id);
    let parameters = JsonObject::new();
    let pages =
        tools.notion_pages(tenant, account, &credential, dataset.as_deref(), &parameters).await?;
    Ok(Json(pages.into()))
}
