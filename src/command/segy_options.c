#include "segy_options.h"

#include "seisdcn/sgy_sample.h"

#include <string.h>

Status segy_options_force(const Job *job, SgyForce *force)
{
    const char *endian = command_text(job, "--endian");
    force->format = (int)command_int(job, "--format");
    force->samples = command_int(job, "--samples");
    force->salvage = command_flag(job, "--salvage");
    force->ignore_layout = command_flag(job, "--ignore-layout");
    if (endian != NULL && strcmp(endian, "big") != 0 && strcmp(endian, "little") != 0)
        return status_fail(STATUS_USAGE, "--endian takes big or little, not '%.80s'", endian);
    if (endian != NULL) force->order = endian[0] == 'b' ? SGY_ORDER_BIG : SGY_ORDER_LITTLE;
    if (force->format != 0 && sgy_item_size(force->format) == 0)
        return status_fail(STATUS_USAGE, "--format takes %s, not %d", sgy_formats_read(), force->format);
    return STATUS_OK;
}

Status segy_options_offset(const Job *job, SgyRule *rule)
{
    const char *offset = command_text(job, "--offset-byte");
    rule->offset = sgy_field_named("offset");
    rule->offset_automatic = offset == NULL;
    rule->from_coordinates = offset != NULL && strcmp(offset, "coordinates") == 0;
    if (rule->offset_automatic || rule->from_coordinates) return STATUS_OK;
    return sgy_field_parse(offset, "--offset-byte", &rule->offset);
}

Status segy_options_rule(const Job *job, SgyRule *rule)
{
    const char *group = command_text(job, "--group-by");
    const char *line = command_text(job, "--inline-byte"), *crossline = command_text(job, "--crossline-byte");
    rule->automatic = group == NULL && line == NULL && crossline == NULL;
    rule->by_field = group != NULL && strcmp(group, "position") != 0;
    rule->line = sgy_field_named("inline");
    rule->crossline = sgy_field_named("crossline");
    Status status = STATUS_OK;
    if (rule->by_field) status = sgy_field_parse(group, "--group-by", &rule->group);
    if (status == STATUS_OK && line != NULL) status = sgy_field_parse(line, "--inline-byte", &rule->line);
    if (status == STATUS_OK && crossline != NULL)
        status = sgy_field_parse(crossline, "--crossline-byte", &rule->crossline);
    if (status == STATUS_OK) status = segy_options_offset(job, rule);
    if (status != STATUS_OK) return status;
    rule->lines = command_flag(job, "--join")    ? SGY_LINES_JOIN
                  : command_flag(job, "--lines") ? SGY_LINES_APART
                                                 : SGY_LINES_FOUND;
    if (command_flag(job, "--join") && command_flag(job, "--lines"))
        return status_fail(STATUS_USAGE, "--join and --lines exclude each other");
    rule->ignore_delay = command_flag(job, "--ignore-delay");
    const char *sort = command_text(job, "--sort");
    rule->sort_offset = strcmp(sort, "offset") == 0;
    if (rule->sort_offset || strcmp(sort, "file") == 0) return STATUS_OK;
    return status_fail(STATUS_USAGE, "--sort takes file or offset, not '%.80s'", sort);
}
