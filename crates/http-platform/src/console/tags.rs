//! `/console/api/tags` and `/console/api/tag-bindings`

use axum::extract::State;

use http_core::{
    ApiError, AppState, ErrorBody, Json, NoContent, Path, Query, Valid,
    guard::{Console, DatasetEditor, Editor},
};
use serde::{Deserialize, Serialize};
use services_platform::tag::{self, CountedTag, TagKind, Target};
use types::TagId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::wire::Done;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_tags, create_tag))
        .routes(routes!(rename_tag, delete_tag))
        .routes(routes!(bind_tags))
        .routes(routes!(unbind_tag))
}

#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Knowledge,
    App,
}

impl From<Kind> for TagKind {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Knowledge => Self::Knowledge,
            Kind::App => Self::App,
        }
    }
}

/// The same in a query, where the empty word is none.
#[derive(Debug, Clone, Copy, Default, Deserialize, utoipa::ToSchema)]
enum AskedKind {
    #[serde(rename = "knowledge")]
    Knowledge,
    #[serde(rename = "app")]
    App,
    #[default]
    #[serde(rename = "")]
    None,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::IntoParams)]
#[garde(allow_unvalidated)]
struct TagListQueryParam {
    /// `knowledge` or `app`; without one there are no tags.
    #[serde(default)]
    #[param(inline)]
    r#type: AskedKind,
    /// Part of the name.
    keyword: Option<String>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TagBasePayload {
    #[garde(length(chars, min = 1, max = 50))]
    name: String,
    r#type: Option<Kind>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TagBindingPayload {
    tag_ids: Vec<String>,
    /// The app's or knowledge base's id.
    target_id: String,
    r#type: Option<Kind>,
}

#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct TagBindingRemovePayload {
    tag_id: String,
    /// The app's or knowledge base's id.
    target_id: String,
    r#type: Option<Kind>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct Tag {
    id: TagId,
    name: String,
    r#type: String,
    binding_count: i64,
}

impl From<CountedTag> for Tag {
    fn from(tag: CountedTag) -> Self {
        Self { id: tag.id, name: tag.name, r#type: tag.r#type, binding_count: tag.binding_count }
    }
}

/// A tag of a list.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ListedTag {
    id: TagId,
    name: String,
    r#type: String,
    /// The reference writes the number as text here.
    binding_count: String,
}

impl From<CountedTag> for ListedTag {
    fn from(tag: CountedTag) -> Self {
        Self {
            id: tag.id,
            name: tag.name,
            r#type: tag.r#type,
            binding_count: tag.binding_count.to_string(),
        }
    }
}

/// The workspace's tags of a type, newest first.
#[utoipa::path(
    get,
    path = "/console/api/tags",
    tag = "tags",
    params(TagListQueryParam),
    responses((status = 200, body = [ListedTag]), (status = "4XX", body = ErrorBody)),
)]
async fn list_tags(
    State(state): State<AppState>,
    Console(user): Console,
    Query(query): Query<TagListQueryParam>,
) -> Result<Json<Vec<ListedTag>>, ApiError> {
    let kind = match query.r#type {
        AskedKind::Knowledge => Some(TagKind::Knowledge),
        AskedKind::App => Some(TagKind::App),
        AskedKind::None => None,
    };
    let tags = tag::list(&state.ctx, user.tenant, kind, query.keyword.as_deref()).await?;
    Ok(Json(tags.into_iter().map(Into::into).collect()))
}

/// Make a tag.
#[utoipa::path(
    post,
    path = "/console/api/tags",
    tag = "tags",
    request_body = TagBasePayload,
    responses((status = 200, body = Tag), (status = "4XX", body = ErrorBody)),
)]
async fn create_tag(
    State(state): State<AppState>,
    DatasetEditor(user): DatasetEditor,
    Valid(body): Valid<TagBasePayload>,
) -> Result<Json<Tag>, ApiError> {
    let kind = body.r#type.map(Into::into);
    let made = tag::create(&state.ctx, user.tenant, user.account.id, kind, &body.name).await?;
    Ok(Json(Tag { id: made.id, name: made.name, r#type: made.r#type, binding_count: 0 }))
}

/// Rename a tag.
#[utoipa::path(
    patch,
    path = "/console/api/tags/{tag_id}",
    tag = "tags",
    params(("tag_id" = TagId, Path)),
    request_body = TagBasePayload,
    responses((status = 200, body = Tag), (status = "4XX", body = ErrorBody)),
)]
async fn rename_tag(
    State(state): State<AppState>,
    DatasetEditor(user): DatasetEditor,
    Path(id): Path<TagId>,
    Valid(body): Valid<TagBasePayload>,
) -> Result<Json<Tag>, ApiError> {
    let kind = body.r#type.map(Into::into);
    let renamed = tag::rename(&state.ctx, user.tenant, id, kind, &body.name).await?;
    Ok(Json(renamed.into()))
}

/// Remove a tag.
#[utoipa::path(
    delete,
    path = "/console/api/tags/{tag_id}",
    tag = "tags",
    params(("tag_id" = TagId, Path)),
    responses((status = 204), (status = "4XX", body = ErrorBody)),
)]
async fn delete_tag(
    State(state): State<AppState>,
    Editor(user): Editor,
    Path(id): Path<TagId>,
) -> Result<NoContent, ApiError> {
    tag::delete(&state.ctx, user.tenant, id).await?;
    Ok(NoContent)
}

/// Put tags on an app or knowledge base.
#[utoipa::path(
    post,
    path = "/console/api/tag-bindings/create",
    tag = "tags",
    request_body = TagBindingPayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn bind_tags(
    State(state): State<AppState>,
    DatasetEditor(user): DatasetEditor,
    Valid(body): Valid<TagBindingPayload>,
) -> Result<Json<Done>, ApiError> {
    let kind = body.r#type.map(Into::into);
    let target = Target { tenant: user.tenant, kind, id: &body.target_id };
    tag::bind(&state.ctx, target, &body.tag_ids, user.account.id).await?;
    Ok(Json(Done::new()))
}

/// Take a tag off an app or knowledge base.
#[utoipa::path(
    post,
    path = "/console/api/tag-bindings/remove",
    tag = "tags",
    request_body = TagBindingRemovePayload,
    responses((status = 200, body = Done), (status = "4XX", body = ErrorBody)),
)]
async fn unbind_tag(
    State(state): State<AppState>,
    DatasetEditor(user): DatasetEditor,
    Valid(body): Valid<TagBindingRemovePayload>,
) -> Result<Json<Done>, ApiError> {
    let kind = body.r#type.map(Into::into);
    let target = Target { tenant: user.tenant, kind, id: &body.target_id };
    tag::unbind(&state.ctx, target, &body.tag_id).await?;
    Ok(Json(Done::new()))
}
