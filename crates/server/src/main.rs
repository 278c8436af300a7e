//! The `dify-api` binary.

use std::process::ExitCode;

use clap::Parser;

/// Returns what a burst needed to the system, and leaves alone the half of a buffer that was never written: of four
/// buffers of 8 KiB that a stream has, most of each is never used.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Few arenas, and free pages are given back after a second, by a thread of the allocator's own.
#[expect(unsafe_code, reason = "the name under which the allocator looks for its settings")]
// SAFETY: nothing else has that name, and the text ends with NUL.
#[unsafe(export_name = "_rjem_malloc_conf")]
static SETTINGS: &[u8] = b"narenas:4,dirty_decay_ms:1000,muzzy_decay_ms:0,background_thread:true\0";

fn main() -> ExitCode {
    net::install_crypto_provider();
    server::cli::Cli::parse().run()
}
