#!/usr/bin/env bash
# Holds the payment card in a real host: Chromium, the official AppBridge, the qfpay-mcp binary with its simulator,
# a payer in a second tab, axe. Looks at every state in both themes, three languages, narrow and wide.
#
#   tests/card/run.sh path/to/qfpay-mcp [SCENE]
#
# Needs python3 with venv, and Chromium (CARD_CHROMIUM names another one); brings its own Node and the rest, pinned,
# into target/clients (CLIENTS_HOME names another folder). Pictures go to target/card (CARD_SHOTS). One line a check,
# then 'N passed, N failed'; exits 1 on any failure.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=$(cd "$here/../.." && pwd)/target
home=${CLIENTS_HOME:-$target/clients}
shots=${CARD_SHOTS:-$target/card}
drive_seconds=540 # when to kill a driver that did not end by itself

if [[ $# -lt 1 || ! -x $1 || -d $1 ]]; then
    echo "usage: $0 path/to/qfpay-mcp (a program that can be run) [scene]" >&2
    exit 2
fi
binary=$(realpath "$1")
chromium=${CARD_CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
if [[ -z $chromium ]]; then
    echo "no Chromium found; install chromium, or name one in CARD_CHROMIUM" >&2
    exit 2
fi
mkdir -p "$home" "$shots"

source "$here/../pinned.sh"

everything() {
    install 'node' node node_env
    install 'host' card npm_env card "$here/host"
    local code=0
    CARD_CHROMIUM=$chromium timeout "$drive_seconds" \
        "$(node_home)/bin/node" "$home/card/drive.mjs" "$binary" "$shots" "${2:-}" || code=$?
    # With 0 and 3 every check was told; with anything else not, and that is no success.
    if [[ $code -ne 0 && $code -ne 3 ]]; then echo "FAIL  card  driver left with $code"; fi
}

log=$home/card-checks.log
everything "$@" | tee "$log"
passed=$(grep -c '^ok ' "$log" || true)
failed=$(grep -c '^FAIL ' "$log" || true)
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
