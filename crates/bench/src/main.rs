//! Sets a server up through its API and puts load on it. Speaks only the public API, so the same work can be put on any
//! server of it.

#![allow(clippy::print_stdout, reason = "a command-line tool")]

mod graphs;
mod load;
mod prepare;
mod report;
mod work;

use std::{path::PathBuf, time::Duration};

use anyhow::bail;
use clap::{Args, Parser, Subcommand};

use crate::{
    load::{Job, Measured, Target},
    work::{Keys, Work},
};

/// The question of a chat under load.
const QUERY: &str = "hello [[tokens:20]]";

/// Sets a server up through its API and puts load on it.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes the first account, a model provider on `--llm`, and apps; prints a name and an API key for each.
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
        /// The model the apps use.
        #[arg(long, default_value = "gpt-4o-mini")]
        model: String,
        /// Who makes the apps: `email:password`.
        #[arg(long, default_value = "bench@example.com:Bench-passw0rd")]
        login: String,
        /// What to ask for: `chat`, `empty`, `llm`, `chain`, `parallel`, `iteration`, `workflow` or `all`.
        #[arg(long, default_value = "all")]
        work: String,
    },
    /// Puts load on apps: for each concurrency, that many clients, each with one request after the other.
    Run(Run),
    /// Opens many streams at once whose models take their time, and says what the server needs for them.
    Open {
        /// The server.
        #[arg(long)]
        base: String,
        /// What `prepare` printed.
        #[arg(long)]
        keys: PathBuf,
        /// How many.
        #[arg(long, default_value_t = 5000)]
        streams: usize,
        /// Seconds in which they are opened.
        #[arg(long, default_value_t = 10)]
        ramp: u64,
        /// Seconds each of them stays open.
        #[arg(long, default_value_t = 20)]
        hold: u64,
        /// Process to report memory and CPU of.
        #[arg(long)]
        pid: Option<u32>,
    },
}

#[derive(Args)]
struct Run {
    /// The server.
    #[arg(long)]
    base: String,
    /// What `prepare` printed.
    #[arg(long)]
    keys: PathBuf,
    /// Another server to do the same work on, in turns.
    #[arg(long)]
    against: Option<String>,
    /// What `prepare` printed for it.
    #[arg(long)]
    against_keys: Option<PathBuf>,
    /// Or the API key of one app, for one kind of work.
    #[arg(long)]
    against_key: Option<String>,
    /// What to ask for, see `prepare`.
    #[arg(long, default_value = "all")]
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
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    net::install_crypto_provider();
    match Cli::parse().command {
        Command::Prepare { base, llm, llm_key, model, login, work } => {
            let Some((email, password)) = login.split_once(':') else {
                bail!("--login must be email:password")
            };
            let setup = prepare::Setup {
                base: &base,
                llm: &llm,
                llm_key: &llm_key,
                model: &model,
                email,
                password,
            };
            for (work, key) in prepare::prepare(&setup, &Work::parse(&work)?).await? {
                println!("{work} {key}");
            }
        }
        Command::Run(run) => run.run().await?,
        Command::Open { base, keys, streams, ramp, hold, pid } => {
            let target = Target::new(&base, Keys::read(&keys)?)?;
            let delay = hold.max(1) * 1000 / 10;
            let query = format!("hello [[tokens:10]][[delay_ms:{delay}]]");
            let job = Job { work: Work::Chat, is_streaming: true, query: &query };
            let before = report::rss(pid);
            let watch = report::Watch::start(pid);
            let ramp = Duration::from_secs(ramp);
            let measured = load::open(&target, job, streams, ramp).await?;
            let used = watch.stop();
            println!("{}", report::HEADER);
            println!("{}", report::line("this", job, streams, &measured, used));
            if let Some(used) = used {
                let before = before as f64 / 1e6;
                let each = (used.peak_mb - before) * 1000.0 / streams.max(1) as f64;
                println!(
                    "{before:.1} MB before, {:.1} MB at most: {each:.1} kB a stream",
                    used.peak_mb
                );
            }
        }
    }
    Ok(())
}

impl Run {
    async fn run(self) -> anyhow::Result<()> {
        let works = Work::parse(&self.work)?;
        let mine = Target::new(&self.base, Keys::read(&self.keys)?)?;
        let keys = match (&self.against_keys, &self.against_key, works.as_slice()) {
            (Some(path), ..) => Some(Keys::read(path)?),
            (None, Some(key), [work]) => Some(Keys::one(*work, key)),
            (None, Some(_), _) => bail!("one key is for one kind of work: name it with --work"),
            (None, None, _) => None,
        };
        let other = match (&self.against, keys) {
            (Some(base), Some(keys)) => Some(Target::new(base, keys)?),
            (None, None) => None,
            _ => bail!("another server takes its address and its keys"),
        };
        println!("{}", report::HEADER);
        let mut alone = Vec::new();
        for work in works {
            for is_streaming in [false, true] {
                let job = Job { work, is_streaming, query: QUERY };
                self.warm_up(&mine, job).await?;
                if let Some(other) = &other {
                    self.warm_up(other, job).await?;
                }
                let mut clients: Vec<usize> =
                    self.clients.iter().map(|it| (*it).min(work.most_clients())).collect();
                clients.dedup();
                for clients in clients {
                    let measured = self.measure(&mine, other.as_ref(), job, clients).await?;
                    if clients == 1 && is_streaming {
                        alone.push((work, report::percentile(&measured.total, 0.5)));
                    }
                }
            }
        }
        summary(&alone);
        Ok(())
    }

    async fn measure(
        &self,
        mine: &Target,
        other: Option<&Target>,
        job: Job<'_>,
        clients: usize,
    ) -> anyhow::Result<Measured> {
        let length = Duration::from_secs(self.seconds);
        let watch = report::Watch::start(self.pid);
        let measured = load::run(mine, job, clients, length).await?;
        println!("{}", report::line("this", job, clients, &measured, watch.stop()));
        if let Some(other) = other.filter(|other| other.has(job.work)) {
            let theirs = load::run(other, job, clients, length).await?;
            println!("{}", report::line("other", job, clients, &theirs, None));
            println!("{}", report::ratio(&measured, &theirs));
        }
        Ok(measured)
    }

    /// The first requests pay for connections and statements that all later ones find ready.
    async fn warm_up(&self, target: &Target, job: Job<'_>) -> anyhow::Result<()> {
        if target.has(job.work) {
            load::run(target, job, 4.min(job.work.most_clients()), Duration::from_millis(500))
                .await?;
        }
        Ok(())
    }
}

/// What the times of a single client say about the engine.
fn summary(alone: &[(Work, f64)]) {
    let find = |wanted: Work| alone.iter().find(|(work, _)| *work == wanted).map(|(_, it)| *it);
    if let (Some(empty), Some(chain)) = (find(Work::Empty), find(Work::Chain)) {
        let each = (chain - empty) * 1e6 / graphs::CHAIN as f64;
        println!("a template node in a chain, with its events and its row: {each:.0} µs");
    }
    if let Some(parallel) = find(Work::Parallel) {
        let alone = graphs::BRANCH_MS as f64 / 1000.0;
        let wanted = alone * graphs::BRANCHES as f64;
        println!(
            "{} branches of {} ms each took {:.0} ms: {:.1} at a time",
            graphs::BRANCHES,
            graphs::BRANCH_MS,
            parallel * 1000.0,
            wanted / parallel
        );
    }
    if let Some(iteration) = find(Work::Iteration) {
        let each = iteration * 1e6 / graphs::ITEMS as f64;
        println!("an item of an iteration, with its events and its row: {each:.0} µs");
    }
}
