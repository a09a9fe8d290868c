#include "segy_options.h"

#include "seisdcn/sgy_sample.h"

#include <string.h>

/* ---- their tables ---- */

const Option segy_gather_options[] = {
    {"--group-by", FILLS(TEXT, SegyGatherOptions, group_by), "FIELD", NULL, 0, 0, false,
     "SEG-Y: what the traces of a gather have in common: position (inline and crossline), cdp, shot, or any field; by "
     "default position, or where the headers make no sense of that, what does (info shows the candidates)"},
    {"--inline-byte", FILLS(TEXT, SegyGatherOptions, inline_byte), "FIELD", NULL, 0, 0, false,
     "SEG-Y: where a trace's header has its inline (default 189): a byte, a byte with its width or kind (213:2, "
     "189:float, 189:ibm), or a name (cdp, shot_point ...)"},
    {"--crossline-byte", FILLS(TEXT, SegyGatherOptions, crossline_byte), "FIELD", NULL, 0, 0, false,
     "SEG-Y: its crossline (default 193)"},
    {"--offset-byte", FILLS(TEXT, SegyGatherOptions, offset_byte), "FIELD", NULL, 0, 0, false,
     "SEG-Y: its offset (default 37); 'coordinates': the distance of source and receiver, which is also taken where "
     "byte 37 is 0 in every trace"},
    {"--join", FILLS(FLAG, SegyGatherOptions, join), NULL, NULL, 0, 0, false,
     "SEG-Y: gathers of the same number in several files are one, in whatever line the files are"},
    {"--lines", FILLS(FLAG, SegyGatherOptions, lines), NULL, NULL, 0, 0, false,
     "SEG-Y: the files are several lines, numbered by their binary headers (bytes 3205-3208) where these differ, else "
     "from 1; by default where gathers of the same number, and with the same offsets, are in several"},
    {"--ignore-delay", FILLS(FLAG, SegyGatherOptions, ignore_delay), NULL, NULL, 0, 0, false,
     "SEG-Y: traces begin at 0, whatever their headers tell (bytes 109-110, with the scalar in 215-216)"},
    {"--sort", FILLS(TEXT, SegyGatherOptions, sort), "file|offset", "file", 0, 0, false,
     "SEG-Y: the order of the traces of a gather"},
    {.name = NULL}};

const Option segy_file_options[] = {
    {"--endian", FILLS(TEXT, SegyFileOptions, endian), "big|little", NULL, 0, 0, false,
     "SEG-Y: the byte order, where the header does not tell it right"},
    {"--format", FILLS(INT, SegyFileOptions, format), "N", "0", 0, 16, false,
     "SEG-Y: the sample format, any of the standard's but 4, where the header does not tell it right"},
    {"--samples", FILLS(INT, SegyFileOptions, samples), "N", "0", 0, INT32_MAX, false,
     "SEG-Y: samples a trace, where the headers do not tell them right, as beyond 65,535; 0: the headers'"},
    {"--salvage", FILLS(FLAG, SegyFileOptions, salvage), NULL, NULL, 0, 0, false,
     "SEG-Y: reads the whole traces of a file that is cut short, or padded, and says what is left out"},
    {"--ignore-layout", FILLS(FLAG, SegyFileOptions, ignore_layout), NULL, NULL, 0, 0, false,
     "SEG-Y: reads trace headers by the standard and the options, whatever a layout stanza of rev 2.1 moves"},
    {.name = NULL}};

/* ---- what they say ---- */

Status segy_options_force(const SegyFileOptions *said, SgyForce *force)
{
    const char *endian = said->endian;
    force->format = (int)said->format;
    force->samples = said->samples;
    force->salvage = said->salvage;
    force->ignore_layout = said->ignore_layout;
    if (endian != NULL && strcmp(endian, "big") != 0 && strcmp(endian, "little") != 0)
        return status_fail(STATUS_USAGE, "--endian takes big or little, not '%.80s'", endian);
    if (endian != NULL) force->order = endian[0] == 'b' ? SGY_ORDER_BIG : SGY_ORDER_LITTLE;
    if (force->format != 0 && sgy_item_size(force->format) == 0)
        return status_fail(STATUS_USAGE, "--format takes %s, not %d", sgy_formats_read(), force->format);
    return STATUS_OK;
}

Status segy_options_offset(const char *offset, SgyRule *rule)
{
    rule->offset = sgy_field_named("offset");
    rule->offset_automatic = offset == NULL;
    rule->from_coordinates = offset != NULL && strcmp(offset, "coordinates") == 0;
    if (rule->offset_automatic || rule->from_coordinates) return STATUS_OK;
    return sgy_field_parse(offset, "--offset-byte", &rule->offset);
}

Status segy_options_rule(const SegyGatherOptions *said, SgyRule *rule)
{
    const char *group = said->group_by;
    const char *line = said->inline_byte, *crossline = said->crossline_byte;
    rule->automatic = group == NULL && line == NULL && crossline == NULL;
    rule->by_field = group != NULL && strcmp(group, "position") != 0;
    rule->line = sgy_field_named("inline");
    rule->crossline = sgy_field_named("crossline");
    Status status = STATUS_OK;
    if (rule->by_field) status = sgy_field_parse(group, "--group-by", &rule->group);
    if (status == STATUS_OK && line != NULL) status = sgy_field_parse(line, "--inline-byte", &rule->line);
    if (status == STATUS_OK && crossline != NULL)
        status = sgy_field_parse(crossline, "--crossline-byte", &rule->crossline);
    if (status == STATUS_OK) status = segy_options_offset(said->offset_byte, rule);
    if (status != STATUS_OK) return status;
    rule->lines = said->join ? SGY_LINES_JOIN : said->lines ? SGY_LINES_APART : SGY_LINES_FOUND;
    if (said->join && said->lines) return status_fail(STATUS_USAGE, "--join and --lines exclude each other");
    rule->ignore_delay = said->ignore_delay;
    const char *sort = said->sort;
    rule->sort_offset = strcmp(sort, "offset") == 0;
    if (rule->sort_offset || strcmp(sort, "file") == 0) return STATUS_OK;
    return status_fail(STATUS_USAGE, "--sort takes file or offset, not '%.80s'", sort);
}
