//! Passwords: the rule for new ones, and the slow work off the async threads.

use crypto::password::StoredPassword;
use db::account::Account;
use services_core::Fault;

use crate::AccountError;

/// What a refused new password is told.
pub use crypto::password::RULE;

/// Whether a new password is acceptable.
#[must_use]
pub fn is_acceptable(password: &str) -> bool {
    crypto::password::is_acceptable(password)
}

/// Refuses a new password that is too weak.
///
/// # Errors
/// [`AccountError::Invalid`] with the rule.
pub(crate) fn check_rule(password: &str) -> Result<(), AccountError> {
    if is_acceptable(password) { Ok(()) } else { Err(AccountError::Invalid(RULE.to_owned())) }
}

/// Hashes a password under a fresh salt.
///
/// # Errors
/// If the thread for it is gone.
pub(crate) async fn hash(password: &str) -> Result<StoredPassword, Fault> {
    let password = password.to_owned();
    blocking(move || crypto::password::hash(&password)).await
}

/// Whether this is the account's password. Takes as long for nobody and for an account without one, so that the time
/// of an answer does not tell which addresses are known.
///
/// # Errors
/// If the thread for it is gone.
pub(crate) async fn verify(account: Option<&Account>, password: &str) -> Result<bool, Fault> {
    let stored = account.and_then(|account| {
        Some((account.password.clone()?, account.password_salt.clone().unwrap_or_default()))
    });
    let password = password.to_owned();
    blocking(move || match stored {
        Some((hash, salt)) => crypto::password::verify(&password, &hash, &salt),
        None => {
            let _ = crypto::password::hash(&password);
            false
        }
    })
    .await
}

/// Runs CPU work of more than a millisecond off the async threads.
///
/// # Errors
/// If the work panicked.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Fault> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|err| Fault::caused("work on a blocking thread broke off", err))
}
