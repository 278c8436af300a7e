//! A text in the two languages that declarations carry.

use serde::{Deserialize, Deserializer, Serialize};

/// A text in English and Chinese. Without a Chinese one the English one serves for both.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct I18n {
    /// Simplified Chinese.
    #[serde(rename = "zh_Hans")]
    pub zh_hans: String,
    /// English.
    #[serde(rename = "en_US")]
    pub en_us: String,
}

impl I18n {
    /// The same text in every language.
    pub fn same(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { zh_hans: text.clone(), en_us: text }
    }

    /// The text for a language tag: Chinese for `zh_Hans` in any case, else English.
    #[must_use]
    pub fn get(&self, language: &str) -> &str {
        if language.eq_ignore_ascii_case("zh_hans") { &self.zh_hans } else { &self.en_us }
    }
}

impl From<&str> for I18n {
    fn from(text: &str) -> Self {
        Self::same(text)
    }
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Raw {
    Text(String),
    Languages {
        #[serde(rename = "zh_Hans", default)]
        zh_hans: Option<String>,
        #[serde(rename = "en_US")]
        en_us: String,
    },
}

impl<'de> Deserialize<'de> for I18n {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Raw::deserialize(deserializer)? {
            Raw::Text(text) => Self::same(text),
            Raw::Languages { zh_hans, en_us } => match zh_hans.filter(|text| !text.is_empty()) {
                Some(zh_hans) => Self { zh_hans, en_us },
                None => Self::same(en_us),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_or_empty_chinese_text_is_the_english_one() {
        for raw in [r#""Hi""#, r#"{"en_US":"Hi"}"#, r#"{"en_US":"Hi","zh_Hans":""}"#] {
            assert_eq!(serde_json::from_str::<I18n>(raw).unwrap(), I18n::same("Hi"), "{raw}");
        }
    }
}
