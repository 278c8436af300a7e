//! What addresses, languages and time zones are valid.

use std::sync::LazyLock;

use regex::Regex;

/// The languages of the console, the default first, each with the time zone its users begin with.
pub const LANGUAGES: [(&str, &str); 23] = [
    ("en-US", "America/New_York"),
    ("zh-Hans", "Asia/Shanghai"),
    ("zh-Hant", "Asia/Taipei"),
    ("pt-BR", "America/Sao_Paulo"),
    ("es-ES", "Europe/Madrid"),
    ("fr-FR", "Europe/Paris"),
    ("de-DE", "Europe/Berlin"),
    ("ja-JP", "Asia/Tokyo"),
    ("ko-KR", "Asia/Seoul"),
    ("ru-RU", "Europe/Moscow"),
    ("it-IT", "Europe/Rome"),
    ("uk-UA", "Europe/Kyiv"),
    ("vi-VN", "Asia/Ho_Chi_Minh"),
    ("ro-RO", "Europe/Bucharest"),
    ("pl-PL", "Europe/Warsaw"),
    ("hi-IN", "Asia/Kolkata"),
    ("tr-TR", "Europe/Istanbul"),
    ("fa-IR", "Asia/Tehran"),
    ("sl-SI", "Europe/Ljubljana"),
    ("th-TH", "Asia/Bangkok"),
    ("id-ID", "Asia/Jakarta"),
    ("ar-TN", "Africa/Tunis"),
    ("nl-NL", "Europe/Amsterdam"),
];

/// Whether the console speaks that language.
#[must_use]
pub fn is_language(tag: &str) -> bool {
    LANGUAGES.iter().any(|(known, _)| *known == tag)
}

/// The language, if the console speaks it, else English.
#[must_use]
pub fn language_or_default(tag: Option<&str>) -> &'static str {
    LANGUAGES.iter().find(|(known, _)| Some(*known) == tag).map_or("en-US", |(known, _)| known)
}

/// The language of mails that exist in two: Chinese for `zh-Hans`, else English.
#[must_use]
pub fn mail_language(tag: Option<&str>) -> &'static str {
    if tag == Some("zh-Hans") { "zh-Hans" } else { "en-US" }
}

/// The time zone users of a language begin with.
#[must_use]
pub fn timezone_of(language: &str) -> &'static str {
    LANGUAGES.iter().find(|(known, _)| *known == language).map_or("UTC", |(_, zone)| zone)
}

/// Whether the IANA database has that time zone.
#[must_use]
pub fn is_timezone(name: &str) -> bool {
    name.parse::<chrono_tz::Tz>().is_ok()
}

/// Whether the reference takes that for an e-mail address.
#[must_use]
pub fn is_email(text: &str) -> bool {
    static EMAIL: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^[\w.!#$%&'*+\-/=?^_`{|}~]+@([\w-]+\.)+[\w-]{2,}\n?$").ok());
    EMAIL.as_ref().is_some_and(|email| email.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_told_from_other_text() {
        for (text, expected) in [
            ("a@example.com", true),
            ("first.last+tag@sub.example.co", true),
            ("ü@exämple.de", true),
            ("nobody", false),
            ("x@", false),
            ("a@b", false),
            ("a b@example.com", false),
            ("a@example.c", false),
        ] {
            assert_eq!(is_email(text), expected, "{text}");
        }
    }

    #[test]
    fn every_language_has_a_real_time_zone() {
        for (language, zone) in LANGUAGES {
            assert!(is_timezone(zone), "{language}: {zone}");
        }
        assert!(!is_timezone("Mars/Olympus"));
        assert_eq!(language_or_default(Some("xx")), "en-US");
        assert_eq!(timezone_of("zh-Hans"), "Asia/Shanghai");
    }
}
