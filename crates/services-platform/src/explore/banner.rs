//! Banners at the top of the Explore page.

use boxed::boxed;
use db::banner::Banner;
use services_core::{Ctx, Failure, Fault};

const FALLBACK: &str = "en-US";

/// Why there are no banners.
#[derive(Debug, thiserror::Error)]
pub enum BannerError {
    /// `ENABLE_EXPLORE_BANNER` is off.
    #[error("Explore banner feature is not enabled.")]
    Off,
    /// Below.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<db::DbError> for BannerError {
    fn from(err: db::DbError) -> Self {
        Self::Fault(err.into())
    }
}

impl Failure for BannerError {
    fn status(&self) -> u16 {
        match self {
            Self::Off => 403,
            Self::Fault(fault) => fault.status(),
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Off => "forbidden",
            Self::Fault(fault) => fault.code(),
        }
    }
}

/// The banners in a language, or the English ones if it has none.
///
/// # Errors
/// [`BannerError::Off`].
#[boxed]
pub async fn list(ctx: &Ctx, language: &str) -> Result<Vec<Banner>, BannerError> {
    if !ctx.config.feature.enable_explore_banner {
        return Err(BannerError::Off);
    }
    let mut conn = ctx.db.acquire().await?;
    let banners = db::banner::list(&mut conn, language).await?;
    if banners.is_empty() && language != FALLBACK {
        return Ok(db::banner::list(&mut conn, FALLBACK).await?);
    }
    Ok(banners)
}
