#!/usr/bin/env bash
# Sets up a Slurm of two nodes, both on this machine, in a temporary folder, runs a sweep through it as a real job array, with a task that is
# requeued and one that is cancelled, and compares the results with those of an undisturbed sweep. Needs Debian's packages
# slurm-wlm and munge, and root. Called by `cargo xtask check --slurm` as: two-nodes.sh PROGRAM
set -euo pipefail

program=$1
for tool in munged mungekey slurmctld slurmd sbatch squeue scontrol scancel; do
    command -v "$tool" >/dev/null || PATH=$PATH:/usr/sbin command -v "$tool" >/dev/null || {
        echo "two-nodes.sh: $tool is missing; apt-get install slurm-wlm munge" >&2
        exit 1
    }
done
export PATH=$PATH:/usr/sbin
folder=$(mktemp -d)
chmod 755 "$folder"
pids=()
finish() {
    code=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    if [ "$code" -ne 0 ]; then
        tail -n 20 "$folder"/*.log >&2 || true
    fi
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$folder"
    exit "$code"
}
trap finish EXIT

host=$(hostname -s)
# Below those that the system gives away.
port=$((20000 + $$ % 12000))
mkdir -p "$folder/state" "$folder/spool-first" "$folder/spool-second"
mungekey --create --keyfile "$folder/munge.key"
chmod 600 "$folder/munge.key"
cat >"$folder/slurm.conf" <<CONF
ClusterName=laboratory
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$port
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket,cred_expire=15
CredType=cred/munge
SlurmUser=root
SlurmdUser=root
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
SlurmdPidFile=$folder/slurmd-%n.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
ReturnToService=2
KillWait=10
JobRequeue=1
NodeName=first NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=1 State=UNKNOWN
NodeName=second NodeHostname=$host NodeAddr=127.0.0.1 Port=$((port + 2)) CPUs=1 State=UNKNOWN
PartitionName=main Nodes=ALL Default=YES MaxTime=INFINITE State=UP
CONF
export SLURM_CONF=$folder/slurm.conf

# Waits until a command succeeds, two minutes at most unless SECONDS_AT_MOST says otherwise.
until_true() {
    local deadline=$((SECONDS + ${SECONDS_AT_MOST:-120}))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || { echo "two-nodes.sh: waited in vain for: $*" >&2; return 1; }
        sleep 0.2
    done
}

munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
    --pid-file="$folder/munge.pid" --log-file="$folder/munged.log" --seed-file="$folder/munge.seed" 2>"$folder/munge-errors.log" &
pids+=($!)
until_true test -S "$folder/munge.socket"
slurmctld -D -c 2>"$folder/slurmctld-errors.log" &
pids+=($!)
until_true scontrol ping
for node in first second; do
    slurmd -N "$node" -D -c 2>"$folder/slurmd-$node-errors.log" &
    pids+=($!)
done
until_true bash -c '[ "$(sinfo --noheader --Node --format=%t | grep -cx "idle\|mix\|alloc")" -eq 2 ]'
echo "Slurm is up: $(sinfo --noheader)"

# A sweep through it, in a folder whose name a shell would obey.
cd "$folder"
cat >grid.toml <<'TOML'
data = "synthetic"
train_size = 1000
test_size = 200
evaluate_train = 200
hidden = [64]
batch_size = 1
epochs = 400

[sweep]
seed = [0, 1, 2, 3]
TOML
out="$folder/out \$(touch owned)"
sweep() {
    "$program" sweep grid.toml --out "$out" --executor slurm --tasks 2 --cores 1 --checkpoint-epochs 1
}
is_empty() { local jobs; jobs=$(squeue --noheader --array) && [ -z "$jobs" ]; }
has_files() { [ -n "$(ls -A "$1" 2>/dev/null)" ]; }

job=$(sweep | sed -n 's/^submitted job \([0-9]*\):.*/\1/p')
echo "job $job"
on_both_nodes() { [ "$(squeue --noheader --array --states=running --format=%N | sort -u | wc -l)" -eq 2 ]; }
until_true on_both_nodes
echo "running on $(squeue --noheader --array --states=running --format=%N | sort | xargs)"
SECONDS_AT_MOST=300 until_true has_files "$out/checkpoints"
scontrol requeue "${job}_1"
echo "requeued ${job}_1"
sleep 1
scancel "${job}_2" || true
echo "cancelled ${job}_2"
"$program" sweep status "$out"
SECONDS_AT_MOST=600 until_true is_empty
n_first=$(ls "$out/trials" | wc -l)
echo "$n_first of 4 trials after the requeue and the cancellation"
[ "$n_first" -ge 2 ]

# What the cancelled task left is submitted by the same command.
sweep | head -1
SECONDS_AT_MOST=600 until_true is_empty
"$program" sweep status "$out"
[ "$(ls "$out/trials" | wc -l)" -eq 4 ]
[ ! -e "$folder/owned" ]
"$program" report "$out" >/dev/null
"$program" sweep grid.toml --out "$folder/undisturbed" --quiet >/dev/null
# The last three columns are the seconds, which two runs do not share.
without_seconds() { sed 's/\(,[^,]*\)\{3\}$//' "$1/results.csv"; }
cmp <(without_seconds "$out") <(without_seconds "$folder/undisturbed")
echo "the records are those of an undisturbed sweep"
