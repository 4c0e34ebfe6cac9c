#!/usr/bin/env bash
# See to it that one of the programs named is there, such as: tools/octave.sh matlab octave-cli
# On Debian, as root, GNU Octave is installed where none is.
set -euo pipefail

for program in "$@"; do
    if command -v "$program" >/dev/null; then exit 0; fi
done

packages="octave libopenblas0-pthread"
if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; then
    echo "tools/octave.sh: none of these is on PATH: $*. Installing GNU Octave."
    apt-get update
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $packages
else
    echo "tools/octave.sh: none of these is on PATH: $*. Install GNU Octave and try again:" \
        "on Debian and Ubuntu 'sudo apt-get install $packages', on macOS 'brew install octave'," \
        "elsewhere https://octave.org/download" >&2
    exit 1
fi
