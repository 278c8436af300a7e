#!/usr/bin/env bash
# run.sh: drives our server with the public clients of Dify's service API, each in an environment of its own.
# Starts the server (embedded database and cache, fresh data) and the mock model server, unless DIFY_BASE and
# DIFY_KEY_CHAT/_COMPLETION/_WORKFLOW/_ADVANCED_CHAT name a server that is set up already.
# SDK_ONLY="pydify dify-client-npm" runs only those. SDK_CACHE keeps the clients' environments between runs.
# Needs python3 (with venv), node with npm, and cargo; a client whose tool is missing is skipped and said so.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD; root=$(cd ../.. && pwd)
cache=${SDK_CACHE:-$root/target/sdk}; mkdir -p "$cache"
bin=${CARGO_TARGET_DIR:-$root/target}/${SDK_PROFILE:-debug}
stop=(); data=
finish() {
    for pid in "${stop[@]:-}"; do [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    [ -z "$data" ] || rm -rf "$data"
}
trap finish EXIT

if [ -z "${DIFY_BASE:-}" ]; then
    data=$(mktemp -d /tmp/dify-sdk.XXXXXX); chmod 755 "$data"
    port=${SDK_PORT:-5081}; llm=${SDK_LLM_PORT:-5082}
    "$bin/mock-llm" --port "$llm" >"$data/llm.log" 2>&1 & stop+=($!)
    env -u DATABASE_URL -u REDIS_URL DIFY_DATA_DIR="$data/server" DIFY_PORT="$port" LOG_LEVEL=WARNING \
        "$bin/dify-api" >"$data/server.log" 2>&1 & stop+=($!)
    for url in "http://127.0.0.1:$llm/v1/models" "http://127.0.0.1:$port/readyz"; do
        for _ in $(seq 300); do curl -sf "$url" >/dev/null 2>&1 && break; sleep 0.2; done
    done
    keys=$(python3 setup.py "http://127.0.0.1:$port" "http://127.0.0.1:$llm/v1") ||
        { tail -n 20 "$data/server.log" >&2; exit 1; }
    eval "$keys"
fi

wanted() { [ -z "${SDK_ONLY:-}" ] || [[ " $SDK_ONLY " == *" $1 "* ]]; }
failed=0
report() { # NAME STATUS
    if [ "$2" -eq 0 ]; then echo "ok      $1"; else echo "FAILED  $1"; failed=1; fi
}
client() { # NAME COMMAND...
    local name=$1 status=0; shift
    "$@" >"$cache/$name.log" 2>&1 || status=$?
    [ "$status" -eq 0 ] || tail -n 25 "$cache/$name.log" >&2
    report "$name" "$status"
}

python_client() { # PACKAGE==VERSION SCRIPT
    local env="$cache/${1%%=*}"
    [ -x "$env/bin/python" ] || python3 -m venv "$env"
    "$env/bin/python" -m pip install --quiet --disable-pip-version-check "$1"
    timeout 120 "$env/bin/python" "$here/python/$2"
}
node_clients() { mkdir -p "$cache/node" && cp "$here"/node/* "$cache/node/" && (cd "$cache/node" && npm install --no-audit --no-fund --silent); }
rust_client() { CARGO_TARGET_DIR="$cache/rust" timeout 600 cargo run --quiet --manifest-path "$here/rust/Cargo.toml"; }

if command -v python3 >/dev/null; then
    for package in dify-client==0.1.10 dify-client-python==1.0.3 dify-api-client==0.0.23 pydify==2.4.0; do
        name=${package%%=*}
        ! wanted "$name" || client "$name" python_client "$package" "${name//-/_}_test.py"
    done
else
    echo "skipped python clients: no python3"
fi
if command -v npm >/dev/null; then
    if wanted dify-client-npm || wanted dify-ai-provider; then
        client npm-install node_clients
        ! wanted dify-client-npm || client dify-client-npm timeout 120 node "$cache/node/dify-client.mjs"
        ! wanted dify-ai-provider || client dify-ai-provider timeout 120 node "$cache/node/dify-ai-provider.mjs"
    fi
else
    echo "skipped npm clients: no npm"
fi
! wanted dify-client-crate || client dify-client-crate rust_client
exit "$failed"
