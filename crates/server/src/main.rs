//! The `dify-api` binary.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    net::install_crypto_provider();
    server::cli::Cli::parse().run()
}
