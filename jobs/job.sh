# shellcheck shell=bash
# What the job files share: starting the ranks, passing signals on to them, the job's own end, and starting again.
# Nothing to edit here; the site's settings are in site.sh.

# shellcheck source=jobs/site.sh
. "$SEISDCN_JOBS/site.sh" || exit 2

say() { printf '%s: %s\n' "$SLURM_JOB_NAME" "$*"; }

fail() {
    say "error: $*" >&2
    exit 2
}

# In an array, the last task's SLURM_JOB_ID is the array's own: scontrol would take it for all of the tasks.
job=$SLURM_JOB_ID
[ -z "${SLURM_ARRAY_JOB_ID:-}" ] || job=${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID
restarts=${SLURM_RESTART_COUNT:-0}

[ -x "$SEISDCN" ] || fail "no program $SEISDCN: set SEISDCN in $SEISDCN_JOBS/site.sh, or build it with make"
say "job $job, $SLURM_NTASKS ranks by $LAUNCHER on $SLURM_JOB_NODELIST, restart $restarts, $(date '+%F %T')"

# ---- signals: Slurm's come to this shell alone, and the launcher passes SIGUSR1 on to all of its ranks -----------------
child=       # the launcher, while it runs
stopped=     # a signal has come
interrupted= # one has come during the last wait

pass_on() {
    say "SIG$1, $(date '+%F %T'): the ranks are to stop"
    stopped=1
    interrupted=1
    [ -z "$child" ] || kill -USR1 "$child" 2>/dev/null
}
for name in USR1 USR2 TERM; do
    # shellcheck disable=SC2064 # the name of now
    trap "pass_on $name" "$name"
done

# run COMMAND...: runs `seisdcn COMMAND...` on all ranks of the job and returns its exit status; 75 also where a signal
# came before the program could take it.
run() {
    local status start options
    case $LAUNCHER in
    srun)
        # A rank that ends first must not have the others killed: their exit status says whether the job can go on. Where
        # a rank dies, PMIx ends the step.
        read -ra options <<<"$SRUN_OPTIONS"
        start=(srun --kill-on-bad-exit=0 "${options[@]}")
        ;;
    mpirun)
        read -ra options <<<"$MPIRUN_OPTIONS"
        start=(mpirun -n "$SLURM_NTASKS" "${options[@]}")
        ;;
    *) fail "LAUNCHER is '$LAUNCHER' in $SEISDCN_JOBS/site.sh: srun or mpirun" ;;
    esac
    [ -z "$stopped" ] || return 75
    "${start[@]}" "$SEISDCN" "$@" </dev/null &
    child=$!
    [ -z "$stopped" ] || kill -USR1 "$child"
    interrupted=1
    while [ -n "$interrupted" ]; do # a trapped signal ends wait, not the launcher
        interrupted=
        status=0
        wait "$child" || status=$?
        [ "$status" -gt 128 ] || interrupted=
    done
    child=
    if [ -n "$stopped" ] && [ "$status" -eq $((128 + $(kill -l USR1))) ]; then status=75; fi
    return "$status"
}

# ---- the job's own end -------------------------------------------------------------------------------------------------
# One field of what Slurm says of this job.
field() { SLURM_TIME_FORMAT=standard scontrol show job --oneliner "$job" | grep -o " $1=[^ ]*" | cut -d= -f2; }

# Sets `minutes`: how long the program may run before it has to stop; 0 (no limit) where the job has no end.
# shellcheck disable=SC2034 # the job files use it
ask_minutes() {
    local end seconds
    end=$(field EndTime)
    minutes=0
    [ "$end" != Unknown ] || return 0
    if [ -z "$end" ]; then
        say "scontrol does not say when this job ends: only Slurm's signal will stop it in time" >&2
        return 0
    fi
    seconds=$(($(date -d "$end" +%s) - $(date +%s) - STOP_SECONDS))
    [ "$seconds" -gt 0 ] || fail "no time to run: the time limit must be longer than STOP_SECONDS=$STOP_SECONDS of site.sh"
    minutes=$(printf '%d.%02d' $((seconds / 60)) $((seconds % 60 * 100 / 60)))
}

# finish STATUS: ends the job with this exit status; one that was stopped and can go on (75) starts again.
finish() {
    local state
    [ "$1" -eq 75 ] || exit "$1"
    trap '' USR1 USR2 TERM
    state=$(field JobState)
    if [ "$state" != RUNNING ] && [ "$(field Reason)" != TimeLimit ]; then
        say "stopped with the job ($state): submit it again to go on"
    elif [ "$restarts" -ge "$MAX_RESTARTS" ]; then
        say "stopped after $restarts restarts, MAX_RESTARTS of site.sh: submit it again to go on"
    elif scontrol requeue "$job"; then
        say "stopped, $(date '+%F %T'); it starts again by itself"
    else
        say "stopped, and Slurm does not start it again: submit it again to go on"
    fi
    exit 75
}
