#include "seisdcn/text.h"

#include "seisdcn/memory.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

int text_compare_natural(const char *a, const char *b)
{
    const char *x = a, *y = b;
    while (*x != '\0' && *y != '\0') {
        if (is_digit(*x) && is_digit(*y)) {
            while (*x == '0') x++;
            while (*y == '0') y++;
            size_t nx = strspn(x, "0123456789"), ny = strspn(y, "0123456789");
            if (nx != ny) return nx < ny ? -1 : 1;
            int order = strncmp(x, y, nx);
            if (order != 0) return order;
            x += nx;
            y += ny;
        } else {
            if (*x != *y) return (unsigned char)*x < (unsigned char)*y ? -1 : 1;
            x++;
            y++;
        }
    }
    if (*x != *y) return *x == '\0' ? -1 : 1;
    return strcmp(a, b);
}

const char *text_base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

bool text_ends_with(const char *text, const char *ending)
{
    size_t n = strlen(text), m = strlen(ending);
    return n >= m && strcasecmp(text + n - m, ending) == 0;
}

bool text_to_int(const char *text, int64_t *value)
{
    const char *digits = text + (*text == '-' || *text == '+');
    if (*digits == '\0' || strspn(digits, "0123456789") != strlen(digits)) return false;
    errno = 0;
    long long number = strtoll(text, NULL, 10);
    if (errno != 0) return false;
    *value = number;
    return true;
}

bool text_to_double(const char *text, double *value)
{
    if (*text == '\0' || strspn(text, "0123456789+-.eE") != strlen(text)) return false;
    char *end;
    double number = strtod(text, &end);
    if (*end != '\0' || !isfinite(number)) return false;
    *value = number;
    return true;
}

char *text_copy(const char *text)
{
    char *copy = memory_new(strlen(text) + 1, 1, "a text");
    if (copy != NULL) strcpy(copy, text);
    return copy;
}

char *text_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = memory_new((size_t)(length < 0 ? 0 : length) + 1, 1, "a text");
    if (text == NULL) return NULL;
    va_start(arguments, format);
    vsnprintf(text, (size_t)(length < 0 ? 0 : length) + 1, format, arguments);
    va_end(arguments);
    return text;
}

char *text_printable(char *text)
{
    for (char *c = text; *c != '\0'; c++) {
        unsigned char byte = (unsigned char)*c, next = (unsigned char)c[1];
        if ((byte < ' ' && byte != '\n' && byte != '\t') || byte == 0x7f) *c = '?';
        if (byte == 0xc2 && next >= 0x80 && next < 0xa0) *c = c[1] = '?'; /* UTF-8's second set of them */
    }
    return text;
}

char *text_shell_word(const char *text)
{
    if (*text != '\0' && strpbrk(text, " \t\n'\"\\$&|;<>()*?[]{}#~`!") == NULL) return text_copy(text);
    size_t quotes = 0;
    for (const char *c = text; *c != '\0'; c++) quotes += *c == '\'';
    char *word = memory_new(strlen(text) + 3 * quotes + 3, 1, "a word of the shell"), *at = word;
    if (word == NULL) return NULL;
    *at++ = '\'';
    for (; *text != '\0'; text++) { /* a quote ends the text, stands alone, and begins it again */
        if (*text == '\'') at = stpcpy(at, "'\\'");
        *at++ = *text;
    }
    *at++ = '\'';
    *at = '\0';
    return word;
}

enum { WORD_MAX = 64 };

static bool same_letter(char a, char b) { return tolower((unsigned char)a) == tolower((unsigned char)b); }

/* Letters added, left out, changed, or swapped with the next one (Damerau 1964; each place is edited once). Three rows
 * of the table: cost[i % 3][j] of the first i letters of a and j of b. */
static size_t edit_distance(const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b), cost[3][WORD_MAX + 1];
    if (n > WORD_MAX || m > WORD_MAX) return WORD_MAX;
    for (size_t j = 0; j <= m; j++) cost[0][j] = j;
    for (size_t i = 1; i <= n; i++) {
        size_t *now = cost[i % 3], *before = cost[(i + 2) % 3], *long_before = cost[(i + 1) % 3];
        now[0] = i;
        for (size_t j = 1; j <= m; j++) {
            size_t least = before[j - 1] + !same_letter(a[i - 1], b[j - 1]);
            if (before[j] + 1 < least) least = before[j] + 1;
            if (now[j - 1] + 1 < least) least = now[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && same_letter(a[i - 1], b[j - 2]) && same_letter(a[i - 2], b[j - 1]);
            if (swapped && long_before[j - 2] + 1 < least) least = long_before[j - 2] + 1;
            now[j] = least;
        }
    }
    return cost[n % 3][m];
}

const char *text_nearest(const char *word, const char *const *names, size_t n)
{
    const char *nearest = NULL;
    size_t best = strlen(word) / 3 + 1;
    for (size_t i = 0; i < n; i++) {
        size_t distance = edit_distance(word, names[i]);
        if (distance <= best && distance < WORD_MAX) {
            if (nearest != NULL && distance == best) continue;
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
