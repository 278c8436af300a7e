#!/usr/bin/env bash
# test.sh [ARGUMENTS of the test runner]: runs every test against a real PostgreSQL and Redis: those of
# $TEST_DATABASE_URL and $TEST_REDIS_URL, else a PostgreSQL of its own and the Redis of this machine, or one of its own.
# What it starts it stops again.
set -euo pipefail
cd "$(dirname "$0")/.."

stop=()
finish() { for command in "${stop[@]:-}"; do [ -z "$command" ] || eval "$command" >/dev/null 2>&1 || true; done; }
trap finish EXIT

reachable() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }

if [ -z "${TEST_DATABASE_URL:-}" ]; then
    bin=$(dirname "$(command -v initdb || compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1)")
    # Every test makes a database and drops it: with a server that waits for the disk each time they take far longer.
    data=$(mktemp -d); port=${TEST_PG_PORT:-54329}
    while reachable 127.0.0.1 "$port"; do port=$((port + 1)); done
    as=(); owner=$(id -un)
    if [ "$(id -u)" -eq 0 ]; then as=(runuser -u postgres --); owner=postgres; chown postgres "$data"; fi
    "${as[@]}" "$bin/initdb" -D "$data" -U "$owner" --auth=trust --no-sync >/dev/null
    stop+=("${as[*]} $bin/pg_ctl -D $data -m immediate stop; rm -rf $data")
    "${as[@]}" "$bin/pg_ctl" -D "$data" -w -l "$data/log" \
        -o "-p $port -k $data -c fsync=off -c full_page_writes=off -c max_connections=300 -c listen_addresses=127.0.0.1" \
        start >/dev/null
    export TEST_DATABASE_URL=postgres://$owner@127.0.0.1:$port/postgres
fi

if [ -z "${TEST_REDIS_URL:-}" ]; then
    if ! reachable 127.0.0.1 6379; then
        port=${TEST_REDIS_PORT:-63799}
        redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --daemonize yes >/dev/null
        stop+=("redis-cli -p $port shutdown nosave")
        export TEST_REDIS_URL=redis://127.0.0.1:$port/15
    else
        export TEST_REDIS_URL=redis://127.0.0.1:6379/15
    fi
fi

export SQLX_OFFLINE=true
if cargo nextest --version >/dev/null 2>&1; then
    cargo nextest run --workspace --profile "${NEXTEST_PROFILE:-default}" "$@"
else
    cargo test --workspace "$@"
fi
