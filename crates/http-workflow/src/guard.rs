//! The app in a console path, for a signed-in member of its workspace.

use std::marker::PhantomData;

use axum::{
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use http_core::{ApiError, AppState, guard::Console};
use services_account::{App, session::SignedIn};
use services_workflow::app;
use types::AppId;

/// Which apps an endpoint takes, by their mode.
pub(crate) trait Modes {
    /// The modes; empty: all.
    const MODES: &'static [&'static str];
}

macro_rules! modes {
    ($($(#[$doc:meta])* $name:ident = $modes:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl Modes for $name {
            const MODES: &'static [&'static str] = $modes;
        }
    )*};
}

modes! {
    /// Every app.
    Any = &[];
    /// Apps with a workflow.
    Flows = app::FLOWS;
    /// Workflows without chat.
    Workflows = &[app::WORKFLOW];
    /// Workflows with chat.
    Chatflows = &[app::CHATFLOW];
}

/// The app `{app_id}` names, and who asks.
pub(crate) struct AppOf<M> {
    pub(crate) app: App,
    pub(crate) user: SignedIn,
    modes: PhantomData<M>,
}

impl<M: Modes> FromRequestParts<AppState> for AppOf<M> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_| ApiError::unknown_path())?;
        let id = params.iter().find(|(name, _)| *name == "app_id");
        let id: Option<AppId> = id.and_then(|(_, id)| id.parse().ok());
        let id = id.ok_or_else(ApiError::unknown_path)?;
        let Console(user) = Console::from_request_parts(parts, state).await?;
        let app = app::find(&state.ctx, user.tenant, id, M::MODES).await?;
        Ok(Self { app, user, modes: PhantomData })
    }
}
