//! How secrets are shown to the people who own them. Lengths are in characters.

/// In a submitted credential: keep the stored value.
pub const HIDDEN: &str = "[__HIDDEN__]";
/// Stored when [`HIDDEN`] arrives for a key that has no stored value.
pub const UNKNOWN: &str = "[__UNKNOWN__]";

/// Model credentials and API keys: six characters, twelve stars, two characters; up to eight characters
/// are twenty stars, nothing stays nothing.
#[must_use]
pub fn obfuscated_token(token: &str) -> String {
    match token.chars().count() {
        0 => String::new(),
        1..=8 => full(),
        _ => format!("{}{}{}", head(token, 6), "*".repeat(12), tail(token, 2)),
    }
}

/// Twenty stars.
#[must_use]
pub fn full() -> String {
    "*".repeat(20)
}

/// Tool, datasource and MCP credentials: all but two characters at each end, everything up to six.
#[must_use]
pub fn provider_secret(value: &str) -> String {
    middle(value, 6)
}

/// Trigger credentials: all but two characters at each end, everything up to four.
#[must_use]
pub fn trigger_secret(value: &str) -> String {
    middle(value, 4)
}

fn middle(value: &str, all_up_to: usize) -> String {
    let length = value.chars().count();
    if length <= all_up_to {
        return "*".repeat(length);
    }
    format!("{}{}{}", head(value, 2), "*".repeat(length.saturating_sub(4)), tail(value, 2))
}

fn head(text: &str, count: usize) -> String {
    text.chars().take(count).collect()
}

fn tail(text: &str, count: usize) -> String {
    text.chars().skip(text.chars().count().saturating_sub(count)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn masks_hide_the_middle() {
        assert_eq!(provider_secret("123456"), "******");
        assert_eq!(provider_secret("1234567"), "12***67");
        assert_eq!(trigger_secret("1234"), "****");
        assert_eq!(trigger_secret("12345"), "12*45");
        assert_eq!(trigger_secret("密钥密钥密"), "密钥*钥密");
    }
}
