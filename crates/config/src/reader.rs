//! Reads settings out of the process environment and the `.env` file, noting every mistake.

use std::collections::{BTreeMap, HashMap};

use crate::error::ConfigError;
use crate::groups::reads_dotenv;
use crate::kind::Kind;
use crate::table::{Scope, Source, Spec, mask};

/// Variables by upper-case name.
#[derive(Debug, Clone, Default)]
struct Variables(HashMap<String, String>);

impl Variables {
    fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut found = HashMap::new();
        for (name, value) in pairs {
            let upper = name.to_ascii_uppercase();
            // Of two spellings of one name the upper-case one wins, whatever their order.
            if upper == name || !found.contains_key(&upper) {
                found.insert(upper, value);
            }
        }
        Self(found)
    }
}

pub(crate) struct Reader {
    process: Variables,
    dotenv: Variables,
    errors: Vec<ConfigError>,
}

impl Reader {
    pub(crate) fn new(
        process: impl IntoIterator<Item = (String, String)>,
        dotenv: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        Self {
            process: Variables::new(process),
            dotenv: Variables::new(dotenv),
            errors: Vec::new(),
        }
    }

    fn lookup(&self, spec: &Spec) -> Option<(&str, Source)> {
        spec.variables().into_iter().find_map(|name| {
            let usable = |value: &&String| spec.scope != Scope::shell || !value.is_empty();
            if let Some(value) = self.process.0.get(&name).filter(usable) {
                return Some((value.as_str(), Source::Environment(name)));
            }
            let value = self.dotenv.0.get(&name).filter(usable)?;
            if !reads_dotenv(spec.scope) {
                return None;
            }
            Some((value.as_str(), Source::DotEnv(name)))
        })
    }

    /// Where the setting's value comes from.
    pub(crate) fn source(&self, spec: &Spec) -> Source {
        self.lookup(spec).map_or(Source::Default, |(_, source)| source)
    }

    /// The setting's value; a malformed one is noted and the default stands in for it.
    pub(crate) fn read<K: Kind>(&mut self, spec: Option<&Spec>, default: K::Literal) -> K::Value {
        let Some(spec) = spec else { return K::default(default) };
        let Some((raw, source)) = self.lookup(spec) else { return K::default(default) };
        match K::parse(raw) {
            Ok(value) => value,
            Err(reason) => {
                let name = match &source {
                    Source::Environment(name) | Source::DotEnv(name) => name.clone(),
                    Source::Default => spec.name(),
                };
                let error = ConfigError {
                    value: mask(&spec.name(), raw),
                    name,
                    expected: K::NAME,
                    reason,
                    source,
                };
                self.errors.push(error);
                K::default(default)
            }
        }
    }

    pub(crate) fn take_errors(&mut self) -> Vec<ConfigError> {
        std::mem::take(&mut self.errors)
    }

    /// Names set anywhere, upper-case, sorted.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.process.0.keys().chain(self.dotenv.0.keys()).map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Whether `name` is set in the `.env` file and not in the process environment.
    pub(crate) fn only_in_dotenv(&self, name: &str) -> bool {
        self.dotenv.0.contains_key(name) && !self.process.0.contains_key(name)
    }

    /// Whether `name` is set to something, anywhere.
    pub(crate) fn is_set(&self, name: &str) -> bool {
        [&self.process, &self.dotenv]
            .iter()
            .any(|vars| vars.0.get(name).is_some_and(|v| !v.is_empty()))
    }

    /// Variables that begin with `prefix`, keyed by the lower-case rest; the process environment
    /// wins, and empty values of `.env` count as unset.
    pub(crate) fn family(&self, prefix: &str) -> BTreeMap<String, String> {
        let dotenv = self.dotenv.0.iter().filter(|(_, value)| !value.is_empty());
        dotenv
            .chain(&self.process.0)
            .filter_map(|(name, value)| {
                let rest = name.strip_prefix(prefix).filter(|rest| !rest.is_empty())?;
                Some((rest.to_ascii_lowercase(), value.clone()))
            })
            .collect()
    }
}
