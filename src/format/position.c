#include "seisdcn/position.h"

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
