#!/usr/bin/env bash
# Holds qfpay-mcp, as a resource server of OAuth 2.1, against a real authorization server (npm's oidc-provider,
# on loopback): which tokens it takes, for what, and that real clients get one by themselves and pay with it.
#
#   tests/oauth/run.sh path/to/qfpay-mcp
#
# Installs what it needs by itself, pinned, where tests/clients/run.sh does (CLIENTS_HOME names another folder).
# Needs python3 with venv; brings its own Node. One line a check, then 'N passed, N failed'; exits 1 on any failure.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
clients=$here/../clients
home=${CLIENTS_HOME:-$(cd "$here/../.." && pwd)/target/clients}
drive_seconds=420 # when to kill a driver that did not end by itself

if [[ $# -ne 1 || ! -x $1 || -d $1 ]]; then
    echo "usage: $0 path/to/qfpay-mcp (a program that can be run)" >&2
    exit 2
fi
binary=$(realpath "$1")
mkdir -p "$home"

source "$here/../pinned.sh"

everything() {
    install 'node' node node_env &
    install 'python 2.x' python-2 python_env python-2 "$clients/requirements/python-2.txt" &
    wait
    install 'authorization server' oauth npm_env oauth "$here/provider" &
    install 'typescript' typescript npm_env typescript "$clients/typescript" &
    wait

    local code=0
    CLIENTS_NODE=$(node_home)/bin/node CLIENTS_TYPESCRIPT=$home/typescript OAUTH_SERVER=$home/oauth \
        PYTHONPATH=$clients timeout "$drive_seconds" \
        "$home/python-2/bin/python" -B "$here/drive.py" "$binary" || code=$?
    # With 0 and 3 every check was told; with anything else not, and that is no success.
    if [[ $code -ne 0 && $code -ne 3 ]]; then echo "FAIL  oauth  driver left with $code"; fi
}

log=$home/oauth-checks.log
everything | tee "$log"
passed=$(grep -c '^ok ' "$log" || true)
failed=$(grep -c '^FAIL ' "$log" || true)
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
