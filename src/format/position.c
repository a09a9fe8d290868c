#include "seisdcn/position.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

/* Reads the number at *text, with or without a minus, and moves behind it; false where there is none or it is no
 * position. */
static bool take_number(const char **text, int32_t *value)
{
    bool minus = **text == '-';
    const char *at = *text + minus;
    size_t digits = strspn(at, "0123456789");
    int64_t number = 0;
    if (digits == 0) return false;
    for (size_t i = 0; i < digits && number <= INT32_MAX; i++) number = 10 * number + (at[i] - '0');
    *text = at + digits;
    *value = (int32_t)(minus ? -number : number);
    return number <= INT32_MAX; /* so POSITION_UNKNOWN is not among them */
}

void position_of_name(const char *name, int32_t *line, int32_t *crossline)
{
    static const char before_line[] = "inline_", before_crossline[] = "crossline_";
    for (const char *at = name; (at = strcasestr(at, before_line)) != NULL;) {
        at += strlen(before_line);
        const char *rest = at;
        if (!take_number(&rest, line) || *rest++ != '_') continue;
        if (strncasecmp(rest, before_crossline, strlen(before_crossline)) == 0) rest += strlen(before_crossline);
        if (take_number(&rest, crossline)) return;
    }
    *line = *crossline = POSITION_UNKNOWN;
}

/* ---- patterns ---- */

static Status fail_pattern(const char *text, const char *what)
{
    return status_fail(STATUS_USAGE,
                       "--names '%.160s': %s; it is a part of the files' names with {inline} and {crossline} where "
                       "the numbers stand, as in 'IL{inline}_XL{crossline}'",
                       text, what);
}

/* The placeholder at text: 0 {inline}, 1 {crossline}, -1 another; *length is that of the whole. */
static int placeholder_at(const char *text, size_t *length)
{
    static const char *const known[] = {"{inline}", "{crossline}"};
    for (int k = 0; k < 2; k++) {
        *length = strlen(known[k]);
        if (strncmp(text, known[k], *length) == 0) return k;
    }
    return -1;
}

/* What a pattern must not have beside its placeholders, NULL where there is nothing of that kind. */
static const char *fault_of(const PositionPattern *pattern)
{
    for (int k = 0; k < 3; k++) {
        const char *literal = pattern->literal[k];
        if (memchr(literal, '/', pattern->length[k]) != NULL) return "names are compared without their folders";
        if (memchr(literal, '*', pattern->length[k]) != NULL)
            return "a * stands for nothing here: what it would leave open may be left out at both ends";
        if (memchr(literal, '}', pattern->length[k]) != NULL) return "there is a } without its {";
        if (k > 0 && isdigit((unsigned char)literal[0]))
            return "a digit directly behind a placeholder cannot be told from its number";
    }
    return pattern->length[1] == 0 ? "nothing stands between its placeholders, so nothing tells their numbers apart"
                                   : NULL;
}

Status position_pattern_parse(const char *text, PositionPattern *pattern)
{
    int found = 0, first = -1;
    *pattern = (PositionPattern){.text = text, .literal = {text}};
    for (const char *at = text; *at != '\0';) {
        size_t length = 1;
        int k = *at == '{' ? placeholder_at(at, &length) : -1;
        if (*at == '{' && k < 0) return fail_pattern(text, "there is a { that begins neither {inline} nor {crossline}");
        if (k >= 0 && (found == 2 || k == first)) return fail_pattern(text, "a placeholder stands in it twice");
        if (k >= 0) {
            pattern->length[found] = (size_t)(at - pattern->literal[found]);
            pattern->literal[++found] = at + length;
            if (found == 1) first = k;
        }
        at += length;
    }
    if (found < 2)
        return fail_pattern(text, found == 0   ? "it has neither {inline} nor {crossline}"
                                  : first == 0 ? "it has no {crossline}"
                                               : "it has no {inline}");
    pattern->length[2] = strlen(pattern->literal[2]);
    pattern->crossline_first = first == 1;
    const char *fault = fault_of(pattern);
    return fault == NULL ? STATUS_OK : fail_pattern(text, fault);
}

/* Whether the minus at `at` in name can be the sign of a number that nothing of the pattern stands before. */
static bool is_sign(const char *name, const char *at)
{
    return *at == '-' && (at == name || !isalnum((unsigned char)at[-1]));
}

/* Whether a match may begin at `at`: not amid a number, nor between a number and its sign. */
static bool may_begin(const PositionPattern *pattern, const char *name, const char *at)
{
    bool at_number = pattern->length[0] == 0;
    char first = at_number ? *at : pattern->literal[0][0];
    if (at_number && first == '-') return is_sign(name, at);
    if (!isdigit((unsigned char)first) || at == name) return true;
    return !isdigit((unsigned char)at[-1]) && !(at_number && is_sign(name, at - 1));
}

/* Reads the two numbers where the pattern matches name from `at` on. */
static bool match_at(const PositionPattern *pattern, const char *name, const char *at, int32_t number[2])
{
    if (!may_begin(pattern, name, at)) return false;
    for (int k = 0; k < 3; k++) {
        if (strncasecmp(at, pattern->literal[k], pattern->length[k]) != 0) return false;
        at += pattern->length[k];
        if (k < 2 && !take_number(&at, &number[k])) return false;
    }
    size_t length = pattern->length[2]; /* the match may not end amid a number either */
    return length == 0 || !isdigit((unsigned char)pattern->literal[2][length - 1]) || !isdigit((unsigned char)*at);
}

int position_pattern_find(const PositionPattern *pattern, const char *name, int32_t line[2], int32_t crossline[2])
{
    int n = 0;
    for (int k = 0; k < 2; k++) line[k] = crossline[k] = POSITION_UNKNOWN;
    for (const char *at = name; *at != '\0' && n < 2; at++) {
        int32_t number[2];
        if (!match_at(pattern, name, at, number)) continue;
        int32_t found_line = number[pattern->crossline_first], found_crossline = number[!pattern->crossline_first];
        if (n == 1 && found_line == line[0] && found_crossline == crossline[0]) continue;
        for (int k = n; k < 2; k++) {
            line[k] = found_line;
            crossline[k] = found_crossline;
        }
        n++;
    }
    return n;
}

int position_compare(const void *a, const void *b)
{
    int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    return (x > y) - (x < y);
}
