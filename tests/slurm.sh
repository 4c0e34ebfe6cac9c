#!/usr/bin/env bash
# A real Slurm on this machine for the tests: a controller and one node, with an authentication of
# their own, all in FOLDER. As root, without systemd, cgroups or any network but loopback.
#   tests/slurm.sh start FOLDER [PORT]    PORT and the one after it must be free
#   tests/slurm.sh stop FOLDER            ends what was started there, and the jobs that run
# Clients need SLURM_CONF=FOLDER/slurm.conf. What the daemons say is in FOLDER/log.
set -euo pipefail

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

usage() {
    echo "usage: $0 start FOLDER [PORT] | stop FOLDER" >&2
    exit 2
}

# Whether a process lives: one that has ended and was not waited for does not.
lives() { grep -qs '^State:[[:space:]]*[^ZX]' "/proc/$1/status"; }
gone() { ! lives "$1"; }
idle() { [ "$(sinfo --noheader --Node --format %T)" = idle ]; }
no_jobs() { [ -z "$(squeue --noheader --states running,completing)" ]; }

# Ask again and again whether a command succeeds, for at most twenty seconds.
until_true() {
    local end=$((SECONDS + 20))
    until "$@" >/dev/null 2>&1; do
        if [ $SECONDS -ge $end ]; then
            echo "$0: waited in vain for: $* (see $folder/log)" >&2
            return 1
        fi
        sleep 0.05
    done
}

configure() {
    cat <<END
ClusterName=tests
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld
SlurmdLogFile=$folder/log/slurmd
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
ReturnToService=2
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=1,sched_interval=1,sched_min_interval=1,bf_interval=1
MinJobAge=3600
KillWait=2
NodeName=node NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=64 RealMemory=16000 State=UNKNOWN
PartitionName=tests Nodes=node Default=YES MaxTime=INFINITE State=UP
END
}

start() {
    mkdir -p "$folder"/{log,state,spool}
    configure >"$folder/slurm.conf"
    head -c 1024 /dev/urandom >"$folder/munge.key"
    chmod 600 "$folder/munge.key"
    munged --force --socket "$folder/munge.socket" --key-file "$folder/munge.key" \
        --seed-file "$folder/munge.seed" --pid-file "$folder/munged.pid" \
        --log-file "$folder/log/munged" 2>"$folder/log/munged.start" ||
        { cat "$folder/log/munged.start" >&2 && return 1; }
    slurmctld
    slurmd -N node
    until_true idle
}

stop() {
    local pid pids=()
    if [ -s "$folder/slurmctld.pid" ] && lives "$(<"$folder/slurmctld.pid")"; then
        scancel --user root || true
        until_true no_jobs || true
    fi
    for pid in $(cat "$folder"/*.pid 2>/dev/null); do
        if lives "$pid"; then
            pids+=("$pid")
            kill "$pid"
        fi
    done
    for pid in "${pids[@]}"; do
        until_true gone "$pid" || kill -KILL "$pid"
    done
}

[ $# -ge 2 ] || usage
mkdir -p "$2"
folder=$(cd "$2" && pwd -P)
port=${3:-16817}
host=$(hostname -s)
export SLURM_CONF=$folder/slurm.conf
case $1 in
    start) start ;;
    stop) stop ;;
    *) usage ;;
esac
