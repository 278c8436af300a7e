//! `human_input_form_deliveries` and `human_input_form_recipients`: how a form reaches people, and their tokens.

use boxed::boxed;
use chrono::NaiveDateTime;
use sqlx::PgConnection;
use types::{AccountId, TenantId};
use uuid::Uuid;

use crate::Result;

/// Somebody a form was given to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recipient {
    /// The row.
    pub id: Uuid,
    /// The form.
    pub form_id: Uuid,
    /// The delivery it came by.
    pub delivery_id: Uuid,
    /// `standalone_web_app`, `console`, `backstage`, `email_member` or `email_external`.
    pub recipient_type: String,
    /// JSON text with `TYPE` and what that type has.
    pub recipient_payload: String,
    /// What opens the form.
    pub access_token: String,
}

/// A way a form reaches people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The row.
    pub id: Uuid,
    /// `webapp` or `email`.
    pub delivery_method_type: String,
    /// JSON text of the method's settings.
    pub channel_payload: String,
}

/// The recipients of some forms of a workspace.
#[tracing::instrument(name = "db.human_input_recipient.list", skip_all, err)]
#[boxed]
pub async fn list(
    db: &mut PgConnection,
    tenant: TenantId,
    forms: &[Uuid],
) -> Result<Vec<Recipient>> {
    Ok(sqlx::query_as!(
        Recipient,
        r#"
        SELECT r.id, r.form_id, r.delivery_id, r.recipient_type, r.recipient_payload, r.access_token
        FROM human_input_form_recipients r
        JOIN human_input_forms f ON f.id = r.form_id
        WHERE f.tenant_id = $1 AND r.form_id = ANY($2)
        ORDER BY r.created_at, r.id
        "#,
        tenant as _,
        forms,
    )
    .fetch_all(db)
    .await?)
}

/// The ways a form of a workspace reaches people.
#[tracing::instrument(name = "db.human_input_recipient.deliveries", skip_all, err)]
#[boxed]
pub async fn deliveries(
    db: &mut PgConnection,
    tenant: TenantId,
    form: Uuid,
) -> Result<Vec<Delivery>> {
    Ok(sqlx::query_as!(
        Delivery,
        r#"
        SELECT d.id, d.delivery_method_type, d.channel_payload
        FROM human_input_form_deliveries d
        JOIN human_input_forms f ON f.id = d.form_id
        WHERE f.tenant_id = $1 AND d.form_id = $2
        ORDER BY d.created_at, d.id
        "#,
        tenant as _,
        form,
    )
    .fetch_all(db)
    .await?)
}

/// A delivery that is about to be made.
#[derive(Debug, Clone, Copy)]
pub struct NewDelivery<'a> {
    /// The row.
    pub id: Uuid,
    /// The form, which must be the workspace's.
    pub form: Uuid,
    /// See [`Delivery::delivery_method_type`].
    pub method: &'a str,
    /// The method's id in the node.
    pub config: Option<Uuid>,
    /// See [`Delivery::channel_payload`].
    pub payload: &'a str,
    /// When.
    pub now: NaiveDateTime,
}

/// Adds a delivery of a form of the workspace.
#[tracing::instrument(name = "db.human_input_recipient.insert_delivery", skip_all, err)]
#[boxed]
pub async fn insert_delivery(
    db: &mut PgConnection,
    tenant: TenantId,
    new: NewDelivery<'_>,
) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO human_input_form_deliveries (id, created_at, updated_at, form_id, delivery_method_type,
                                                 delivery_config_id, channel_payload)
        SELECT $1, $2, $2, f.id, $3, $4, $5 FROM human_input_forms f WHERE f.tenant_id = $6 AND f.id = $7
        "#,
        new.id,
        new.now,
        new.method,
        new.config,
        new.payload,
        tenant as _,
        new.form,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A recipient that is about to be noted; fields as in [`Recipient`].
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "fields of Recipient")]
pub struct NewRecipient<'a> {
    pub form: Uuid,
    pub delivery: Uuid,
    pub recipient_type: &'a str,
    pub payload: &'a str,
    pub access_token: &'a str,
    pub now: NaiveDateTime,
}

/// Adds a recipient of a form of the workspace.
#[tracing::instrument(name = "db.human_input_recipient.insert", skip_all, err)]
#[boxed]
pub async fn insert(db: &mut PgConnection, tenant: TenantId, new: NewRecipient<'_>) -> Result<()> {
    sqlx::query!(
        r#"
        INSERT INTO human_input_form_recipients (id, created_at, updated_at, form_id, delivery_id, recipient_type,
                                                 recipient_payload, access_token)
        SELECT $1, $2, $2, f.id, $3, $4, $5, $6 FROM human_input_forms f WHERE f.tenant_id = $7 AND f.id = $8
        "#,
        Uuid::now_v7(),
        new.now,
        new.delivery,
        new.recipient_type,
        new.payload,
        new.access_token,
        tenant as _,
        new.form,
    )
    .execute(db)
    .await?;
    Ok(())
}

/// A member of a workspace with an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The account.
    pub id: AccountId,
    /// Its address.
    pub email: String,
}

/// Members of a workspace: those of `ids`, or all of them.
#[tracing::instrument(name = "db.human_input_recipient.members", skip_all, err)]
#[boxed]
pub async fn members(
    db: &mut PgConnection,
    tenant: TenantId,
    ids: Option<&[Uuid]>,
) -> Result<Vec<Member>> {
    Ok(sqlx::query_as!(
        Member,
        r#"
        SELECT a.id, a.email
        FROM accounts a JOIN tenant_account_joins j ON j.account_id = a.id
        WHERE j.tenant_id = $1 AND ($2::uuid[] IS NULL OR a.id = ANY($2))
        ORDER BY j.created_at, a.id
        "#,
        tenant as _,
        ids,
    )
    .fetch_all(db)
    .await?)
}
