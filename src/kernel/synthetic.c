/* A synthetic PSTM survey. A gather is the traces of one image point, by offset; time is two-way time after moveout
 * correction. Times in s, offsets in m, velocities in m/s, frequencies in Hz, amplitudes in counts of a recorder.
 *
 *   time        reflector k lies at T_k(inline, crossline) = t_k + dip of the survey + dome + throw of the fault; one
 *               horizon is curved more than the rest. Beyond the fault's plane, which leans, all of them are shifted.
 *   moveout     the correction left some over: c_k (x / x_max)^2, up or down, and grows with the reflector's own error
 *   amplitude   R_k (1 + g_k sin^2 a) (Shuey's first two terms, sin a = x / path), falling with time as
 *               exp(-t / 1.2) / (1 + t): absorption and spreading that a field processor left in
 *   wavelet     Ricker's (1 - 2 u^2) exp(-u^2), u = pi f t; f falls from 35 by absorption, and by moveout stretch
 *   multiple    of the strongest early reflector: twice its time, opposite sign, slower, so it dips downward with
 * offset mute        zeros where moveout stretch sqrt(1 + (x / (v t))^2) is above 1.8: early times, far offsets gain a
 * factor of each trace, the same for signal and noise: receivers differ noise       white numbers through the wavelet
 * (so band-limited like the signal), and one linear train of arrivals (ground roll, a slow direct wave); their sum is
 * scaled to the wanted ratio, so that it holds exactly
 *
 * The clean twin has everything but the noise; the multiple is part of it. */
#include "seisdcn/synthetic.h"

#include "seisdcn/random.h"

#include <math.h>
#include <string.h>

static const double INTERVAL = SYNTHETIC_INTERVAL_US * 1e-6;
static const double PI = 3.14159265358979323846;
static const double SPACING = 0.036;      /* between reflectors, on average */
static const double STRETCH_MOST = 1.8;   /* mute above */
static const double WAVELET_HALF = 1.4;   /* of its peak period: below 1e-7 beyond */
static const double NOISE_FREQUENCY = 28; /* of the band-limited noise */
static const double SCALE = 4000;         /* counts for a reflection coefficient of one at time zero */

enum { TAPS = 13, MUTE_TAPER = 5, TRAIN_ARRIVALS = 4 };

_Static_assert(SYNTHETIC_WORK_MARGIN >= 2 * TAPS, "the noise needs its taps on both sides");

/* Counters of the survey's random numbers; b of (a, b) is the reflector. */
enum { OF_TIME, OF_STRENGTH, OF_SIGN, OF_GRADIENT, OF_MOVEOUT, OF_CURVED };

/* Counters of a gather's; b is the trace or the arrival. White noise has a = trace + OF_WHITE, b = sample. */
enum { OF_GAIN, OF_TRAIN_TIME, OF_TRAIN_VELOCITY, OF_ARRIVAL, OF_WHITE };

typedef struct {
    double time, strength, gradient, moveout; /* moveout: s at x_max */
    double slowness2;                         /* 1 / v^2 of further moveout, for the multiple; else 0 */
} Event;

static double record_length(const SyntheticSurvey *survey) { return (double)(survey->n_samples - 1) * INTERVAL; }

/* Velocity of moveout at two-way time t. */
static double velocity(double t) { return 1500 + 600 * t; }

/* The largest offset: with the record's length, so that the mute takes about the same part of every record. */
static double offset_most(const SyntheticSurvey *survey) { return fmin(3000, 800 * record_length(survey)); }

double synthetic_offset(const SyntheticSurvey *survey, int64_t t)
{
    return survey->n_traces == 1 ? 0 : offset_most(survey) * (double)t / (double)(survey->n_traces - 1);
}

static int64_t n_reflectors(const SyntheticSurvey *survey) { return 1 + (int64_t)(record_length(survey) / SPACING); }

/* A reflector at the image point (i, x): everything but the noise depends on the survey's seed alone. */
static Event reflector(const SyntheticSurvey *survey, RandomKey key, int64_t k, int64_t i, int64_t x)
{
    uint64_t b = (uint64_t)k;
    double length = record_length(survey), n = (double)n_reflectors(survey);
    double flat = length / n * ((double)k + 0.2 + 0.6 * random_uniform(key, OF_TIME, b)),
           deep = flat / (length + INTERVAL);
    /* the image point on a square of -1 .. 1 */
    double u = survey->n_inlines == 1 ? 0 : 2 * (double)i / (double)(survey->n_inlines - 1) - 1;
    double w = survey->n_crosslines == 1 ? 0 : 2 * (double)x / (double)(survey->n_crosslines - 1) - 1;
    double dome = -0.030 * deep * exp(-1.5 * (u * u + w * w));
    double dip = deep * (0.0006 * (double)i + 0.0004 * (double)x);
    double throw = w - 0.1 - 0.4 * (deep - 0.5) + 0.2 * u > 0 ? 0.020 * deep : 0;
    double curved = k == (int64_t)(n / 2) ? 0.012 * cos(2.5 * w + 1.5 * u) : 0;
    double strong = random_uniform(key, OF_STRENGTH, b);
    Event event = {0};
    event.time = flat + dome + dip + throw +curved;
    event.strength = (0.15 + 0.85 * strong * strong) * (random_uniform(key, OF_SIGN, b) < 0.5 ? -1 : 1);
    event.gradient = -1.2 + 1.6 * random_uniform(key, OF_GRADIENT, b);
    event.moveout = -0.006 + 0.016 * random_uniform(key, OF_MOVEOUT, b);
    return event;
}

/* The multiple of the strongest of the first reflectors (with no time of its own: it would lie on the primary). */
static Event multiple(const SyntheticSurvey *survey, RandomKey key, int64_t i, int64_t x)
{
    Event strongest = {0};
    int64_t n = n_reflectors(survey), early = n < 8 ? n : 8;
    for (int64_t k = early / 2; k < early; k++) {
        Event event = reflector(survey, key, k, i, x);
        if (fabs(event.strength) > fabs(strongest.strength)) strongest = event;
    }
    Event event = strongest;
    event.time = 2 * strongest.time;
    /* A round trip at the shallow velocity, corrected with the deeper one: what is left of x^2 / v^2. */
    double slow = velocity(strongest.time), fast = velocity(event.time);
    event.slowness2 = 1 / (slow * slow) - 1 / (fast * fast);
    event.strength = -0.5 * fabs(strongest.strength) * strongest.strength;
    return event;
}

static double ricker(double t, double frequency)
{
    double u = PI * frequency * t;
    return (1 - 2 * u * u) * exp(-u * u);
}

/* Adds amplitude * wavelet centred at time t to a trace [n]. */
static void add_wavelet(float *trace, int64_t n, double t, double frequency, double amplitude)
{
    double half = WAVELET_HALF / frequency;
    int64_t first = (int64_t)ceil((t - half) / INTERVAL), last = (int64_t)floor((t + half) / INTERVAL);
    if (first < 0) first = 0;
    if (last > n - 1) last = n - 1;
    for (int64_t s = first; s <= last; s++)
        trace[s] += (float)(amplitude * ricker((double)s * INTERVAL - t, frequency));
}

static void add_event(const SyntheticSurvey *survey, const Event *event, double offset, float *trace)
{
    double far = offset_most(survey) > 0 ? offset / offset_most(survey) : 0, t0 = event->time;
    double t = event->slowness2 > 0 ? sqrt(t0 * t0 + offset * offset * event->slowness2) : t0;
    t += event->moveout * far * far;
    double path = velocity(t0) * t0, sine2 = offset * offset / (offset * offset + path * path + 1);
    double stretch = fmin(sqrt(1 + offset * offset / (path * path + 1)), STRETCH_MOST);
    double frequency = 35 / (1 + 0.25 * t0) / stretch;
    double amplitude = SCALE * event->strength * (1 + event->gradient * sine2) * exp(-t0 / 1.2) / (1 + t0);
    add_wavelet(trace, survey->n_samples, t, frequency, amplitude);
}

/* The first sample that is not muted at an offset: where the stretch falls to STRETCH_MOST. */
static int64_t first_live(const SyntheticSurvey *survey, double offset)
{
    double reach = offset / sqrt(STRETCH_MOST * STRETCH_MOST - 1); /* v t at the mute: 1500 t + 600 t^2 */
    double t = (sqrt(1500.0 * 1500 + 4 * 600 * reach) - 1500) / (2 * 600);
    int64_t s = (int64_t)ceil(t / INTERVAL);
    return s < survey->n_samples ? s : survey->n_samples;
}

/* Multiplies a trace by gain behind its mute, with a short ramp, and makes the mute exact zeros. */
static void mute(const SyntheticSurvey *survey, double offset, double gain, float *trace)
{
    int64_t live = first_live(survey, offset);
    for (int64_t s = 0; s < live; s++) trace[s] = 0;
    for (int64_t s = live; s < survey->n_samples; s++) {
        double ramp = live == 0 || s - live >= MUTE_TAPER ? 1 : (double)(s - live + 1) / (MUTE_TAPER + 1);
        trace[s] = (float)(trace[s] * gain * ramp);
    }
}

/* Adds the white numbers of a trace through the wavelet: RMS about 1. */
static void add_random_noise(const SyntheticSurvey *survey, RandomKey key, int64_t t, float *trace, double *work)
{
    double tap[2 * TAPS + 1], sum = 0;
    for (int k = -TAPS; k <= TAPS; k++) {
        tap[k + TAPS] = ricker(k * INTERVAL, NOISE_FREQUENCY);
        sum += tap[k + TAPS] * tap[k + TAPS];
    }
    int64_t n = survey->n_samples;
    for (int64_t s = 0; s < n + 2 * TAPS; s++) work[s] = random_normal(key, OF_WHITE + (uint64_t)t, (uint64_t)s);
    for (int64_t s = 0; s < n; s++) {
        double value = 0;
        for (int k = 0; k <= 2 * TAPS; k++) value += tap[k] * work[s + k];
        trace[s] += (float)(value / sqrt(sum));
    }
}

/* Adds the linear train: a few arrivals behind each other at one slow velocity, stronger than the random noise where
 * they pass. */
static void add_train(const SyntheticSurvey *survey, RandomKey key, double offset, float *trace)
{
    double start = 0.4 * record_length(survey) * random_uniform(key, OF_TRAIN_TIME, 0);
    double slow = 900 + 500 * random_uniform(key, OF_TRAIN_VELOCITY, 0);
    for (int k = 0; k < TRAIN_ARRIVALS; k++) {
        double strength = 2 + 2 * random_uniform(key, OF_ARRIVAL, (uint64_t)k);
        double t = start + 0.055 * k + offset / slow;
        add_wavelet(trace, survey->n_samples, t, 18, k % 2 == 0 ? strength : -strength);
    }
}

static double energy(const float *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)values[i] * values[i];
    return sum;
}

void synthetic_gather(const SyntheticSurvey *survey, int64_t i, int64_t x, float *clean, float *noisy, double *work)
{
    RandomKey earth = random_key(survey->seed, RANDOM_SYNTH, -1);
    RandomKey gather = random_key(survey->seed, RANDOM_SYNTH, i * survey->n_crosslines + x);
    int64_t n = survey->n_traces * survey->n_samples, reflectors = n_reflectors(survey);
    memset(clean, 0, (size_t)n * sizeof *clean);
    memset(noisy, 0, (size_t)n * sizeof *noisy); /* the noise alone, at first */
    for (int64_t k = 0; k <= reflectors; k++) {
        Event event = k < reflectors ? reflector(survey, earth, k, i, x) : multiple(survey, earth, i, x);
        for (int64_t t = 0; t < survey->n_traces; t++)
            add_event(survey, &event, synthetic_offset(survey, t), clean + t * survey->n_samples);
    }
    for (int64_t t = 0; t < survey->n_traces; t++) {
        double offset = synthetic_offset(survey, t), gain = exp(0.15 * random_normal(gather, OF_GAIN, (uint64_t)t));
        add_random_noise(survey, gather, t, noisy + t * survey->n_samples, work);
        add_train(survey, gather, offset, noisy + t * survey->n_samples);
        mute(survey, offset, gain, clean + t * survey->n_samples);
        mute(survey, offset, gain, noisy + t * survey->n_samples);
    }
    double signal = energy(clean, n), noise = energy(noisy, n);
    double scale = noise > 0 ? sqrt(signal / noise * pow(10, -survey->snr_db / 10)) : 0;
    for (int64_t s = 0; s < n; s++) noisy[s] = (float)(clean[s] + scale * noisy[s]);
}
