//! The command line: what `MODE` asks for, and the maintenance commands.

mod maintenance;

use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use config::{Config, Mode};

use crate::{
    lifecycle::{self, Roles},
    wiring::Base,
};

/// A server with the API of Dify 1.13.2. Without a command it does what `MODE` says: api, worker, beat, migration or
/// job; without `MODE` it is api, worker and beat in one process.
#[derive(Parser)]
#[command(name = "dify-api", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve HTTP, and work off jobs and the schedule in the same process unless told not to.
    Serve {
        /// Only serve HTTP; workers and beat run elsewhere.
        #[arg(long)]
        api_only: bool,
    },
    /// Work off jobs.
    Worker,
    /// Publish what the schedule asks for.
    Beat,
    /// Look at or build the database schema.
    Migrate {
        #[command(subcommand)]
        action: Migrate,
    },
    /// Build the schema if it is missing (the reference's name for `migrate run`).
    #[command(name = "upgrade-db")]
    UpgradeDb,
    /// Show every setting in force, secrets masked, and what is ignored.
    CheckConfig,
    /// Print the OpenAPI document of an API: console, service, web, inner or files.
    Openapi {
        /// Which API.
        surface: String,
    },
    /// Print a generated document: `configuration` or `coverage`.
    Docs {
        /// Which document.
        document: String,
    },
    #[command(flatten)]
    Maintenance(maintenance::Command),
}

#[derive(Subcommand)]
enum Migrate {
    /// What the database holds and what is missing.
    Status,
    /// Build what is missing.
    Run,
    /// Compare the database with the schema it should have.
    Verify,
}

impl Cli {
    /// Does what the command line and `MODE` ask for.
    #[must_use]
    pub fn run(self) -> ExitCode {
        let config = match Config::load() {
            Ok(config) => config,
            Err(errors) => {
                eprintln!("The configuration cannot be used:\n{errors}");
                return ExitCode::from(2);
            }
        };
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
        let outcome = runtime
            .context("the async runtime does not start")
            .and_then(|runtime| runtime.block_on(self.dispatch(config)));
        match outcome {
            Ok(code) => code,
            Err(err) => {
                eprintln!("Error: {err:#}");
                ExitCode::FAILURE
            }
        }
    }

    async fn dispatch(self, config: Config) -> anyhow::Result<ExitCode> {
        match self.command {
            None => by_mode(config).await,
            Some(Command::Serve { api_only: true }) => lifecycle::run(config, Roles::API).await,
            Some(Command::Serve { api_only: false }) => lifecycle::run(config, Roles::ALL).await,
            Some(Command::Worker) => lifecycle::run(config, Roles::WORKER).await,
            Some(Command::Beat) => lifecycle::run(config, Roles::BEAT).await,
            Some(Command::Migrate { action }) => migrate(config, &action).await,
            Some(Command::UpgradeDb) => migrate(config, &Migrate::Run).await,
            Some(Command::CheckConfig) => {
                check_config(&config);
                Ok(ExitCode::SUCCESS)
            }
            Some(Command::Openapi { surface }) => {
                let document = crate::routes::openapi(&surface)
                    .with_context(|| format!("no API is called {surface}"))?;
                print(&document);
                Ok(ExitCode::SUCCESS)
            }
            Some(Command::Docs { document }) => {
                print(&crate::routes::document(&document)?);
                Ok(ExitCode::SUCCESS)
            }
            Some(Command::Maintenance(command)) => command.run(config).await,
        }
    }
}

async fn by_mode(config: Config) -> anyhow::Result<ExitCode> {
    if config.entrypoint.migration_enabled {
        let code = migrate(config.clone(), &Migrate::Run).await?;
        if config.mode() == Mode::Migration {
            return Ok(code);
        }
    }
    if !config.is_set("MODE") {
        return lifecycle::run(config, Roles::ALL).await;
    }
    match config.mode() {
        Mode::Api | Mode::Migration => lifecycle::run(config, Roles::API).await,
        Mode::Worker => lifecycle::run(config, Roles::WORKER).await,
        Mode::Beat => lifecycle::run(config, Roles::BEAT).await,
        Mode::Job => {
            eprintln!("MODE=job needs a command: dify-api <command> [arguments]");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn migrate(config: Config, action: &Migrate) -> anyhow::Result<ExitCode> {
    let base = Base::open(config).await?;
    let outcome = match action {
        Migrate::Run => {
            print(&format!("{}\n", db::migrate::run(&base.db).await?));
            ExitCode::SUCCESS
        }
        Migrate::Status => {
            print(&format!("{}\n", db::migrate::status(&base.db).await?));
            ExitCode::SUCCESS
        }
        Migrate::Verify => {
            let drift = db::migrate::verify(&base.db).await?;
            for entry in &drift {
                print(&format!("{entry}\n"));
            }
            if drift.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
    };
    base.close().await;
    Ok(outcome)
}

fn check_config(config: &Config) {
    let mut text = String::new();
    for entry in config.effective() {
        text.push_str(&format!("{entry}\n"));
    }
    for warning in config.warnings() {
        text.push_str(&format!("warning: {warning}\n"));
    }
    print(&text);
}

/// Writes to standard output; a reader that went away (`| head`) is no failure.
fn print(text: &str) {
    use std::io::Write as _;
    let _ = std::io::stdout().write_all(text.as_bytes());
}
