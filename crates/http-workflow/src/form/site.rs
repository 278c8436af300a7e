//! What the page of a form shows of the app's web page.

use serde::Serialize;
use services_account::App;
use services_core::Ctx;
use services_platform::{links, web_app::Front};
use types::AppId;

/// As `/api/site` shows it, without a visitor.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(super) struct FormSite {
    app_id: AppId,
    /// Always null: nobody is signed in.
    end_user_id: Option<String>,
    enable_site: bool,
    site: FormSitePage,
    /// Always null, as on `/api/site`.
    #[schema(value_type = Option<Object>)]
    model_config: (),
    plan: String,
    can_replace_logo: bool,
    custom_config: Option<FormSiteBrand>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct FormSitePage {
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
struct FormSiteBrand {
    remove_webapp_brand: bool,
    replace_webapp_logo: Option<String>,
}

impl FormSite {
    pub(super) fn new(ctx: &Ctx, app: &App, front: Front) -> Self {
        let Front { site, plan, can_replace_logo, brand } = front;
        Self {
            app_id: app.id,
            end_user_id: None,
            enable_site: app.enable_site,
            site: FormSitePage {
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
            },
            model_config: (),
            plan,
            can_replace_logo,
            custom_config: brand.map(|brand| FormSiteBrand {
                remove_webapp_brand: brand.remove_webapp_brand,
                replace_webapp_logo: brand.replace_webapp_logo,
            }),
        }
    }
}
