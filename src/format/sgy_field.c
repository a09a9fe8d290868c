#include "seisdcn/sgy_field.h"

#include "seisdcn/text.h"

#include <stdio.h>
#include <string.h>

/* Where the standard (rev 1) has its fields in a trace header, those that tell gathers and traces apart. */
static const SgyField table[] = {
    {1, 4, "sequence_line"},
    {5, 4, "sequence_file"},
    {9, 4, "shot"},
    {9, 4, "field_record"},
    {13, 4, "channel"},
    {17, 4, "source_point"},
    {21, 4, "cdp"},
    {25, 4, "cdp_trace"},
    {29, 2, "trace_id"},
    {31, 2, "vertical_sum"},
    {33, 2, "fold"},
    {35, 2, "data_use"},
    {37, 4, "offset"},
    {41, 4, "group_elevation"},
    {45, 4, "source_elevation"},
    {49, 4, "source_depth"},
    {53, 4, "group_datum"},
    {57, 4, "source_datum"},
    {61, 4, "source_water"},
    {65, 4, "group_water"},
    {69, 2, "elevation_scalar"},
    {71, 2, "coordinate_scalar"},
    {73, 4, "source_x"},
    {77, 4, "source_y"},
    {81, 4, "group_x"},
    {85, 4, "group_y"},
    {89, 2, "coordinate_unit"},
    {109, 2, "delay"},
    {115, 2, "samples"},
    {117, 2, "interval"},
    {171, 2, "roll_group"},
    {173, 2, "first_group"},
    {175, 2, "last_group"},
    {181, 4, "cdp_x"},
    {185, 4, "cdp_y"},
    {189, 4, "inline"},
    {193, 4, "crossline"},
    {197, 4, "shot_point"},
    {201, 2, "shot_point_scalar"},
};

enum { N_FIELDS = sizeof table / sizeof *table };

/* Besides the table's: the standard's other fields of two bytes. */
static bool is_short(int64_t byte)
{
    static const struct {
        int first, last;
    } runs[] = {{29, 35}, {69, 71}, {89, 179}, {201, 203}, {209, 217}, {223, 223}, {229, 231}};
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        if (byte >= runs[i].first && byte <= runs[i].last && (byte - runs[i].first) % 2 == 0) return true;
    return false;
}

static const SgyField *find(const char *name)
{
    for (int i = 0; i < N_FIELDS; i++)
        if (strcmp(table[i].name, name) == 0) return &table[i];
    return NULL;
}

static Status unknown(const char *text, const char *option)
{
    const char *names[N_FIELDS];
    for (int i = 0; i < N_FIELDS; i++) names[i] = table[i].name;
    const char *nearest = text_nearest(text, names, N_FIELDS);
    if (nearest != NULL)
        return status_fail(STATUS_USAGE, "%s: no field of a trace header is called '%.80s'; did you mean %s?", option,
                           text, nearest);
    return status_fail(STATUS_USAGE,
                       "%s takes a byte position (189), one with its width (233:2) or the name of a field (cdp, shot, "
                       "source_point, offset, inline, crossline ...), not '%.80s'",
                       option, text);
}

Status sgy_field_parse(const char *text, const char *option, SgyField *field)
{
    char digits[16];
    const char *colon = strchr(text, ':');
    size_t length = colon == NULL ? strlen(text) : (size_t)(colon - text);
    int64_t byte, width = 4;
    snprintf(digits, sizeof digits, "%.*s", length < sizeof digits ? (int)length : 0, text);
    if (!text_to_int(digits, &byte)) {
        const SgyField *known = find(text);
        if (known == NULL) return unknown(text, option);
        *field = *known;
        return STATUS_OK;
    }
    if (is_short(byte)) width = 2;
    if (colon != NULL && (!text_to_int(colon + 1, &width) || (width != 2 && width != 4)))
        return status_fail(STATUS_USAGE, "%s: a field is 2 or 4 bytes wide, not '%.80s'", option, colon + 1);
    if (byte < 1 || byte > SGY_HEADER - width + 1)
        return status_fail(STATUS_USAGE, "%s: a field of %d bytes begins at byte 1 to %d of a trace header, not at %s",
                           option, (int)width, SGY_HEADER - (int)width + 1, digits);
    *field = (SgyField){.byte = (int)byte, .width = (int)width};
    for (int i = 0; i < N_FIELDS; i++)
        if (table[i].byte == byte && table[i].width == width) *field = table[i];
    return STATUS_OK;
}

SgyField sgy_field_named(const char *name)
{
    const SgyField *known = find(name);
    if (known == NULL) return (SgyField){0};
    return *known;
}

char *sgy_field_text(const SgyField *field, char *text)
{
    if (field->name[0] == '\0')
        snprintf(text, 64, "byte %d", field->byte);
    else
        snprintf(text, 64, "%s (byte %d)", field->name, field->byte);
    return text;
}

uint64_t sgy_number(const uint8_t *bytes, int width, bool big)
{
    uint64_t number = 0;
    for (int i = 0; i < width; i++) number = number << 8 | bytes[big ? i : width - 1 - i];
    return number;
}

void sgy_number_put(uint8_t *bytes, int width, bool big, uint64_t number)
{
    for (int i = 0; i < width; i++) bytes[big ? width - 1 - i : i] = (uint8_t)(number >> (8 * i));
}

int32_t sgy_field_get(const uint8_t header[SGY_HEADER], const SgyField *field, bool big)
{
    uint64_t number = sgy_number(header + field->byte - 1, field->width, big);
    return field->width == 2 ? (int16_t)number : (int32_t)number;
}

void sgy_field_put(uint8_t header[SGY_HEADER], const SgyField *field, bool big, int32_t value)
{
    sgy_number_put(header + field->byte - 1, field->width, big, (uint64_t)value);
}
