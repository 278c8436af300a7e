//! `/api/site`

use axum::extract::State;
use http_core::{ApiError, AppState, ErrorBody, Json, guard::Visitor};
use serde::Serialize;
use services_core::Ctx;
use services_platform::{
    links,
    web_app::{self, Front},
};
use types::{AppId, EndUserId};
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(find_web_site))
}

/// What a web app shows of itself.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct AppSiteInfo {
    app_id: AppId,
    end_user_id: EndUserId,
    enable_site: bool,
    site: WebSite,
    /// Always null; older clients look for it.
    #[schema(value_type = Option<Object>)]
    model_config: (),
    plan: String,
    can_replace_logo: bool,
    custom_config: Option<CustomConfig>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct WebSite {
    title: String,
    chat_color_theme: Option<String>,
    chat_color_theme_inverted: bool,
    icon_type: Option<String>,
    icon: Option<String>,
    icon_background: Option<String>,
    icon_url: Option<String>,
    description: Option<String>,
    copyright: Option<String>,
    privacy_policy: Option<String>,
    custom_disclaimer: String,
    default_language: String,
    prompt_public: bool,
    show_workflow_steps: bool,
    use_icon_as_answer_icon: bool,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct CustomConfig {
    remove_webapp_brand: bool,
    replace_webapp_logo: Option<String>,
}

impl WebSite {
    fn new(ctx: &Ctx, site: services_account::Site) -> Self {
        Self {
            icon_url: links::icon(ctx, site.icon_type.as_deref(), site.icon.as_deref()),
            title: site.title,
            chat_color_theme: site.chat_color_theme,
            chat_color_theme_inverted: site.chat_color_theme_inverted,
            icon_type: site.icon_type,
            icon: site.icon,
            icon_background: site.icon_background,
            description: site.description,
            copyright: site.copyright,
            privacy_policy: site.privacy_policy,
            custom_disclaimer: site.custom_disclaimer,
            default_language: site.default_language,
            prompt_public: site.prompt_public,
            show_workflow_steps: site.show_workflow_steps,
            use_icon_as_answer_icon: site.use_icon_as_answer_icon,
        }
    }
}

/// The web app a passport is for.
#[utoipa::path(
    get,
    path = "/api/site",
    tag = "site",
    responses((status = 200, body = AppSiteInfo), (status = "4XX", body = ErrorBody)),
)]
async fn find_web_site(
    State(state): State<AppState>,
    Visitor(visitor): Visitor,
) -> Result<Json<AppSiteInfo>, ApiError> {
    let Front { site, plan, can_replace_logo, brand } =
        web_app::front(&state.ctx, &visitor.app).await?;
    Ok(Json(AppSiteInfo {
        app_id: visitor.app.id,
        end_user_id: visitor.end_user.id,
        enable_site: visitor.app.enable_site,
        site: WebSite::new(&state.ctx, site),
        model_config: (),
        plan,
        can_replace_logo,
        custom_config: brand.map(|brand| CustomConfig {
            remove_webapp_brand: brand.remove_webapp_brand,
            replace_webapp_logo: brand.replace_webapp_logo,
        }),
    }))
}
