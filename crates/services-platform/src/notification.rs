//! What an account of the cloud edition should be told.

use boxed::boxed;
use serde::Serialize;
use serde_json::Value;
use services_core::Ctx;
use types::AccountId;

use crate::billing::{self, BillingError};

const FALLBACK: &str = "en-US";

/// A notification in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct Notification {
    /// What it is dismissed by.
    pub notification_id: Option<String>,
    /// How often it is shown.
    pub frequency: Option<String>,
    /// The language it is in.
    pub lang: String,
    /// Title.
    pub title: String,
    /// Below the title.
    pub subtitle: String,
    /// Text.
    pub body: String,
    /// Picture beside the title.
    pub title_pic_url: String,
}

/// What the account should be told now, in its language or else in English.
///
/// # Errors
/// [`BillingError`].
#[boxed]
pub async fn list(
    ctx: &Ctx,
    account: AccountId,
    language: Option<&str>,
) -> Result<Vec<Notification>, BillingError> {
    let told = billing::notification(ctx, account).await?;
    Ok(shown(&told, language.filter(|language| !language.is_empty()).unwrap_or(FALLBACK)))
}

fn shown(told: &Value, language: &str) -> Vec<Notification> {
    if told.get("shouldShow").and_then(Value::as_bool) != Some(true) {
        return Vec::new();
    }
    let all = told.get("notifications").and_then(Value::as_array);
    all.into_iter().flatten().map(|one| in_language(one, language)).collect()
}

fn in_language(told: &Value, language: &str) -> Notification {
    let content = told
        .get("contents")
        .and_then(Value::as_object)
        .and_then(|contents| {
            contents
                .get(language)
                .or_else(|| contents.get(FALLBACK))
                .or_else(|| contents.values().next())
        })
        .unwrap_or(&Value::Null);
    let text =
        |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Notification {
        notification_id: text(told, "notificationId"),
        frequency: text(told, "frequency"),
        lang: text(content, "lang").unwrap_or_else(|| language.to_owned()),
        title: text(content, "title").unwrap_or_default(),
        subtitle: text(content, "subtitle").unwrap_or_default(),
        body: text(content, "body").unwrap_or_default(),
        title_pic_url: text(content, "titlePicUrl").unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_reads_its_language_or_english() {
        let told = json!({"shouldShow": true, "notifications": [
            {"notificationId": "n", "contents": {"en-US": {"title": "Hello"}, "de-DE": {"title": "Hallo"}}},
        ]});
        assert_eq!(shown(&told, "de-DE")[0].title, "Hallo");
        assert_eq!(shown(&told, "fr-FR")[0].title, "Hello");
        assert!(shown(&json!({"notifications": [{}]}), "en-US").is_empty());
    }
}
