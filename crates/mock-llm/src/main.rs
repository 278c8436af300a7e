//! The `mock-llm` binary.

use std::io::Write;

use clap::Parser;

/// An OpenAI-compatible mock model server.
#[derive(Debug, Parser)]
#[command(name = "mock-llm", about)]
struct Options {
    /// Address to listen on.
    #[arg(long, env = "MOCK_HOST", default_value = "127.0.0.1")]
    host: String,
    /// Port to listen on; 0 takes a free one.
    #[arg(long, env = "MOCK_PORT", default_value_t = 5010)]
    port: u16,
    #[command(flatten)]
    config: mock_llm::Config,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let listener = tokio::net::TcpListener::bind((options.host.as_str(), options.port)).await?;
    writeln!(std::io::stdout(), "listening on http://{}", listener.local_addr()?)?;
    mock_llm::serve(listener, options.config).await?;
    Ok(())
}
