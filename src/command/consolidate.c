/* consolidate: gathers of many files become one survey file. */
#include "consolidate_dead.h"
#include "segy_options.h"

#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/inputs.h"
#include "seisdcn/inputs_dead.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey.h"
#include "seisdcn/text.h"
#include "seisdcn/timer.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

/* What the options say; their tables tell what each means. */
typedef struct {
    SegyGatherOptions gathers;
    SegyFileOptions files;
    const char *output, *names;
    double interval_us, scale;
    bool zero_bad, drop_dead, transpose;
} ConsolidateOptions;

static const ConsolidateOptions *consolidate_options(const Job *job) { return job->options; }

/* Gathers that each rank copies between two agreements: an error anywhere ends all ranks soon. */
enum { ROUND_GATHERS = 64 };

/* ---- prepare ---- */

static Status read_options(const Job *job, InputsOptions *options)
{
    options->interval_us = consolidate_options(job)->interval_us;
    options->scale = consolidate_options(job)->scale;
    if (options->scale == 0 || !isfinite(options->scale))
        return status_fail(STATUS_USAGE, "--scale takes a number other than 0, not '%g'", options->scale);
    options->transpose = consolidate_options(job)->transpose;
    const char *names = consolidate_options(job)->names;
    Status status = names == NULL ? STATUS_OK : position_pattern_parse(names, &options->names);
    if (status == STATUS_OK) status = segy_options_force(&consolidate_options(job)->files, &options->force);
    return status == STATUS_OK ? segy_options_rule(&consolidate_options(job)->gathers, &options->rule) : status;
}

/* The tables of the survey, on rank 0. */
typedef struct {
    int64_t *first_trace;                 /* [n_ensembles + 1] */
    int32_t *inlines, *crosslines, *keys; /* [n_ensembles] */
    float *float_keys;                    /* [n_ensembles], where the field of the keys is a float */
    int32_t *lines;                       /* [n_ensembles], where files are several lines */
    char *sources;                        /* [n_ensembles][width] */
    size_t width;
    char key_field[64];
    SurveySegy segy;
    SurveyDropped dropped;
    char *history;
} Tables;

static void free_tables(Tables *tables)
{
    memory_free(tables->first_trace);
    memory_free(tables->inlines);
    memory_free(tables->crosslines);
    memory_free(tables->keys);
    memory_free(tables->float_keys);
    memory_free(tables->lines);
    memory_free(tables->sources);
    memory_free(tables->history);
    survey_segy_free(&tables->segy);
    survey_dropped_free(&tables->dropped);
}

/* What made each gather, where that was one field. */
static Status fill_keys(const SgyIndex *index, Tables *tables)
{
    const SgyField *group = &index->rule.group;
    size_t n = (size_t)index->n_gathers;
    bool is_float = group->word != SGY_WORD_INTEGER;
    sgy_field_text(group, tables->key_field);
    if (is_float)
        tables->float_keys = memory_new(n, sizeof *tables->float_keys, "the survey's tables");
    else
        tables->keys = memory_new(n, sizeof *tables->keys, "the survey's tables");
    if (tables->keys == NULL && tables->float_keys == NULL) return STATUS_MEMORY;
    for (size_t e = 0; e < n; e++) {
        int32_t code = index->gather[e].key[0];
        if (is_float)
            tables->float_keys[e] = (float)sgy_code_value(group, code);
        else
            tables->keys[e] = code;
    }
    return STATUS_OK;
}

static Status fill_tables(const Job *job, const Inputs *inputs, const InputsDead *dead, Tables *tables)
{
    size_t n = (size_t)inputs->n_gathers;
    bool by_field = inputs->layouts != NULL && inputs->index.rule.by_field;
    bool has_lines = inputs->layouts != NULL && inputs->index.has_lines;
    Status status = inputs_segy(inputs, &tables->segy);
    if (status != STATUS_OK) return status;
    tables->width = inputs->layouts == NULL ? SURVEY_SOURCE_MAX : tables->segy.width + 1;
    tables->first_trace = memory_new(n + 1, sizeof *tables->first_trace, "the survey's tables");
    tables->inlines = memory_new(n, sizeof *tables->inlines, "the survey's tables");
    tables->crosslines = memory_new(n, sizeof *tables->crosslines, "the survey's tables");
    if (has_lines) tables->lines = memory_new(n, sizeof *tables->lines, "the survey's tables");
    tables->sources = memory_new(n, tables->width, "the names of the sources");
    tables->history = survey_history(NULL, job->line);
    if (tables->first_trace == NULL || tables->inlines == NULL || tables->crosslines == NULL ||
        (has_lines && tables->lines == NULL) || tables->sources == NULL || tables->history == NULL)
        return STATUS_MEMORY;
    for (int64_t e = 0; e < inputs->n_gathers; e++) {
        inputs_source(inputs, e, tables->sources + (size_t)e * tables->width, tables->width);
        inputs_place(inputs, e, &tables->inlines[e], &tables->crosslines[e]);
        if (has_lines) tables->lines[e] = inputs->index.gather[e].survey_line;
        tables->first_trace[e + 1] = tables->first_trace[e] + inputs_dead_kept(inputs, dead, e);
    }
    if (dead->n > 0) status = inputs_dead_tables(inputs, dead, &tables->dropped);
    return status == STATUS_OK && by_field ? fill_keys(&inputs->index, tables) : status;
}

static Status check_output(const Job *job, const char *output)
{
    if (files_is_folder(output))
        return status_fail(STATUS_USAGE, "%s is a folder; --output names the survey file to be made", output);
    return files_check_output(output, job->force);
}

static Status create(const Job *job, const Inputs *inputs, const InputsDead *dead, const char *path, Survey *survey)
{
    Tables tables = {0};
    Status status = job->comm.rank == 0 ? fill_tables(job, inputs, dead, &tables) : STATUS_OK;
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK) {
        SurveyPlan plan = {.n_ensembles = inputs->n_gathers,
                           .n_samples = inputs->n_samples,
                           .interval_us = inputs->interval_us,
                           .first_trace = tables.first_trace,
                           .inlines = tables.inlines,
                           .crosslines = tables.crosslines,
                           .lines = tables.lines,
                           .sources = tables.sources,
                           .source_width = tables.width,
                           .keys = tables.keys,
                           .float_keys = tables.float_keys,
                           .key_field = tables.key_field,
                           .segy = tables.segy.head != NULL ? &tables.segy : NULL,
                           .dropped = dead->n > 0 ? &tables.dropped : NULL,
                           .history = tables.history};
        status = survey_create(&job->comm, path, &plan, survey);
    }
    free_tables(&tables);
    return status;
}

/* ---- loop ---- */

typedef struct {
    bool zero_bad;
    InputsDead *dead; /* what is left out */
    InputsGather gather;
    int64_t values, gathers; /* that were not finite, on this rank */
} Copy;

/* Finds NaN and infinity in gather e: an error, or zeros that are counted. */
static Status check_finite(const Inputs *inputs, int64_t e, int64_t items, Copy *copy)
{
    float *amplitude = copy->gather.amplitude;
    int64_t bad = survey_first_not_finite(amplitude, items);
    if (bad < 0) return STATUS_OK;
    if (!copy->zero_bad) {
        char name[SURVEY_SOURCE_MAX + 64];
        int64_t n = inputs->n_samples, t = bad / n;
        const char *dead = inputs_dead_trace(amplitude + t * n, n)
                               ? ", and its whole trace NaN or zero; --drop-dead leaves such traces out,"
                               : ";";
        return status_fail(STATUS_DATA,
                           "%s, sample %" PRId64 " (counted from 0) is %s%s --zero-bad makes such samples "
                           "zero",
                           inputs_trace_name(inputs, e, t, name, sizeof name), inputs_sample(inputs, e, t, bad % n),
                           isnan(amplitude[bad]) ? "not a number" : "infinite", dead);
    }
    copy->gathers++;
    for (int64_t i = bad; i < items; i++)
        if (!isfinite(amplitude[i])) {
            amplitude[i] = 0;
            copy->values++;
        }
    return STATUS_OK;
}

static Status copy_gather(Inputs *inputs, int64_t e, Survey *survey, Copy *copy)
{
    InputsGather *gather = &copy->gather;
    int64_t fold = survey_fold(survey, e), came = inputs_my_fold(inputs, e);
    bool drops = copy->dead->n > 0;
    Status status = inputs_read(inputs, e, gather);
    if (status == STATUS_OK && drops) status = inputs_dead_write(inputs, copy->dead, survey, e, gather);
    if (status == STATUS_OK) status = check_finite(inputs, e, came * survey->n_samples, copy);
    if (status == STATUS_OK && drops) inputs_dead_close_up(inputs, copy->dead, e, gather);
    if (status == STATUS_OK) status = survey_write_gather(survey, e, gather->amplitude);
    if (status == STATUS_OK && gather->headers != NULL)
        status = survey_segy_write_headers(survey, SURVEY_KEPT, survey->first_trace[e], fold,
                                           inputs->layouts[0].n_extra, gather->headers, gather->extra);
    return status;
}

/* Every rank copies its own run of neighbouring gathers. */
static Status copy_gathers(const Job *job, Inputs *inputs, Survey *survey, Copy *copy)
{
    const Comm *comm = &job->comm;
    int64_t first = inputs->my_first, end = inputs->my_end, most = end - first;
    Status status = inputs_gather_new(inputs, inputs_my_max_fold(inputs), &copy->gather);
    if (status == STATUS_OK && inputs->layouts != NULL) status = inputs_write_places(inputs, copy->dead, survey);
    status = comm_agree(comm, status);
    comm_max(comm, &most, 1);
    log_progress_start("consolidate", survey->n_ensembles, "gather");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_GATHERS) {
        for (int64_t e = first + round; e < end && e < first + round + ROUND_GATHERS && status == STATUS_OK; e++) {
            status = copy_gather(inputs, e, survey, copy);
            log_progress((e - first) * comm->size, NULL);
        }
        status = comm_agree(comm, status);
    }
    log_progress_end();
    return status;
}

/* ---- report ---- */

/* Samples that were not as float32 holds them. Collective. */
static void report_odd(const Comm *comm, const Inputs *inputs, const InputsGather *gather)
{
    int64_t counts[2] = {gather->odd.changed, gather->odd.respelt};
    int64_t first = gather->first_odd_trace < 0 ? INT64_MIN : -gather->first_odd_trace;
    comm_sum(comm, counts, 2);
    comm_max(comm, &first, 1);
    if (first == INT64_MIN) return;
    int64_t sample = -first == gather->first_odd_trace ? gather->odd.first : -1, file, place;
    comm_max(comm, &sample, 1);
    sgy_files_find(&inputs->files, -first, &file, &place);
    char changed[LOG_THINGS_MAX], respelt[LOG_THINGS_MAX];
    log_warning("%s %s beyond float32's range or precision and became its nearest number, %s %s not normalised; export "
                "writes them otherwise than they came; the first: %s: trace %" PRId64 ", sample %" PRId64
                " (counted from 0)",
                log_things(counts[0], "sample", changed), counts[0] == 1 ? "is" : "are", log_count(counts[1], respelt),
                counts[1] == 1 ? "is an IBM float that is" : "are IBM floats that are",
                text_base_name(inputs->paths[file]), place, sample);
}

static void report(const Survey *survey, const char *output, const int64_t bad[2], double seconds)
{
    char gathers[LOG_THINGS_MAX], traces[LOG_THINGS_MAX], samples[LOG_THINGS_MAX], bytes[32], time[32];
    if (bad[0] > 0)
        log_warning("%s of %s %s zero now", log_things(bad[0], "sample", samples),
                    log_things(bad[1], "gather", gathers),
                    bad[0] == 1 ? "was not finite and is" : "were not finite and are");
    log_note("%s: %s, %s of %s, %s, in %s", output, log_things(survey->n_ensembles, "gather", gathers),
             log_things(survey->n_traces, "trace", traces), log_things(survey->n_samples, "sample", samples),
             log_bytes(4.0 * (double)survey->n_traces * (double)survey->n_samples, bytes), log_duration(seconds, time));
}

/* Makes the survey under `part`, then gives it its name. */
static Status make_survey(const Job *job, Inputs *inputs, InputsDead *dead, const char *part, const char *output)
{
    const Comm *comm = &job->comm;
    double start = timer_now();
    Survey survey;
    Status status = create(job, inputs, dead, part, &survey);
    if (status != STATUS_OK) return status;
    Copy copy = {.zero_bad = consolidate_options(job)->zero_bad, .dead = dead};
    if (comm->rank == 0 && consolidate_options(job)->drop_dead) consolidate_dead_report(inputs, dead, &survey);
    status = comm_agree(comm, comm->rank == 0 ? inputs_report_repeats(inputs, &survey) : STATUS_OK);
    if (status == STATUS_OK) status = copy_gathers(job, inputs, &survey, &copy);
    if (status == STATUS_OK) status = inputs_check_range(comm, inputs, &copy.gather);
    if (status == STATUS_OK) status = survey_finish(&survey);
    if (status == STATUS_OK) status = comm_agree(comm, comm->rank == 0 ? files_publish(part, output) : STATUS_OK);
    if (status == STATUS_OK) {
        int64_t bad[2] = {copy.values, copy.gathers};
        comm_sum(comm, bad, 2);
        if (inputs->layouts != NULL) report_odd(comm, inputs, &copy.gather);
        report(&survey, output, bad, timer_now() - start);
    }
    inputs_gather_free(&copy.gather);
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

static Status run(Job *job)
{
    const Comm *comm = &job->comm;
    const char *output = consolidate_options(job)->output;
    InputsOptions wanted = {0};
    Status status = read_options(job, &wanted); /* alike on all ranks */
    if (status != STATUS_OK) return status;
    status = comm_agree(comm, comm->rank == 0 ? check_output(job, output) : STATUS_OK);
    if (status != STATUS_OK) return status;
    Inputs inputs;
    status = inputs_open(comm, job->n_arguments, job->arguments, &wanted, &inputs);
    if (status != STATUS_OK) return status;
    char *part = text_format("%s.part", output);
    status = comm_agree(comm, part == NULL ? STATUS_MEMORY : STATUS_OK);
    InputsDead dead = {0};
    if (status == STATUS_OK && consolidate_options(job)->drop_dead) status = inputs_dead_find(comm, &inputs, &dead);
    if (status == STATUS_OK) {
        status = make_survey(job, &inputs, &dead, part, output);
        if (status != STATUS_OK && comm->rank == 0) unlink(part);
    }
    memory_free(part);
    inputs_dead_free(&dead);
    inputs_free(&inputs);
    return status;
}

static const Option options[] = {
    {"--output", FILLS(OUTPUT, ConsolidateOptions, output), "SURVEY.h5", NULL, 0, 0, true,
     "the survey file to be made"},
    {"--interval-us", FILLS(NUMBER, ConsolidateOptions, interval_us), "N", "0", 0, 1e9, false,
     "sample interval in microseconds; 0: unknown for .npy, the headers' for SEG-Y"},
    {"--zero-bad", FILLS(FLAG, ConsolidateOptions, zero_bad), NULL, NULL, 0, 0, false,
     "samples that are not finite become zero, and are counted"},
    {"--drop-dead", FILLS(FLAG, ConsolidateOptions, drop_dead), NULL, NULL, 0, 0, false,
     "leaves out traces of which every sample is zero or NaN, counts them, and keeps where they stood for export, "
     "which puts them back; reads the input twice"},
    {"--scale", FILLS(NUMBER, ConsolidateOptions, scale), "X", "1", 0, 0, false,
     ".npy, and SEG-Y of format 6: multiplies every sample, in 64 bits, before it becomes a 32-bit float; export to "
     "SEG-Y divides by it again"},
    {"--names", FILLS(TEXT, ConsolidateOptions, names), "PATTERN", NULL, 0, 0, false,
     ".npy: where names have inline and crossline, as in 'IL{inline}_XL{crossline}': any part of the names, letters of "
     "either case; a name without it has no position"},
    {"--transpose", FILLS(FLAG, ConsolidateOptions, transpose), NULL, NULL, 0, 0, false,
     ".npy: the arrays are (samples, traces)"},
    {.name = NULL}};

const Command command_consolidate = {
    .name = "consolidate",
    .summary = "puts gathers of many files into one survey file",
    .description =
        "Reads .npy files, SEG-Y files (.sgy, .segy), or folders of one of them (in the natural order of their names), "
        "and writes one HDF5 survey file. All traces have one number of samples; gathers may differ in their traces.\n"
        ".npy: an array is (traces, samples), or (gathers, traces, samples) for several gathers. Inline and crossline "
        "come from names with inline_I_crossline_X or inline_I_X, or by --names.\n"
        "SEG-Y: rev 0 to 2.1, every sample format but 4, both byte orders, found out from the header. Traces may "
        "stand in any order; those of one position (or of one value of another field) become a gather, in several "
        "files too, and gathers are sorted by it. Missing and repeated traces are reported. Traces that differ in "
        "length are padded with zeros, those of a gather that begin at different times are shifted onto a common axis. "
        "Headers are kept, and export writes them, and the traces, as they came.",
    .example = "mpirun -n 4 seisdcn consolidate --output survey.h5 --interval-us 4000 gathers/\n"
               "mpirun -n 4 seisdcn consolidate --output survey.h5 --inline-byte 21 --crossline-byte 25 penobscot.sgy\n"
               "mpirun -n 4 seisdcn consolidate --output survey.h5 --group-by shot --sort offset line1.sgy line2.sgy",
    .tables = {{options, 0},
               {segy_gather_options, offsetof(ConsolidateOptions, gathers)},
               {segy_file_options, offsetof(ConsolidateOptions, files)}},
    .options_size = sizeof(ConsolidateOptions),
    .arguments = "INPUT...",
    .min_arguments = 1,
    .max_arguments = INT32_MAX,
    .run = run,
};
