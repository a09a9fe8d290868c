/* attributes: computes attributes of every trace and writes them into the survey, as further channels. */
#include "report.h"

#include "seisdcn/attribute.h"
#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_add.h"
#include "seisdcn/timer.h"
#include "seisdcn/worklist.h"

#include <inttypes.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *add;
} AttributesOptions;

static const AttributesOptions *attributes_options(const Job *job) { return job->options; }

typedef struct {
    Job *job;
    Survey survey;
    int n;
    AttributeRule rule[ATTRIBUTE_RULES_MAX];
    char definition[ATTRIBUTE_RULES_MAX][ATTRIBUTE_TEXT_MAX];
    SurveyAddition addition[ATTRIBUTE_RULES_MAX];
    AttributeWork work;
    SurveyAdding adding;
    float *in, *out; /* [max_fold][n_samples], [n][max_fold][n_samples] */
} Attributes;

/* ---- prepare ---- */

static Status prepare(Attributes *a)
{
    const Comm *comm = &a->job->comm;
    Survey *survey = &a->survey;
    Status status = attribute_parse(attributes_options(a->job)->add, a->rule, &a->n);
    if (status == STATUS_OK) status = survey_open(comm, attributes_options(a->job)->survey, false, survey);
    if (status == STATUS_OK) status = attribute_check_bands(a->rule, a->n, survey->interval_us, survey->path);
    if (status != STATUS_OK) return status; /* alike on all ranks */
    for (int i = 0; i < a->n; i++)
        a->addition[i] = (SurveyAddition){.name = a->rule[i].name,
                                          .definition = attribute_describe(&a->rule[i], a->definition[i]),
                                          .shared_scale = attribute_shares_scale(&a->rule[i])};
    size_t items = (size_t)(survey_max_fold(survey) * survey->n_samples);
    status = attribute_new(a->rule, a->n, survey->n_samples, survey->interval_us, &a->work);
    a->in = memory_new(items, sizeof *a->in, "a gather");
    a->out = memory_new(items * (size_t)a->n, sizeof *a->out, "the attributes of a gather");
    if (status == STATUS_OK && (a->in == NULL || a->out == NULL)) status = STATUS_MEMORY;
    return comm_agree(comm, status);
}

static Status begin(Attributes *a)
{
    char *history = survey_history(a->survey.history, a->job->line);
    Status status = comm_agree(&a->job->comm, history == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK)
        status = survey_add_begin(&a->survey, a->addition, a->n, a->job->force, history, &a->adding);
    memory_free(history);
    return status;
}

/* ---- loop ---- */

static Status check_finite(const Attributes *a, int64_t e)
{
    const Survey *survey = &a->survey;
    int64_t items = survey_fold(survey, e) * survey->n_samples;
    int64_t bad = survey_first_not_finite(a->out, a->n * items);
    char name[96];
    if (bad < 0) return STATUS_OK;
    return status_fail(STATUS_NUMERIC,
                       "the %s of %s is not finite at trace %" PRId64 ", sample %" PRId64
                       " (counted from 0); its samples are too large for 32-bit numbers",
                       a->rule[bad / items].name, survey_ensemble_name(survey, e, name),
                       bad % items / survey->n_samples, bad % survey->n_samples);
}

static Status make_one(Attributes *a, int64_t e)
{
    Status status = survey_read_gather(&a->survey, e, 1, a->in);
    if (status != STATUS_OK) return status;
    attribute_traces(&a->work, a->in, survey_fold(&a->survey, e), a->out);
    status = check_finite(a, e);
    return status == STATUS_OK ? survey_add_gather(&a->adding, e, a->out) : status;
}

static Status loop(Attributes *a)
{
    const Comm *comm = &a->job->comm;
    int64_t n = a->survey.n_ensembles, e;
    Worklist work;
    Status status = STATUS_OK;
    worklist_new(comm, n, &work);
    log_progress_start("attributes", n, "gather");
    while (status == STATUS_OK && (e = worklist_next(&work)) >= 0) {
        status = make_one(a, e);
        if (status == STATUS_OK) log_progress(worklist_done(&work), NULL);
        (void)worklist_poke(&work);
    }
    if (status != STATUS_OK) worklist_stop(&work);
    int64_t done = worklist_end(&work);
    worklist_free(&work);
    log_progress_end();
    status = comm_agree(comm, status);
    if (status == STATUS_OK && done != n)
        status = status_fail(STATUS_BUG, "%" PRId64 " gathers of %" PRId64 " were done", done, n);
    return status;
}

/* ---- report ---- */

/* What the survey's channels are now, in the order of their numbers. */
static Status report(Attributes *a, double seconds)
{
    Survey now;
    Status status = survey_close(&a->survey);
    if (status == STATUS_OK) status = survey_open(&a->job->comm, attributes_options(a->job)->survey, false, &now);
    if (status != STATUS_OK) return status;
    char added[LOG_THINGS_MAX], traces[LOG_THINGS_MAX], bytes[32], spent[32], text[SURVEY_CHANNELS_TEXT];
    log_note("added %s of %s (%s) in %s", log_things(a->n, "attribute", added),
             log_things(now.n_traces, "trace", traces),
             log_bytes(4.0 * a->n * (double)now.n_traces * (double)now.n_samples, bytes), log_duration(seconds, spent));
    log_note("channels of %s: %s", now.path, survey_describe_channels(&now, 1 + now.n_attributes, text));
    report_memory(&a->job->comm);
    return survey_close(&now);
}

static Status run(Job *job)
{
    Attributes *a = memory_new(1, sizeof *a, "the attributes' command");
    double start = timer_now();
    Status status = comm_agree(&job->comm, a == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status != STATUS_OK) {
        memory_free(a);
        return status;
    }
    a->job = job;
    status = prepare(a);
    if (status == STATUS_OK) status = begin(a);
    if (status == STATUS_OK) {
        status = loop(a);
        if (status == STATUS_OK) status = survey_add_finish(&a->adding);
        survey_add_end(&a->adding);
    }
    if (status == STATUS_OK) status = report(a, timer_now() - start);
    attribute_free(&a->work);
    memory_free(a->in);
    memory_free(a->out);
    Status closed = survey_close(&a->survey);
    memory_free(a);
    return status != STATUS_OK ? status : closed;
}

static const Option options[] = {
    {"--survey", FILLS(SURVEY, AttributesOptions, survey), .argument = "SURVEY.h5", .required = true,
     .help = "the survey file, which gets them"},
    {"--add", FILLS(TEXT, AttributesOptions, add), .argument = "LIST", .required = true,
     .help = "attributes with commas between: envelope, cosphase, band:LO-HI in Hz (band:10-20)"},
    {.name = NULL},
};

const Command command_attributes = {
    .name = "attributes",
    .summary = "adds trace attributes to a survey, as further channels",
    .description =
        "Computes attributes of every trace and writes them into the survey as /attribute/NAME: the envelope and the "
        "cosine of the instantaneous phase (of the analytic signal), and bands of frequency (zero-phase, half at the "
        "edges, which fall by a cosine within a fifth of their frequency: bands that meet add up). Names are envelope, "
        "cosphase, band_010_020; a network of network.channels > 1 takes the amplitude and the first attributes in "
        "alphabetical order. An attribute that exists is an error without --force. A kill at any moment leaves the "
        "survey as it was, or with all of them.",
    .example = "seisdcn attributes --survey survey.h5 --add cosphase\n"
               "mpirun -n 2 seisdcn attributes --survey survey.h5 --add envelope,band:10-20,band:20-40",
    .tables = {{options, 0}},
    .options_size = sizeof(AttributesOptions),
    .run = run,
};
