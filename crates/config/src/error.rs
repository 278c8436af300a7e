//! What is wrong with the configuration, all of it at once.

use std::fmt;

use crate::table::Source;

/// One malformed variable.
#[derive(Debug, Clone)]
pub struct ConfigError {
    /// The variable as it was set (an alias keeps its own name).
    pub name: String,
    /// Its text, masked when it may be a secret.
    pub value: String,
    /// What it should have been, in words.
    pub expected: &'static str,
    /// Why it is not that; continues "NAME …".
    pub reason: String,
    /// Where it was set.
    pub source: Source,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, value, expected, reason, source } = self;
        write!(f, "{name} {reason}")?;
        if !expected.is_empty() {
            write!(f, " [value \"{value}\", expected {expected}, from {source}]")?;
        }
        Ok(())
    }
}

/// Every malformed variable.
#[derive(Debug, Clone)]
pub struct ConfigErrors(pub Vec<ConfigError>);

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} malformed setting(s)", self.0.len())?;
        self.0.iter().try_for_each(|error| write!(f, "\n  {error}"))
    }
}

impl std::error::Error for ConfigErrors {}
