//! Sets a server up through its API and puts load on it. Speaks only the public API, so the same work can be put on any
//! server of it.

#![allow(clippy::print_stdout, reason = "a command-line tool")]

mod load;
mod prepare;
mod report;

use std::time::Duration;

use clap::{Parser, Subcommand};

/// Sets a server up through its API and puts load on it.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes the first account, a model provider on `--llm`, and an app; prints shell assignments.
    Prepare {
        /// The server.
        #[arg(long)]
        base: String,
        /// An OpenAI-compatible endpoint, as the server reaches it.
        #[arg(long)]
        llm: String,
        /// Its key.
        #[arg(long, default_value = "sk-bench")]
        llm_key: String,
        /// The model the app uses.
        #[arg(long, default_value = "gpt-4o-mini")]
        model: String,
    },
    /// Puts load on an app: for each concurrency, that many clients, each with one chat after the other.
    Run {
        /// The server.
        #[arg(long)]
        base: String,
        /// An app's API key.
        #[arg(long)]
        key: String,
        /// Another server to do the same work on, in turns.
        #[arg(long)]
        against: Option<String>,
        /// Its app's API key.
        #[arg(long)]
        against_key: Option<String>,
        /// What to ask for: `chat` or `workflow`.
        #[arg(long, default_value = "chat")]
        work: String,
        /// Numbers of clients at once.
        #[arg(long, value_delimiter = ',', default_value = "1,32,256,1000")]
        clients: Vec<usize>,
        /// Seconds for each measurement.
        #[arg(long, default_value_t = 8)]
        seconds: u64,
        /// Process to report memory and CPU of.
        #[arg(long)]
        pid: Option<u32>,
    },
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    net::install_crypto_provider();
    match Cli::parse().command {
        Command::Prepare { base, llm, llm_key, model } => {
            let made = prepare::prepare(&base, &llm, &llm_key, &model).await?;
            println!("BENCH_KEY={}\nBENCH_APP={}", made.key, made.app);
        }
        Command::Run { base, key, against, against_key, work, clients, seconds, pid } => {
            let work = load::Work::parse(&work)?;
            let length = Duration::from_secs(seconds);
            let mine = load::Target::new(&base, &key)?;
            let other = match (against, against_key) {
                (Some(base), Some(key)) => Some(load::Target::new(&base, &key)?),
                _ => None,
            };
            println!("{}", report::HEADER);
            for is_streaming in [false, true] {
                for &clients in &clients {
                    let before = report::Process::read(pid);
                    let measured = load::run(&mine, work, is_streaming, clients, length).await?;
                    let used = report::Process::read(pid).since(&before);
                    println!(
                        "{}",
                        report::line("this", is_streaming, clients, &measured, Some(&used))
                    );
                    if let Some(other) = &other {
                        let theirs = load::run(other, work, is_streaming, clients, length).await?;
                        println!("{}", report::line("other", is_streaming, clients, &theirs, None));
                        println!("{}", report::ratio(&measured, &theirs));
                    }
                }
            }
        }
    }
    Ok(())
}
