#include "seisdcn/fault.h"

#ifdef SEISDCN_FAULTS

#include "seisdcn/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    const char *name;
    int reason; /* errno */
} sites[FAULT_SITES] = {
    [FAULT_MEMORY] = {"memory", ENOMEM},
    [FAULT_OPEN] = {"open", EIO},
    [FAULT_READ] = {"read", EIO},
    [FAULT_WRITE] = {"write", ENOSPC},
    [FAULT_CLOSE] = {"close", EIO},
    [FAULT_RENAME] = {"rename", EIO},
    [FAULT_FSYNC] = {"fsync", EIO},
    [FAULT_FOLDER] = {"folder", EIO},
    [FAULT_H5_OPEN] = {"h5_open", EIO},
    [FAULT_H5_JOIN] = {"h5_join", EIO},
    [FAULT_H5_READ] = {"h5_read", EIO},
    [FAULT_H5_WRITE] = {"h5_write", ENOSPC},
    [FAULT_H5_CLOSE] = {"h5_close", ENOSPC},
};

static int64_t passes[FAULT_SITES];
static FaultSite chosen = FAULT_SITES; /* none */
static int64_t chosen_pass;
static bool counting;

/* The rank and the pass behind "SITE". */
static bool take_numbers(const char *text, int64_t *rank, int64_t *pass)
{
    char word[32];
    const char *colon = strchr(text, ':');
    if (colon == NULL || colon - text >= (ptrdiff_t)sizeof word) return false;
    memcpy(word, text, (size_t)(colon - text));
    word[colon - text] = '\0';
    return text_to_int(word, rank) && text_to_int(colon + 1, pass) && *rank >= 0 && *pass >= 1;
}

Status fault_open(int rank)
{
    const char *text = getenv("SEISDCN_FAULT");
    if (text == NULL) return STATUS_OK;
    counting = strcmp(text, "count") == 0;
    if (counting) return STATUS_OK;
    for (int site = 0; site < FAULT_SITES; site++) {
        size_t length = strlen(sites[site].name);
        int64_t where, pass;
        if (strncmp(text, sites[site].name, length) != 0 || text[length] != ':') continue;
        if (!take_numbers(text + length + 1, &where, &pass)) break;
        if (where == rank) {
            chosen = (FaultSite)site;
            chosen_pass = pass;
        }
        return STATUS_OK;
    }
    return status_fail(STATUS_USAGE, "SEISDCN_FAULT=%s is not SITE:RANK:NTH with a known site, nor count", text);
}

bool fault_strikes(FaultSite site)
{
    passes[site]++;
    if (site != chosen || passes[site] != chosen_pass) return false;
    errno = sites[site].reason;
    return true;
}

const char *fault_counts(void)
{
    static char text[FAULT_SITES * 32];
    if (!counting) return NULL;
    size_t at = 0;
    for (int site = 0; site < FAULT_SITES; site++)
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %" PRId64, site == 0 ? "" : ", ", sites[site].name,
                               passes[site]);
    return text;
}

#endif
