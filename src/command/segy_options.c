#include "segy_options.h"

#include "seisdcn/sgy_sample.h"

#include <string.h>

Status segy_options_force(const SegyOptions *said, SgyForce *force)
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
