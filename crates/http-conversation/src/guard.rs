//! Guards that hold the app a path names, or the installed app.

use std::collections::HashMap;

use axum::{extract::FromRequestParts, http::request::Parts};
use db::app::App;
use http_core::{ApiError, AppState, Path, guard::Console};
use services_account::session::SignedIn;
use services_app::app::{self, AppError};
use services_platform::explore::installed::{self, Viewer};

use crate::mode;

/// Every app.
pub(crate) const ANY: u8 = 0;
/// Apps people chat with.
pub(crate) const CHAT: u8 = 1;
/// Completion apps.
pub(crate) const COMPLETION: u8 = 2;
/// Chatflows.
pub(crate) const CHATFLOW: u8 = 3;
/// Agents.
pub(crate) const AGENT: u8 = 4;

fn check(app: &App, modes: u8) -> Result<(), AppError> {
    let (fits, names) = match modes {
        CHAT => (mode::is_chat(app), "'advanced-chat', 'agent-chat', 'chat'"),
        COMPLETION => (app.mode == "completion", "'completion'"),
        CHATFLOW => (app.mode == "advanced-chat", "'advanced-chat'"),
        AGENT => (app.mode == "agent-chat", "'agent-chat'"),
        _ => (true, ""),
    };
    if fits { Ok(()) } else { Err(AppError::Mode(names.to_owned())) }
}

/// An app of the workspace, of one of the modes, and a console user of any role.
pub(crate) struct AppOf<const MODES: u8> {
    pub user: SignedIn,
    pub app: App,
}

impl<const MODES: u8> FromRequestParts<AppState> for AppOf<MODES> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Console(user) = Console::from_request_parts(parts, state).await?;
        let app = app::find(&state.ctx, user.tenant, id(parts, state, "app_id").await?).await?;
        check(&app, MODES)?;
        Ok(Self { user, app })
    }
}

/// The same for a user who may edit apps; the app is looked for first.
pub(crate) struct EditAppOf<const MODES: u8> {
    pub user: SignedIn,
    pub app: App,
}

impl<const MODES: u8> FromRequestParts<AppState> for EditAppOf<MODES> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let AppOf { user, app } = AppOf::<MODES>::from_request_parts(parts, state).await?;
        if !user.role.is_editing() {
            return Err(ApiError::forbidden());
        }
        Ok(Self { user, app })
    }
}

/// The app behind an installed app of the user's workspace.
pub(crate) struct Installed {
    pub user: SignedIn,
    pub app: App,
}

impl FromRequestParts<AppState> for Installed {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Console(user) = Console::from_request_parts(parts, state).await?;
        let viewer = Viewer { tenant: user.tenant, account: user.account.id };
        let id = id(parts, state, "installed_app_id").await?;
        let (_, app) = installed::find(&state.ctx, viewer, id).await?;
        Ok(Self { user, app })
    }
}

async fn id<T: std::str::FromStr>(
    parts: &mut Parts,
    state: &AppState,
    name: &str,
) -> Result<T, ApiError> {
    let Path(values) = Path::<HashMap<String, String>>::from_request_parts(parts, state).await?;
    values.get(name).and_then(|id| id.parse().ok()).ok_or_else(ApiError::unknown_path)
}
