//! Whether there is a newer release.

use boxed::boxed;
use std::{cmp::Ordering, time::Duration};

use serde_json::Value;
use services_core::Ctx;

/// What is known of the newest release.
#[derive(Debug, Clone)]
pub struct Release {
    /// Its version, or the caller's if there is none newer.
    pub version: String,
    /// When it came out.
    pub date: String,
    /// What is new.
    pub notes: String,
    /// Whether an installation can update itself.
    pub can_auto_update: bool,
}

/// Asks `CHECK_UPDATE_URL` for a release newer than `current`.
#[boxed]
pub async fn newest(ctx: &Ctx, current: &str) -> Release {
    let mut release = Release {
        version: types::DIFY_VERSION.to_owned(),
        date: String::new(),
        notes: String::new(),
        can_auto_update: false,
    };
    let url = &ctx.config.feature.check_update_url;
    if url.is_empty() {
        return release;
    }
    let answer = match ask(ctx, url, current).await {
        Ok(answer) => answer,
        Err(err) => {
            tracing::warn!(error = %err, "nobody knows whether there is a newer release");
            current.clone_into(&mut release.version);
            return release;
        }
    };
    let text = |key: &str| answer.get(key).and_then(Value::as_str).map(str::to_owned);
    let latest = text("version").unwrap_or_else(|| release.version.clone());
    if compare(&latest, current) == Some(Ordering::Greater) {
        release.version = latest;
        release.date = text("releaseDate").unwrap_or_default();
        release.notes = text("releaseNotes").unwrap_or_default();
        release.can_auto_update =
            answer.get("canAutoUpdate").and_then(Value::as_bool).unwrap_or(false);
    }
    release
}

async fn ask(ctx: &Ctx, url: &str, current: &str) -> Result<Value, net::NetError> {
    let call = ctx
        .http
        .upstream()
        .get(url)
        .query(&[("current_version", current)])
        .timeout(Duration::from_secs(10));
    call.send().await?.json(1 << 20).await
}

/// Compares versions of numbers with an optional tail (`1.13.2`, `1.2.0-rc1`); `None` if one is no version.
fn compare(a: &str, b: &str) -> Option<Ordering> {
    let parse = |text: &str| -> Option<(Vec<u64>, bool)> {
        let text = text.trim().trim_start_matches('v');
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (numbers, tail) = text.split_at(end);
        let mut numbers = numbers
            .trim_end_matches('.')
            .split('.')
            .map(|number| number.parse().ok())
            .collect::<Option<Vec<u64>>>()?;
        while numbers.last() == Some(&0) {
            numbers.pop();
        }
        Some((numbers, tail.is_empty()))
    };
    // A tail marks a version before the release of the same number.
    Some(parse(a)?.cmp(&parse(b)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_compare_by_number() {
        for (a, b, expected) in [
            ("1.13.10", "1.13.9", Some(Ordering::Greater)),
            ("1.13.2", "1.13.2", Some(Ordering::Equal)),
            ("1.13", "1.13.0", Some(Ordering::Equal)),
            ("1.13.2-rc1", "1.13.2", Some(Ordering::Less)),
            ("2.0.0", "1.99.99", Some(Ordering::Greater)),
            ("latest", "1.0.0", None),
        ] {
            assert_eq!(compare(a, b), expected, "{a} {b}");
        }
    }
}
