//! What is known about a setting apart from its value: names, meaning, status; and how values are shown.

use std::fmt;

/// Where a variable may come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(non_camel_case_types, reason = "the words are the tables' keywords")]
pub(crate) enum Scope {
    /// Process environment, then `.env`; empty is a value.
    anywhere,
    /// The same, but empty means unset, as in a shell's `${NAME:-default}`.
    shell,
    /// Process environment only, under the exact name.
    process,
}

/// Whether a setting has an effect here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// The setting does what it does in the reference.
    Honoured,
    /// The setting is known and checked, and changes nothing; why.
    Ignored(&'static str),
}

#[derive(Debug)]
pub(crate) struct Spec {
    pub(crate) field: &'static str,
    /// Empty: the field's name is the variable's.
    pub(crate) names: &'static [&'static str],
    pub(crate) meaning: &'static str,
    pub(crate) status: Status,
    pub(crate) scope: Scope,
}

/// Settings that no code reads yet, a name a line. A test compares the list with the sources.
const UNREAD: &str = include_str!("unread.txt");

impl Spec {
    /// What the tables say; but a setting nobody reads is not honoured.
    pub(crate) fn status(&self) -> Status {
        let is_unread = || UNREAD.lines().any(|name| name == self.field);
        match self.status {
            Status::Honoured if is_unread() => Status::Ignored(crate::groups::NOT_YET),
            status => status,
        }
    }

    pub(crate) fn name(&self) -> String {
        self.field.to_ascii_uppercase()
    }

    /// The variables the setting is read from, first found wins.
    pub(crate) fn variables(&self) -> Vec<String> {
        match self.names {
            [] => vec![self.name()],
            names => names.iter().map(|&name| name.to_owned()).collect(),
        }
    }
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nothing set it.
    Default,
    /// This variable of the process environment.
    Environment(String),
    /// This variable of the `.env` file.
    DotEnv(String),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::Environment(name) => write!(f, "environment ({name})"),
            Self::DotEnv(name) => write!(f, ".env ({name})"),
        }
    }
}

/// One line of `check-config`.
#[derive(Debug, Clone)]
pub struct Effective {
    /// The setting's upper-case name.
    pub name: String,
    /// The value in force, secrets masked, empty when unset.
    pub value: String,
    /// Where it came from.
    pub source: Source,
    /// Whether it equals the built-in default.
    pub is_default: bool,
    /// Whether it has an effect.
    pub status: Status,
}

impl fmt::Display for Effective {
    /// `NAME=value`, and in brackets where it came from.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}  [{}]", self.name, self.value, self.source)
    }
}

/// Words in a name that make its text a secret.
const SECRET_WORDS: &[&str] =
    &["PASSWORD", "SECRET", "TOKEN", "CREDENTIALS", "DSN", "ACCOUNT_JSON"];
const SECRET_ENDS: &[&str] = &["_API_KEY", "_KEY", "_KEY_FOR_PLUGIN"];
/// Names with such a word or end that are no secrets.
const OPEN: &[&str] = &["WEAVIATE_TOKENIZATION", "HOLOGRES_TOKENIZER"];

/// Whether the text of `name` must not be shown.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    !OPEN.contains(&name.as_str())
        && (SECRET_WORDS.iter().any(|word| name.contains(word))
            || SECRET_ENDS.iter().any(|end| name.ends_with(end)))
}

/// The text as it may be printed: secrets become stars, and so does a password inside an address.
pub(crate) fn mask(name: &str, text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    if is_secret(name) {
        return "********".into();
    }
    let Some((scheme, rest)) = text.split_once("://") else { return text.to_owned() };
    // A password may itself contain a slash, so the last @ of the whole text counts.
    let Some((user, host)) = rest.rsplit_once('@') else { return text.to_owned() };
    match user.split_once(':') {
        Some((name, _)) => format!("{scheme}://{name}:****@{host}"),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_never_shown() {
        assert_eq!(mask("DB_PASSWORD", "x"), "********");
        assert_eq!(mask("CELERY_BROKER_URL", "redis://:pw@h:1/1"), "redis://:****@h:1/1");
        assert_eq!(mask("CELERY_BROKER_URL", "redis://u:p/w@h:1/1"), "redis://u:****@h:1/1");
        assert_eq!(mask("QDRANT_URL", "http://h:6333/a"), "http://h:6333/a");
        assert_eq!(mask("WEAVIATE_TOKENIZATION", "word"), "word");
        assert_eq!(mask("SECRET_KEY", ""), "");
    }
}
