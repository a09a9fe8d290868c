/* The header of a .npy file: a magic word, a version, and a Python dictionary written as a literal. */
#include "seisdcn/npy.h"

#include "seisdcn/fault.h"
#include "seisdcn/memory.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { MAGIC = 6, WORD_MAX = 64, LENGTH_MAX = 1 << 20, DIMS_MAX = 3 };

/* The dictionary while it is read. */
typedef struct {
    const char *path, *at, *end;
    NpyHeader *header;
    bool has_descr, has_order, has_shape;
} Parser;

static Status fail_syntax(const Parser *parser, const char *what)
{
    int length = (int)(parser->end - parser->at < 40 ? parser->end - parser->at : 40);
    for (int i = 0; i < length; i++)
        if (!isprint((unsigned char)parser->at[i])) length = i; /* what stands there need not be text at all */
    return status_fail(STATUS_DATA, "%s: its .npy header is damaged: %s, at '%.*s'", parser->path, what, length,
                       parser->at);
}

/* ---- words of a Python literal ---- */

static char peek(Parser *parser)
{
    while (parser->at < parser->end && isspace((unsigned char)*parser->at)) parser->at++;
    return parser->at < parser->end ? *parser->at : '\0';
}

static bool take(Parser *parser, char wanted)
{
    if (peek(parser) != wanted) return false;
    parser->at++;
    return true;
}

static bool take_word(Parser *parser, const char *word)
{
    peek(parser);
    size_t length = strlen(word);
    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, word, length) != 0) return false;
    parser->at += length;
    return true;
}

static Status take_string(Parser *parser, char word[WORD_MAX])
{
    char quote = peek(parser);
    if (quote != '\'' && quote != '"') return fail_syntax(parser, "a string in quotes was wanted");
    const char *first = parser->at + 1, *last = memchr(first, quote, (size_t)(parser->end - first));
    if (last == NULL || last - first >= WORD_MAX) return fail_syntax(parser, "a string without an end");
    memcpy(word, first, (size_t)(last - first));
    word[last - first] = '\0';
    parser->at = last + 1;
    return STATUS_OK;
}

/* ---- the three values ---- */

static const char *kind_name(char kind)
{
    switch (kind) {
    case 'b':
    case '?':
        return "booleans";
    case 'c':
        return "complex numbers";
    case 'O':
        return "Python objects";
    case 'S':
    case 'a':
    case 'U':
        return "strings";
    case 'V':
        return "raw records";
    case 'm':
    case 'M':
        return "times";
    default:
        return "values of an unknown kind";
    }
}

static Status parse_descr(Parser *parser)
{
    const char *path = parser->path;
    if (peek(parser) == '[')
        return status_fail(STATUS_DATA, "%s: holds records (a structured dtype); a gather is an array of numbers",
                           path);
    char word[WORD_MAX] = "";
    Status status = take_string(parser, word);
    if (status != STATUS_OK) return status;
    const char *at = word;
    char order = '=';
    if (*at != '\0' && strchr("<>=|", *at) != NULL) order = *at++;
    char kind = *at != '\0' ? *at++ : '\0';
    int size = at[0] >= '1' && at[0] <= '9' && at[1] == '\0' ? at[0] - '0' : 0;
    if (kind == '\0' || strchr("fiu", kind) == NULL)
        return status_fail(STATUS_DATA, "%s: its dtype '%s' means %s; a gather is an array of integers or floats", path,
                           word, kind_name(kind));
    bool known = size == 2 || size == 4 || size == 8 || (size == 1 && kind != 'f');
    if (!known)
        return status_fail(STATUS_DATA, "%s: its dtype '%s' is not read; save it as float32 ('<f4')", path, word);
    parser->header->kind = kind;
    parser->header->item_size = size;
    parser->header->swapped = order == '>' && size > 1;
    parser->has_descr = true;
    return STATUS_OK;
}

static Status parse_order(Parser *parser)
{
    bool is_true = take_word(parser, "True");
    if (!is_true && !take_word(parser, "False")) return fail_syntax(parser, "True or False was wanted");
    parser->header->fortran = is_true;
    parser->has_order = true;
    return STATUS_OK;
}

static Status take_dim(Parser *parser, int64_t *dim)
{
    if (peek(parser) == '-') return status_fail(STATUS_DATA, "%s: its shape has a negative dimension", parser->path);
    if (!isdigit((unsigned char)peek(parser))) return fail_syntax(parser, "a dimension was wanted");
    int64_t value = 0;
    for (; parser->at < parser->end && isdigit((unsigned char)*parser->at); parser->at++)
        if (__builtin_mul_overflow(value, 10, &value) || __builtin_add_overflow(value, *parser->at - '0', &value))
            return status_fail(STATUS_DATA, "%s: its shape has a dimension beyond 64 bits", parser->path);
    if (parser->at < parser->end && *parser->at == 'L') parser->at++; /* Python 2's long integers */
    *dim = value;
    return STATUS_OK;
}

static Status parse_shape(Parser *parser)
{
    NpyHeader *header = parser->header;
    if (!take(parser, '(')) return fail_syntax(parser, "a shape in parentheses was wanted");
    int n = 0;
    while (!take(parser, ')')) {
        int64_t dim = 0;
        Status status = take_dim(parser, &dim);
        if (status != STATUS_OK) return status;
        if (n < DIMS_MAX) header->dims[n] = dim;
        n++;
        if (!take(parser, ',') && peek(parser) != ')') return fail_syntax(parser, "a comma or ) was wanted");
    }
    header->n_dims = n;
    parser->has_shape = true;
    if (n == 2 || n == 3) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: its array has %d dimension%s; a gather has 2 (traces, samples), a file of several 3",
                       parser->path, n, n == 1 ? "" : "s");
}

static Status parse_dictionary(Parser *parser)
{
    if (!take(parser, '{')) return fail_syntax(parser, "a dictionary was wanted");
    while (!take(parser, '}')) {
        char key[WORD_MAX];
        Status status = take_string(parser, key);
        if (status == STATUS_OK && !take(parser, ':')) status = fail_syntax(parser, "a colon was wanted");
        if (status != STATUS_OK) return status;
        if (strcmp(key, "descr") == 0)
            status = parse_descr(parser);
        else if (strcmp(key, "fortran_order") == 0)
            status = parse_order(parser);
        else if (strcmp(key, "shape") == 0)
            status = parse_shape(parser);
        else
            status = fail_syntax(parser, "an unknown key");
        if (status != STATUS_OK) return status;
        if (!take(parser, ',') && peek(parser) != '}') return fail_syntax(parser, "a comma or } was wanted");
    }
    if (peek(parser) != '\0') return fail_syntax(parser, "more than the dictionary");
    const char *missing = !parser->has_descr ? "descr" : !parser->has_order ? "fortran_order" : "shape";
    if (!parser->has_descr || !parser->has_order || !parser->has_shape)
        return status_fail(STATUS_DATA, "%s: its .npy header has no '%s'", parser->path, missing);
    return STATUS_OK;
}

/* ---- the file around it ---- */

/* Whether the shape is one that can be, and the file has just the bytes for it. */
static Status check_size(const char *path, const NpyHeader *header, int64_t file_bytes)
{
    int64_t bytes = header->item_size;
    bool too_large = false;
    for (int i = 0; i < header->n_dims; i++) {
        if (header->dims[i] == 0)
            return status_fail(STATUS_DATA, "%s: its array is empty (dimension %d is 0)", path, i);
        too_large = too_large || __builtin_mul_overflow(bytes, header->dims[i], &bytes);
    }
    if (too_large || __builtin_add_overflow(bytes, header->data_offset, &bytes))
        return status_fail(STATUS_DATA, "%s: its .npy header claims more than 2^63 bytes", path);
    if (file_bytes == bytes) return STATUS_OK;
    return status_fail(STATUS_DATA,
                       "%s: %s: its header asks for %" PRId64 " bytes, the file has %" PRId64 "; copy or make it again",
                       path, file_bytes < bytes ? "is cut short" : "is longer than its array", bytes, file_bytes);
}

/* The bytes before the dictionary: *offset and *length of the dictionary. */
static Status read_prefix(FILE *file, const char *path, int64_t *offset, int64_t *length)
{
    unsigned char prefix[12]; /* magic, version, length in 2 or 4 bytes */
    bool struck = fault_strikes(FAULT_READ);
    size_t have = struck ? 0 : fread(prefix, 1, sizeof prefix, file);
    if (struck || ferror(file)) return status_fail(STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (have == 0) return status_fail(STATUS_DATA, "%s: is empty; a .npy file was wanted", path);
    if (have < MAGIC || memcmp(prefix, "\x93NUMPY", MAGIC) != 0)
        return status_fail(STATUS_DATA, "%s: is not a .npy file (it does not begin as one)", path);
    if (have < sizeof prefix) return status_fail(STATUS_DATA, "%s: is cut short within its header", path);
    int version = prefix[6];
    if (version < 1 || version > 3)
        return status_fail(STATUS_DATA, "%s: is a .npy file of version %d.%d; versions 1 to 3 are read", path, version,
                           prefix[7]);
    *offset = version == 1 ? 10 : 12;
    *length = prefix[8] | prefix[9] << 8;
    if (version > 1) *length |= (int64_t)prefix[10] << 16 | (int64_t)prefix[11] << 24;
    return STATUS_OK;
}

static Status read_header(FILE *file, const char *path, int64_t file_bytes, NpyHeader *header)
{
    int64_t offset = 0, length = 0;
    Status status = read_prefix(file, path, &offset, &length);
    if (status != STATUS_OK) return status;
    if (length > LENGTH_MAX)
        return status_fail(STATUS_DATA, "%s: its .npy header claims a length of %" PRId64 " bytes", path, length);
    if (offset + length > file_bytes) return status_fail(STATUS_DATA, "%s: is cut short within its header", path);
    char *text = memory_new((size_t)length + 1, 1, "a .npy header");
    if (text == NULL) return STATUS_MEMORY;
    if (fault_strikes(FAULT_READ) || fseeko(file, (off_t)offset, SEEK_SET) != 0 ||
        fread(text, 1, (size_t)length, file) != (size_t)length)
        status = status_fail(STATUS_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (status == STATUS_OK) {
        Parser parser = {.path = path, .at = text, .end = text + length, .header = header};
        header->data_offset = offset + length;
        status = parse_dictionary(&parser);
    }
    memory_free(text);
    return status != STATUS_OK ? status : check_size(path, header, file_bytes);
}

Status npy_read_header(const char *path, NpyHeader *header)
{
    memset(header, 0, sizeof *header);
    struct stat about; /* before opening: a pipe would wait for a writer */
    if (stat(path, &about) != 0) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(about.st_mode))
        return status_fail(STATUS_IO, "%s: is %s; a .npy file was wanted", path,
                           S_ISDIR(about.st_mode) ? "a folder" : "not a regular file");
    FILE *file = fault_strikes(FAULT_OPEN) ? NULL : fopen(path, "rb");
    if (file == NULL) return status_fail(STATUS_IO, "%s: %s", path, strerror(errno));
    Status status = read_header(file, path, about.st_size, header);
    fclose(file);
    return status;
}
