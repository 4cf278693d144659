#!/bin/sh
# One task of a job array: a shard of a sweep. Its first argument is the number of tasks, the others are the program
# with its arguments. `exec` makes the program the batch process itself, so that Slurm's SIGTERM, before a time limit,
# a preemption or a cancellation, reaches it: it then writes its trials down and ends with 75.
n_tasks=$1
shift
exec "$@" --shard "$SLURM_ARRAY_TASK_ID/$n_tasks"
