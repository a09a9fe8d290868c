/* Names: positions in files' names and patterns of these, fields of trace headers, numbers, the natural order of names
 * and words of the shell. The input is three texts, each ended by a zero or the input's end. */
#include "fuzz.h"

#include "seisdcn/memory.h"
#include "seisdcn/position.h"
#include "seisdcn/sgy_field.h"
#include "seisdcn/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int sign(int order) { return (order > 0) - (order < 0); }

/* qsort() may run out of its array where an order is none. */
static void check_order(const char *const name[3])
{
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++) {
            int order = sign(text_compare_natural(name[i], name[j]));
            FUZZ_CHECK(order == -sign(text_compare_natural(name[j], name[i])));
            FUZZ_CHECK((order == 0) == (strcmp(name[i], name[j]) == 0));
            for (int k = 0; k < 3; k++)
                if (order < 0 && text_compare_natural(name[j], name[k]) < 0)
                    FUZZ_CHECK(text_compare_natural(name[i], name[k]) < 0);
        }
}

/* In quotes or not: what the shell makes of the word is the text again. */
static void check_shell_word(const char *text)
{
    char *word = text_shell_word(text), *back = malloc(strlen(text) + 1);
    size_t n = 0;
    FUZZ_CHECK(word != NULL && back != NULL);
    bool quoted = false;
    for (const char *c = word; *c != '\0'; c++) {
        if (*c == '\'')
            quoted = !quoted;
        else if (*c == '\\' && !quoted)
            back[n++] = *++c;
        else
            back[n++] = *c;
        FUZZ_CHECK(n <= strlen(text));
    }
    back[n] = '\0';
    FUZZ_CHECK(!quoted && strcmp(back, text) == 0);
    free(back);
    memory_free(word);
}

/* What a pattern finds in names, the first of them made by it. */
static void check_pattern(const char *const name[3])
{
    PositionPattern pattern;
    if (fuzz_status(position_pattern_parse(name[0], &pattern)) != STATUS_OK) return;
    int32_t line[2], crossline[2];
    size_t size = strlen(name[0]) + 32;
    char *made = malloc(size);
    FUZZ_CHECK(made != NULL);
    snprintf(made, size, "%.*s%d%.*s%d%s", (int)pattern.length[0], pattern.literal[0],
             pattern.crossline_first ? -34 : 12, (int)pattern.length[1], pattern.literal[1],
             pattern.crossline_first ? 12 : -34, pattern.literal[2]);
    FUZZ_CHECK(position_pattern_find(&pattern, made, line, crossline) > 0 && line[0] == 12 && crossline[0] == -34);
    free(made);
    for (int i = 1; i < 3; i++) {
        int n = position_pattern_find(&pattern, name[i], line, crossline);
        FUZZ_CHECK(n >= 0 && n <= 2);
        for (int k = 0; k < 2; k++) {
            FUZZ_CHECK((line[k] == POSITION_UNKNOWN) == (crossline[k] == POSITION_UNKNOWN));
            FUZZ_CHECK(position_known(line[k], crossline[k]) == (n > 0));
        }
        FUZZ_CHECK((line[0] == line[1] && crossline[0] == crossline[1]) == (n < 2));
    }
}

static void check_text(const char *text)
{
    static const char *const words[] = {"consolidate", "train", "apply"};
    int32_t line, crossline;
    SgyField field;
    int64_t whole;
    double number;
    char place[64];
    position_of_name(text, &line, &crossline);
    FUZZ_CHECK((line == POSITION_UNKNOWN) == (crossline == POSITION_UNKNOWN));
    if (fuzz_status(sgy_field_parse(text, "--offset-byte", &field)) == STATUS_OK) {
        uint8_t header[SGY_HEADER] = {0};
        FUZZ_CHECK(field.byte >= 1 && field.byte + field.width - 1 <= SGY_HEADER);
        memcpy(header + field.byte - 1, text, strnlen(text, (size_t)field.width));
        for (int big = 0; big < 2; big++) {
            int32_t code = sgy_field_code(header, &field, big == 1);
            if (field.word == SGY_WORD_INTEGER)
                FUZZ_CHECK(code == sgy_field_get(header, &field, big == 1) && sgy_code_value(&field, code) == code);
            else if (isfinite(sgy_code_value(&field, code)))
                FUZZ_CHECK(sgy_float_code((float)sgy_code_value(&field, code)) == code);
        }
        FUZZ_CHECK(strlen(sgy_field_text(&field, place)) < sizeof place);
    }
    if (text_to_int(text, &whole)) FUZZ_CHECK(strspn(text, "+-0123456789") == strlen(text));
    if (text_to_double(text, &number)) FUZZ_CHECK(isfinite(number));
    (void)text_nearest(text, words, 3);
    FUZZ_CHECK(strchr(text_base_name(text), '/') == NULL);
    check_shell_word(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *name[3];
    for (int i = 0; i < 3; i++) {
        const uint8_t *end = size == 0 ? NULL : memchr(data, 0, size);
        size_t length = end == NULL ? size : (size_t)(end - data), used = length + (end != NULL);
        name[i] = fuzz_text(data, length);
        data = size == 0 ? data : data + used;
        size -= used;
        check_text(name[i]);
    }
    check_order((const char *const *)name);
    check_pattern((const char *const *)name);
    for (int i = 0; i < 3; i++) free(name[i]);
    return 0;
}
