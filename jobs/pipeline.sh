#!/bin/bash
# The whole road as three jobs, each started when the one before it is done: consolidate, train, apply. To be run on a login
# host: it submits, prints the jobs' ids and returns. If one of them fails, Slurm cancels those that wait for it; what they
# would have done is submitted by hand then, with train.sbatch and apply.sbatch.
#
#   jobs/pipeline.sh INPUT...        INPUT: .npy files, or folders of them
#
# To edit, by survey: the lines below (or a copy of this file in this folder). What differs between sites is in site.sh.

# Names, in the folder that this is run in.
SURVEY=survey.h5
TRAINED=trained
PREDICTED=predicted.h5

# Options of sbatch, before those in the job files.
CONSOLIDATE_JOB=(--ntasks=16)
TRAIN_JOB=(--ntasks=64)
APPLY_JOB=(--ntasks=64)

# Options of seisdcn, for example --config my.yaml or --set train.max_epochs=6.
CONSOLIDATE=()
TRAIN=()
APPLY=()

set -eu -o pipefail
if [ $# -eq 0 ]; then
    echo "usage: $0 INPUT..." >&2
    exit 2
fi
jobs=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
submitted=()
trap '[ ${#submitted[@]} -eq 0 ] || scancel "${submitted[@]}"' EXIT # all three or none

# submit [OPTIONS OF sbatch] JOB FILE [ARGUMENTS]: sets `id`.
submit() {
    id=$("$jobs/submit" --parsable "$@" | cut -d ';' -f 1)
    submitted+=("$id")
}
after() { echo "--dependency=afterok:$id"; }

submit "${CONSOLIDATE_JOB[@]}" "$jobs/consolidate.sbatch" "${CONSOLIDATE[@]}" --output "$SURVEY" "$@"
submit "$(after)" --kill-on-invalid-dep=yes "${TRAIN_JOB[@]}" "$jobs/train.sbatch" "${TRAIN[@]}" \
    --survey "$SURVEY" --output "$TRAINED"
submit "$(after)" --kill-on-invalid-dep=yes "${APPLY_JOB[@]}" "$jobs/apply.sbatch" "${APPLY[@]}" \
    --survey "$SURVEY" --model "$TRAINED/best.h5" --output "$PREDICTED"
trap - EXIT
echo "consolidate ${submitted[0]}"
echo "train ${submitted[1]}"
echo "apply ${submitted[2]}"
