#include "seisdcn/gathers.h"

#include "seisdcn/fault.h"
#include "seisdcn/memory.h"
#include "seisdcn/timer.h"

#include <errno.h>
#include <string.h>

/* What is known of a gather besides its data. Idle ones, held and nobody's, stand in the order of use. */
enum {
    READING = 1,   /* on its way into data */
    UNCHECKED = 2, /* read ahead: its values may be damaged or not finite */
    AHEAD = 4,     /* counted in ahead_bytes: not asked for yet */
    IDLE = 8,      /* in the order of use, may go */
};

int64_t gathers_bytes_of(const Survey *survey, int64_t n_channels, int64_t e)
{
    return n_channels * survey_fold(survey, e) * survey->n_samples * (int64_t)sizeof(float);
}

static int64_t bytes_of(const Gathers *gathers, int64_t e)
{
    return gathers_bytes_of(gathers->survey, gathers->n_channels, e);
}

size_t gathers_table_bytes(const Survey *survey, int64_t n_channels)
{
    Gathers *none = NULL;
    size_t each = sizeof *none->data + sizeof *none->state + sizeof *none->kept + 2 * sizeof *none->newer;
    return (size_t)survey->n_ensembles * each + reader_bytes(n_channels);
}

Status gathers_new(const Survey *survey, int64_t n_channels, int64_t limit, Gathers *gathers)
{
    memset(gathers, 0, sizeof *gathers);
    gathers->survey = survey;
    gathers->n_channels = n_channels;
    gathers->limit = limit;
    gathers->newest = gathers->oldest = -1;
    size_t n = (size_t)survey->n_ensembles;
    gathers->data = memory_new(n, sizeof *gathers->data, "the list of gathers held");
    gathers->state = memory_new(n, sizeof *gathers->state, "the list of gathers held");
    gathers->kept = memory_new(n, sizeof *gathers->kept, "the list of gathers held");
    gathers->newer = memory_new(n, sizeof *gathers->newer, "the list of gathers held");
    gathers->older = memory_new(n, sizeof *gathers->older, "the list of gathers held");
    bool enough = gathers->data != NULL && gathers->state != NULL && gathers->kept != NULL && gathers->newer != NULL &&
                  gathers->older != NULL;
    Status status = enough ? reader_new(survey, n_channels, &gathers->reader) : STATUS_MEMORY;
    if (status != STATUS_OK) gathers_free(gathers);
    return status;
}

void gathers_free(Gathers *gathers)
{
    reader_free(&gathers->reader); /* first: it writes into the data */
    if (gathers->data != NULL)
        for (int64_t e = 0; e < gathers->survey->n_ensembles; e++) memory_free(gathers->data[e]);
    memory_free(gathers->data);
    memory_free(gathers->state);
    memory_free(gathers->kept);
    memory_free(gathers->newer);
    memory_free(gathers->older);
    memset(gathers, 0, sizeof *gathers);
}

/* ---- who may go ---- */

static void unlink_idle(Gathers *gathers, int64_t e)
{
    int64_t newer = gathers->newer[e], older = gathers->older[e];
    *(newer < 0 ? &gathers->newest : &gathers->older[newer]) = older;
    *(older < 0 ? &gathers->oldest : &gathers->newer[older]) = newer;
    gathers->state[e] &= (uint8_t)~IDLE;
}

static void link_idle(Gathers *gathers, int64_t e)
{
    if (gathers->limit == 0) return; /* none has to go */
    gathers->newer[e] = -1;
    gathers->older[e] = gathers->newest;
    *(gathers->newest < 0 ? &gathers->oldest : &gathers->newer[gathers->newest]) = e;
    gathers->newest = e;
    gathers->state[e] |= IDLE;
}

static void let_go(Gathers *gathers, int64_t e)
{
    if (gathers->state[e] & READING && reader_finish(&gathers->reader, e) != STATUS_OK) status_clear();
    if (gathers->state[e] & IDLE) unlink_idle(gathers, e);
    memory_free(gathers->data[e]);
    gathers->data[e] = NULL;
    gathers->state[e] = 0;
    gathers->bytes -= bytes_of(gathers, e);
}

/* Lets idle gathers go until `more` bytes fit; whether they do. */
static bool make_room(Gathers *gathers, int64_t more)
{
    if (gathers->limit == 0) return true;
    while (gathers->oldest >= 0 && gathers->bytes + more > gathers->limit) let_go(gathers, gathers->oldest);
    return gathers->bytes + more <= gathers->limit;
}

/* It is in use now. */
static void no_longer_ahead(Gathers *gathers, int64_t e)
{
    if (gathers->state[e] & AHEAD) gathers->ahead_bytes -= bytes_of(gathers, e);
    gathers->state[e] &= (uint8_t)~AHEAD;
}

bool gathers_stays(const Gathers *gathers, int64_t e) { return gathers->limit == 0 || gathers->kept[e] > 0; }

void gathers_keep(Gathers *gathers, int64_t e)
{
    if (gathers->kept[e]++ > 0) return;
    no_longer_ahead(gathers, e);
    if (gathers->state[e] & IDLE) unlink_idle(gathers, e);
    if (gathers->data[e] != NULL) return;
    (void)make_room(gathers, bytes_of(gathers, e));
    gathers->bytes += bytes_of(gathers, e);
}

void gathers_drop(Gathers *gathers, int64_t e)
{
    if (--gathers->kept[e] > 0) return;
    if (gathers->data[e] != NULL)
        link_idle(gathers, e);
    else
        gathers->bytes -= bytes_of(gathers, e); /* it was set aside for nothing */
}

/* ---- reading ---- */

/* What a gather that is not held adds: nothing where it is kept, since its place is set aside. */
static int64_t bytes_more(const Gathers *gathers, int64_t e) { return gathers->kept[e] > 0 ? 0 : bytes_of(gathers, e); }

static Status new_data(Gathers *gathers, int64_t e)
{
    gathers->data[e] = memory_new((size_t)bytes_of(gathers, e), 1, "a gather");
    if (gathers->data[e] == NULL) return STATUS_MEMORY;
    gathers->bytes += bytes_more(gathers, e);
    gathers->n_read++;
    return STATUS_OK;
}

/* A gather that could not be read leaves nothing but the place that is kept for it. */
static Status give_up(Gathers *gathers, int64_t e, Status status)
{
    no_longer_ahead(gathers, e);
    let_go(gathers, e);
    if (gathers->kept[e] > 0) gathers->bytes += bytes_of(gathers, e);
    return status;
}

/* What has just been read, once for each reading. */
static Status check(const Gathers *gathers, int64_t e)
{
    char name[96];
    if (fault_strikes(FAULT_READ))
        return status_fail(STATUS_IO, "%s: %s cannot be read: %s", gathers->survey->path,
                           survey_ensemble_name(gathers->survey, e, name), strerror(errno));
    Status status = STATUS_OK;
    int64_t items = bytes_of(gathers, e) / gathers->n_channels / (int64_t)sizeof(float);
    for (int64_t c = 0; status == STATUS_OK && c < gathers->n_channels; c++)
        status = survey_check_values(gathers->survey, e, c, gathers->data[e] + c * items);
    return status;
}

static Status read_now(Gathers *gathers, int64_t e)
{
    if (!make_room(gathers, bytes_more(gathers, e))) {
        gathers_forget_ahead(gathers); /* the limit stands above what is read ahead, but one gather is held at least */
        (void)make_room(gathers, bytes_more(gathers, e));
    }
    Status status = new_data(gathers, e);
    if (status != STATUS_OK) return status;
    if (!reader_works(&gathers->reader))
        return survey_read_gather(gathers->survey, e, gathers->n_channels, gathers->data[e]);
    status = reader_read(&gathers->reader, e, gathers->data[e]);
    return status == STATUS_OK ? check(gathers, e) : status;
}

/* Ends what was begun ahead. */
static Status take_over(Gathers *gathers, int64_t e)
{
    Status status = STATUS_OK;
    if (gathers->state[e] & READING) status = reader_finish(&gathers->reader, e);
    if (status == STATUS_OK) status = check(gathers, e);
    gathers->state[e] &= (uint8_t) ~(READING | UNCHECKED);
    return status;
}

Status gathers_get(Gathers *gathers, int64_t e, const float **amplitude)
{
    if (gathers->data[e] == NULL || gathers->state[e] & (READING | UNCHECKED)) {
        double start = timer_now();
        Status status = gathers->data[e] == NULL ? read_now(gathers, e) : take_over(gathers, e);
        gathers->seconds += timer_now() - start;
        if (status != STATUS_OK) return gathers->data[e] == NULL ? status : give_up(gathers, e, status);
    }
    no_longer_ahead(gathers, e);
    if (gathers->kept[e] == 0 && gathers->newest != e) {
        if (gathers->state[e] & IDLE) unlink_idle(gathers, e);
        link_idle(gathers, e);
    }
    *amplitude = gathers->data[e];
    return STATUS_OK;
}

/* Frees the slots of gathers that have arrived. One that failed is read again when it is asked for, which tells why. */
static void collect(Gathers *gathers)
{
    for (int64_t e = reader_arrived(&gathers->reader); e >= 0; e = reader_arrived(&gathers->reader)) {
        Status status = reader_finish(&gathers->reader, e);
        gathers->state[e] &= (uint8_t)~READING;
        if (status == STATUS_OK) continue;
        status_clear();
        (void)give_up(gathers, e, status);
    }
}

void gathers_forget_ahead(Gathers *gathers)
{
    for (int64_t e = 0; gathers->ahead_bytes > 0 && e < gathers->survey->n_ensembles; e++)
        if (gathers->state[e] & AHEAD) {
            no_longer_ahead(gathers, e);
            link_idle(gathers, e);
        }
}

/* Whether reading of a gather that is not held has begun. */
static bool begin(Gathers *gathers, int64_t e)
{
    if (gathers->reader.n_busy == READER_SLOTS) return false;
    if (!make_room(gathers, bytes_more(gathers, e)) && gathers->kept[e] == 0) return false;
    if (new_data(gathers, e) != STATUS_OK) {
        status_clear();
        return false;
    }
    gathers->state[e] |= UNCHECKED;
    if (reader_start(&gathers->reader, e, gathers->data[e])) {
        gathers->state[e] |= READING;
        return true;
    }
    (void)give_up(gathers, e, STATUS_IO);
    return false;
}

bool gathers_ahead(Gathers *gathers, int64_t e)
{
    if (!reader_works(&gathers->reader)) return true;
    collect(gathers);
    bool counts = gathers->kept[e] == 0 && !(gathers->state[e] & AHEAD);
    int64_t bytes = bytes_of(gathers, e);
    if (counts && gathers->ahead_bytes + bytes > gathers->ahead_limit) return false;
    if (gathers->data[e] == NULL && !begin(gathers, e)) return false;
    if (!counts) return true;
    if (gathers->state[e] & IDLE) unlink_idle(gathers, e);
    gathers->state[e] |= AHEAD;
    gathers->ahead_bytes += bytes;
    return true;
}
