#!/usr/bin/env bash
# run.sh PROFILE: starts the built server with the embedded default and says what to do next.
set -euo pipefail
cd "$(dirname "$0")/.."
profile=${1:-release}
directory=$profile
[ "$profile" = dev ] && directory=debug
port=${DIFY_PORT:-5001}
# The private PostgreSQL does not run as root, and its own user must reach the data: not so below /root.
if [ -z "${DIFY_DATA_DIR:-}" ] && [ "$(id -u)" -eq 0 ] && [ ! -d .dify ]; then
    user=postgres; id -u "$user" >/dev/null 2>&1 || user=nobody
    if ! runuser -u "$user" -- test -x "$PWD"; then export DIFY_DATA_DIR=/var/lib/dify-api-rs; fi
fi
cat <<TEXT

dify-api is starting on http://127.0.0.1:$port   (data in ${DIFY_DATA_DIR:-.dify}; Ctrl-C stops it)

  1. make the first account:
     curl -X POST http://127.0.0.1:$port/console/api/setup -H 'Content-Type: application/json' \\
       -d '{"email":"me@example.com","name":"Me","password":"Passw0rd1"}'
  2. point Dify's web console at it (CONSOLE_API_URL and APP_API_URL = http://127.0.0.1:$port), or use the API.
     README.md shows a first chat.

TEXT
exec "${CARGO_TARGET_DIR:-target}/$directory/dify-api"
