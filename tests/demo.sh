#!/bin/sh
# The whole road on a synthetic survey, on two ranks: DIR (the first argument) is made anew. Ends with the losses.
set -eu

demo=${1:-build/demo}
program=${SEISDCN:-build/seisdcn}
mpirun=${MPIRUN:-mpirun}
ranks=${RANKS:-2}

step() {
    echo
    echo "\$ mpirun -n $ranks seisdcn $*"
    # shellcheck disable=SC2086 # MPIRUN may hold options
    $mpirun -n "$ranks" "$program" "$@" </dev/null
}

rm -rf "$demo"
mkdir -p "$demo"

step synth --output "$demo/survey" --inlines 4 --crosslines 10 --traces 61 --samples 501 --snr 6
step consolidate --output "$demo/survey.h5" --interval-us 4000 "$demo/survey/noisy"
step index --survey "$demo/survey.h5" --output "$demo/map.h5" --set patch.stride=4
step train --survey "$demo/survey.h5" --map "$demo/map.h5" --output "$demo/model" --set train.max_epochs=6
step test --survey "$demo/survey.h5" --model "$demo/model/best.h5" --map "$demo/map.h5"
step apply --survey "$demo/survey.h5" --model "$demo/model/best.h5" --output "$demo/predicted.h5"
step plot --survey "$demo/survey.h5" --predicted "$demo/predicted.h5" --ensemble 1300:1400 --output "$demo/gather.png"
step plot --training "$demo/model" --output "$demo/loss.png"
step export --survey "$demo/predicted.h5" --output "$demo/predicted"

echo
echo "What is there now:"
for made in survey.h5 map.h5 model/best.h5 predicted.h5 gather.png loss.png predicted; do echo "  $demo/$made"; done
echo
echo "Losses by epoch (from $demo/model/metrics.csv):"
# The rows at the ends of epochs are those without a step.
awk -F , '
    NR == 1 { for (i = 1; i <= NF; i++) column[$i] = i; printf "  %5s  %12s  %12s\n", "epoch", "training", "validation"; next }
    $column["step"] == "" {
        valid = $column["val_loss"]
        printf "  %5d  %12.6g  %12s\n", $column["epoch"], $column["train_loss_epoch"], valid == "" ? "-" : sprintf("%.6g", valid)
        if (rows++ == 0) first = $column["train_loss_epoch"]
        last = $column["train_loss_epoch"]
    }
    END {
        if (rows == 0) { print "  no epoch was finished"; exit 1 }
        printf "  the training loss fell to %.1f %% of the first epoch'"'"'s\n", 100 * last / first
    }' "$demo/model/metrics.csv"
