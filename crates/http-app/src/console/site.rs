//! `/console/api/apps/{app_id}/site`

use axum::extract::State;
use db::site::SiteChanges;
use http_core::{ApiError, AppState, ErrorBody, Json, Valid, validation::lax};
use serde::{Deserialize, Serialize};
use services_account::locale;
use services_app::site;
use types::AppId;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::guard::{AdminApp, EditorApp};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(update_app_site))
        .routes(routes!(reset_app_site_access_token))
}

/// Whether a link to the web app carries a token.
#[derive(Debug, Clone, Copy, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
enum TokenStrategy {
    Must,
    Allow,
    NotAllow,
}

impl TokenStrategy {
    fn as_str(self) -> &'static str {
        match self {
            Self::Must => "must",
            Self::Allow => "allow",
            Self::NotAllow => "not_allow",
        }
    }
}

/// What is missing stays as it is.
#[derive(Debug, Deserialize, garde::Validate, utoipa::ToSchema)]
#[garde(allow_unvalidated)]
struct AppSiteUpdatePayload {
    title: Option<String>,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    description: Option<String>,
    #[garde(custom(language))]
    default_language: Option<String>,
    chat_color_theme: Option<String>,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    chat_color_theme_inverted: Option<bool>,
    customize_domain: Option<String>,
    copyright: Option<String>,
    privacy_policy: Option<String>,
    custom_disclaimer: Option<String>,
    customize_token_strategy: Option<TokenStrategy>,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    prompt_public: Option<bool>,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    show_workflow_steps: Option<bool>,
    #[serde(default, deserialize_with = "lax::optional_flag")]
    use_icon_as_answer_icon: Option<bool>,
}

fn language(tag: &Option<String>, _: &()) -> garde::Result {
    match tag {
        Some(tag) if !locale::is_language(tag) => {
            Err(garde::Error::new(format!("Value error, {tag} is not a valid language.")))
        }
        _ => Ok(()),
    }
}

impl From<AppSiteUpdatePayload> for SiteChanges {
    fn from(body: AppSiteUpdatePayload) -> Self {
        Self {
            title: body.title,
            icon_type: body.icon_type,
            icon: body.icon,
            icon_background: body.icon_background,
            description: body.description,
            default_language: body.default_language,
            chat_color_theme: body.chat_color_theme,
            chat_color_theme_inverted: body.chat_color_theme_inverted,
            customize_domain: body.customize_domain,
            copyright: body.copyright,
            privacy_policy: body.privacy_policy,
            custom_disclaimer: body.custom_disclaimer,
            customize_token_strategy: body
                .customize_token_strategy
                .map(|strategy| strategy.as_str().to_owned()),
            prompt_public: body.prompt_public,
            show_workflow_steps: body.show_workflow_steps,
            use_icon_as_answer_icon: body.use_icon_as_answer_icon,
        }
    }
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppSite {
    app_id: AppId,
    /// The code again, by its old name.
    access_token: Option<String>,
    code: Option<String>,
    title: String,
    icon: Option<String>,
    icon_background: Option<String>,
    description: Option<String>,
    default_language: String,
    customize_domain: Option<String>,
    copyright: Option<String>,
    privacy_policy: Option<String>,
    custom_disclaimer: String,
    customize_token_strategy: String,
    prompt_public: bool,
    show_workflow_steps: bool,
    use_icon_as_answer_icon: bool,
}

impl From<db::site::Site> for AppSite {
    fn from(site: db::site::Site) -> Self {
        Self {
            app_id: site.app_id,
            access_token: site.code.clone(),
            code: site.code,
            title: site.title,
            icon: site.icon,
            icon_background: site.icon_background,
            description: site.description,
            default_language: site.default_language,
            customize_domain: site.customize_domain,
            copyright: site.copyright,
            privacy_policy: site.privacy_policy,
            custom_disclaimer: site.custom_disclaimer,
            customize_token_strategy: site.customize_token_strategy,
            prompt_public: site.prompt_public,
            show_workflow_steps: site.show_workflow_steps,
            use_icon_as_answer_icon: site.use_icon_as_answer_icon,
        }
    }
}

/// Change the web app.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/site",
    tag = "site",
    params(("app_id" = AppId, Path)),
    request_body = AppSiteUpdatePayload,
    responses((status = 200, body = AppSite), (status = "4XX", body = ErrorBody)),
)]
async fn update_app_site(
    State(state): State<AppState>,
    EditorApp { user, app }: EditorApp,
    Valid(body): Valid<AppSiteUpdatePayload>,
) -> Result<Json<AppSite>, ApiError> {
    let site = site::update(&state.ctx, &app, user.account.id, body.into()).await?;
    Ok(Json(site.into()))
}

/// Give the web app another address.
#[utoipa::path(
    post,
    path = "/console/api/apps/{app_id}/site/access-token-reset",
    tag = "site",
    params(("app_id" = AppId, Path)),
    responses((status = 200, body = AppSite), (status = "4XX", body = ErrorBody)),
)]
async fn reset_app_site_access_token(
    State(state): State<AppState>,
    AdminApp { user, app }: AdminApp,
) -> Result<Json<AppSite>, ApiError> {
    let site = site::reset_code(&state.ctx, &app, user.account.id).await?;
    Ok(Json(site.into()))
}
