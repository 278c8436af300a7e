//! The catalogue of apps: from the template host, from the database, or the one that comes with the server.

use boxed::boxed;
use std::{collections::BTreeSet, time::Duration};

use db::app::App;
use serde::Deserialize;
use serde_json::Value;
use services_core::{Ctx, Fault};
use types::AppId;

use super::template::{self, TEMPLATES};
use crate::links;

/// The language of catalogues that have none in the one asked for.
const FALLBACK: &str = "en-US";

/// How long the template host may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How much of its answer is read.
const MAX_ANSWER: usize = 16 << 20;

/// The languages the console speaks.
pub const LANGUAGES: [&str; 23] = [
    "en-US", "zh-Hans", "zh-Hant", "pt-BR", "es-ES", "fr-FR", "de-DE", "ja-JP", "ko-KR", "ru-RU",
    "it-IT", "uk-UA", "vi-VN", "ro-RO", "pl-PL", "hi-IN", "tr-TR", "fa-IR", "sl-SI", "th-TH",
    "id-ID", "ar-TN", "nl-NL",
];

/// What the catalogue shows.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Catalogue {
    /// The apps, in order.
    pub recommended_apps: Vec<Entry>,
    /// Their categories.
    pub categories: Vec<String>,
}

/// An app of the catalogue. Template hosts leave out what they like.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    /// The app's own face.
    pub app: Option<Face>,
    /// Its id.
    pub app_id: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Text of the footer.
    pub copyright: Option<String>,
    /// URL of the privacy policy.
    pub privacy_policy: Option<String>,
    /// Text below the input.
    pub custom_disclaimer: Option<String>,
    /// Where the catalogue files it.
    pub category: Option<String>,
    /// Its place.
    pub position: Option<i64>,
    /// Whether it is shown.
    pub is_listed: Option<bool>,
    /// Whether it may be tried; `None` while trials are off.
    pub can_trial: Option<bool>,
}

/// How an app looks.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Face {
    /// Its id.
    pub id: Option<String>,
    /// Display name.
    pub name: Option<String>,
    /// Its mode.
    pub mode: Option<String>,
    /// An emoji, or an image's id.
    pub icon: Option<String>,
    /// `emoji`, `image` or `link`.
    pub icon_type: Option<String>,
    /// A link to the image.
    #[serde(skip)]
    pub icon_url: Option<String>,
    /// Like `#FFEAD5`.
    pub icon_background: Option<String>,
}

/// An app of the catalogue with all that is needed to make one's own of it.
#[derive(Debug, Clone)]
pub enum Detail {
    /// As the template host tells it.
    Told(Value),
    /// One of the database, which is exported like any app.
    App(Box<App>),
    /// One that comes with the server.
    Template(&'static template::Template),
}

/// What the catalogue shows in `asked`, if the console speaks that, else in the user's language.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn list(ctx: &Ctx, asked: Option<&str>, users: Option<&str>) -> Result<Catalogue, Fault> {
    let language = asked
        .filter(|language| LANGUAGES.contains(language))
        .or(users.filter(|language| !language.is_empty()))
        .unwrap_or(FALLBACK);
    let mut catalogue = match ctx.config.feature.hosted_fetch_app_templates_mode.as_str() {
        "remote" => told(ctx, language).await.unwrap_or_else(built_in),
        "db" => stored(ctx, language).await?,
        _ => built_in(),
    };
    if catalogue.recommended_apps.is_empty() {
        catalogue = built_in();
    }
    if ctx.config.feature.enable_trial_app {
        mark_trials(ctx, &mut catalogue).await?;
    }
    Ok(catalogue)
}

/// One app of the catalogue, and whether it may be tried (`None` while trials are off).
///
/// # Errors
/// The database's.
#[boxed]
pub async fn find(ctx: &Ctx, app: AppId) -> Result<Option<(Detail, Option<bool>)>, Fault> {
    let detail = match ctx.config.feature.hosted_fetch_app_templates_mode.as_str() {
        "remote" => match told_detail(ctx, app).await {
            Ok(detail) => detail.map(Detail::Told),
            Err(()) => template::find(app).map(Detail::Template),
        },
        "db" => listed(ctx, app).await?.map(|app| Detail::App(Box::new(app))),
        _ => template::find(app).map(Detail::Template),
    };
    let Some(detail) = detail else { return Ok(None) };
    let can_trial = if ctx.config.feature.enable_trial_app {
        let mut conn = ctx.db.acquire().await?;
        Some(!db::trial_app::among(&mut conn, &[app]).await?.is_empty())
    } else {
        None
    };
    Ok(Some((detail, can_trial)))
}

/// The app, if the catalogue of the database lists it and its workspace shares it.
async fn listed(ctx: &Ctx, app: AppId) -> Result<Option<App>, Fault> {
    let mut conn = ctx.db.acquire().await?;
    if !db::recommended_app::is_listed(&mut conn, app).await? {
        return Ok(None);
    }
    let app = db::app::find_by_credential(&mut conn, app).await?;
    Ok(app.filter(|app| app.is_public && app.status == "normal"))
}

async fn told(ctx: &Ctx, language: &str) -> Option<Catalogue> {
    let url = format!("{}/apps", host(ctx));
    let call = ctx.http.upstream().get(&url).query(&[("language", language)]).timeout(TIMEOUT);
    let response = match call.send().await {
        Ok(response) if response.is_success() => response,
        Ok(response) => {
            tracing::warn!(http.status = response.status().as_u16(), "the template host refused");
            return None;
        }
        Err(err) => {
            tracing::warn!(error = %err, "the template host did not answer");
            return None;
        }
    };
    match response.json::<Catalogue>(MAX_ANSWER).await {
        Ok(mut catalogue) => {
            catalogue.categories.sort();
            Some(catalogue)
        }
        Err(err) => {
            tracing::warn!(error = %err, "the template host's answer is unreadable");
            None
        }
    }
}

/// `Err` when the host could not be asked, so that the server's own templates step in.
async fn told_detail(ctx: &Ctx, app: AppId) -> Result<Option<Value>, ()> {
    let url = format!("{}/apps/{app}", host(ctx));
    let response = ctx.http.upstream().get(&url).timeout(TIMEOUT).send().await.map_err(|err| {
        tracing::warn!(error = %err, "the template host did not answer");
    })?;
    if response.status() != net::StatusCode::OK {
        return Ok(None);
    }
    response.json(MAX_ANSWER).await.map(Some).map_err(|err| {
        tracing::warn!(error = %err, "the template host's answer is unreadable");
    })
}

fn host(ctx: &Ctx) -> &str {
    ctx.config.feature.hosted_fetch_app_templates_remote_domain.trim_end_matches('/')
}

async fn stored(ctx: &Ctx, language: &str) -> Result<Catalogue, Fault> {
    let mut conn = ctx.db.acquire().await?;
    let mut apps = db::recommended_app::list(&mut conn, language).await?;
    if apps.is_empty() && language != FALLBACK {
        apps = db::recommended_app::list(&mut conn, FALLBACK).await?;
    }
    drop(conn);
    let categories: BTreeSet<String> = apps.iter().map(|app| app.category.clone()).collect();
    let recommended_apps = apps
        .into_iter()
        .map(|app| Entry {
            app: Some(Face {
                icon_url: links::icon(ctx, app.icon_type.as_deref(), app.icon.as_deref()),
                id: Some(app.app_id.to_string()),
                name: Some(app.name),
                mode: Some(app.mode),
                icon: app.icon,
                icon_type: app.icon_type,
                icon_background: app.icon_background,
            }),
            app_id: Some(app.app_id.to_string()),
            description: app.description,
            copyright: app.copyright,
            privacy_policy: app.privacy_policy,
            custom_disclaimer: Some(app.custom_disclaimer),
            category: Some(app.category),
            position: Some(app.position.into()),
            is_listed: Some(app.is_listed),
            can_trial: None,
        })
        .collect();
    Ok(Catalogue { recommended_apps, categories: categories.into_iter().collect() })
}

fn built_in() -> Catalogue {
    let text = |text: &str| Some(text.to_owned());
    let categories: BTreeSet<&str> = TEMPLATES.iter().map(|template| template.category).collect();
    let recommended_apps = (1..)
        .zip(&TEMPLATES)
        .map(|(position, template)| Entry {
            app: Some(Face {
                id: Some(template.id().to_string()),
                name: text(template.name),
                mode: text(template.mode),
                icon: text(template.icon),
                icon_type: text("emoji"),
                icon_url: None,
                icon_background: text(template.icon_background),
            }),
            app_id: Some(template.id().to_string()),
            description: text(template.description),
            category: text(template.category),
            position: Some(position),
            is_listed: Some(true),
            ..Entry::default()
        })
        .collect();
    Catalogue { recommended_apps, categories: categories.into_iter().map(str::to_owned).collect() }
}

async fn mark_trials(ctx: &Ctx, catalogue: &mut Catalogue) -> Result<(), Fault> {
    let id = |entry: &Entry| entry.app_id.as_deref().and_then(|id| id.parse::<AppId>().ok());
    let ids: Vec<AppId> = catalogue.recommended_apps.iter().filter_map(id).collect();
    let mut conn = ctx.db.acquire().await?;
    let open = db::trial_app::among(&mut conn, &ids).await?;
    for entry in &mut catalogue.recommended_apps {
        entry.can_trial = Some(id(entry).is_some_and(|id| open.contains(&id)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_template_is_in_the_catalogue_and_found_by_its_id() {
        let catalogue = built_in();
        assert_eq!(catalogue.recommended_apps.len(), TEMPLATES.len());
        assert_eq!(catalogue.categories, ["Assistant", "Programming", "Workflow", "Writing"]);
    }

    #[test]
    fn a_template_host_may_leave_things_out() {
        let told: Catalogue =
            serde_json::from_str(r#"{"recommended_apps": [{"app_id": "x", "new": 1}]}"#).unwrap();
        assert_eq!(told.recommended_apps[0].app_id.as_deref(), Some("x"));
        assert!(told.recommended_apps[0].app.is_none());
    }
}
