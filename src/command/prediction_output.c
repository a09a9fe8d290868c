/* The predicted survey: it grows as NAME.part, which knows from its creation what work it is of, and gets its name when
 * it is whole. Going on with one that a killed run left trusts only gathers whose data match their checksum. */
#include "prediction.h"

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

Status prediction_output_check(const Prediction *prediction)
{
    const Job *job = prediction->job;
    const char *part = prediction->part;
    const char *output = prediction->said->output;
    bool resume = prediction->said->resume, begun = files_exists(part), whole = files_exists(output);
    if (files_is_folder(output))
        return status_fail(STATUS_USAGE, "%s is a folder; --output names the predicted survey to be made", output);
    Status status = files_check_output(output, job->force || resume);
    if (status != STATUS_OK || job->force) return status;
    if (begun && !resume)
        return status_fail(STATUS_USAGE,
                           "%s exists: %s did not finish; go on with it by --resume, or start anew with --force", part,
                           job->command->name);
    if (begun && whole)
        return status_fail(STATUS_USAGE,
                           "%s exists already, beside the unfinished %s: finish that and replace it with --resume "
                           "--force, or choose another name",
                           output, part);
    return STATUS_OK;
}

typedef enum { STANDING_OF_THIS_WORK, STANDING_OF_OTHER_WORK, STANDING_DAMAGED, STANDING_UNKNOWN } Standing;

/* Reads back into work, which is described, what the file at path is of. STATUS_DATA where it does not tell,
 * STATUS_USAGE where another command made it. */
static Status read_work(const char *path, PredictionWork *work)
{
    H5File file;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    const char *command = prediction_command_of(&file);
    if (command != NULL && strcmp(command, work->command) != 0)
        status =
            status_fail(STATUS_USAGE, "%s was made by %s, not by %s: call that command, or start anew with --force",
                        path, command, work->command);
    else
        status = prediction_work_read(&file, work);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

/* What the file at path is; its status says why it is not of this work. Local: rank 0. */
static Status judge(const Prediction *prediction, const char *path, Standing *standing)
{
    PredictionWork have, want;
    prediction_work_describe(prediction, &want);
    prediction_work_describe(prediction, &have);
    *standing = STANDING_UNKNOWN;
    Status status = read_work(path, &have);
    if (status == STATUS_DATA) *standing = STANDING_DAMAGED;
    if (status == STATUS_USAGE) *standing = STANDING_OF_OTHER_WORK;
    if (status != STATUS_OK) return status;
    status = prediction_work_compare(path, &have, &want);
    *standing = status == STATUS_OK ? STANDING_OF_THIS_WORK : STANDING_OF_OTHER_WORK;
    return status;
}

/* The same on all ranks: OK where the file at path is of this work (*usable) or is to be replaced by a new one. A
 * damaged `part` holds nothing that could be trusted; a whole output is the user's, and only --force replaces it. */
static Status settle(const Prediction *prediction, const char *path, bool is_part, bool *usable)
{
    const Comm *comm = &prediction->job->comm;
    Standing standing = STANDING_UNKNOWN;
    Status status = comm->rank == 0 ? judge(prediction, path, &standing) : STATUS_OK;
    bool replace = prediction->job->force ? standing != STANDING_UNKNOWN : is_part && standing == STANDING_DAMAGED;
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

static Status create(Prediction *prediction)
{
    const Survey *survey = &prediction->survey;
    const Comm *comm = &prediction->job->comm;
    PredictionWork work;
    char *history = survey_history(survey->history, prediction->job->line);
    Status status = comm_agree(comm, history == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) unlink(prediction->part); /* its space may be needed */
    prediction_work_describe(prediction, &work);
    SurveyPlan plan = {.n_ensembles = survey->n_ensembles,
                       .n_samples = survey->n_samples,
                       .interval_us = survey->interval_us,
                       .first_trace = survey->first_trace,
                       .inlines = survey->inlines,
                       .crosslines = survey->crosslines,
                       .lines = survey->lines,
                       .history = history,
                       .with_done = true,
                       .sparse = prediction->n_selected < survey->n_ensembles,
                       .headers_from = survey->path,
                       .add = prediction_work_write,
                       .context = &work};
    prediction->begun = true;
    status = survey_create(comm, prediction->part, &plan, &prediction->predicted);
    memory_free(history);
    return status;
}

/* ---- going on with one ---- */

static bool same_gathers(const Survey *a, const Survey *b)
{
    size_t n = (size_t)a->n_ensembles;
    if ((a->lines == NULL) != (b->lines == NULL)) return false;
    if (a->n_ensembles == b->n_ensembles && a->lines != NULL && memcmp(a->lines, b->lines, n * sizeof *a->lines) != 0)
        return false;
    return a->n_ensembles == b->n_ensembles && a->n_samples == b->n_samples && b->done != NULL &&
           memcmp(a->first_trace, b->first_trace, (n + 1) * sizeof *a->first_trace) == 0 &&
           memcmp(a->inlines, b->inlines, n * sizeof *a->inlines) == 0 &&
           memcmp(a->crosslines, b->crosslines, n * sizeof *a->crosslines) == 0;
}

/* Each rank reads its share of the n gathers; good[i] becomes 1 where gather e[i] matches its checksum. */
static Status verify(const Prediction *prediction, const int64_t *e, int64_t n, int64_t *good)
{
    const Comm *comm = &prediction->job->comm;
    int64_t first, end;
    Status status = STATUS_OK;
    comm_share(comm, n, &first, &end);
    log_progress_start("check", n, "gather");
    for (int64_t i = first; i < end && status == STATUS_OK && !interrupt_asked(); i++) {
        status = survey_verify_gather(&prediction->predicted, e[i]);
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
                             status_message(), prediction->part);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) comm_sum(comm, good, (size_t)n);
    return status;
}

/* Takes the gathers that are done, and match, out of the list. */
static Status take_done(Prediction *prediction)
{
    const Comm *comm = &prediction->job->comm;
    size_t n = (size_t)prediction->n_selected;
    int64_t *claimed = memory_new(n, sizeof *claimed, "the finished gathers");
    int64_t *good = memory_new(n, sizeof *good, "the finished gathers");
    int64_t n_claimed = 0, n_good = 0, n_left = 0;
    Status status = comm_agree(comm, claimed == NULL || good == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        for (int64_t i = 0; i < prediction->n_selected; i++)
            if (prediction->predicted.done[prediction->list[i]]) claimed[n_claimed++] = prediction->list[i];
        status = verify(prediction, claimed, n_claimed, good);
    }
    if (status == STATUS_OK) {
        for (int64_t i = 0, at = 0; i < prediction->n_selected; i++) {
            bool done = at < n_claimed && claimed[at] == prediction->list[i] && good[at++] == 1;
            n_good += done;
            if (!done) prediction->list[n_left++] = prediction->list[i];
        }
        prediction->n = n_left;
        char done[32], all[LOG_THINGS_MAX];
        log_note("resuming %s: %s of %s %s done", prediction->part, log_count(n_good, done),
                 log_things(prediction->n_selected, "gather", all), prediction->n_selected == 1 ? "is" : "are");
        if (n_good < n_claimed)
            log_warning("%s of the finished gathers %s predicted again", log_count(n_claimed - n_good, done),
                        n_claimed - n_good == 1 ? "does not match its checksum and is"
                                                : "do not match their checksum and are");
    }
    memory_free(claimed);
    memory_free(good);
    return status;
}

/* *usable: false where the file turned out to be damaged. */
static Status resume(Prediction *prediction, bool *usable)
{
    const Comm *comm = &prediction->job->comm;
    bool dry = prediction->said->dry_run;
    Status status = survey_open(comm, prediction->part, !dry, &prediction->predicted);
    *usable = status != STATUS_DATA;
    if (status == STATUS_DATA) {
        log_warning("%s; starting anew", status_message());
        status_clear();
        return STATUS_OK;
    }
    if (status != STATUS_OK) return status;
    if (!same_gathers(&prediction->survey, &prediction->predicted)) {
        if (prediction->job->force) {
            log_warning("%s has other gathers than %s; starting anew", prediction->part, prediction->survey.path);
            *usable = false;
            return survey_close(&prediction->predicted);
        }
        return status_fail(STATUS_DATA,
                           "%s has other gathers, inlines or crosslines than %s: give its survey, or start anew with "
                           "--force",
                           prediction->part, prediction->survey.path);
    }
    status = take_done(prediction);
    if (status == STATUS_OK) prediction->begun = !dry;
    return status;
}

Status prediction_output_open(Prediction *prediction, bool *finished)
{
    const Comm *comm = &prediction->job->comm;
    const char *output = prediction->said->output;
    bool usable = false;
    Status status = STATUS_OK;
    *finished = false;
    if (prediction->said->resume) {
        bool begun = stands(comm, prediction->part);
        if (begun) {
            status = settle(prediction, prediction->part, true, &usable);
            if (status == STATUS_OK && usable) status = resume(prediction, &usable);
            if (status != STATUS_OK || usable) return status;
        } else if (stands(comm, output)) {
            status = settle(prediction, output, false, finished);
            if (status != STATUS_OK || *finished) return status;
        } else {
            log_note("nothing to resume: %s does not exist; starting from the beginning", prediction->part);
        }
    }
    return prediction->said->dry_run ? STATUS_OK : create(prediction);
}

/* ---- the end ---- */

Status prediction_output_finish(Prediction *prediction)
{
    const Comm *comm = &prediction->job->comm;
    Status status = survey_finish(&prediction->predicted);
    if (status != STATUS_OK) return status;
    if (comm->rank == 0) status = files_publish(prediction->part, prediction->said->output);
    return comm_agree(comm, status);
}

Status prediction_output_abandon(Prediction *prediction, Status status)
{
    const Comm *comm = &prediction->job->comm;
    if (!prediction->begun) return status;
    char why[STATUS_MESSAGE_MAX], done_text[32], all_text[LOG_THINGS_MAX];
    snprintf(why, sizeof why, "%s", status_message());
    int64_t done = prediction->n_done;
    comm_sum(comm, &done, 1);
    done += prediction->n_selected - prediction->n;
    (void)survey_close(&prediction->predicted); /* the first failure is the one to tell */
    bool keep = done > 0 || status == STATUS_INTERRUPTED;
    if (!keep && comm->rank == 0) unlink(prediction->part);
    if (!keep) return status_fail(status, "%s", why);
    return status_fail(status, "%.1600s; %s of %s %s done in %s: the same command with --resume goes on there", why,
                       log_count(done, done_text), log_things(prediction->n_selected, "gather", all_text),
                       prediction->n_selected == 1 ? "is" : "are", prediction->part);
}
