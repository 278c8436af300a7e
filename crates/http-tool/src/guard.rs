//! Guards: users who may do something with plugins.

use axum::{extract::FromRequestParts, http::request::Parts};
use http_core::{ApiError, AppState, guard::Console};
use services_account::session::SignedIn;
use services_tool::plugin_setting::{self, Wish};

macro_rules! plugin_guards {
    ($($(#[$doc:meta])* $name:ident may $wish:expr;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name(pub SignedIn);

        impl FromRequestParts<AppState> for $name {
            type Rejection = ApiError;

            async fn from_request_parts(
                parts: &mut Parts,
                state: &AppState,
            ) -> Result<Self, ApiError> {
                let Console(user) = Console::from_request_parts(parts, state).await?;
                let is_privileged = user.role.is_privileged();
                if plugin_setting::may(&state.ctx, user.tenant, is_privileged, $wish).await? {
                    return Ok(Self(user));
                }
                Err(ApiError::forbidden())
            }
        }
    )*};
}

plugin_guards! {
    /// A [`Console`] user who may install plugins.
    Installer may Wish::Install;
    /// A [`Console`] user who may debug plugins.
    Debugger may Wish::Debug;
}
