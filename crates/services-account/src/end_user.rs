//! End users: who uses a published app.

use boxed::boxed;
use db::{
    app::App,
    end_user::{EndUser, NewEndUser},
};
use services_core::{Ctx, Failure, Fault};
use types::EndUserId;

/// The session of callers that name no user.
pub const DEFAULT_SESSION: &str = "DEFAULT-USER";

/// Sessions longer than this are looked up each time.
const LONGEST_KNOWN: usize = 128;

/// Why an end user is not shown.
#[derive(Debug, thiserror::Error)]
pub enum EndUserError {
    /// The app has no such user.
    #[error("End user not found.")]
    NotFound,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for EndUserError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for EndUserError {
    fn status(&self) -> u16 {
        match self {
            Self::NotFound => 404,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::NotFound => "end_user_not_found",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// A user of `app`.
///
/// # Errors
/// [`EndUserError::NotFound`].
#[boxed]
pub async fn find(ctx: &Ctx, app: &App, id: EndUserId) -> Result<EndUser, EndUserError> {
    let mut conn = ctx.db.acquire().await?;
    db::end_user::find_of_app(&mut conn, app.tenant_id, app.id, id)
        .await?
        .ok_or(EndUserError::NotFound)
}

/// The end user `user` of an app for the service API, made on first sight.
///
/// A user of another type with the same session becomes one of this type, as in the reference.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn of_service(ctx: &Ctx, app: &App, user: Option<&str>) -> Result<EndUser, Fault> {
    find_or_create(ctx, app, user, "service-api").await
}

/// The end user with session `user` and type `kind` of an app, made on first sight.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn find_or_create(
    ctx: &Ctx,
    app: &App,
    user: Option<&str>,
    kind: &str,
) -> Result<EndUser, Fault> {
    let session = user.filter(|user| !user.is_empty()).unwrap_or(DEFAULT_SESSION);
    let key = (app.id, session.to_owned());
    if let Some(known) = ctx.end_users().get(&key).filter(|known| known.r#type == kind) {
        return Ok(known);
    }
    let user = read_or_create(ctx, app, session, kind).await?;
    // Sessions are the callers' to choose, and so is how long they are.
    if key.1.len() <= LONGEST_KNOWN {
        ctx.end_users().insert(key, user.clone());
    }
    Ok(user)
}

async fn read_or_create(ctx: &Ctx, app: &App, session: &str, kind: &str) -> Result<EndUser, Fault> {
    let mut conn = ctx.db.acquire().await?;
    if let Some(known) = read(&mut conn, app, session, kind).await? {
        return Ok(known);
    }
    // Of several first requests at once, one makes the user.
    drop(conn);
    let mut tx = ctx.db.begin().await?;
    db::end_user::lock_session(&mut tx, app.tenant_id, session).await?;
    let user = match read(&mut tx, app, session, kind).await? {
        Some(known) => known,
        None => {
            let new = NewEndUser {
                tenant: app.tenant_id,
                app: Some(app.id),
                kind,
                external_user: Some(session),
                is_anonymous: session == DEFAULT_SESSION,
                session,
            };
            db::end_user::insert(&mut tx, new).await?
        }
    };
    tx.commit().await?;
    Ok(user)
}

/// The user with that session, who is of that type from now on.
async fn read(
    conn: &mut db::PgConnection,
    app: &App,
    session: &str,
    kind: &str,
) -> Result<Option<EndUser>, Fault> {
    let known = db::end_user::find_by_session(conn, app.tenant_id, app.id, session, kind).await?;
    let Some(mut known) = known else { return Ok(None) };
    if known.r#type != kind {
        db::end_user::set_type(conn, app.tenant_id, known.id, kind).await?;
        kind.clone_into(&mut known.r#type);
    }
    Ok(Some(known))
}
