//! `invitation_codes`: what opens an account in the hosted edition.

use boxed::boxed;
use sqlx::PgConnection;
use types::{AccountId, TenantId};

use crate::Result;

/// Uses a code up; answers whether it was unused.
#[tracing::instrument(name = "db.invitation_code.claim", skip_all, err)]
#[boxed]
pub async fn claim(
    db: &mut PgConnection,
    code: &str,
    tenant: TenantId,
    account: AccountId,
) -> Result<bool> {
    let done = sqlx::query!(
        r#"
        UPDATE invitation_codes
        SET status = 'used', used_at = CURRENT_TIMESTAMP, used_by_tenant_id = $2, used_by_account_id = $3
        WHERE code = $1 AND status = 'unused'
        "#,
        code,
        tenant as _,
        account as _,
    )
    .execute(db)
    .await?;
    Ok(0 < done.rows_affected())
}
