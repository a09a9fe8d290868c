/* The noise of a synthetic gather. Without kinds: white numbers through the wavelet (so band-limited like the signal)
 * and one linear train of arrivals (ground roll, a slow direct wave). Else a sum of kinds, each of its share of the
 * energy:
 *
 * white: white numbers through the wavelet, alike everywhere.
 *
 * trace: the same, with a level of each trace's own, and now and then an erratic trace.
 *
 * linear: trains of a few arrivals on straight lines of random dip, up or down, which fade over the offsets; others in
 * every gather.
 *
 * linear-shared: such trains again, the same ones in all gathers of an inline. */
#include "synthetic_private.h"

#include <math.h>
#include <string.h>

static const double NOISE_FREQUENCY = 28;                    /* of the band-limited noise */
static const double LEVEL_SPREAD = 0.7;                      /* of the logarithm of a trace's level */
static const double ERRATIC_SHARE = 0.06, ERRATIC_LEVEL = 6; /* of traces; times their level */
static const double TRAIN_SPACING = 0.25;                    /* s between trains, on average */
static const double SLOWEST = 1500, FASTEST = 6000;          /* m/s */

enum { TAPS = 13, TRAIN_ARRIVALS = 4 };

_Static_assert(SYNTHETIC_WORK_MARGIN >= 2 * TAPS, "the noise needs its taps on both sides");

/* Counters (a, b) of the kinds' random numbers: b is the trace, the train, or train and arrival. The numbers of trace
 * noise have a = trace + OF_SAMPLE, b = sample. */
enum {
    OF_LEVEL,
    OF_ERRATIC,
    OF_TIME,
    OF_SIGN,
    OF_VELOCITY,
    OF_FREQUENCY,
    OF_STRENGTH,
    OF_MIDDLE,
    OF_WIDTH,
    OF_ARRIVAL,
    OF_SAMPLE
};

/* Adds the white numbers of counters (a, sample) through the wavelet to a trace: RMS about `level`. */
static void add_random(const SyntheticSurvey *survey, RandomKey key, uint64_t a, double level, float *trace,
                       double *work)
{
    double tap[2 * TAPS + 1], sum = 0;
    for (int k = -TAPS; k <= TAPS; k++) {
        tap[k + TAPS] = synthetic_ricker(k * INTERVAL, NOISE_FREQUENCY);
        sum += tap[k + TAPS] * tap[k + TAPS];
    }
    int64_t n = survey->n_samples;
    for (int64_t s = 0; s < n + 2 * TAPS; s++) work[s] = random_normal(key, a, (uint64_t)s);
    for (int64_t s = 0; s < n; s++) {
        double value = 0;
        for (int k = 0; k <= 2 * TAPS; k++) value += tap[k] * work[s + k];
        trace[s] += (float)(level * (value / sqrt(sum)));
    }
}

/* Adds the one train of a survey without kinds: a few arrivals behind each other at one slow velocity, stronger than
 * the random noise where they pass. */
static void add_train(const SyntheticSurvey *survey, RandomKey key, double offset, float *trace)
{
    double start = 0.4 * synthetic_length(survey) * random_uniform(key, SYNTHETIC_OF_TRAIN_TIME, 0);
    double slow = 900 + 500 * random_uniform(key, SYNTHETIC_OF_TRAIN_VELOCITY, 0);
    for (int k = 0; k < TRAIN_ARRIVALS; k++) {
        double strength = 2 + 2 * random_uniform(key, SYNTHETIC_OF_ARRIVAL, (uint64_t)k);
        double t = start + 0.055 * k + offset / slow;
        synthetic_add_wavelet(trace, survey->n_samples, t, 18, k % 2 == 0 ? strength : -strength);
    }
}

static double level_of(RandomKey key, int64_t t)
{
    double level = exp(LEVEL_SPREAD * random_normal(key, OF_LEVEL, (uint64_t)t));
    return random_uniform(key, OF_ERRATIC, (uint64_t)t) < ERRATIC_SHARE ? ERRATIC_LEVEL * level : level;
}

/* Adds the k-th train of n to all traces. */
static void add_linear(const SyntheticSurvey *survey, RandomKey key, int64_t k, int64_t n, float *noise)
{
    uint64_t b = (uint64_t)k;
    double most = synthetic_offset_most(survey);
    double middle = synthetic_length(survey) * ((double)k + random_uniform(key, OF_TIME, b)) / (double)n;
    double velocity = SLOWEST * pow(FASTEST / SLOWEST, random_uniform(key, OF_VELOCITY, b));
    if (random_uniform(key, OF_SIGN, b) < 0.5) velocity = -velocity;
    double frequency = 14 + 16 * random_uniform(key, OF_FREQUENCY, b);
    double strength = 0.5 + random_uniform(key, OF_STRENGTH, b);
    double centre = random_uniform(key, OF_MIDDLE, b), width = 0.3 + 0.7 * random_uniform(key, OF_WIDTH, b);
    for (int64_t t = 0; t < survey->n_traces; t++) {
        double offset = synthetic_offset(survey, t), far = most > 0 ? (offset / most - centre) / width : 0;
        for (int arrival = 0; arrival < TRAIN_ARRIVALS; arrival++) {
            double at = middle + (offset - 0.5 * most) / velocity + arrival / frequency;
            double each = 0.5 + random_uniform(key, OF_ARRIVAL, TRAIN_ARRIVALS * b + (uint64_t)arrival);
            synthetic_add_wavelet(noise + t * survey->n_samples, survey->n_samples, at, frequency,
                                  strength * each * exp(-far * far) * (arrival % 2 == 0 ? 1 : -1));
        }
    }
}

/* One kind of noise of gather (i, x), in a unit of its own. */
static void add_kind(const SyntheticSurvey *survey, SyntheticNoise kind, int64_t i, int64_t x, float *noise,
                     double *work)
{
    int64_t e = i * survey->n_crosslines + x, n_trains = 1 + (int64_t)(synthetic_length(survey) / TRAIN_SPACING);
    RandomKey gather = random_key(survey->seed, RANDOM_SYNTH, e);
    RandomKey own = random_key(survey->seed, RANDOM_NOISE, e), line = random_key(survey->seed, RANDOM_NOISE, -1 - i);
    for (int64_t t = 0; t < survey->n_traces; t++) {
        float *trace = noise + t * survey->n_samples;
        if (kind == SYNTHETIC_WHITE) add_random(survey, gather, SYNTHETIC_OF_WHITE + (uint64_t)t, 1, trace, work);
        if (kind == SYNTHETIC_TRACE) add_random(survey, own, OF_SAMPLE + (uint64_t)t, level_of(own, t), trace, work);
    }
    for (int64_t k = 0; k < n_trains; k++) {
        if (kind == SYNTHETIC_LINEAR) add_linear(survey, own, k, n_trains, noise);
        if (kind == SYNTHETIC_LINEAR_SHARED) add_linear(survey, line, k, n_trains, noise);
    }
}

/* The noise of a survey without kinds. */
static void add_default(const SyntheticSurvey *survey, int64_t i, int64_t x, float *noise, double *work)
{
    RandomKey gather = random_key(survey->seed, RANDOM_SYNTH, i * survey->n_crosslines + x);
    for (int64_t t = 0; t < survey->n_traces; t++) {
        float *trace = noise + t * survey->n_samples;
        add_random(survey, gather, SYNTHETIC_OF_WHITE + (uint64_t)t, 1, trace, work);
        add_train(survey, gather, synthetic_offset(survey, t), trace);
    }
}

void synthetic_noise(const SyntheticSurvey *survey, int64_t i, int64_t x, float *noise, float *kind, double *work)
{
    bool has_kinds = false;
    int64_t n = survey->n_traces * survey->n_samples;
    for (int k = 0; k < SYNTHETIC_NOISES; k++) {
        if (survey->noise[k] == 0) continue;
        has_kinds = true;
        memset(kind, 0, (size_t)n * sizeof *kind);
        add_kind(survey, (SyntheticNoise)k, i, x, kind, work);
        synthetic_mute_gather(survey, i, x, kind);
        double energy = synthetic_energy(kind, n), scale = energy > 0 ? sqrt(survey->noise[k] / energy) : 0;
        for (int64_t s = 0; s < n; s++) noise[s] += (float)(scale * kind[s]);
    }
    if (has_kinds) return;
    add_default(survey, i, x, noise, work);
    synthetic_mute_gather(survey, i, x, noise);
}
