//! Guards that hold the app a path names. Which check comes first decides what a stranger learns, so it is part of
//! the guard.

use axum::{extract::FromRequestParts, http::request::Parts};
use db::app::App;
use http_core::{
    ApiError, AppState, Path,
    guard::{Admin, Console, Editor},
};
use services_account::session::SignedIn;
use services_app::app;
use types::AppId;

/// An app of the workspace, and a console user of any role.
pub(crate) struct ReadApp {
    pub app: App,
}

/// An app of the workspace, and a console user who may edit apps; the app is looked for first.
pub(crate) struct EditApp {
    pub user: SignedIn,
    pub app: App,
}

/// An app of the workspace, and a console user who may edit apps; the user is asked first.
pub(crate) struct EditorApp {
    pub user: SignedIn,
    pub app: App,
}

/// An app of the workspace, and its owner or an admin; the user is asked first.
pub(crate) struct AdminApp {
    pub user: SignedIn,
    pub app: App,
}

async fn find(parts: &mut Parts, state: &AppState, user: &SignedIn) -> Result<App, ApiError> {
    let Path(id) = Path::<AppId>::from_request_parts(parts, state).await?;
    Ok(app::find(&state.ctx, user.tenant, id).await?)
}

impl FromRequestParts<AppState> for ReadApp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Console(user) = Console::from_request_parts(parts, state).await?;
        let app = find(parts, state, &user).await?;
        Ok(Self { app })
    }
}

impl FromRequestParts<AppState> for EditApp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Console(user) = Console::from_request_parts(parts, state).await?;
        let app = find(parts, state, &user).await?;
        if !user.role.is_editing() {
            return Err(ApiError::forbidden());
        }
        Ok(Self { user, app })
    }
}

impl FromRequestParts<AppState> for EditorApp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Editor(user) = Editor::from_request_parts(parts, state).await?;
        let app = find(parts, state, &user).await?;
        Ok(Self { user, app })
    }
}

impl FromRequestParts<AppState> for AdminApp {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let Admin(user) = Admin::from_request_parts(parts, state).await?;
        let app = find(parts, state, &user).await?;
        Ok(Self { user, app })
    }
}
