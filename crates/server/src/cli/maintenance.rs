//! Commands that mend or make accounts and workspaces, under the reference's names.

use std::process::ExitCode;

use clap::Subcommand;
use config::Config;

/// See each variant.
#[derive(Subcommand)]
pub enum Command {}

impl Command {
    pub(super) async fn run(self, _config: Config) -> anyhow::Result<ExitCode> {
        match self {}
    }
}
