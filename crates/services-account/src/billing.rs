//! What accounts and workspaces have to do with the billing service of the hosted edition.

use serde_json::Value;
use services_core::Ctx;
pub(crate) use services_core::billing::{Call, call};

use crate::AccountError;

/// Refuses the address of an account that was deleted lately. Without billing there are none.
///
/// # Errors
/// [`AccountError::Frozen`].
pub(crate) async fn check_not_frozen(ctx: &Ctx, email: &str) -> Result<(), AccountError> {
    if !ctx.config.feature.billing_enabled {
        return Ok(());
    }
    let asked = Call::get("/account/in-freeze", vec![("email", email.to_owned())]);
    match call(ctx, asked).await {
        Ok(answer) if is_true(answer.get("data")) => Err(AccountError::Frozen),
        Ok(_) => Ok(()),
        Err(err) => {
            tracing::warn!(error = %err, "nobody knows whether an address is frozen");
            Ok(())
        }
    }
}

/// Forgets what is cached of a workspace's plan.
pub(crate) async fn forget_plan(ctx: &Ctx, tenant: types::TenantId) {
    if !ctx.config.feature.billing_enabled {
        return;
    }
    if let Err(err) = ctx.redis.del(&[&format!("tenant:{tenant}:billing_info")]).await {
        tracing::warn!(error = %err, "a cached plan was not forgotten");
    }
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => false,
        Some(Value::Bool(flag)) => *flag,
        Some(Value::Number(number)) => number.as_f64() != Some(0.0),
        Some(Value::String(text)) => !text.is_empty(),
        Some(Value::Array(items)) => !items.is_empty(),
        Some(Value::Object(members)) => !members.is_empty(),
    }
}
