//! Apps of the catalogue that may be tried without installing them.

use boxed::boxed;
use db::app::App;
pub use db::dataset::DatasetSummary;
use services_core::{Ctx, Failure, Fault};
use types::{AccountId, AppId};
use uuid::Uuid;

/// Why an app cannot be tried.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// `ENABLE_TRIAL_APP` is off.
    #[error("Trial app feature is not enabled.")]
    Off,
    /// The app is not among those that may be tried.
    #[error("the app is not allowed to be trial.")]
    NotAllowed,
    /// The account used its tries up.
    #[error("The user has exceeded the trial app limit.")]
    LimitExceeded,
    /// Nobody said which knowledge bases.
    #[error("Need to add ids.")]
    NoIds,
    /// No such app (where the reference only reads one).
    #[error("App not found")]
    AppNotFound,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for TrialError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for TrialError {
    fn status(&self) -> u16 {
        match self {
            Self::Off | Self::NotAllowed | Self::LimitExceeded => 403,
            Self::NoIds => 400,
            Self::AppNotFound => 404,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Off => "forbidden",
            Self::NotAllowed => "trial_app_not_allowed",
            Self::LimitExceeded => "trial_app_limit_exceeded",
            Self::NoIds => "need_add_ids",
            Self::AppNotFound => "app_not_found",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// Whether trials are on at all.
///
/// # Errors
/// [`TrialError::Off`].
pub fn check_enabled(ctx: &Ctx) -> Result<(), TrialError> {
    if ctx.config.feature.enable_trial_app { Ok(()) } else { Err(TrialError::Off) }
}

/// The app an account is about to try: first whether it may be tried by this account, then whether trials are on, as in
/// the reference.
///
/// # Errors
/// [`TrialError::NotAllowed`], [`TrialError::LimitExceeded`], [`TrialError::Off`].
#[boxed]
pub async fn begin(ctx: &Ctx, account: AccountId, app: AppId) -> Result<App, TrialError> {
    let mut conn = ctx.db.acquire().await?;
    let trial =
        db::trial_app::find(&mut conn, app, account).await?.ok_or(TrialError::NotAllowed)?;
    if trial.limit <= trial.used {
        return Err(TrialError::LimitExceeded);
    }
    check_enabled(ctx)?;
    // Being among the trial apps is the credential: they are of other workspaces.
    let app = db::app::find_by_credential(&mut conn, app).await?;
    app.filter(|app| app.status == "normal").ok_or(TrialError::NotAllowed)
}

/// The app an account may have tried: also one whose tries are used up may be stopped.
///
/// # Errors
/// [`TrialError::NotAllowed`], [`TrialError::Off`].
#[boxed]
pub async fn tried(ctx: &Ctx, app: AppId) -> Result<App, TrialError> {
    let mut conn = ctx.db.acquire().await?;
    if db::trial_app::among(&mut conn, &[app]).await?.is_empty() {
        return Err(TrialError::NotAllowed);
    }
    check_enabled(ctx)?;
    let app = db::app::find_by_credential(&mut conn, app).await?;
    app.filter(|app| app.status == "normal").ok_or(TrialError::NotAllowed)
}

/// The app whose page a visitor of the catalogue reads. The reference shows any app of any workspace here once trials
/// are on; only those that may be tried are shown by us.
///
/// # Errors
/// [`TrialError::Off`], [`TrialError::AppNotFound`].
#[boxed]
pub async fn read(ctx: &Ctx, app: AppId) -> Result<App, TrialError> {
    check_enabled(ctx)?;
    let mut conn = ctx.db.acquire().await?;
    if db::trial_app::among(&mut conn, &[app]).await?.is_empty() {
        return Err(TrialError::AppNotFound);
    }
    let app = db::app::find_by_credential(&mut conn, app).await?;
    app.filter(|app| app.status == "normal").ok_or(TrialError::AppNotFound)
}

/// The knowledge bases among `ids` that an app of the catalogue may use: those of its workspace.
///
/// # Errors
/// [`TrialError::NoIds`], and those of [`read`].
#[boxed]
pub async fn datasets(
    ctx: &Ctx,
    app: AppId,
    ids: &[String],
) -> Result<Vec<DatasetSummary>, TrialError> {
    let app = read(ctx, app).await?;
    if ids.is_empty() {
        return Err(TrialError::NoIds);
    }
    // What is no id is nobody's.
    let ids: Vec<Uuid> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let mut conn = ctx.db.acquire().await?;
    Ok(db::dataset::summaries(&mut conn, app.tenant_id, &ids).await?)
}

/// Counts a try.
///
/// # Errors
/// The database's.
#[boxed]
pub async fn count(ctx: &Ctx, account: AccountId, app: AppId) -> Result<(), TrialError> {
    let mut conn = ctx.db.acquire().await?;
    Ok(db::trial_app::count_use(&mut conn, app, account).await?)
}
