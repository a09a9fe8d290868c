/* plot: pictures of a gather and its prediction, or of a training, drawn by gnuplot on rank 0. */
#include "export_origin.h"
#include "plot_private.h"

#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/raster.h"
#include "seisdcn/survey.h"
#include "seisdcn/survey_dropped.h"
#include "seisdcn/survey_lines.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *predicted, *ensemble, *training, *output, *palette, *script;
    double clip, agc;
    bool wiggle, spectrum;
    int64_t width, height;
} PlotOptions;

static const PlotOptions *plot_options(const Job *job) { return job->options; }

typedef struct {
    const Job *job;
    SheetPlan plan;
    Survey survey, predicted; /* predicted: of zeros where none was given */
    Origin origin, of_predicted;
    int64_t ensemble;
    SurveyDropped dropped;
    float *samples, *offset; /* the gathers, and the offsets [fold] */
    GatherPicture picture;
} Plot;

/* ---- prepare ---- */

static Status check_words(const Job *job)
{
    const PlotOptions *said = plot_options(job);
    const struct {
        const char *name;
        bool given;
    } of_gathers[] = {{"--survey", said->survey != NULL},
                      {"--predicted", said->predicted != NULL},
                      {"--ensemble", said->ensemble != NULL},
                      {"--wiggle", said->wiggle},
                      {"--spectrum", said->spectrum}};
    bool training = plot_options(job)->training != NULL;
    for (size_t i = 0; training && i < sizeof of_gathers / sizeof *of_gathers; i++)
        if (of_gathers[i].given)
            return status_fail(STATUS_USAGE, "--training draws loss curves: %s has no part in it", of_gathers[i].name);
    if (!training && plot_options(job)->survey == NULL)
        return status_fail(STATUS_USAGE, "--survey FILE.h5 is missing (or --training DIR, for loss curves)");
    if (!training && plot_options(job)->ensemble == NULL)
        return status_fail(STATUS_USAGE, "--ensemble SELECTOR is missing: 1300:1400 (inline:crossline), or #0 for the "
                                         "survey's first gather");
    if (plot_options(job)->wiggle && plot_options(job)->spectrum)
        return status_fail(STATUS_USAGE, "--wiggle and --spectrum are two pictures: give one of them");
    if (!plot_palette_known(plot_options(job)->palette))
        return status_fail(STATUS_USAGE, "--palette %s is not known: gray or seismic", plot_options(job)->palette);
    return gnuplot_check_name(plot_options(job)->output);
}

/* Rank 0's: nothing may stand where the picture, its script and its data go. */
static Status check_outputs(const Job *job)
{
    const char *script = plot_options(job)->script;
    Status status = files_check_output(plot_options(job)->output, job->force);
    if (status != STATUS_OK || script == NULL) return status;
    char *data = gnuplot_data_name(script);
    if (data == NULL) return STATUS_MEMORY;
    status = files_check_output(script, job->force);
    if (status == STATUS_OK) status = files_check_output(data, job->force);
    memory_free(data);
    return status;
}

static Status check_done(const Survey *survey, int64_t e)
{
    char name[96];
    if (survey->done == NULL || survey->done[e]) return STATUS_OK;
    return status_fail(STATUS_DATA, "%s: %s is not predicted yet; run apply on it, or choose another --ensemble",
                       survey->path, survey_ensemble_name(survey, e, name));
}

static Status open_files(Plot *plot)
{
    const Job *job = plot->job;
    const char *predicted = plot_options(job)->predicted;
    Survey *survey = &plot->survey;
    Status status = survey_open(&job->comm, plot_options(job)->survey, false, survey);
    if (status == STATUS_OK) status = export_origin_read(survey, &plot->origin);
    if (status == STATUS_OK) status = survey_dropped_read(survey, &plot->dropped);
    if (status == STATUS_OK && predicted != NULL) status = survey_open(&job->comm, predicted, false, &plot->predicted);
    if (status == STATUS_OK && predicted != NULL) status = export_origin_read(&plot->predicted, &plot->of_predicted);
    if (status != STATUS_OK) return status;
    status = survey_select_one(survey, plot_options(job)->ensemble, &plot->ensemble);
    if (status == STATUS_OK) status = check_done(survey, plot->ensemble);
    if (status == STATUS_OK && predicted != NULL) status = survey_check_pair(survey, &plot->predicted);
    if (status == STATUS_OK && predicted != NULL) status = check_done(&plot->predicted, plot->ensemble);
    return comm_agree(&job->comm, status);
}

/* ---- rank 0 draws ---- */

/* A picture has one axis of time. */
static Status check_start(const Plot *plot)
{
    char name[96];
    if (isfinite(plot->picture.start_ms)) return STATUS_OK;
    return status_fail(
        STATUS_DATA,
        "%s: the traces of %s begin at different times (/trace/delay_us), and are not drawn at one; shift "
        "them onto a common axis",
        plot->survey.path, survey_ensemble_name(&plot->survey, plot->ensemble, name));
}

static Status read_offsets(Plot *plot)
{
    GatherPicture *picture = &plot->picture;
    plot->offset = memory_new((size_t)picture->n_traces, sizeof *plot->offset, "the offsets");
    if (plot->offset == NULL) return STATUS_MEMORY;
    Status status = survey_read_offsets(&plot->survey, plot->ensemble, plot->offset);
    picture->offset = plot->offset;
    for (int64_t t = 0; t < picture->n_traces; t++)
        if (!isfinite(plot->offset[t])) picture->offset = NULL;
    return status;
}

static Status read_gathers(Plot *plot)
{
    GatherPicture *picture = &plot->picture;
    const Survey *survey = &plot->survey;
    int64_t n = picture->n_traces * picture->n_samples;
    plot->samples = memory_new((size_t)n * (size_t)picture->n_panels, sizeof *plot->samples, "the gathers");
    if (plot->samples == NULL) return STATUS_MEMORY;
    /* of prediction and noise the file holds one; the other is the input minus it */
    float *input = plot->samples, *held = input + (plot->of_predicted.is_difference ? 2 * n : n);
    float *other = input + (plot->of_predicted.is_difference ? n : 2 * n);
    Status status = survey_read_gather(survey, plot->ensemble, 1, input);
    if (status == STATUS_OK && picture->n_panels > 1)
        status = survey_read_gather(&plot->predicted, plot->ensemble, 1, held);
    for (int64_t i = 0; status == STATUS_OK && picture->n_panels > 1 && i < n; i++) other[i] = input[i] - held[i];
    for (int p = 0; p < picture->n_panels; p++) picture->gather[p] = input + p * n;
    return status;
}

/* The input's gain, on all panels alike: what is small against the input stays so, and nothing shows where the input is
 * exactly zero. */
static Status apply_gain(Plot *plot)
{
    const GatherPicture *picture = &plot->picture;
    int64_t n = picture->n_samples, window = llround(picture->agc);
    if (picture->interval_us > 0) window = llround(picture->agc * 1000 / picture->interval_us);
    if (window < 1) window = 1;
    float *factor = memory_new((size_t)n, sizeof *factor, "the gain");
    RasterSum *work = memory_new((size_t)n + 1, sizeof *work, "the gain");
    Status status = factor == NULL || work == NULL ? STATUS_MEMORY : STATUS_OK;
    for (int64_t t = 0; t < picture->n_traces && status == STATUS_OK; t++) {
        raster_gain(n, window, picture->gather[0] + t * n, factor, work);
        for (int p = 0; p < picture->n_panels; p++) {
            float *trace = plot->samples + (p * picture->n_traces + t) * n;
            for (int64_t s = 0; s < n; s++) trace[s] *= factor[s];
        }
    }
    memory_free(factor);
    memory_free(work);
    return status;
}

static void name_panels(Plot *plot)
{
    const char **name = plot->picture.name;
    bool alone = plot->picture.n_panels == 1;
    name[0] = alone ? export_origin_name(&plot->origin) : plot->origin.is_difference ? "input: noise" : "input";
    name[1] = "prediction";
    name[2] =
        plot->of_predicted.is_difference ? export_origin_name(&plot->of_predicted) : "difference (input − prediction)";
}

static void write_title(Plot *plot)
{
    const Survey *survey = &plot->survey;
    int64_t e = plot->ensemble;
    const char *name = text_base_name(survey->path);
    char line[32] = "";
    if (survey->lines != NULL) snprintf(line, sizeof line, "line %" PRId32 ", ", survey->lines[e]);
    if (position_known(survey->inlines[e], survey->crosslines[e]))
        snprintf(plot->picture.title, PLOT_TITLE_MAX,
                 "%s: %sinline %" PRId32 ", crossline %" PRId32 " (gather #%" PRId64 ")", name, line,
                 survey->inlines[e], survey->crosslines[e], e);
    else
        snprintf(plot->picture.title, PLOT_TITLE_MAX, "%s: %sgather #%" PRId64, name, line, e);
}

static Status draw(Plot *plot)
{
    const Job *job = plot->job;
    const char *training = plot_options(job)->training;
    if (training != NULL) return plot_training(&plot->plan, training);
    GatherPicture *picture = &plot->picture;
    picture->n_traces = survey_fold(&plot->survey, plot->ensemble);
    picture->n_dropped = survey_dropped_of(&plot->dropped, plot->ensemble);
    picture->n_samples = plot->survey.n_samples;
    picture->interval_us = plot->survey.interval_us;
    if (picture->interval_us > 0) picture->start_ms = survey_start_us(&plot->survey, plot->ensemble) / 1000;
    picture->n_panels = plot->predicted.n_ensembles > 0 ? PLOT_PANELS : 1;
    picture->clip = plot_options(job)->clip;
    picture->agc = plot_options(job)->agc;
    picture->wiggle = plot_options(job)->wiggle;
    picture->palette = plot_options(job)->palette;
    Status status = check_start(plot);
    if (status == STATUS_OK) status = read_gathers(plot);
    if (status == STATUS_OK) status = read_offsets(plot);
    if (status == STATUS_OK && picture->agc > 0) status = apply_gain(plot);
    if (status != STATUS_OK) return status;
    write_title(plot);
    name_panels(plot);
    if (plot_options(job)->spectrum) return plot_spectrum(&plot->plan, picture);
    if (picture->wiggle) return plot_wiggle(&plot->plan, picture);
    return plot_gather(&plot->plan, picture);
}

static Status run(Job *job)
{
    const Comm *comm = &job->comm;
    const char *output = plot_options(job)->output, *script = plot_options(job)->script;
    Plot plot = {.job = job,
                 .plan = {.output = output,
                          .script = script,
                          .width = plot_options(job)->width,
                          .height = plot_options(job)->height}};
    Status status = check_words(job); /* alike on all ranks */
    if (status != STATUS_OK) return status;
    status = comm_agree(comm, comm->rank == 0 ? check_outputs(job) : STATUS_OK);
    if (status == STATUS_OK && plot_options(job)->training == NULL) status = open_files(&plot);
    if (status == STATUS_OK) {
        if (comm->rank == 0) status = draw(&plot);
        comm_wait(comm);
        status = comm_agree(comm, status);
    }
    if (status == STATUS_OK) log_note(script == NULL ? "%s" : "%s, drawn by %s", output, script);
    memory_free(plot.samples);
    memory_free(plot.offset);
    survey_dropped_free(&plot.dropped);
    Status closed = survey_close(&plot.predicted);
    Status closed_too = survey_close(&plot.survey);
    if (status == STATUS_OK) status = closed;
    return status != STATUS_OK ? status : closed_too;
}

static const Option options[] = {
    {"--survey", FILLS(SURVEY, PlotOptions, survey), "FILE.h5", NULL, 0, 0, false, "the survey with the gather"},
    {"--predicted", FILLS(SURVEY, PlotOptions, predicted), "PREDICTED.h5", NULL, 0, 0, false,
     "its prediction, or its noise (--difference): draws input, prediction, difference"},
    {"--ensemble", FILLS(TEXT, PlotOptions, ensemble), "SELECTOR", NULL, 0, 0, false,
     "which gather: 1300:1400 (inline:crossline) or #7"},
    {"--training", FILLS(INPUT, PlotOptions, training), "DIR", NULL, 0, 0, false,
     "draws the loss curves of this training instead"},
    {"--output", FILLS(OUTPUT, PlotOptions, output), "PIC.png", NULL, 0, 0, true, "the picture: .png, .pdf or .svg"},
    {"--clip", FILLS(NUMBER, PlotOptions, clip), "PERCENT", "99", 1, 100, false,
     "colours end at the amplitude that so many of the samples (without exact zeros) do not exceed"},
    {"--agc", FILLS(NUMBER, PlotOptions, agc), "MS", "0", 0, 1e9, false,
     "automatic gain: divides by the input's RMS in a window of so many ms (samples where the interval is unknown), "
     "never by less than 1 % of the trace's; exact zeros of the input stay blank; 0: none"},
    {"--palette", FILLS(TEXT, PlotOptions, palette), "gray|seismic", "gray", 0, 0, false,
     "peaks black, or peaks red and troughs blue"},
    {"--wiggle", FILLS(FLAG, PlotOptions, wiggle), NULL, NULL, 0, 0, false, "draws traces as lines with filled peaks"},
    {"--spectrum", FILLS(FLAG, PlotOptions, spectrum), NULL, NULL, 0, 0, false,
     "draws spectra: the mean over the traces, and f-k"},
    {"--width", FILLS(INT, PlotOptions, width), "N", NULL, 200, 20000, false,
     "pixels (default: 1300; 560 for one gather, 900 for --training)"},
    {"--height", FILLS(INT, PlotOptions, height), "N", NULL, 150, 20000, false,
     "pixels (default: 780; 900 for --spectrum, 560 for --training)"},
    {"--script", FILLS(OUTPUT, PlotOptions, script), "FILE.gp", NULL, 0, 0, false,
     "keeps gnuplot's script here, and its data beside it as FILE.dat"},
    {.name = NULL}};

const Command command_plot = {
    .name = "plot",
    .summary = "draws a gather, its prediction and the difference; or loss curves",
    .description =
        "Draws one gather of a survey with gnuplot: traces across, time downwards; with --predicted the input, the "
        "prediction and their difference side by side. Input and prediction share one scale, the difference has its "
        "own, which stands below it. With --training, draws the losses of a training's metrics.csv, also while it "
        "runs. Rank 0 draws.",
    .example =
        "seisdcn plot --survey survey.h5 --predicted predicted.h5 --ensemble 1300:1400 --output gather.png\n"
        "seisdcn plot --survey survey.h5 --predicted predicted.h5 --ensemble '#0' --spectrum --output spectra.pdf\n"
        "seisdcn plot --training trained --output loss.png",
    .tables = {{options, 0}},
    .options_size = sizeof(PlotOptions),
    .run = run,
};
