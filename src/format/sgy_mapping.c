/* The layout stanza of rev 2.1: XML in the extended text header that tells where the fields of a trace header stand. It
 * is not followed; what it moves is found, so that no field is read from where it is not. */
#include "sgy_layout_private.h"

#include "seisdcn/files.h"
#include "seisdcn/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 1 << 22, WORD_MAX = 32 };

/* The standard's names in such a stanza, of the fields that the program may read. */
static const struct {
    const char *name;
    int byte;
} places[] = {
    {"linetrc", 1},  {"reeltrc", 5}, {"ffid", 9},      {"chan", 13},     {"espnum", 17}, {"cdp", 21},    {"cdptrc", 25},
    {"trctype", 29}, {"offset", 37}, {"co_scal", 71},  {"sht_x", 73},    {"sht_y", 77},  {"rec_x", 81},  {"rec_y", 85},
    {"delay", 109},  {"ns", 115},    {"nsamps", 115},  {"dt", 117},      {"cdp_x", 181}, {"cdp_y", 185}, {"iline", 189},
    {"xline", 193},  {"sp", 197},    {"sp_scal", 201}, {"tm_scal", 215},
};

/* The value of an attribute of the tag [tag, end), "" where it has none. */
static const char *attribute(const char *tag, const char *end, const char *name, char value[WORD_MAX])
{
    size_t length = strlen(name);
    *value = '\0';
    for (const char *at = tag; at + length + 2 < end; at++) {
        if (strncasecmp(at, name, length) != 0 || (at[-1] != ' ' && at[-1] != '\t')) continue;
        const char *from = at + length + strspn(at + length, " ");
        if (*from != '=') continue;
        from += 1 + strspn(from + 1, " ");
        if (*from != '"' && *from != '\'') continue;
        size_t n = strcspn(from + 1, "\"'");
        snprintf(value, WORD_MAX, "%.*s", n < WORD_MAX ? (int)n : WORD_MAX - 1, from + 1);
        break;
    }
    return value;
}

/* What an entry of the standard header changes, in words; NULL for nothing. */
static const char *entry_moves(const char *tag, const char *end, char text[160])
{
    char name[WORD_MAX], byte[WORD_MAX], type[WORD_MAX];
    attribute(tag, end, "name", name);
    attribute(tag, end, "byte", byte);
    attribute(tag, end, "type", type);
    bool whole = strstr(type, "ieee") == NULL && strstr(type, "ibm") == NULL;
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        if (strcasecmp(name, places[i].name) != 0 || (strtol(byte, NULL, 10) == places[i].byte && whole)) continue;
        snprintf(text, 160, "%s from byte %d to byte %s as %s", name, places[i].byte, byte, type);
        return text;
    }
    return NULL;
}

const char *sgy_mapping_moves(const char *stanza, char text[160])
{
    const char *root = strcasestr(stanza, "<segy-layout");
    if (root == NULL) return "it cannot be understood";
    bool extension = false;
    for (const char *tag = strchr(root, '<'); tag != NULL; tag = strchr(tag + 1, '<')) {
        const char *end = tag + strcspn(tag, ">");
        if (strncasecmp(tag, "</segy-layout", 13) == 0) return NULL;
        if (strncasecmp(tag, "<extension", 10) == 0) extension = true;
        if (strncasecmp(tag, "</extension", 11) == 0) extension = false;
        if (extension || strncasecmp(tag, "<entry", 6) != 0) continue;
        if (entry_moves(tag, end, text) != NULL) return text;
    }
    return "it has no end";
}

Status sgy_mapping_check(const char *path, const SgyLayout *layout)
{
    int64_t first = SGY_TEXT + SGY_BINARY, n = layout->first_trace - first;
    char moves[160];
    if (layout->major < 2 || n <= 0) return STATUS_OK;
    if (n > TEXT_MAX) n = TEXT_MAX;
    uint8_t *raw = memory_new((size_t)n, 1, "the extended text header");
    char *text = memory_new((size_t)n + 1, 1, "the extended text header");
    Status status = raw == NULL || text == NULL ? STATUS_MEMORY : files_read_bytes(path, first, n, raw);
    if (status == STATUS_OK) {
        sgy_text_read(raw, (size_t)n, text);
        const char *stanza = strcasestr(text, "((SEG:Layout");
        const char *what = stanza == NULL ? NULL : sgy_mapping_moves(stanza, moves);
        if (what != NULL)
            status = status_fail(STATUS_DATA,
                                 "%s: has a layout stanza (rev 2.1), which is not supported where it moves fields: %s; "
                                 "--ignore-layout reads them where the standard and the options (--inline-byte ...) "
                                 "have them",
                                 path, what == moves ? moves : what);
    }
    memory_free(raw);
    memory_free(text);
    return status;
}
