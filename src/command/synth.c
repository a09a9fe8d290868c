/* synth: a synthetic survey as folders of .npy gathers, to try every other command on. Ranks take gathers in turn; a
 * gather depends on nobody's but its own counters. */
#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/npy.h"
#include "seisdcn/synthetic.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *output, *noise;
    int64_t inlines, crosslines, traces, samples, dips, seed;
    double snr, moveout_ms;
} SynthOptions;

static const SynthOptions *synth_options(const Job *job) { return job->options; }

enum { FIRST_INLINE = 1300, FIRST_CROSSLINE = 1400 };

static const Option options[] = {
    {"--output", FILLS(FOLDER, SynthOptions, output), "DIR", NULL, 0, 0, true,
     "folder to make, with noisy/ and clean/ in it"},
    {"--inlines", FILLS(INT, SynthOptions, inlines), "N", "4", 1, 100000, false, "inlines, from 1300"},
    {"--crosslines", FILLS(INT, SynthOptions, crosslines), "N", "8", 1, 100000, false, "crosslines, from 1400"},
    {"--traces", FILLS(INT, SynthOptions, traces), "N", "61", 1, 1000000, false,
     "traces of a gather: offsets, near to far"},
    {"--samples", FILLS(INT, SynthOptions, samples), "N", "501", 1, 1000000, false, "samples of a trace, 4 ms each"},
    {"--snr", FILLS(NUMBER, SynthOptions, snr), "DB", "6", -20, 100, false,
     "signal-to-noise ratio of every gather, in dB"},
    {"--noise", FILLS(TEXT, SynthOptions, noise), "KIND[:SHARE],...", NULL, 0, 0, false,
     "kinds of noise, each with its share of the energy: white, trace, linear, linear-shared, or mix (white, trace and "
     "linear); without it white noise and one linear train"},
    {"--moveout-ms", FILLS(NUMBER, SynthOptions, moveout_ms), "MS", NULL, 0, 1000, false,
     "makes image gathers whose events are flat but for a residual moveout of up to MS at the largest offset"},
    {"--dips", FILLS(INT, SynthOptions, dips), "N", "0", 0, 10000, false,
     "further events, which cross the reflectors at other dips"},
    {"--seed", FILLS(INT, SynthOptions, seed), "N", "0", 0, 0x1p53, false, "another seed, another survey"},
    {.name = NULL}};

typedef struct {
    SyntheticSurvey survey;
    const char *folder;
    float *clean, *noisy, *kind; /* [n_traces][n_samples] */
    double *work;
} Synth;

static const char *const twins[] = {"noisy", "clean"};

static const char *const kinds[] = {"white", "trace", "linear", "linear-shared", "mix"};

enum { MIX = SYNTHETIC_NOISES, KINDS };

static const double SHARE_LEAST = 1e-6, SHARE_MOST = 1e6;

/* Takes one part of --noise: a kind, or a kind and its share. */
static Status take_kind(char *part, SyntheticSurvey *survey)
{
    double share = 1;
    char *colon = strchr(part, ':');
    if (colon != NULL) *colon = '\0';
    if (colon != NULL && (!text_to_double(colon + 1, &share) || share < SHARE_LEAST || share > SHARE_MOST))
        return status_fail(STATUS_USAGE, "--noise: the share of %.40s is a number from %g to %g, not '%.40s'", part,
                           SHARE_LEAST, SHARE_MOST, colon + 1);
    int kind = 0;
    while (kind < KINDS && strcmp(part, kinds[kind]) != 0) kind++;
    if (kind == KINDS) {
        const char *nearest = text_nearest(part, kinds, KINDS), *known = "white, trace, linear, linear-shared, mix";
        if (nearest == NULL) return status_fail(STATUS_USAGE, "--noise: unknown kind '%.40s'; known: %s", part, known);
        return status_fail(STATUS_USAGE, "--noise: unknown kind '%.40s'; did you mean %s? known: %s", part, nearest,
                           known);
    }
    int first = kind == MIX ? SYNTHETIC_WHITE : kind, last = kind == MIX ? SYNTHETIC_LINEAR : kind;
    for (int k = first; k <= last; k++) {
        if (survey->noise[k] > 0) return status_fail(STATUS_USAGE, "--noise: %s is given twice", kinds[k]);
        survey->noise[k] = share;
    }
    return STATUS_OK;
}

/* Takes the kinds of noise with their shares, `white:1,trace:0.5`. */
static Status take_noise(const char *text, SyntheticSurvey *survey)
{
    char *parts = text_copy(text);
    if (parts == NULL) return STATUS_MEMORY;
    Status status = STATUS_OK;
    for (char *part = parts, *comma = parts; status == STATUS_OK && comma != NULL; part = comma + 1) {
        comma = strchr(part, ',');
        if (comma != NULL) *comma = '\0';
        status = take_kind(part, survey);
    }
    memory_free(parts);
    return status;
}

/* Removes the gathers that an earlier synth left in a folder: a smaller survey must not inherit some of them. */
static Status remove_old(const char *folder)
{
    char **names = NULL;
    int64_t n = 0;
    Status status = files_list(folder, ".npy", &names, &n);
    for (int64_t i = 0; status == STATUS_OK && i < n; i++) {
        int inline_number, crossline_number, end = 0;
        (void)sscanf(names[i], "gather_inline_%d_crossline_%d.npy%n", &inline_number, &crossline_number, &end);
        if (end == 0 || names[i][end] != '\0') continue; /* not ours */
        char *path = text_format("%s/%s", folder, names[i]);
        if (path == NULL) status = STATUS_MEMORY;
        if (path != NULL && unlink(path) != 0) status = status_fail(STATUS_IO, "%s: cannot be removed", path);
        memory_free(path);
    }
    memory_free(names);
    return status;
}

/* Rank 0's part: what is in the way, and the folders. */
static Status make_folders(const char *folder, bool force)
{
    Status status = files_check_output(folder, force);
    if (status == STATUS_OK) status = files_make_folder(folder);
    for (int twin = 0; status == STATUS_OK && twin < 2; twin++) {
        char *path = text_format("%s/%s", folder, twins[twin]);
        if (path == NULL) return STATUS_MEMORY;
        status = files_make_folder(path);
        if (status == STATUS_OK && force) status = remove_old(path);
        memory_free(path);
    }
    return status;
}

static Status allocate(Synth *synth)
{
    size_t traces = (size_t)synth->survey.n_traces, samples = (size_t)synth->survey.n_samples;
    synth->clean = memory_new(traces * samples, sizeof(float), "a gather");
    synth->noisy = memory_new(traces * samples, sizeof(float), "a gather");
    synth->kind = memory_new(traces * samples, sizeof(float), "a gather");
    synth->work = memory_new(samples + SYNTHETIC_WORK_MARGIN, sizeof(double), "a trace of noise");
    bool good = synth->clean != NULL && synth->noisy != NULL && synth->kind != NULL && synth->work != NULL;
    return good ? STATUS_OK : STATUS_MEMORY;
}

static Status write_gather(const Synth *synth, int64_t i, int64_t x)
{
    const SyntheticSurvey *survey = &synth->survey;
    Status status = STATUS_OK;
    for (int twin = 0; status == STATUS_OK && twin < 2; twin++) {
        char *path = text_format("%s/%s/gather_inline_%" PRId64 "_crossline_%" PRId64 ".npy", synth->folder,
                                 twins[twin], FIRST_INLINE + i, FIRST_CROSSLINE + x);
        if (path == NULL) return STATUS_MEMORY;
        status = npy_write(path, survey->n_traces, survey->n_samples, twin == 0 ? synth->noisy : synth->clean);
        memory_free(path);
    }
    return status;
}

static Status write_my_gathers(const Comm *comm, const Synth *synth)
{
    const SyntheticSurvey *survey = &synth->survey;
    int64_t n = survey->n_inlines * survey->n_crosslines;
    Status status = STATUS_OK;
    log_progress_start("synth", n, "gather");
    for (int64_t e = comm->rank; status == STATUS_OK && e < n; e += comm->size) {
        int64_t i = e / survey->n_crosslines, x = e % survey->n_crosslines;
        synthetic_gather(survey, i, x, synth->clean, synth->noisy, synth->kind, synth->work);
        status = write_gather(synth, i, x);
        log_progress(e + 1, NULL); /* the ranks go side by side: about as many are done */
    }
    log_progress_end();
    return status;
}

static Status run(Job *job)
{
    Synth synth = {.folder = synth_options(job)->output};
    SyntheticSurvey *survey = &synth.survey;
    survey->n_inlines = synth_options(job)->inlines;
    survey->n_crosslines = synth_options(job)->crosslines;
    survey->n_traces = synth_options(job)->traces;
    survey->n_samples = synth_options(job)->samples;
    survey->snr_db = synth_options(job)->snr;
    survey->seed = synth_options(job)->seed;
    survey->n_dips = synth_options(job)->dips;
    survey->image = !isnan(synth_options(job)->moveout_ms);
    if (survey->image) survey->moveout_s = synth_options(job)->moveout_ms * 1e-3;
    const char *noise = synth_options(job)->noise;

    Status status = noise == NULL ? STATUS_OK : take_noise(noise, survey);
    if (status == STATUS_OK) status = allocate(&synth);
    if (status == STATUS_OK && job->comm.rank == 0) status = make_folders(synth.folder, job->force);
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK) status = comm_agree(&job->comm, write_my_gathers(&job->comm, &synth));
    if (status == STATUS_OK) {
        char count[LOG_THINGS_MAX], traces[LOG_THINGS_MAX], samples[LOG_THINGS_MAX];
        log_note("%s: %s of %s x %s (%d us), noisy and clean, SNR %g dB%s%s", synth.folder,
                 log_things(survey->n_inlines * survey->n_crosslines, "gather", count),
                 log_things(survey->n_traces, "trace", traces), log_things(survey->n_samples, "sample", samples),
                 (int)SYNTHETIC_INTERVAL_US, survey->snr_db, noise == NULL ? "" : ", noise ",
                 noise == NULL ? "" : noise);
    }
    memory_free(synth.clean);
    memory_free(synth.noisy);
    memory_free(synth.kind);
    memory_free(synth.work);
    return status;
}

const Command command_synth = {
    .name = "synth",
    .summary = "writes a synthetic pre-stack survey, noisy and clean",
    .description =
        "Writes DIR/noisy/ and DIR/clean/, one .npy a gather with the same file names in both. The gathers look like "
        "those of a pre-stack time migration: dipping, faulted and curved reflectors, residual moveout, amplitudes "
        "that vary with offset, a stretch mute, a multiple; the noisy twin has random and linear noise on top. The "
        "same seed gives the same bits on any number of ranks.\n"
        "With --moveout-ms they are image gathers, finished: amplitudes do not fall with time, single traces have no "
        "gain of their own, no multiple is left, and neighbouring gathers differ as little in a small survey as in a "
        "large one. Kinds of noise: white (band-limited like the signal), trace (each trace a level of its own, some "
        "erratic), linear (trains of arrivals of random dip, others in every gather), linear-shared (the same trains "
        "in all gathers of an inline, so also in neighbours); none but the last is shared by two gathers. Shares are "
        "relative: white:1,trace:0.5.",
    .example = "seisdcn synth --output survey\n"
               "mpirun -n 2 seisdcn synth --output large --inlines 20 --crosslines 50 --samples 1501 --snr 3\n"
               "seisdcn synth --output hard --crosslines 40 --snr 0 --noise mix --moveout-ms 64 --dips 6",
    .tables = {{options, 0}},
    .options_size = sizeof(SynthOptions),
    .run = run,
};
