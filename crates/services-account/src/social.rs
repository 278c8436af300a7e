//! Signing in with an account at GitHub or Google.

use boxed::boxed;
use db::account::Account;
use serde::Deserialize;
use serde_json::Value;
use services_core::{Ctx, Fault};
use url::Url;

use crate::{
    AccountError, Policy, billing, invitation, locale,
    registration::{self, Newcomer},
    sign_in::{self, Tokens},
    tenancy,
};

const MAX_ANSWER: usize = 1 << 20;

const NO_WORKSPACE: &str =
    "Workspace not found, please contact system admin to invite you to join in a workspace.";

/// A service people sign in with.
#[derive(Debug, Clone)]
pub struct Provider {
    kind: Kind,
    client_id: String,
    client_secret: String,
    redirect_uri: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    GitHub,
    Google,
}

impl Provider {
    /// The service of that name, if the operator configured it.
    #[must_use]
    pub fn named(ctx: &Ctx, name: &str) -> Option<Self> {
        let settings = &ctx.config.feature;
        let (kind, id, secret) = match name {
            "github" => (Kind::GitHub, &settings.github_client_id, &settings.github_client_secret),
            "google" => (Kind::Google, &settings.google_client_id, &settings.google_client_secret),
            _ => return None,
        };
        let given = |value: &Option<String>| value.clone().filter(|value| !value.is_empty());
        Some(Self {
            kind,
            client_id: given(id)?,
            client_secret: given(secret)?,
            redirect_uri: format!(
                "{}/console/api/oauth/authorize/{name}",
                settings.console_api_url
            ),
        })
    }

    fn name(&self) -> &'static str {
        match self.kind {
            Kind::GitHub => "github",
            Kind::Google => "google",
        }
    }

    /// Where the browser is sent to sign in. An invitation travels in `state`.
    ///
    /// # Errors
    /// Never for the built-in addresses.
    pub fn authorization_url(&self, invite_token: Option<&str>) -> Result<String, Fault> {
        let (base, scope) = match self.kind {
            Kind::GitHub => ("https://github.com/login/oauth/authorize", "user:email"),
            Kind::Google => ("https://accounts.google.com/o/oauth2/v2/auth", "openid email"),
        };
        let mut url =
            Url::parse(base).map_err(|err| Fault::caused("a built-in address is none", err))?;
        {
            let mut query = url.query_pairs_mut();
            query.append_pair("client_id", &self.client_id);
            if self.kind == Kind::Google {
                query.append_pair("response_type", "code");
            }
            query.append_pair("redirect_uri", &self.redirect_uri);
            query.append_pair("scope", scope);
            if let Some(token) = invite_token.filter(|token| !token.is_empty()) {
                query.append_pair("state", token);
            }
        }
        Ok(url.into())
    }

    async fn user(&self, ctx: &Ctx, code: &str) -> Result<Person, Fault> {
        let failed = |err| Fault::caused("the sign-in service does not answer", err);
        let mut form = vec![
            ("client_id", self.client_id.as_str()),
            ("client_secret", &self.client_secret),
            ("code", code),
            ("redirect_uri", &self.redirect_uri),
        ];
        let url = match self.kind {
            Kind::GitHub => "https://github.com/login/oauth/access_token",
            Kind::Google => {
                form.push(("grant_type", "authorization_code"));
                "https://oauth2.googleapis.com/token"
            }
        };
        let call = ctx.http.upstream().post(url).header("Accept", "application/json").form(&form);
        let answer: Value =
            call.send().await.map_err(failed)?.json(MAX_ANSWER).await.map_err(failed)?;
        let token =
            answer.get("access_token").and_then(Value::as_str).filter(|token| !token.is_empty());
        let token = token
            .ok_or_else(|| Fault::Other("the sign-in service gave no access token".to_owned()))?;
        match self.kind {
            Kind::GitHub => {
                let header = format!("token {token}");
                let user: GitHubUser = get(ctx, "https://api.github.com/user", &header).await?;
                let emails: Vec<GitHubEmail> =
                    get(ctx, "https://api.github.com/user/emails", &header).await?;
                Ok(user.into_person(&emails))
            }
            Kind::Google => {
                let header = format!("Bearer {token}");
                let user: GoogleUser =
                    get(ctx, "https://www.googleapis.com/oauth2/v3/userinfo", &header).await?;
                Ok(Person { id: user.sub, name: String::new(), email: user.email })
            }
        }
    }
}

async fn get<T: serde::de::DeserializeOwned>(
    ctx: &Ctx,
    url: &str,
    token: &str,
) -> Result<T, Fault> {
    let failed = |err| Fault::caused("the sign-in service does not answer", err);
    // GitHub refuses calls that do not say who calls.
    let call =
        ctx.http.upstream().get(url).header("Authorization", token).header("User-Agent", "dify");
    let answer = call.send().await.map_err(failed)?;
    if !answer.is_success() {
        return Err(Fault::Other(format!("the sign-in service answered {}", answer.status())));
    }
    answer.json(MAX_ANSWER).await.map_err(failed)
}

/// Somebody a service vouches for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Person {
    id: String,
    name: String,
    email: String,
}

#[derive(Debug, Deserialize)]
struct GitHubUser {
    id: i64,
    login: String,
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct GitHubEmail {
    email: String,
    #[serde(default)]
    primary: bool,
    #[serde(default)]
    verified: Option<bool>,
}

#[derive(Debug, Deserialize)]
struct GoogleUser {
    sub: String,
    email: String,
}

impl GitHubUser {
    /// The primary address counts only if GitHub has verified it: an account here is opened by it.
    fn into_person(self, emails: &[GitHubEmail]) -> Person {
        let primary = emails
            .iter()
            .find(|email| email.primary && email.verified != Some(false))
            .map(|email| email.email.clone())
            .filter(|email| !email.is_empty());
        Person {
            email: primary
                .unwrap_or_else(|| format!("{}+{}@users.noreply.github.com", self.id, self.login)),
            id: self.id.to_string(),
            name: self.name.unwrap_or_default(),
        }
    }
}

/// What a browser that comes back from a service gets.
#[derive(Debug)]
pub enum Outcome {
    /// The service does not vouch for it.
    Failed,
    /// On to this address, without a session.
    Redirect(String),
    /// On to this address, with a session.
    SignedIn(String, Tokens),
}

/// What a browser brings back from a service.
#[derive(Debug, Clone, Copy)]
pub struct Callback<'a> {
    /// What the service answers who it was for.
    pub code: &'a str,
    /// An invitation.
    pub invite_token: Option<&'a str>,
    /// The language a new account begins with.
    pub language: &'a str,
    /// The client's address.
    pub ip: &'a str,
}

/// Signs somebody in a service vouches for; a stranger gets an account where registration is allowed.
///
/// # Errors
/// The ground's; everything else is told at the sign-in page.
#[tracing::instrument(skip_all)]
#[boxed]
pub async fn finish(
    ctx: &Ctx,
    policy: Policy,
    provider: &Provider,
    callback: Callback<'_>,
) -> Result<Outcome, AccountError> {
    let web = &ctx.config.feature.console_web_url;
    let person = match provider.user(ctx, callback.code).await {
        Ok(person) => person,
        Err(err) => {
            tracing::warn!(error = %err, cause = ?std::error::Error::source(&err).map(ToString::to_string), "a sign-in elsewhere failed");
            return Ok(Outcome::Failed);
        }
    };
    let told = |message: &str| Ok(Outcome::Redirect(format!("{web}/signin?message={message}")));
    if let Some(token) = callback.invite_token.filter(|token| !token.is_empty()) {
        match invitation::address(ctx, token).await? {
            Some(email) if email.to_lowercase() != person.email.to_lowercase() => {
                return told("Invalid invitation token.");
            }
            Some(_) => {
                let to = format!("{web}/signin/invite-settings?invite_token={token}");
                return Ok(Outcome::Redirect(to));
            }
            None => {}
        }
    }
    let (account, is_new) = match account_of(ctx, policy, provider, &person, callback.language)
        .await
    {
        Ok(found) => found,
        Err(AccountError::NoAccount) => return told("Invalid email or password"),
        Err(AccountError::Frozen) => {
            return told(
                "This email account has been deleted within the past 30 days and is temporarily unavailable \
                 for new account registration",
            );
        }
        Err(AccountError::NoWorkspace | AccountError::WorkspacesExhausted) => {
            return told(NO_WORKSPACE);
        }
        Err(err) => return Err(err),
    };
    if account.status == "banned" {
        return told("Account is banned.");
    }
    let tokens = sign_in::open(ctx, account.id, Some(callback.ip)).await?;
    let joint = if web.contains('?') { '&' } else { '?' };
    Ok(Outcome::SignedIn(format!("{web}{joint}oauth_new_user={is_new}"), tokens))
}

/// The account linked to a person, else the one with their address, else a new one; and whether it is new.
async fn account_of(
    ctx: &Ctx,
    policy: Policy,
    provider: &Provider,
    person: &Person,
    language: &str,
) -> Result<(Account, bool), AccountError> {
    let mut conn = ctx.db.acquire().await?;
    let linked =
        db::account_integrate::find_account(&mut conn, provider.name(), &person.id).await?;
    let mut known = match linked {
        Some(id) => db::account::find(&mut conn, id).await?,
        None => None,
    };
    if known.is_none() {
        known = db::account::find_by_email(&mut conn, &person.email).await?;
    }
    let Some(account) = known else {
        drop(conn);
        let email = person.email.to_lowercase();
        if !policy.allow_register {
            billing::check_not_frozen(ctx, &email).await?;
            return Err(AccountError::NoAccount);
        }
        let name = if person.name.is_empty() { "Dify" } else { &person.name };
        let language = locale::language_or_default(Some(language));
        let new = Newcomer { email: &email, name, password: None, language };
        let made =
            registration::create_vouched(ctx, policy, new, provider.name(), &person.id).await?;
        if !policy.allow_create_workspace {
            // There is an account now, but nothing to sign in to until somebody invites it.
            return Err(AccountError::NoWorkspace);
        }
        return Ok((made, true));
    };
    if account.status == "banned" {
        return Ok((account, false));
    }
    let homeless = db::tenant::joined(&mut conn, account.id).await?.is_empty();
    drop(conn);
    if homeless {
        let name = format!("{}'s Workspace", account.name);
        tenancy::create_for(ctx, policy, account.id, &name).await?;
    }
    let mut conn = ctx.db.acquire().await?;
    db::account_integrate::link(&mut conn, account.id, provider.name(), &person.id).await?;
    Ok((account, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn github(emails: &[GitHubEmail]) -> String {
        let user = GitHubUser { id: 7, login: "zoe".to_owned(), name: None };
        user.into_person(emails).email
    }

    #[test]
    fn only_a_verified_primary_address_opens_an_account() {
        let email = |email: &str, primary, verified| GitHubEmail {
            email: email.to_owned(),
            primary,
            verified,
        };
        let hidden = "7+zoe@users.noreply.github.com";
        assert_eq!(github(&[email("a@x.org", false, Some(true))]), hidden);
        assert_eq!(github(&[email("a@x.org", true, Some(false))]), hidden);
        assert_eq!(github(&[email("a@x.org", true, Some(true))]), "a@x.org");
    }
}
