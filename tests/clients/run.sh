#!/usr/bin/env bash
# Drives the qfpay-mcp binary with other people's clients, each over stdio, Streamable HTTP and SSE:
# the official Python and TypeScript SDKs (2.x and 1.x) and the MCP inspector's command line.
# Each meets a server where nobody is asked, some where a person has to say yes, and one that only reads.
#
#   tests/clients/run.sh path/to/qfpay-mcp
#
# Installs what it needs by itself, pinned, into target/clients (CLIENTS_HOME names another folder)
# and reuses it while the pins stay the same. Needs python3 with venv; brings its own Node.
# One line a check, then 'N passed, N failed'; exits 1 on any failure.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
home=${CLIENTS_HOME:-$root/target/clients}
drive_seconds=420 # when to kill a driver that did not end by itself

if [[ $# -ne 1 || ! -x $1 || -d $1 ]]; then
    echo "usage: $0 path/to/qfpay-mcp (a program that can be run)" >&2
    exit 2
fi
binary=$(realpath "$1")
mkdir -p "$home"

source "$here/../pinned.sh"

# drive ENV CLIENT LABEL MODE: every check over each transport, with ENV's Python.
drive() {
    local env=$1 client=$2 label=$3 mode=$4 transport code
    for transport in stdio http sse; do
        code=0
        timeout "$drive_seconds" "$home/$env/bin/python" -B "$here/drive.py" \
            "$binary" "$client" "$label" "$transport" "$mode" || code=$?
        # With 0 and 3 every check was told; with anything else not, and that is no success.
        if [[ $code -ne 0 && $code -ne 3 ]]; then echo "FAIL  $label  $transport  driver left with $code"; fi
    done
}

everything() {
    install 'python 1.x' python-1 python_env python-1 "$here/requirements/python-1.txt" &
    install 'python 2.x' python-2 python_env python-2 "$here/requirements/python-2.txt" &
    install 'node' node node_env &
    wait
    install 'inspector' inspector npm_env inspector "$here/inspector" &
    install 'typescript' typescript npm_env typescript "$here/typescript" &
    wait

    if [[ -e $home/python-1/installed ]]; then
        drive python-1 sdk 'python 1.x' legacy &
    fi
    if [[ -e $home/python-2/installed ]]; then
        (drive python-2 sdk 'python 2.x' auto && drive python-2 sdk 'python 2.x as 1.x' legacy) &
        CLIENTS_NODE=$(node_home)/bin/node
        export CLIENTS_NODE
        if [[ -e $home/inspector/installed ]]; then
            CLIENTS_INSPECTOR=$home/inspector drive python-2 inspector 'inspector' legacy &
        fi
        if [[ -e $home/typescript/installed ]]; then
            export CLIENTS_TYPESCRIPT=$home/typescript
            (CLIENTS_TYPESCRIPT_LINE=1 drive python-2 typescript 'typescript 1.x' legacy &&
                CLIENTS_TYPESCRIPT_LINE=2 drive python-2 typescript 'typescript 2.x' auto &&
                CLIENTS_TYPESCRIPT_LINE=2 drive python-2 typescript 'typescript 2.x as 1.x' legacy) &
        fi
    fi
    wait
}

log=$home/checks.log
everything | tee "$log"
passed=$(grep -c '^ok ' "$log" || true)
failed=$(grep -c '^FAIL ' "$log" || true)
echo "$passed passed, $failed failed"
[[ $failed -eq 0 && $passed -gt 0 ]]
