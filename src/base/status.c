#include "seisdcn/status.h"

#include "seisdcn/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static char message[STATUS_MESSAGE_MAX];

Status status_fail(Status code, const char *format, ...)
{
    char text[STATUS_MESSAGE_MAX]; /* an argument may be the old message itself */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    strcpy(message, text_printable(text));
    return code;
}

Status status_prefix(Status code, const char *format, ...)
{
    char text[STATUS_MESSAGE_MAX];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (length < 0 || length >= (int)sizeof text - 3) return code;
    snprintf(text + length, sizeof text - (size_t)length, ": %.*s", (int)(sizeof text) - length - 3, message);
    strcpy(message, text_printable(text));
    return code;
}

const char *status_message(void) { return message; }

void status_clear(void) { message[0] = '\0'; }
