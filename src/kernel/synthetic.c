/* A synthetic pre-stack survey. A gather is the traces of one image point, by offset; time is two-way time after
 * moveout correction. Times in s, offsets in m, velocities in m/s, frequencies in Hz, amplitudes in counts of a
 * recorder.
 *
 * time: reflector k lies at T_k(inline, crossline) = t_k + dip of the survey + dome + throw of the fault; one horizon
 * is curved more than the rest. Beyond the fault's plane, which leans, all of them are shifted.
 *
 * moveout: the correction left some over, c_k (x / x_max)^2, up or down, with an error of each reflector's own.
 *
 * amplitude: R_k (1 + g_k sin^2 a) (Shuey's first two terms, sin a = x / path), falling with time as
 * exp(-t / 1.2) / (1 + t): absorption and spreading that a field processor left in.
 *
 * wavelet: Ricker's (1 - 2 u^2) exp(-u^2), u = pi f t; f falls from 35 by absorption, and by moveout stretch.
 *
 * multiple: of the strongest early reflector, at twice its time with the opposite sign, slower, so it dips downward
 * with offset.
 *
 * dips: events that cross the reflectors, straight over the offsets and of a slow wave along the survey.
 *
 * mute: zeros where moveout stretch sqrt(1 + (x / (v t))^2) is above 1.8: early times, far offsets.
 *
 * gain: a factor of each trace, the same for signal and noise: receivers differ.
 *
 * Image gathers are those of a finished migration: no gains and no multiple are left, amplitudes do not fall with time,
 * the fault is blurred, and the structure is laid out by gathers, so that neighbours differ as little in a small survey
 * as in a large one.
 *
 * The clean twin has everything but the noise (synthetic_noise.c), which is scaled so that the wanted ratio holds
 * exactly. */
#include "synthetic_private.h"

#include "seisdcn/random.h"

#include <math.h>
#include <string.h>

static const double PI = 3.14159265358979323846;
static const double SPACING = 0.036;    /* between reflectors, on average */
static const double STRETCH_MOST = 1.8; /* mute above */
static const double WAVELET_HALF = 1.4; /* of its peak period: below 1e-7 beyond */
static const double SCALE = 4000;       /* counts for a reflection coefficient of one at time zero */
static const double IMAGE_REACH = 20;   /* gathers from the middle of an image survey's structure to u or w = 1 */
static const double FAULT_WIDTH = 1.5;  /* gathers: a migration blurs a fault */
static const double WAVE_HEIGHT = 0.012, WAVE_LENGTH = 80; /* s and gathers: of crossing events along the survey */

enum { MUTE_TAPER = 5 };

/* Counters of the survey's random numbers; b of (a, b) is the reflector, or the event that crosses. */
enum {
    OF_TIME,
    OF_STRENGTH,
    OF_SIGN,
    OF_GRADIENT,
    OF_MOVEOUT,
    OF_CURVED,
    OF_DIP_TIME,
    OF_DIP_TILT,
    OF_DIP_STRENGTH,
    OF_DIP_SIGN,
    OF_DIP_WAY,
    OF_DIP_PHASE
};

typedef struct {
    double time, strength, gradient, moveout; /* moveout: s at x_max */
    double slowness2;                         /* 1 / v^2 of further moveout, for the multiple; else 0 */
    double tilt;                              /* s from x = 0 to x_max, about the middle, for a dip; else 0 */
} Event;

double synthetic_length(const SyntheticSurvey *survey) { return (double)(survey->n_samples - 1) * INTERVAL; }

/* Velocity of moveout at two-way time t. */
static double velocity(double t) { return 1500 + 600 * t; }

/* The largest offset: with the record's length, so that the mute takes about the same part of every record. */
double synthetic_offset_most(const SyntheticSurvey *survey) { return fmin(3000, 800 * synthetic_length(survey)); }

double synthetic_offset(const SyntheticSurvey *survey, int64_t t)
{
    return survey->n_traces == 1 ? 0 : synthetic_offset_most(survey) * (double)t / (double)(survey->n_traces - 1);
}

static int64_t n_reflectors(const SyntheticSurvey *survey) { return 1 + (int64_t)(synthetic_length(survey) / SPACING); }

/* Where line i of n lies in the structure: -1 .. 1 over the survey; of image gathers at a fixed distance of lines. */
static double place(const SyntheticSurvey *survey, int64_t i, int64_t n)
{
    if (survey->image) return ((double)i - 0.5 * (double)(n - 1)) / IMAGE_REACH;
    return n == 1 ? 0 : 2 * (double)i / (double)(n - 1) - 1;
}

/* A reflector at the image point (i, x): everything but the noise depends on the survey's seed alone. */
static Event reflector(const SyntheticSurvey *survey, RandomKey key, int64_t k, int64_t i, int64_t x)
{
    uint64_t b = (uint64_t)k;
    double length = synthetic_length(survey), n = (double)n_reflectors(survey);
    double flat = length / n * ((double)k + 0.2 + 0.6 * random_uniform(key, OF_TIME, b)),
           deep = flat / (length + INTERVAL);
    double u = place(survey, i, survey->n_inlines), w = place(survey, x, survey->n_crosslines);
    double dome = -0.030 * deep * exp(-1.5 * (u * u + w * w));
    double dip = deep * (0.0006 * (double)i + 0.0004 * (double)x);
    double beyond = w - 0.1 - 0.4 * (deep - 0.5) + 0.2 * u; /* the fault's plane */
    double step = survey->image ? 1 / (1 + exp(-beyond * IMAGE_REACH / FAULT_WIDTH)) : beyond > 0;
    double throw = 0.020 * deep * step;
    double curved = k == (int64_t)(n / 2) ? 0.012 * cos(2.5 * w + 1.5 * u) : 0;
    double strong = random_uniform(key, OF_STRENGTH, b);
    Event event = {0};
    event.time = flat + dome + dip + throw +curved;
    event.strength = (0.15 + 0.85 * strong * strong) * (random_uniform(key, OF_SIGN, b) < 0.5 ? -1 : 1);
    event.gradient = -1.2 + 1.6 * random_uniform(key, OF_GRADIENT, b);
    double moveout = random_uniform(key, OF_MOVEOUT, b);
    event.moveout = survey->image ? survey->moveout_s * (2 * moveout - 1) : -0.006 + 0.016 * moveout;
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

/* The k-th of the events that cross the reflectors, spread evenly over the record. */
static Event crossing(const SyntheticSurvey *survey, RandomKey key, int64_t k, int64_t i, int64_t x)
{
    uint64_t b = (uint64_t)k;
    double length = synthetic_length(survey), way = PI * random_uniform(key, OF_DIP_WAY, b);
    double phase =
        2 * PI * ((cos(way) * (double)i + sin(way) * (double)x) / WAVE_LENGTH + random_uniform(key, OF_DIP_PHASE, b));
    double sign = random_uniform(key, OF_DIP_SIGN, b), tilt = 2 * random_uniform(key, OF_DIP_TILT, b) - 1;
    Event event = {0};
    event.time = length * ((double)k + random_uniform(key, OF_DIP_TIME, b)) / (double)survey->n_dips;
    event.time += WAVE_HEIGHT * sin(phase);
    event.tilt = length * (tilt < 0 ? -0.03 + 0.09 * tilt : 0.03 + 0.09 * tilt);
    event.strength = (0.25 + 0.5 * random_uniform(key, OF_DIP_STRENGTH, b)) * (sign < 0.5 ? -1 : 1);
    return event;
}

double synthetic_ricker(double t, double frequency)
{
    double u = PI * frequency * t;
    return (1 - 2 * u * u) * exp(-u * u);
}

void synthetic_add_wavelet(float *trace, int64_t n, double t, double frequency, double amplitude)
{
    double half = WAVELET_HALF / frequency;
    int64_t first = (int64_t)ceil((t - half) / INTERVAL), last = (int64_t)floor((t + half) / INTERVAL);
    if (first < 0) first = 0;
    if (last > n - 1) last = n - 1;
    for (int64_t s = first; s <= last; s++)
        trace[s] += (float)(amplitude * synthetic_ricker((double)s * INTERVAL - t, frequency));
}

static void add_event(const SyntheticSurvey *survey, const Event *event, double offset, float *trace)
{
    double far = synthetic_offset_most(survey) > 0 ? offset / synthetic_offset_most(survey) : 0, t0 = event->time;
    double t = event->slowness2 > 0 ? sqrt(t0 * t0 + offset * offset * event->slowness2) : t0;
    t += event->moveout * far * far + event->tilt * (far - 0.5);
    double path = velocity(t0) * t0, sine2 = offset * offset / (offset * offset + path * path + 1);
    double stretch = fmin(sqrt(1 + offset * offset / (path * path + 1)), STRETCH_MOST);
    double frequency = 35 / (1 + 0.25 * t0) / stretch;
    double amplitude = SCALE * event->strength * (1 + event->gradient * sine2);
    if (!survey->image) amplitude = amplitude * exp(-t0 / 1.2) / (1 + t0);
    synthetic_add_wavelet(trace, survey->n_samples, t, frequency, amplitude);
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

double synthetic_energy(const float *values, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++) sum += (double)values[i] * values[i];
    return sum;
}

void synthetic_mute_gather(const SyntheticSurvey *survey, int64_t i, int64_t x, float *gather)
{
    RandomKey key = random_key(survey->seed, RANDOM_SYNTH, i * survey->n_crosslines + x);
    for (int64_t t = 0; t < survey->n_traces; t++) {
        double gain = survey->image ? 1 : exp(0.15 * random_normal(key, SYNTHETIC_OF_GAIN, (uint64_t)t));
        mute(survey, synthetic_offset(survey, t), gain, gather + t * survey->n_samples);
    }
}

static void add_signal(const SyntheticSurvey *survey, int64_t i, int64_t x, float *clean)
{
    RandomKey earth = random_key(survey->seed, RANDOM_SYNTH, -1);
    int64_t reflectors = n_reflectors(survey), events = reflectors + (survey->image ? 0 : 1) + survey->n_dips;
    for (int64_t k = 0; k < events; k++) {
        Event event;
        if (k < reflectors)
            event = reflector(survey, earth, k, i, x);
        else if (k - reflectors < survey->n_dips)
            event = crossing(survey, earth, k - reflectors, i, x);
        else
            event = multiple(survey, earth, i, x);
        for (int64_t t = 0; t < survey->n_traces; t++)
            add_event(survey, &event, synthetic_offset(survey, t), clean + t * survey->n_samples);
    }
}

void synthetic_gather(const SyntheticSurvey *survey, int64_t i, int64_t x, float *clean, float *noisy, float *kind,
                      double *work)
{
    int64_t n = survey->n_traces * survey->n_samples;
    memset(clean, 0, (size_t)n * sizeof *clean);
    memset(noisy, 0, (size_t)n * sizeof *noisy); /* the noise alone, at first */
    add_signal(survey, i, x, clean);
    synthetic_mute_gather(survey, i, x, clean);
    synthetic_noise(survey, i, x, noisy, kind, work);
    double signal = synthetic_energy(clean, n), noise = synthetic_energy(noisy, n);
    double scale = noise > 0 ? sqrt(signal / noise * pow(10, -survey->snr_db / 10)) : 0;
    for (int64_t s = 0; s < n; s++) noisy[s] = (float)(clean[s] + scale * noisy[s]);
}
