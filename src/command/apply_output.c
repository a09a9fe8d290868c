/* The predicted survey: it grows as NAME.part, which knows from its creation what work it is of, and gets its name when
 * it is whole. Going on with one that a killed run left trusts only gathers whose data match their checksum. */
#include "apply.h"

#include "seisdcn/files.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- what stands there ---- */

Status apply_output_check(const Job *job, const char *part)
{
    const char *output = command_text(job, "--output");
    bool resume = command_flag(job, "--resume"), begun = files_exists(part), whole = files_exists(output);
    if (files_is_folder(output))
        return status_fail(STATUS_USAGE, "%s is a folder; --output names the predicted survey to be made", output);
    Status status = files_check_output(output, job->force || resume);
    if (status != STATUS_OK || job->force) return status;
    if (begun && !resume)
        return status_fail(STATUS_USAGE,
                           "%s exists: an apply that did not finish; go on with it by --resume, or start anew with "
                           "--force",
                           part);
    if (begun && whole)
        return status_fail(STATUS_USAGE,
                           "%s exists already, beside the unfinished %s: finish that and replace it with --resume "
                           "--force, or choose another name",
                           output, part);
    return STATUS_OK;
}

typedef enum { STANDING_OF_THIS_WORK, STANDING_OF_OTHER_WORK, STANDING_DAMAGED, STANDING_UNKNOWN } Standing;

/* What the file at path is; its status says why it is not of this work. Local: rank 0. */
static Status judge(const Apply *apply, const char *path, Standing *standing)
{
    H5File file;
    ApplyWork work;
    *standing = STANDING_UNKNOWN;
    Status status = h5_open(path, false, &file);
    if (status == STATUS_OK) {
        status = apply_work_read(&file, &work);
        Status closed = h5_close(&file);
        if (status == STATUS_OK) status = closed;
    }
    if (status == STATUS_DATA) *standing = STANDING_DAMAGED;
    if (status != STATUS_OK) return status;
    status = apply_work_compare(apply, path, &work);
    *standing = status == STATUS_OK ? STANDING_OF_THIS_WORK : STANDING_OF_OTHER_WORK;
    return status;
}

/* The same on all ranks: OK where the file at path is of this work (*usable) or is to be replaced by a new one. A
 * damaged `part` holds nothing that could be trusted; a whole output is the user's, and only --force replaces it. */
static Status settle(const Apply *apply, const char *path, bool is_part, bool *usable)
{
    const Comm *comm = &apply->job->comm;
    Standing standing = STANDING_UNKNOWN;
    Status status = comm->rank == 0 ? judge(apply, path, &standing) : STATUS_OK;
    bool replace = apply->job->force ? standing != STANDING_UNKNOWN : is_part && standing == STANDING_DAMAGED;
    if (status != STATUS_OK && replace) {
        log_warning("%s; starting anew", status_message());
        status_clear();
        status = STATUS_OK;
    } else if (status != STATUS_OK && !is_part && standing == STANDING_DAMAGED) {
        status_prefix(status, "it is no prediction to resume; choose another name, or overwrite it with --force");
    }
    *usable = status == STATUS_OK && standing == STANDING_OF_THIS_WORK;
    comm_broadcast(comm, usable, sizeof *usable);
    return comm_agree(comm, status);
}

/* Whether a file stands at path, as rank 0 sees it. Collective. */
static bool stands(const Comm *comm, const char *path)
{
    bool there = comm->rank == 0 && files_exists(path);
    comm_broadcast(comm, &there, sizeof there);
    return there;
}

/* ---- a new one ---- */

static Status create(Apply *apply)
{
    const Survey *survey = &apply->survey;
    const Comm *comm = &apply->job->comm;
    ApplyWork work;
    char *history = survey_history(survey->history, apply->job->line);
    Status status = comm_agree(comm, history == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) unlink(apply->part); /* its space may be needed */
    apply_work_describe(apply, &work);
    SurveyPlan plan = {.n_ensembles = survey->n_ensembles,
                       .n_samples = survey->n_samples,
                       .interval_us = survey->interval_us,
                       .first_trace = survey->first_trace,
                       .inlines = survey->inlines,
                       .crosslines = survey->crosslines,
                       .history = history,
                       .with_done = true,
                       .sparse = apply->n_selected < survey->n_ensembles,
                       .headers_from = survey->path,
                       .add = apply_work_write,
                       .context = &work};
    apply->begun = true;
    status = survey_create(comm, apply->part, &plan, &apply->predicted);
    memory_free(history);
    return status;
}

/* ---- going on with one ---- */

static bool same_gathers(const Survey *a, const Survey *b)
{
    size_t n = (size_t)a->n_ensembles;
    return a->n_ensembles == b->n_ensembles && a->n_samples == b->n_samples && b->done != NULL &&
           memcmp(a->first_trace, b->first_trace, (n + 1) * sizeof *a->first_trace) == 0 &&
           memcmp(a->inlines, b->inlines, n * sizeof *a->inlines) == 0 &&
           memcmp(a->crosslines, b->crosslines, n * sizeof *a->crosslines) == 0;
}

/* Each rank reads its share of the n gathers; good[i] becomes 1 where gather e[i] matches its checksum. */
static Status verify(const Apply *apply, const int64_t *e, int64_t n, int64_t *good)
{
    const Comm *comm = &apply->job->comm;
    int64_t first, end;
    Status status = STATUS_OK;
    comm_share(comm, n, &first, &end);
    log_progress_start("check", n, "gathers");
    for (int64_t i = first; i < end && status == STATUS_OK && !interrupt_asked(); i++) {
        status = survey_verify_gather(&apply->predicted, e[i]);
        good[i] = status == STATUS_OK;
        if (status == STATUS_DATA) {
            status_clear();
            status = STATUS_OK;
        }
        log_progress((i + 1 - first) * comm->size, NULL);
    }
    log_progress_end();
    if (status == STATUS_OK) status = interrupt_status();
    if (status == STATUS_INTERRUPTED)
        status = status_fail(status, "%s while it checked %s, which stays as it was: go on with --resume",
                             status_message(), apply->part);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) comm_sum(comm, good, (size_t)n);
    return status;
}

/* Takes the gathers that are done, and match, out of the list. */
static Status take_done(Apply *apply)
{
    const Comm *comm = &apply->job->comm;
    size_t n = (size_t)apply->n_selected;
    int64_t *claimed = memory_new(n, sizeof *claimed, "the finished gathers");
    int64_t *good = memory_new(n, sizeof *good, "the finished gathers");
    int64_t n_claimed = 0, n_good = 0, n_left = 0;
    Status status = comm_agree(comm, claimed == NULL || good == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        for (int64_t i = 0; i < apply->n_selected; i++)
            if (apply->predicted.done[apply->list[i]]) claimed[n_claimed++] = apply->list[i];
        status = verify(apply, claimed, n_claimed, good);
    }
    if (status == STATUS_OK) {
        for (int64_t i = 0, at = 0; i < apply->n_selected; i++) {
            bool done = at < n_claimed && claimed[at] == apply->list[i] && good[at++] == 1;
            n_good += done;
            if (!done) apply->list[n_left++] = apply->list[i];
        }
        apply->n = n_left;
        char done[32], all[32];
        log_note("resuming %s: %s of %s gathers are done", apply->part, log_count(n_good, done),
                 log_count(apply->n_selected, all));
        if (n_good < n_claimed)
            log_warning("%s of the finished gathers do not match their checksum and are predicted again",
                        log_count(n_claimed - n_good, done));
    }
    memory_free(claimed);
    memory_free(good);
    return status;
}

/* *usable: false where the file turned out to be damaged. */
static Status resume(Apply *apply, bool *usable)
{
    const Comm *comm = &apply->job->comm;
    bool dry = command_flag(apply->job, "--dry-run");
    Status status = survey_open(comm, apply->part, !dry, &apply->predicted);
    *usable = status != STATUS_DATA;
    if (status == STATUS_DATA) {
        log_warning("%s; starting anew", status_message());
        status_clear();
        return STATUS_OK;
    }
    if (status != STATUS_OK) return status;
    if (!same_gathers(&apply->survey, &apply->predicted)) {
        if (apply->job->force) {
            log_warning("%s has other gathers than %s; starting anew", apply->part, apply->survey.path);
            *usable = false;
            return survey_close(&apply->predicted);
        }
        return status_fail(STATUS_DATA,
                           "%s has other gathers, inlines or crosslines than %s: give its survey, or start anew with "
                           "--force",
                           apply->part, apply->survey.path);
    }
    status = take_done(apply);
    if (status == STATUS_OK) apply->begun = !dry;
    return status;
}

Status apply_output_open(Apply *apply, bool *finished)
{
    const Comm *comm = &apply->job->comm;
    const char *output = command_text(apply->job, "--output");
    bool usable = false;
    Status status = STATUS_OK;
    *finished = false;
    if (command_flag(apply->job, "--resume")) {
        bool begun = stands(comm, apply->part);
        if (begun) {
            status = settle(apply, apply->part, true, &usable);
            if (status == STATUS_OK && usable) status = resume(apply, &usable);
            if (status != STATUS_OK || usable) return status;
        } else if (stands(comm, output)) {
            status = settle(apply, output, false, finished);
            if (status != STATUS_OK || *finished) return status;
        } else {
            log_note("nothing to resume: %s does not exist; starting from the beginning", apply->part);
        }
    }
    return command_flag(apply->job, "--dry-run") ? STATUS_OK : create(apply);
}

/* ---- the end ---- */

Status apply_output_finish(Apply *apply)
{
    const Comm *comm = &apply->job->comm;
    Status status = survey_finish(&apply->predicted);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) status = files_publish(apply->part, command_text(apply->job, "--output"));
    return comm_agree(comm, status);
}

Status apply_output_abandon(Apply *apply, Status status)
{
    const Comm *comm = &apply->job->comm;
    if (!apply->begun) return status;
    char why[STATUS_MESSAGE_MAX], done_text[32], all_text[32];
    snprintf(why, sizeof why, "%s", status_message());
    int64_t done = apply->n_done;
    comm_sum(comm, &done, 1);
    done += apply->n_selected - apply->n;
    (void)survey_close(&apply->predicted); /* the first failure is the one to tell */
    bool keep = done > 0 || status == STATUS_INTERRUPTED;
    if (!keep && comm->rank == 0) unlink(apply->part);
    if (!keep) return status_fail(status, "%s", why);
    return status_fail(status, "%.1600s; %s of %s gathers are done in %s: the same command with --resume goes on there",
                       why, log_count(done, done_text), log_count(apply->n_selected, all_text), apply->part);
}
