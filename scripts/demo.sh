#!/usr/bin/env bash
# demo.sh PROFILE: the main job in one go. Starts a server with fresh data and a model endpoint (the mock of this
# repository, or OpenAI's where OPENAI_API_KEY is set; OPENAI_API_BASE and DEMO_MODEL are honoured), makes an account, a
# model provider and a chat app through the API, asks it, and prints how to ask again. Ctrl-C ends it all.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-release}
directory=$profile; [ "$profile" = dev ] && directory=debug
bin=${CARGO_TARGET_DIR:-target}/$directory
port=${DIFY_PORT:-5001}; llm_port=${DEMO_LLM_PORT:-5011}
data=$(mktemp -d /tmp/dify-demo.XXXXXX); chmod 755 "$data"
stop=()
finish() {
    for pid in "${stop[@]:-}"; do [ -z "$pid" ] || kill -TERM "$pid" 2>/dev/null || true; done
    wait 2>/dev/null || true
    rm -rf "$data"
}
trap finish EXIT

if [ -n "${OPENAI_API_KEY:-}" ]; then
    llm=${OPENAI_API_BASE:-https://api.openai.com/v1}
else
    llm=http://127.0.0.1:$llm_port/v1
    "$bin/mock-llm" --port "$llm_port" >"$data/llm.log" 2>&1 & stop+=($!)
fi
DIFY_DATA_DIR=$data/server DIFY_PORT=$port LOG_LEVEL=WARNING "$bin/dify-api" >"$data/server.log" 2>&1 & server=$!; stop+=($server)
base=http://127.0.0.1:$port
until curl -sf "$base/readyz" >/dev/null 2>&1; do
    kill -0 "$server" 2>/dev/null || { cat "$data/server.log" >&2; exit 1; }
    sleep 0.2
done
# A line for each kind of work: its name, the key of its app.
key=$("$bin/dify-bench" prepare --base "$base" --llm "$llm" --llm-key "${OPENAI_API_KEY:-sk-mock}" \
    --model "${DEMO_MODEL:-gpt-4o-mini}" --work chat | awk '$1 == "chat" {print $2}')

ask=(curl -sN "$base/v1/chat-messages" -H "Authorization: Bearer $key" -H 'Content-Type: application/json'
    -d '{"inputs":{},"query":"Say hello to the demo.","response_mode":"streaming","user":"demo"}')
echo
echo "A chat app stands on $base. This asks it:"
echo
printf '  curl -N %s/v1/chat-messages \\\n    -H "Authorization: Bearer %s" -H "Content-Type: application/json" \\\n    -d '\''%s'\''\n\n' \
    "$base" "$key" '{"inputs":{},"query":"Say hello to the demo.","response_mode":"streaming","user":"demo"}'
"${ask[@]}"
[ -n "${DEMO_ONCE:-}" ] || { echo; echo "Ctrl-C stops the server."; wait "$server"; }
