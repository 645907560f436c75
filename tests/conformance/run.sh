#!/usr/bin/env bash
# Holds servers against the official MCP conformance suite, in both versions of MCP that it knows: the
# product, as far as it goes without fixtures, and the fixtures (tests/conformance/fixtures), which
# are the whole suite on the product's transport.
#
#   tests/conformance/run.sh path/to/qfpay-mcp [path/to/conformance-fixtures]
#
# Installs the suite by itself, pinned, into target/conformance (CONFORMANCE_HOME names another folder)
# and reuses it while the pins stay the same. Needs python3 with venv; brings its own Node.
# One line a scenario, then the totals; exits 1 on any failure, 2 when a server did not start.
set -euo pipefail

# What the product offers, in the words of scenarios.txt.
offers='tools resources prompts completions sessions skills'
versions='2025-11-25 2026-07-28'
start_seconds=20  # how long a server may take to say its address, on a busy machine
suite_seconds=180 # when to kill a suite that did not end by itself

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
home=${CONFORMANCE_HOME:-$root/target/conformance}
source "$here/../pinned.sh"

usage() {
    echo "usage: $0 path/to/qfpay-mcp [path/to/conformance-fixtures] (programs that can be run)" >&2
    exit 2
}
if [[ $# -lt 1 || $# -gt 2 ]]; then usage; fi
for program in "$@"; do
    if [[ ! -x $program || -d $program ]]; then usage; fi
done
product=$(realpath "$1")
fixtures=${2:+$(realpath "$2")}
export NO_PROXY=127.0.0.1 no_proxy=127.0.0.1

results=$home/results
rm -rf "$results"
mkdir -p "$results"
desk=$(mktemp -d)
server=
trap 'stop; rm -rf "$desk"' EXIT

# start LABEL COMMAND...: runs a server that knows nothing of its caller; $url is then its address.
start() {
    local label=$1 log=$results/$1.log deadline=$((SECONDS + start_seconds))
    shift
    mkdir "$desk/$label"
    : >"$log"
    env -i PATH="$PATH" HOME="$desk/$label" QFPAY_ENV=simulator QFPAY_STATE_DIR="$desk/$label/state" \
        "$@" </dev/null >"$log" 2>&1 &
    server=$!
    while kill -0 "$server" 2>/dev/null && [[ $SECONDS -lt $deadline ]]; do
        if url=$(grep -m 1 -o 'http://127\.0\.0\.1:[0-9]*' "$log"); then
            url=$url/mcp
            return
        fi
        sleep 0.1
    done
    echo "FAIL  $label did not start: $(tail -n 5 "$log" | tr '\n' ' ')" >&2
    exit 2
}

stop() {
    if [[ -z $server ]]; then return; fi
    kill "$server" 2>/dev/null || true
    wait "$server" || true
    server=
}

conformance() {
    timeout "$suite_seconds" "$node" "$home/suite/node_modules/.bin/conformance" "$@"
}

# What the product can be held to in a version, a scenario a line.
offered() {
    local offer version names
    while read -r offer version names; do
        if [[ $version = "$1" && " any $offers " = *" $offer "* ]]; then tr ' ' '\n' <<<"$names"; fi
    done <"$here/scenarios.txt"
}

# Each run leaves its results in a folder, with the names of what had to be run in `scenarios`. How the
# suite exits does not count: some scenarios fail for want of fixtures. report.mjs judges.
hold_product() {
    local version scenario folder
    for version in $versions; do
        folder=$results/product/$version
        mkdir -p "$folder"
        offered "$version" >"$folder/scenarios"
        while read -r scenario; do
            # Those of extensions stand in no version, and run only by force.
            conformance server --url "$url" --scenario "$scenario" --spec-version "$version" --force \
                -o "$folder" </dev/null >>"$folder.log" 2>&1 || true
        done <"$folder/scenarios"
    done
}

hold_fixtures() {
    local version folder
    for version in $versions; do
        folder=$results/fixtures/$version
        mkdir -p "$folder"
        conformance list --requirements "$version" |
            sed -n '/^Server scenarios/,/^$/s/^  - //p' >"$folder/scenarios"
        conformance server --url "$url" --requirements "$version" -o "$folder" \
            </dev/null >"$folder.log" 2>&1 || true
    done
}

if ! npm_env suite "$here/suite" >"$home/suite.log" 2>&1; then
    echo "FAIL  the suite could not be installed: $(tail -n 5 "$home/suite.log" | tr '\n' ' ')" >&2
    exit 1
fi
node=$(node_home)/bin/node
start qfpay-mcp "$product" http --bind 127.0.0.1:0
hold_product
stop
if [[ -n $fixtures ]]; then
    start fixtures "$fixtures"
    hold_fixtures
    stop
fi
"$node" "$here/report.mjs" "$results" "$offers"
