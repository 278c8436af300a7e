//! Every setting of the server, typed.
//!
//! [`Config::load`] reads the process environment and the `.env` file of the working directory (the
//! environment wins, names are case-insensitive) and reports every malformed variable at once. A group
//! is a public field and a setting is a public field of its group, named like the variable in lower
//! case: `config.feature.console_web_url`. Methods of [`Config`] answer what the reference derives from
//! several settings.
//!
//! Invariant: nothing else in the server reads the environment.

#[macro_use]
mod groups;
mod derived;
pub mod docs;
mod error;
pub mod kind;
mod reader;
mod table;
mod warning;

use std::collections::{BTreeMap, HashSet};
use std::path::Path;

pub use derived::{
    DatabaseSettings, Mode, RedisNode, RedisSettings, RedisTls, RedisTopology, SentinelSettings,
    list,
};
pub use error::{ConfigError, ConfigErrors};
use groups::Table;
pub use groups::{
    Deploy, Direct, Enterprise, Entrypoint, Extra, Feature, Middleware, Observability, Own,
    Packaging, RemoteSettingsSources,
};
use reader::Reader;
pub use table::{Effective, Source, Status};

/// Every setting, read once at start.
#[derive(Debug, Clone)]
pub struct Config {
    /// What this deployment is called and how it is run.
    pub deploy: Deploy,
    /// Everything the product does that can be switched, limited or timed.
    pub feature: Feature,
    /// Database, Redis, queue, storage and vector stores.
    pub middleware: Middleware,
    /// Notion, Sentry and the archive of old runs.
    pub extra: Extra,
    /// Switches of the enterprise edition.
    pub enterprise: Enterprise,
    /// OpenTelemetry export.
    pub observability: Observability,
    /// What the build stamped into the image.
    pub packaging: Packaging,
    /// Configuration services settings could be read from.
    pub remote_settings_sources: RemoteSettingsSources,
    /// What the image's start script reads.
    pub entrypoint: Entrypoint,
    /// Variables the reference reads past its settings.
    pub direct: Direct,
    /// Settings the reference does not have.
    pub own: Own,
    /// Variables set to something, upper-case.
    set: HashSet<String>,
    /// Variables as they were set, upper-case; the process environment wins.
    variables: BTreeMap<String, String>,
    /// `OPENDAL_<SCHEME>_*`, keyed by the lower-case rest after `OPENDAL_`.
    opendal: BTreeMap<String, String>,
    effective: Vec<Effective>,
    warnings: Vec<String>,
}

impl Config {
    /// Reads the process environment and `.env` in the working directory.
    ///
    /// # Errors
    /// Every malformed variable, or the `.env` file if it cannot be read.
    pub fn load() -> Result<Self, ConfigErrors> {
        let process = std::env::vars_os().filter_map(|(name, value)| {
            // What is not UTF-8 cannot be one of our variables.
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self::read(process, read_dotenv(Path::new(".env"))?)
    }

    /// Settings from pairs that stand for the process environment; nothing else is read.
    ///
    /// # Errors
    /// Every malformed variable.
    pub fn from_map<N: Into<String>, V: Into<String>>(
        map: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ConfigErrors> {
        let process = map.into_iter().map(|(name, value)| (name.into(), value.into()));
        Self::read(process, Vec::new())
    }

    fn read(
        process: impl IntoIterator<Item = (String, String)>,
        dotenv: Vec<(String, String)>,
    ) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(process, dotenv);
        let mut config = Self {
            deploy: Deploy::read(&mut reader),
            feature: Feature::read(&mut reader),
            middleware: Middleware::read(&mut reader),
            extra: Extra::read(&mut reader),
            enterprise: Enterprise::read(&mut reader),
            observability: Observability::read(&mut reader),
            packaging: Packaging::read(&mut reader),
            remote_settings_sources: RemoteSettingsSources::read(&mut reader),
            entrypoint: Entrypoint::read(&mut reader),
            direct: Direct::read(&mut reader),
            own: Own::read(&mut reader),
            set: reader
                .names()
                .into_iter()
                .filter(|n| reader.is_set(n))
                .map(str::to_owned)
                .collect(),
            variables: reader.family(""),
            opendal: reader.family("OPENDAL_"),
            effective: Vec::new(),
            warnings: Vec::new(),
        };
        let errors = reader.take_errors();
        if !errors.is_empty() {
            return Err(ConfigErrors(errors));
        }
        config.effective =
            config.groups().into_iter().flat_map(|(_, group)| group.effective(&reader)).collect();
        config.warnings = warning::of(&config, &reader);
        Ok(config)
    }

    /// The groups with their headings, in the order of the documentation.
    fn groups(&self) -> Vec<(&'static str, &dyn Table)> {
        vec![
            ("Additions of this server", &self.own),
            ("Start script", &self.entrypoint),
            ("Deployment", &self.deploy),
            ("Features", &self.feature),
            ("Middleware", &self.middleware),
            ("Extra services", &self.extra),
            ("Enterprise", &self.enterprise),
            ("Observability", &self.observability),
            ("Packaging", &self.packaging),
            ("Remote settings sources", &self.remote_settings_sources),
            ("Read from the process environment only", &self.direct),
        ]
    }

    /// Whether the variable is set to something other than the empty text.
    #[must_use]
    pub fn is_set(&self, name: &str) -> bool {
        self.set.contains(&name.to_ascii_uppercase())
    }

    /// Variables as they were set, upper-case, for options that are passed on to a library.
    pub fn variables(&self) -> impl Iterator<Item = (String, String)> {
        self.variables.iter().map(|(name, value)| (name.to_ascii_uppercase(), value.clone()))
    }

    /// Every setting with its value in force, secrets masked, as it was at start.
    #[must_use]
    pub fn effective(&self) -> &[Effective] {
        &self.effective
    }

    /// What an operator should know: settings of Dify that are set and have no effect here, a line a
    /// reason, and unknown variables whose name is almost one of ours.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }
}

fn read_dotenv(path: &Path) -> Result<Vec<(String, String)>, ConfigErrors> {
    let unreadable = |why: dotenvy::Error| {
        ConfigErrors(vec![ConfigError {
            name: ".env".into(),
            value: String::new(),
            expected: "",
            reason: format!("cannot be read: {why}"),
            source: Source::Default,
        }])
    };
    if !path.is_file() {
        return Ok(Vec::new());
    }
    dotenvy::from_path_iter(path)
        .map_err(unreadable)?
        .map(|pair| pair.map_err(unreadable))
        .collect()
}

#[cfg(test)]
mod tests;
