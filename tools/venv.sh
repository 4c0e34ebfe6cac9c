#!/usr/bin/env bash
# Make .venv with everything for development. $PYTHON names the interpreter, if python3 should not be it.
set -euo pipefail
cd "$(dirname "$0")/.."

fits() { "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null; }

find_python() {
    for python in ${PYTHON:-python3 python3.13 python3.12 python3.11}; do
        if fits "$python"; then echo "$python"; return; fi
    done
    return 1
}

may_install() { [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; }

install_python() {
    apt-get update
    apt-get install -y --no-install-recommends python3-venv
}

if ! { [ -x .venv/bin/python ] && fits .venv/bin/python; }; then
    if ! python=$(find_python) && may_install; then install_python; fi
    if ! python=$(find_python); then
        echo "tools/venv.sh: Python 3.11, 3.12 or 3.13 is needed; ${PYTHON:-python3} is" \
            "$("${PYTHON:-python3}" --version 2>&1 || true)." \
            "Install one, or name it: make setup PYTHON=/path/to/python3.12" >&2
        exit 1
    fi
    # Debian's python3 has no ensurepip before python3-venv is installed.
    if ! "$python" -c 'import ensurepip' 2>/dev/null && may_install; then install_python; fi
    if ! "$python" -m venv --clear .venv; then
        echo "tools/venv.sh: $python cannot make a virtual environment (see above)." \
            "On Debian and Ubuntu: apt-get install python3-venv" >&2
        exit 1
    fi
fi

if ! .venv/bin/python -m uv --version >/dev/null 2>&1; then
    .venv/bin/python -m pip --version >/dev/null 2>&1 || .venv/bin/python -m ensurepip
    .venv/bin/python -m pip install --quiet --disable-pip-version-check uv
fi
.venv/bin/python -m uv pip install --python .venv/bin/python --editable . --group dev
