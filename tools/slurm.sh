#!/usr/bin/env bash
# See to it that Slurm is there for the tests that submit. On Debian, as root, it is installed where
# it is missing; elsewhere these tests are skipped.
set -euo pipefail

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

missing=()
for program in munged sbatch slurmctld slurmd; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if [ ${#missing[@]} = 0 ]; then exit 0; fi

packages="slurm-wlm munge"
if [ "$(id -u)" = 0 ] && [ -e /etc/debian_version ] && command -v apt-get >/dev/null; then
    echo "tools/slurm.sh: not on PATH: ${missing[*]}. Installing Slurm."
    apt-get update
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $packages
else
    echo "tools/slurm.sh: not on PATH: ${missing[*]}. The tests that submit to a real Slurm will be" \
        "skipped: they run as root with it, on Debian and Ubuntu 'apt-get install $packages'." >&2
fi
