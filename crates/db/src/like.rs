//! Patterns of `LIKE`.

/// `text` as it stands inside a pattern with `\` as the escape.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_")
}

/// The pattern of what contains `text`.
#[must_use]
pub fn containing(text: &str) -> String {
    format!("%{}%", escape(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_of_a_keyword_are_letters() {
        for (text, expected) in
            [("plain", "plain"), ("50%", "50\\%"), ("a_b", "a\\_b"), ("c\\d", "c\\\\d")]
        {
            assert_eq!(escape(text), expected);
            assert_eq!(containing(text), format!("%{expected}%"));
        }
    }
}
