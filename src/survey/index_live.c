#include "seisdcn/index_live.h"

#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <math.h>
#include <string.h>

/* A count of live patches stands before every block of so many words; and gathers between two agreements. */
enum { BLOCK_WORDS = 8, ROUND_GATHERS = 64 };

int64_t index_live_words(int64_t patches, int64_t live)
{
    if (live == 0 || live == patches) return 0;
    return (patches + 64 * BLOCK_WORDS - 1) / (64 * BLOCK_WORDS) * BLOCK_WORDS;
}

void index_live_free(IndexLive *live)
{
    memory_free(live->start);
    memory_free(live->word);
    memory_free(live->before);
    memset(live, 0, sizeof *live);
}

size_t index_live_words_bytes(int64_t words)
{
    return (size_t)words * sizeof(uint64_t) + (size_t)words / BLOCK_WORDS * sizeof(int64_t);
}

size_t index_live_bytes(const IndexLive *live)
{
    if (live->start == NULL) return 0;
    return ((size_t)live->n + 1) * sizeof *live->start + index_live_words_bytes(live->start[live->n]);
}

/* ---- one gather ---- */

/* Samples that a patch must have for min_live, at least one; the share is meant as written: 0.3 of 100 is 30. */
static int64_t least_live(const IndexRule *rule)
{
    double samples = (double)(rule->patch_size * rule->patch_size);
    int64_t least = (int64_t)ceil(rule->min_live * samples * (1 - 1e-12));
    return least < 1 ? 1 : least;
}

/* Adds trace t's samples that are not zero to the columns, or takes them away. */
static void count_trace(const float *trace, int64_t n_samples, int32_t step, int32_t *column)
{
    for (int64_t s = 0; s < n_samples; s++) column[s] += trace[s] != 0 ? step : 0;
}

int64_t index_live_bits(const IndexRule *rule, int64_t fold, int64_t n_samples, const float *amplitude, int32_t *column,
                        uint64_t *word)
{
    int64_t size = rule->patch_size, patches = index_patches(rule, fold, n_samples), patch = 0, n = 0;
    int64_t least = least_live(rule), from = 0, to = 0; /* columns count traces from .. to - 1 */
    memset(column, 0, (size_t)n_samples * sizeof *column);
    memset(word, 0, (size_t)((patches + 63) / 64) * sizeof *word);
    for (int64_t t = 0; patches > 0 && t + size <= fold; t += rule->stride) {
        for (; from < t && from < to; from++) count_trace(amplitude + from * n_samples, n_samples, -1, column);
        if (to < t) from = to = t; /* strides beyond a patch */
        for (; to < t + size; to++) count_trace(amplitude + to * n_samples, n_samples, 1, column);
        int64_t sum = 0, first = 0, end = 0;
        for (int64_t s = 0; s + size <= n_samples; s += rule->stride, patch++) {
            for (; first < s && first < end; first++) sum -= column[first];
            if (end < s) first = end = s;
            for (; end < s + size; end++) sum += column[end];
            if (sum < least) continue;
            word[patch / 64] |= UINT64_C(1) << (patch % 64);
            n++;
        }
    }
    return n;
}

/* ---- bits of many ---- */

static Status new_live(int64_t n, IndexLive *live)
{
    *live = (IndexLive){.n = n, .start = memory_new((size_t)n + 1, sizeof *live->start, "the list of live patches")};
    return live->start == NULL ? STATUS_MEMORY : STATUS_OK;
}

/* The counts before each block, once the words are there. */
static Status count_blocks(IndexLive *live)
{
    live->before =
        memory_new((size_t)(live->start[live->n] / BLOCK_WORDS), sizeof *live->before, "the list of live patches");
    if (live->before == NULL) return STATUS_MEMORY;
    for (int64_t i = 0; i < live->n; i++) {
        int64_t n = 0;
        for (int64_t w = live->start[i]; w < live->start[i + 1]; w++) {
            if (w % BLOCK_WORDS == 0) live->before[w / BLOCK_WORDS] = n;
            n += __builtin_popcountll(live->word[w]);
        }
    }
    return STATUS_OK;
}

int64_t index_live_patch(const IndexLive *live, int64_t i, int64_t k)
{
    int64_t first = live->start[i] / BLOCK_WORDS, low = first, high = live->start[i + 1] / BLOCK_WORDS - 1;
    if (high < low) return k; /* all are live */
    while (low < high) {      /* the last block with at most k before it */
        int64_t middle = (low + high + 1) / 2;
        if (live->before[middle] <= k)
            low = middle;
        else
            high = middle - 1;
    }
    k -= live->before[low];
    int64_t w = low * BLOCK_WORDS;
    for (int n = __builtin_popcountll(live->word[w]); k >= n; n = __builtin_popcountll(live->word[++w])) k -= n;
    uint64_t bits = live->word[w];
    for (; k > 0; k--) bits &= bits - 1; /* the lowest live one goes */
    return (w - live->start[i]) * 64 + __builtin_ctzll(bits);
}

/* ---- the pass over the survey ---- */

/* What a rank works in while it scans. */
typedef struct {
    float *amplitude; /* of the largest gather */
    int32_t *column;  /* [n_samples] */
    uint64_t *word;   /* of the gather with the most patches */
    int64_t *count;   /* [my gathers] */
    size_t room;      /* words that live->word has room for */
} Scan;

static Status new_scan(const Survey *survey, const IndexRule *rule, int64_t n, Scan *scan)
{
    int64_t fold = survey_max_fold(survey);
    size_t words = (size_t)index_live_words(index_patches(rule, fold, survey->n_samples), -1);
    scan->amplitude = memory_new((size_t)fold * (size_t)survey->n_samples, sizeof(float), "a gather");
    scan->column = memory_new((size_t)survey->n_samples, sizeof *scan->column, "a gather's columns");
    scan->word = memory_new(words, sizeof *scan->word, "a gather's live patches");
    scan->count = memory_new((size_t)n, sizeof *scan->count, "the counts of live patches");
    bool enough = scan->amplitude != NULL && scan->column != NULL && scan->word != NULL && scan->count != NULL;
    return enough ? STATUS_OK : STATUS_MEMORY;
}

static void free_scan(Scan *scan)
{
    memory_free(scan->amplitude);
    memory_free(scan->column);
    memory_free(scan->word);
    memory_free(scan->count);
}

/* Gather e, the i-th of this rank's. */
static Status scan_gather(const Survey *survey, const IndexRule *rule, int64_t e, int64_t i, Scan *scan,
                          IndexLive *live)
{
    int64_t fold = survey_fold(survey, e), patches = index_patches(rule, fold, survey->n_samples);
    live->start[i + 1] = live->start[i];
    if (patches == 0) return STATUS_OK;
    Status status = survey_read_gather(survey, e, 1, scan->amplitude);
    if (status != STATUS_OK) return status;
    scan->count[i] = index_live_bits(rule, fold, survey->n_samples, scan->amplitude, scan->column, scan->word);
    int64_t words = index_live_words(patches, scan->count[i]), used = live->start[i];
    if (words == 0) return STATUS_OK;
    if ((size_t)(used + words) > scan->room) {
        void *grown = live->word;
        size_t room = 2 * (size_t)(used + words);
        status = memory_grow(&grown, (size_t)used * sizeof *live->word, room, sizeof *live->word,
                             "the list of live patches");
        if (status != STATUS_OK) return status;
        live->word = grown;
        scan->room = room;
    }
    memset(live->word + used, 0, (size_t)words * sizeof *live->word);
    memcpy(live->word + used, scan->word, (size_t)((patches + 63) / 64) * sizeof *live->word);
    live->start[i + 1] = used + words;
    return STATUS_OK;
}

static Status scan_all(const Comm *comm, const Survey *survey, const IndexRule *rule, Scan *scan, IndexLive *live)
{
    int64_t first, end;
    comm_share(comm, survey->n_ensembles, &first, &end);
    Status status = new_live(end - first, live);
    if (status == STATUS_OK) status = new_scan(survey, rule, end - first, scan);
    status = comm_agree(comm, status);
    int64_t most = end - first;
    comm_max(comm, &most, 1);
    log_progress_start("live patches", survey->n_ensembles, "gather");
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_GATHERS) {
        for (int64_t i = round; i < end - first && i < round + ROUND_GATHERS && status == STATUS_OK; i++) {
            status = scan_gather(survey, rule, first + i, i, scan, live);
            log_progress((i + 1) * comm->size, NULL);
        }
        status = comm_agree(comm, status);
    }
    log_progress_end();
    return status == STATUS_OK ? comm_agree(comm, count_blocks(live)) : status;
}

Status index_live_scan(const Comm *comm, const Survey *survey, const IndexRule *rule, IndexLive *live, int64_t **count)
{
    Scan scan = {0};
    void *all = NULL;
    Status status = scan_all(comm, survey, rule, &scan, live);
    if (status == STATUS_OK) status = comm_gather(comm, scan.count, (size_t)live->n * sizeof *scan.count, &all, NULL);
    *count = all;
    free_scan(&scan);
    if (status != STATUS_OK) index_live_free(live);
    return status;
}

/* ---- from rank to rank ---- */

/* What a rank asks each other one for: how many ensembles, then which; offset [size + 1] in bytes. */
static Status make_questions(const Comm *comm, int64_t n_ensembles, int64_t n, const int64_t *ensembles,
                             const int64_t *patches, const int64_t *live, int64_t **question, size_t *offset)
{
    *question = memory_new((size_t)n + (size_t)comm->size, sizeof **question, "gathers to ask for");
    if (*question == NULL) return STATUS_MEMORY;
    Comm owner = *comm;
    size_t at = 0;
    int64_t i = 0;
    for (owner.rank = 0; owner.rank < comm->size; owner.rank++) {
        int64_t first, end;
        comm_share(&owner, n_ensembles, &first, &end);
        size_t head = at++;
        offset[owner.rank] = head * sizeof **question;
        for (; i < n && ensembles[i] < end; i++)
            if (index_live_words(patches[i], live[i]) > 0) (*question)[at++] = ensembles[i] - first;
        (*question)[head] = (int64_t)(at - head - 1);
    }
    offset[comm->size] = at * sizeof **question;
    return STATUS_OK;
}

/* The words that the ranks asked for (the questions of rank after rank); offset [size + 1] in bytes. */
static Status make_answers(const Comm *comm, const IndexLive *scanned, const int64_t *asked, uint64_t **answer,
                           size_t *offset)
{
    size_t words = 0;
    const int64_t *at = asked;
    for (int r = 0; r < comm->size; r++) {
        int64_t n = *at++;
        offset[r] = words * sizeof **answer;
        for (int64_t i = 0; i < n; i++, at++) words += (size_t)(scanned->start[*at + 1] - scanned->start[*at]);
    }
    offset[comm->size] = words * sizeof **answer;
    *answer = memory_new(words, sizeof **answer, "live patches for other ranks");
    if (*answer == NULL) return STATUS_MEMORY;
    uint64_t *to = *answer;
    at = asked;
    for (int r = 0; r < comm->size; r++)
        for (int64_t n = *at++; n > 0; n--, at++) {
            size_t bits = (size_t)(scanned->start[*at + 1] - scanned->start[*at]);
            memcpy(to, scanned->word + scanned->start[*at], bits * sizeof *to);
            to += bits;
        }
    return STATUS_OK;
}

Status index_live_fetch(const Comm *comm, const IndexLive *scanned, int64_t n_ensembles, int64_t n,
                        const int64_t *ensembles, const int64_t *patches, const int64_t *live, IndexLive *fetched)
{
    size_t *offset = memory_new((size_t)comm->size + 1, sizeof *offset, "the ranks' questions"), bytes = 0;
    int64_t *question = NULL;
    uint64_t *answer = NULL;
    void *asked = NULL, *words = NULL;
    *fetched = (IndexLive){0};
    Status status = offset == NULL ? STATUS_MEMORY : new_live(n, fetched);
    if (status == STATUS_OK) status = make_questions(comm, n_ensembles, n, ensembles, patches, live, &question, offset);
    status = comm_agree(comm, status);
    if (status == STATUS_OK) status = comm_exchange(comm, question, offset, &asked, &bytes);
    if (status == STATUS_OK) status = comm_agree(comm, make_answers(comm, scanned, asked, &answer, offset));
    if (status == STATUS_OK) status = comm_exchange(comm, answer, offset, &words, &bytes);
    if (status == STATUS_OK) {
        for (int64_t i = 0; i < n; i++)
            fetched->start[i + 1] = fetched->start[i] + index_live_words(patches[i], live[i]);
        fetched->word = words;
        words = NULL;
        status = comm_agree(comm, count_blocks(fetched));
    }
    memory_free(offset);
    memory_free(question);
    memory_free(answer);
    memory_free(asked);
    memory_free(words);
    if (status != STATUS_OK) index_live_free(fetched);
    return status;
}
