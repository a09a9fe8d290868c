/* info --verify of a survey: all ranks compute its checksums again. */
#include "info_private.h"

#include "seisdcn/checksum.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <stdio.h>

/* Gathers that each rank verifies between two agreements, and how many bad ones a message names. */
enum { ROUND_GATHERS = 64, BAD_SHOWN = 10 };

/* Each rank verifies channel c of its run of gathers; bad [end - first] gets the numbers of those that do not match. */
static Status verify_share(const Survey *survey, int c, int64_t first, int64_t end, int64_t *bad, int64_t *n_bad)
{
    const Comm *comm = &survey->comm;
    Status status = STATUS_OK;
    int64_t most = (survey->n_ensembles + comm->size - 1) / comm->size;
    for (int64_t round = 0; round < most && status == STATUS_OK; round += ROUND_GATHERS) {
        for (int64_t e = first + round; e < end && e < first + round + ROUND_GATHERS && status == STATUS_OK; e++) {
            if (c == 0 && survey->done != NULL && !survey->done[e]) continue;
            status = c == 0 ? survey_verify_gather(survey, e) : survey_verify_channel(survey, c, e);
            if (status == STATUS_DATA) {
                bad[(*n_bad)++] = e;
                status = STATUS_OK;
                status_clear();
            }
            log_progress((e - first) * comm->size, NULL);
        }
        status = comm_agree(comm, status);
    }
    return status;
}

static Status judge_root(const Survey *survey)
{
    uint64_t root = checksum_bytes(survey->checksums, (size_t)survey->n_ensembles * sizeof *survey->checksums);
    if (root == survey->checksum) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: the root's checksum %016" PRIx64 " is not that of /ensemble/checksum (%016" PRIx64
                       "); the file is unfinished or damaged",
                       survey->path, survey->checksum, root);
}

/* The table of an attribute's checksums, and whether the attribute is of these amplitudes. */
static Status judge_attribute(const Survey *survey, int c)
{
    char table[SURVEY_DATASET_MAX];
    const SurveyAttribute *attribute = &survey->attribute[c - 1];
    uint64_t found = checksum_bytes(attribute->checksums, (size_t)survey->n_ensembles * sizeof found);
    survey_checksums_name(survey, c, table);
    Status status = STATUS_OK;
    if (found != attribute->checksum)
        status = status_fail(STATUS_DATA,
                             "%s: the checksum of /attribute/%s, %016" PRIx64 ", is not that of %s (%016" PRIx64
                             "); compute it again: seisdcn attributes --force",
                             survey->path, attribute->name, attribute->checksum, table, found);
    if (status == STATUS_OK && attribute->survey_checksum != survey->checksum)
        status = status_fail(STATUS_DATA,
                             "%s: /attribute/%s was made from amplitudes of checksum %016" PRIx64
                             ", but those here have %016" PRIx64 "; compute it again: seisdcn attributes --force",
                             survey->path, attribute->name, attribute->survey_checksum, survey->checksum);
    return status;
}

/* Rank 0 names the bad gathers of all ranks, then checks what stands above them. */
static Status judge(const Survey *survey, int c, const int64_t *bad, int64_t n_bad)
{
    char list[BAD_SHOWN * 100] = "", more[32] = "", name[96], channel[SURVEY_NAME_MAX + 16] = "";
    size_t at = 0;
    for (int64_t i = 0; i < n_bad && i < BAD_SHOWN; i++)
        at += (size_t)snprintf(list + at, sizeof list - at, "%s%s", i == 0 ? "" : ", ",
                               survey_ensemble_name(survey, bad[i], name));
    if (n_bad > BAD_SHOWN) snprintf(more, sizeof more, " and %" PRId64 " more", n_bad - BAD_SHOWN);
    if (c > 0) snprintf(channel, sizeof channel, "/attribute/%s: ", survey->attribute[c - 1].name);
    if (n_bad > 0)
        return status_fail(STATUS_DATA, "%s: %s%" PRId64 " gather%s not match %s checksum: %s%s; %s", survey->path,
                           channel, n_bad, n_bad == 1 ? " does" : "s do", n_bad == 1 ? "its" : "their", list, more,
                           c == 0 ? "make the file again from its source"
                                  : "compute it again: seisdcn attributes --force");
    return c == 0 ? judge_root(survey) : judge_attribute(survey, c);
}

static Status verify_channel(const Survey *survey, int c)
{
    const Comm *comm = &survey->comm;
    int64_t first, end, n_bad = 0;
    comm_share(comm, survey->n_ensembles, &first, &end);
    int64_t *bad = memory_new((size_t)(end - first), sizeof *bad, "the gathers that do not match");
    Status status = comm_agree(comm, bad == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        log_progress_start("verify", survey->n_ensembles, "gather");
        status = verify_share(survey, c, first, end, bad, &n_bad);
        log_progress_end();
    }
    void *all = NULL;
    if (status == STATUS_OK) {
        status = comm_gather(comm, bad, (size_t)n_bad * sizeof *bad, &all, NULL);
        comm_sum(comm, &n_bad, 1);
    }
    if (status == STATUS_OK) status = comm_agree(comm, comm->rank == 0 ? judge(survey, c, all, n_bad) : STATUS_OK);
    memory_free(all);
    memory_free(bad);
    return status;
}

Status info_verify_survey(const Survey *survey)
{
    Status status = verify_channel(survey, 0);
    for (int c = 1; status == STATUS_OK && c <= survey->n_attributes; c++)
        if (survey->attribute[c - 1].has_checksums) status = verify_channel(survey, c);
    if (status == STATUS_OK) info_line("verified", "every checksum matches");
    for (int c = 1; status == STATUS_OK && c <= survey->n_attributes; c++) {
        char text[SURVEY_NAME_MAX + 48];
        if (survey->attribute[c - 1].has_checksums) continue;
        snprintf(text, sizeof text, "/attribute/%s has none", survey->attribute[c - 1].name);
        info_line("", text);
    }
    return status;
}
