#!/usr/bin/env bash
# need.sh THING...: installs what is missing on Debian or Ubuntu. Things: build, curl, postgres, python, redis.
# Does nothing (and needs no rights) where everything is there already.
set -euo pipefail

missing=()
postgres_found() {
    command -v initdb >/dev/null 2>&1 || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null
}
for thing in "$@"; do
    case $thing in
    build)
        command -v cc >/dev/null 2>&1 || missing+=(build-essential)
        command -v cargo >/dev/null 2>&1 || { echo "cargo is missing: install Rust with rustup first" >&2; exit 1; }
        ;;
    curl) command -v curl >/dev/null 2>&1 || missing+=(curl ca-certificates) ;;
    postgres) postgres_found || missing+=(postgresql) ;;
    # Code nodes run in it where no sandbox service is configured.
    python) command -v python3 >/dev/null 2>&1 || missing+=(python3) ;;
    redis) command -v redis-server >/dev/null 2>&1 || missing+=(redis-server) ;;
    *) echo "need.sh: unknown thing: $thing" >&2; exit 2 ;;
    esac
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}" >&2
run=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "please install as root: apt-get install ${missing[*]}" >&2; exit 1; }
    run=(sudo)
fi
"${run[@]}" apt-get update -qq
"${run[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
