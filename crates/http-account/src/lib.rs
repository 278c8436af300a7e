//! Console endpoints of accounts, sign-in and workspaces; the web app's sign-in; the operator's.

mod account;
mod activate;
mod admin_key;
mod all_workspaces;
mod billing;
mod body;
mod change_email;
mod compliance;
mod cookies;
mod deletion;
mod education;
mod email_register;
mod enterprise_workspace;
mod features;
mod forgot_password;

mod inner_key;
mod inner_mail;
mod login;
mod members;
mod notifications;
mod oauth;
mod oauth_server;
mod ownership;
mod setup;
mod web_forgot_password;
mod web_login;
mod workspaces;

use http_core::AppState;
use utoipa_axum::router::OpenApiRouter;

pub use cookies::force_logout;

/// The routes of this crate.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .merge(setup::router())
        .merge(login::router())
        .merge(forgot_password::router())
        .merge(email_register::router())
        .merge(activate::router())
        .merge(oauth::router())
        .merge(oauth_server::router())
        .merge(account::router())
        .merge(change_email::router())
        .merge(deletion::router())
        .merge(education::router())
        .merge(members::router())
        .merge(ownership::router())
        .merge(workspaces::router())
        .merge(all_workspaces::router())
        .merge(notifications::router())
        .merge(billing::router())
        .merge(compliance::router())
        .merge(web_login::router())
        .merge(web_forgot_password::router())
        .merge(enterprise_workspace::router())
        .merge(inner_mail::router())
}
