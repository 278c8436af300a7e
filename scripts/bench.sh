#!/usr/bin/env bash
# bench.sh: load on a release server with its database, the mock model server and the load generator on this machine.
# docs/performance.md says what the numbers mean.
#   BENCH_WORK=all            chat, workflow, or one of empty, llm, chain, parallel, iteration
#   BENCH_CLIENTS=1,32,256,1000   BENCH_SECONDS=8
#   BENCH_STREAMS=5000        streams opened at once at the end; 0: none
#   BENCH_NICE=0              niceness of server, mock and load generator (below 0 needs root)
#   DATABASE_URL, REDIS_URL   use these instead of a private database and a cache in the process
#   BENCH_AGAINST=<url>       does the same work on another server of this API, in turns, and prints ratios, with
#   BENCH_AGAINST_LOGIN=<email:password> (apps are made there) or BENCH_AGAINST_KEY=<key> (one app, one kind of work)
#   BENCH_AGAINST_LLM=<url>   the mock model server as that server reaches it
set -euo pipefail
cd "$(dirname "$0")/.."
bin=${CARGO_TARGET_DIR:-target}/release
port=${BENCH_PORT:-5071}; llm_port=${BENCH_LLM_PORT:-5072}
work=${BENCH_WORK:-all}; streams=${BENCH_STREAMS:-5000}
base=http://127.0.0.1:$port; llm=http://127.0.0.1:$llm_port/v1
data=$(mktemp -d /tmp/dify-bench.XXXXXX); chmod 755 "$data"
stop=()
finish() {
    for pid in "${stop[@]:-}"; do [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$data"
}
trap finish EXIT
as=(); [ "${BENCH_NICE:-0}" = 0 ] || as=(nice -n "$BENCH_NICE")
# One socket for each client and one for the model it waits for.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"

[ "${BENCH_BUILD:-1}" = 0 ] || cargo build --release --bin dify-api --bin mock-llm --bin dify-bench
MOCK_LOG_SIZE=0 "${as[@]}" "$bin/mock-llm" --port "$llm_port" >"$data/llm.log" 2>&1 & stop+=($!)
# The iteration over 1,000 items takes more steps than the reference allows a run.
env DIFY_DATA_DIR="$data" DIFY_PORT="$port" DIFY_BIND_ADDRESS=127.0.0.1 LOG_LEVEL=WARNING MIGRATION_ENABLED=true \
    WORKFLOW_MAX_EXECUTION_STEPS=5000 "${as[@]}" "$bin/dify-api" serve >"$data/server.log" 2>&1 & server=$!; stop+=("$server")
for _ in $(seq 300); do curl -sf "$base/readyz" >/dev/null 2>&1 && break; sleep 0.1; done
curl -sf "$base/readyz" >/dev/null || { tail -20 "$data/server.log" >&2; exit 1; }

bench() { "${as[@]}" "$bin/dify-bench" "$@"; }
rss() { awk '/^VmRSS/ {printf "%.1f MB\n", $2 * 1024 / 1e6}' "/proc/$server/status"; }
bench prepare --base "$base" --llm "$llm" --work all >"$data/keys"
echo "idle, set up: $(rss) (api, worker and beat in one process)"
against=()
if [ -n "${BENCH_AGAINST:-}" ]; then
    against=(--against "$BENCH_AGAINST")
    if [ -n "${BENCH_AGAINST_KEY:-}" ]; then
        against+=(--against-key "$BENCH_AGAINST_KEY")
        [ "$work" != all ] || work=chat
    else
        bench prepare --base "$BENCH_AGAINST" --llm "${BENCH_AGAINST_LLM:-$llm}" --work "$work" \
            --login "${BENCH_AGAINST_LOGIN:?BENCH_AGAINST needs BENCH_AGAINST_KEY or BENCH_AGAINST_LOGIN}" >"$data/against"
        against+=(--against-keys "$data/against")
    fi
fi
bench run --base "$base" --keys "$data/keys" --pid "$server" --work "$work" --clients "${BENCH_CLIENTS:-1,32,256,1000}" \
    --seconds "${BENCH_SECONDS:-8}" "${against[@]}"
if [ "$streams" -gt 0 ]; then
    echo; echo "$streams streams at once:"
    bench open --base "$base" --keys "$data/keys" --pid "$server" --streams "$streams"
    sleep 10; echo "idle, ten seconds later: $(rss)"
fi
