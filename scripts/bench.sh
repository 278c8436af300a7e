#!/usr/bin/env bash
# bench.sh: load on a release server with its database, Redis (if one is reachable) and the mock model server on this
# machine. BENCH_AGAINST=<url> BENCH_AGAINST_KEY=<key> does the same work on another server in turns.
# BENCH_CLIENTS=1,32,256,1000  BENCH_SECONDS=8  BENCH_WORK=chat|workflow
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${CARGO_TARGET_DIR:-target}/release
port=${BENCH_PORT:-5071}; llm_port=${BENCH_LLM_PORT:-5072}
data=$(mktemp -d /tmp/dify-bench.XXXXXX); chmod 755 "$data"
stop=()
finish() { for pid in "${stop[@]:-}"; do [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true; done; wait 2>/dev/null || true; rm -rf "$data"; }
trap finish EXIT

cargo build --release --bin dify-api --bin mock-llm --bin dify-bench
"$bin/mock-llm" --port "$llm_port" >"$data/llm.log" 2>&1 & stop+=($!)
DIFY_DATA_DIR=$data DIFY_PORT=$port DIFY_BIND_ADDRESS=127.0.0.1 LOG_LEVEL=WARNING \
    "$bin/dify-api" >"$data/server.log" 2>&1 & server=$!; stop+=($server)
for _ in $(seq 300); do curl -sf "http://127.0.0.1:$port/readyz" >/dev/null 2>&1 && break; sleep 0.1; done
eval "$("$bin/dify-bench" prepare --base "http://127.0.0.1:$port" --llm "http://127.0.0.1:$llm_port/v1")"
ulimit -n 65536 2>/dev/null || true
"$bin/dify-bench" run --base "http://127.0.0.1:$port" --key "$BENCH_KEY" --pid "$server" \
    --work "${BENCH_WORK:-chat}" --clients "${BENCH_CLIENTS:-1,32,256,1000}" --seconds "${BENCH_SECONDS:-8}" \
    ${BENCH_AGAINST:+--against "$BENCH_AGAINST" --against-key "$BENCH_AGAINST_KEY"}
