/* info: what a survey, map or model file holds, and whether it is what its checksums were made of. */
#include "export_origin.h"
#include "info_private.h"

#include "seisdcn/checkpoint.h"
#include "seisdcn/commands.h"
#include "seisdcn/h5.h"
#include "seisdcn/log.h"
#include "seisdcn/model.h"
#include "seisdcn/sgy_sample.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_dropped.h"
#include "seisdcn/survey_segy.h"
#include "seisdcn/text.h"
#include "seisdcn/vector.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { COLUMN = 20, FORMAT_MAX = 64 };

void info_line(const char *label, const char *text) { log_result("  %-*s %s", (int)COLUMN, label, text); }

/* ---- survey ---- */

static void show_range(const char *label, const int32_t *values, int64_t n)
{
    int32_t low = INT32_MAX, high = INT32_MIN;
    int64_t unknown = 0;
    for (int64_t e = 0; e < n; e++) {
        if (values[e] == POSITION_UNKNOWN) {
            unknown++;
            continue;
        }
        if (values[e] < low) low = values[e];
        if (values[e] > high) high = values[e];
    }
    char text[96], more[48] = "";
    if (unknown > 0 && unknown < n) snprintf(more, sizeof more, " (unknown for %" PRId64 ")", unknown);
    if (unknown == n)
        snprintf(text, sizeof text, "unknown");
    else
        snprintf(text, sizeof text, "%" PRId32 " to %" PRId32 "%s", low, high, more);
    info_line(label, text);
}

static void show_traces(const Survey *survey)
{
    int64_t smallest = survey_fold(survey, 0), largest = survey_max_fold(survey);
    for (int64_t e = 1; e < survey->n_ensembles; e++)
        if (survey_fold(survey, e) < smallest) smallest = survey_fold(survey, e);
    char count[32], low[32], high[32], text[160];
    log_count(survey->n_traces, count);
    if (smallest == largest)
        snprintf(text, sizeof text, "%s (%s a gather)", count, log_count(largest, high));
    else
        snprintf(text, sizeof text, "%s (%s to %s a gather)", count, log_count(smallest, low),
                 log_count(largest, high));
    info_line("traces", text);
}

static void show_dropped(const SurveyDropped *dropped, int64_t n_ensembles)
{
    char count[32], gathers[LOG_THINGS_MAX], text[160];
    int64_t n = 0;
    if (dropped->n == 0) return;
    for (int64_t e = 0; e < n_ensembles; e++) n += survey_dropped_of(dropped, e) > 0;
    snprintf(text, sizeof text, "%s left out of %s (consolidate --drop-dead)", log_count(dropped->n, count),
             log_things(n, "gather", gathers));
    info_line("dead traces", text);
}

/* When the gathers begin, where that is told. */
static void show_starts(const Survey *survey)
{
    double low = INFINITY, high = -INFINITY;
    int64_t mixed = 0;
    char text[160], more[64] = "";
    if (survey->starts_us == NULL) return;
    for (int64_t e = 0; e < survey->n_ensembles; e++) {
        double start = survey_start_us(survey, e);
        mixed += isnan(start);
        low = fmin(low, start);
        high = fmax(high, start);
    }
    if (mixed > 0)
        snprintf(more, sizeof more, " (%" PRId64 " gather%s at several times)", mixed,
                 mixed == 1 ? " begins" : "s begin");
    if (low < high)
        snprintf(text, sizeof text, "%.9g to %.9g ms%s", low / 1000, high / 1000, more);
    else
        snprintf(text, sizeof text, "%.9g ms%s", low / 1000, more);
    info_line("first sample at", text);
}

static void show_history(const char *history)
{
    const char *label = "history";
    while (*history != '\0') {
        int length = (int)strcspn(history, "\n");
        if (length > 0) log_result("  %-*s %.*s", (int)COLUMN, label, length, history);
        if (length > 0) label = "";
        history += length + (history[length] == '\n');
    }
}

static void show_segy(const SurveySegy *segy)
{
    char text[160], files[48] = "";
    if (segy->n_files > 1) snprintf(files, sizeof files, ", %" PRId64 " files", segy->n_files);
    const char *name = sgy_format_name(segy->format);
    snprintf(text, sizeof text, "%s-endian, format %d (%s)%s%s", segy->big ? "big" : "little", segy->format,
             name == NULL ? "unknown" : name, files,
             segy->has_spans ? ", traces that were padded or shifted (/trace/segy_samples)" : "");
    info_line("from SEG-Y", text);
}

static void show_channel(const Survey *survey, int c)
{
    char label[32], dataset[SURVEY_DATASET_MAX], definition[128] = "", text[320];
    const SurveyAttribute *attribute = &survey->attribute[c - 1];
    survey_channel_name(survey, c, dataset);
    if (h5_has(&survey->file, dataset, "definition") &&
        h5_get_text(&survey->file, dataset, "definition", definition, sizeof definition) != STATUS_OK)
        status_clear(); /* a user's own may be anything */
    snprintf(label, sizeof label, "channel %d", c);
    snprintf(text, sizeof text, "%s (scale %s)%s%s", attribute->name, attribute->shared_scale ? "shared" : "none",
             definition[0] == '\0' ? "" : ": ", definition);
    info_line(label, text);
}

static void show_kind(const Survey *survey, const Origin *origin)
{
    const char *by = origin->command[0] == '\0' ? "" : ", by ";
    if (origin->is_difference)
        log_result("%s: noise, input minus prediction (--difference)%s%s", survey->path, by, origin->command);
    else if (survey->done != NULL)
        log_result("%s: a predicted survey%s%s", survey->path, by, origin->command);
    else
        log_result("%s: a survey", survey->path);
}

/* What is told of a split: "split               by ensemble, test 0.2, valid 0.1, seed 0". */
static void show_deal(const IndexDeal *deal, const char *whose)
{
    char rule[INDEX_DEAL_TEXT], text[INDEX_DEAL_TEXT + 64];
    if (!deal->known) return;
    snprintf(text, sizeof text, "%s%s", index_deal_text(deal, rule), whose);
    info_line("split", text);
}

static void show_survey(const Survey *survey, const Origin *origin, const SurveySegy *segy,
                        const SurveyDropped *dropped)
{
    char text[160], other[32];
    show_kind(survey, origin);
    info_line("gathers", log_count(survey->n_ensembles, text));
    if (survey->done != NULL) {
        int64_t done = 0;
        for (int64_t e = 0; e < survey->n_ensembles; e++) done += survey->done[e] != 0;
        info_line("predicted", log_count(done, text));
    }
    show_traces(survey);
    show_dropped(dropped, survey->n_ensembles);
    info_line("samples a trace", log_count(survey->n_samples, text));
    if (survey->interval_us > 0)
        snprintf(text, sizeof text, "%.9g us (%.9g s a trace)", survey->interval_us,
                 survey->interval_us * 1e-6 * (double)(survey->n_samples - 1));
    else
        snprintf(text, sizeof text, "unknown");
    info_line("sample interval", text);
    show_starts(survey);
    if (survey->lines != NULL) show_range("lines", survey->lines, survey->n_ensembles);
    show_range("inlines", survey->inlines, survey->n_ensembles);
    show_range("crosslines", survey->crosslines, survey->n_ensembles);
    info_line("amplitudes", log_bytes(4.0 * (double)survey->n_traces * (double)survey->n_samples, other));
    for (int c = 1; c <= survey->n_attributes; c++) show_channel(survey, c);
    if (segy->head != NULL) show_segy(segy);
    snprintf(text, sizeof text, "%016" PRIx64, survey->checksum);
    info_line("checksum", text);
    show_deal(&origin->deal, !origin->deal.has_survey || origin->deal.survey_checksum == origin->survey
                                 ? ", of the model"
                                 : ", of the model, on another survey");
    show_history(survey->history);
}

static Status info_survey(const Job *job, const char *path)
{
    Survey survey;
    SurveySegy segy;
    SurveyDropped dropped = {0};
    Origin origin = {0};
    Status status = survey_open(&job->comm, path, false, &survey);
    if (status != STATUS_OK) return status;
    status = export_origin_read(&survey, &origin);
    if (status == STATUS_OK) status = survey_dropped_read(&survey, &dropped);
    if (status == STATUS_OK) status = survey_segy_read(&survey, &segy);
    if (status == STATUS_OK) {
        show_survey(&survey, &origin, &segy, &dropped);
        survey_segy_free(&segy);
        if (info_options(job)->verify) status = info_verify_survey(&survey);
    }
    survey_dropped_free(&dropped);
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

/* ---- map and model, on rank 0 ---- */

typedef struct {
    const H5File *file;
    const char *group;
} Visit;

static Status show_attribute(const char *name, void *context)
{
    const Visit *visit = context;
    char text[8192] = "";
    if (strcmp(name, "history") == 0) {
        Status status = h5_get_text(visit->file, "/", name, text, sizeof text);
        if (status == STATUS_OK) show_history(text);
        return status;
    }
    uint64_t checksum;
    if (text_ends_with(name, "checksum") && h5_get_uint(visit->file, "/", name, &checksum) == STATUS_OK)
        snprintf(text, sizeof text, "%016" PRIx64, checksum); /* as everywhere else */
    else if (h5_attribute_text(visit->file, "/", name, text, sizeof text) != STATUS_OK) {
        status_clear(); /* a user's own attribute may be anything */
        snprintf(text, sizeof text, "(not one value)");
    }
    info_line(name, text);
    return STATUS_OK;
}

static Status show_dataset(const char *name, void *context)
{
    const Visit *visit = context;
    char path[512], text[128] = "[";
    snprintf(path, sizeof path, "%s/%s", visit->group, name);
    int rank = 0;
    int64_t dims[4];
    Status status = h5_dims(visit->file, path, &rank, dims);
    if (status != STATUS_OK) return status;
    size_t at = 1;
    for (int i = 0; i < rank; i++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%" PRId64, i == 0 ? "" : ", ", dims[i]);
    snprintf(text + at, sizeof text - at, "]");
    log_result("  %-*s %s", (int)COLUMN + 20, path, text);
    return STATUS_OK;
}

static Status show_map(const H5File *file)
{
    static const char *const names[] = {"train", "valid", "test"};
    Visit visit = {file, ""};
    log_result("%s: a patch index map", file->path);
    Status status = h5_each_attribute(file, "/", show_attribute, &visit);
    bool rows = false;
    for (int i = 0; i < 3 && status == STATUS_OK; i++) {
        char path[16];
        snprintf(path, sizeof path, "/%s", names[i]);
        if (!h5_exists(file, path)) continue;
        rows = true;
        status = show_dataset(names[i], &visit);
    }
    if (status == STATUS_OK && !rows) info_line("rows", "not written out (index --materialize does)");
    return status == STATUS_OK ? info_map_gathers(file) : status;
}

static Status show_model(const H5File *file)
{
    Visit visit = {file, "/state_dict"};
    log_result("%s: a model%s", file->path, h5_exists(file, "/optimizer") ? " with the state of its training" : "");
    IndexDeal deal;
    Status status = h5_each_attribute(file, "/", show_attribute, &visit);
    if (status == STATUS_OK) status = index_deal_get(file, "survey_checksum", &deal);
    if (status != STATUS_OK) return status;
    if (deal.known)
        show_deal(&deal, deal.has_survey ? ", of the survey with this survey_checksum" : "");
    else
        info_line("split", deal.rows_checksum != 0 ? "not told: a map of rows that does not say its rule" : "not told");
    return h5_each(file, "/state_dict", show_dataset, &visit);
}

static Status info_serial(const char *path, bool is_model)
{
    H5File file;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    if (is_model)
        status = h5_check_format(&file, "seisdcn-model", "a model file", 1, NULL);
    else
        status = h5_check_format(&file, "seisdcn-index-map", "an index map", 1, NULL);
    if (status == STATUS_OK) status = is_model ? show_model(&file) : show_map(&file);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

/* Reading a checkpoint checks every byte of it; *is_one: it is one. Rank 0's. */
static Status verify_checkpoint(const char *path, bool *is_one)
{
    H5File file;
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    *is_one = h5_exists(&file, "/training");
    status = h5_close(&file);
    Checkpoint checkpoint;
    if (status == STATUS_OK && *is_one) status = checkpoint_read(path, vector_of_level(1), &checkpoint);
    if (status == STATUS_OK && *is_one) checkpoint_free(&checkpoint);
    return status;
}

/* Loading a model checks its shapes, its values, and its checksum where it has one. */
static Status verify_model(const Comm *comm, const char *path)
{
    Network network;
    ModelInfo info;
    char text[96];
    Status status = model_load(comm, path, vector_of_level(1), &network, &info);
    if (status != STATUS_OK) return status;
    snprintf(text, sizeof text, "shapes and values; the state_dict's checksum is %016" PRIx64, info.checksum);
    network_free(&network);
    bool is_checkpoint = false;
    status = comm_agree(comm, comm->rank == 0 ? verify_checkpoint(path, &is_checkpoint) : STATUS_OK);
    if (status != STATUS_OK) return status;
    info_line("verified", text);
    if (is_checkpoint) info_line("", "as a checkpoint: every byte");
    return STATUS_OK;
}

/* The root attribute format, "" where the file has none. */
static Status read_format(const char *path, char format[FORMAT_MAX])
{
    H5File file;
    format[0] = '\0';
    Status status = h5_open(path, false, &file);
    if (status != STATUS_OK) return status;
    if (h5_has(&file, "/", "format")) status = h5_get_text(&file, "/", "format", format, FORMAT_MAX);
    Status closed = h5_close(&file);
    return status != STATUS_OK ? status : closed;
}

static Status run(Job *job)
{
    const Comm *comm = &job->comm;
    const char *path = job->arguments[0];
    char format[FORMAT_MAX];
    bool is_segy = comm->rank == 0 && info_is_segy(path);
    comm_broadcast(comm, &is_segy, sizeof is_segy);
    if (is_segy) return info_segy(job);
    if (job->n_arguments > 1)
        return status_fail(STATUS_USAGE, "%s: is taken by itself; several files are SEG-Y's (.sgy, .segy)", path);
    Status status = comm_agree(comm, comm->rank == 0 ? read_format(path, format) : STATUS_OK);
    if (status != STATUS_OK) return status;
    comm_broadcast(comm, format, sizeof format);
    bool is_model = strcmp(format, "seisdcn-model") == 0, is_map = strcmp(format, "seisdcn-index-map") == 0;
    if (strcmp(format, "seisdcn-survey") == 0) return info_survey(job, path);
    if (!is_model && !is_map)
        return status_fail(STATUS_DATA,
                           "%s: is an HDF5 file, but no survey, map or model of seisdcn (its root attribute 'format' "
                           "is %s%s%s)",
                           path, format[0] == '\0' ? "missing" : "\"", format, format[0] == '\0' ? "" : "\"");
    status = comm_agree(comm, comm->rank == 0 ? info_serial(path, is_model) : STATUS_OK);
    if (status == STATUS_OK && is_model && info_options(job)->verify) status = verify_model(comm, path);
    return status;
}

static const Option options[] = {
    {"--verify", FILLS(FLAG, InfoOptions, verify), NULL, NULL, 0, 0, false, "compute every checksum again and compare"},
    {"--traces", FILLS(INT, InfoOptions, traces), "N", "0", 0, 1e15, false,
     "SEG-Y: scan N traces alone, in up to 64 runs spread evenly over the files; 0: all"},
    {"--offset-byte", FILLS(TEXT, InfoOptions, offset_byte), "FIELD", NULL, 0, 0, false,
     "SEG-Y: where a trace's header has its offset (default 37)"},
    {.name = NULL}};

const Command command_info = {
    .name = "info",
    .summary = "says what a survey, map or model holds, or SEG-Y files",
    .description =
        "Prints what a file of seisdcn holds. With --verify all ranks read every gather and compare its "
        "checksum; one that does not match ends with status 4 and the gather's name.\n"
        "Of SEG-Y files (or a folder of them) it prints the headers; the fields of the trace headers that vary, with "
        "their least and largest value and how many there are; and which fields would make which gathers, the one "
        "first that consolidate takes by itself. A scan of a part (--traces) cuts the gathers where its runs end.",
    .example = "mpirun -n 4 seisdcn info survey.h5 --verify\n"
               "mpirun -n 4 seisdcn info line1.sgy line2.sgy",
    .tables = {{options, 0}, {segy_file_options, offsetof(InfoOptions, files)}},
    .options_size = sizeof(InfoOptions),
    .arguments = "FILE.h5|FILE.sgy...",
    .min_arguments = 1,
    .max_arguments = INT32_MAX,
    .run = run,
};
