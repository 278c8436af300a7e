//! Values of a provider's form, with secrets as [`services_core::secret_form`] keeps them.

use plugin::entity::{ProviderConfig, secrets};
use serde_json::Value;
pub(super) use services_core::secret_form::keep_hidden;
use services_core::{Ctx, Fault, secret_form};
use types::TenantId;

use super::Values;

/// The object a column holds.
pub(super) fn object(column: &Value) -> Values {
    column.as_object().cloned().unwrap_or_default()
}

/// What a column is to hold.
pub(super) async fn seal(
    ctx: &Ctx,
    tenant: TenantId,
    form: &[ProviderConfig],
    values: Values,
) -> Result<Value, Fault> {
    secret_form::seal(ctx, tenant, &secrets(form), values).await.map(Value::Object)
}

/// The values of a column in the clear; what does not decrypt stays as it is.
pub(super) async fn open(
    ctx: &Ctx,
    tenant: TenantId,
    form: &[ProviderConfig],
    column: &Value,
) -> Result<Values, Fault> {
    secret_form::open(ctx, tenant, &secrets(form), object(column)).await
}

/// The values with secrets shown by `mask`.
pub(super) fn masked(form: &[ProviderConfig], values: Values, mask: fn(&str) -> String) -> Values {
    secret_form::masked(&secrets(form), values, mask)
}
