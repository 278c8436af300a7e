//! Forms by mail: one letter for each recipient, with a link of its own.

use boxed::boxed;
use db::{human_input_form::Form, human_input_recipient};
use mail::Rendered;
use serde_json::Value;
use services_core::{Ctx, Fault};
use uuid::Uuid;

/// A mail with a link to a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// The recipient's row.
    pub recipient: Uuid,
    /// The address.
    pub to: String,
    /// What it says.
    pub message: Rendered,
}

/// The letters of a form that still waits; none if the workspace may not send any.
///
/// # Errors
/// Faults of the database.
#[boxed]
pub async fn of_form(ctx: &Ctx, form: Uuid) -> Result<Vec<Letter>, Fault> {
    let (form, deliveries, recipients) = {
        let mut conn = ctx.db.acquire().await?;
        let Some(form) = db::human_input_form::find_for_task(&mut conn, form).await? else {
            return Ok(Vec::new());
        };
        let deliveries =
            human_input_recipient::deliveries(&mut conn, form.tenant_id, form.id).await?;
        let recipients = human_input_recipient::list(&mut conn, form.tenant_id, &[form.id]).await?;
        (form, deliveries, recipients)
    };
    if !is_waiting(ctx, &form) {
        return Ok(Vec::new());
    }
    let features = services_platform::feature::features(ctx, form.tenant_id).await?;
    if !features.human_input_email_delivery_enabled {
        tracing::info!(form.id = %form.id, "the workspace may not send forms by mail");
        return Ok(Vec::new());
    }
    let mut letters = Vec::new();
    for delivery in deliveries.iter().filter(|it| it.delivery_method_type == "email") {
        let method: Value = serde_json::from_str(&delivery.channel_payload).unwrap_or_default();
        let text = |key: &str| method.pointer(&format!("/config/{key}")).and_then(Value::as_str);
        let subject = mail::plain_line(text("subject").unwrap_or_default());
        // The body with the run's values, where the run left it.
        let body = text("rendered_body").or_else(|| text("body")).unwrap_or_default();
        for recipient in recipients.iter().filter(|it| it.delivery_id == delivery.id) {
            let Some(to) = address(&recipient.recipient_payload) else { continue };
            let link = link(ctx, &recipient.access_token);
            let html = mail::markdown(&body.replace("{{#url#}}", &link));
            let message = Rendered { subject: subject.clone(), html };
            letters.push(Letter { recipient: recipient.id, to, message });
        }
    }
    Ok(letters)
}

fn is_waiting(ctx: &Ctx, form: &Form) -> bool {
    form.status == "waiting" && form.expiration_time > ctx.now_naive()
}

fn address(payload: &str) -> Option<String> {
    let payload: Value = serde_json::from_str(payload).ok()?;
    let kind = payload.get("TYPE")?.as_str()?;
    let is_mail = ["email_member", "email_external"].contains(&kind);
    let address = payload.get("email")?.as_str()?;
    (is_mail && !address.is_empty()).then(|| address.to_owned())
}

fn link(ctx: &Ctx, token: &str) -> String {
    format!("{}/form/{token}", ctx.config.feature.app_web_url.trim_end_matches('/'))
}
