/* Numbers of 64 bits that 32-bit floats cannot hold. */
#include "inputs_private.h"

#include "seisdcn/log.h"
#include "seisdcn/text.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

/* A power of ten that brings numbers of this size near 1; those near float64's own ends, as near as one can. */
static double scale_for(double largest)
{
    double power = -floor(log10(largest));
    return pow(10, power > 300 ? 300 : power < -300 ? -300 : power);
}

Status inputs_fail_beyond(const Inputs *inputs, int64_t e, int64_t t, int64_t s, double number, double largest)
{
    char name[SURVEY_SOURCE_MAX + 64], scaled[48] = "";
    if (inputs->scale != 1) snprintf(scaled, sizeof scaled, ", times %g of --scale,", inputs->scale);
    /* the largest in the file; with a scale that is far off, its product may have no end */
    double unscaled = isfinite(largest) ? largest / fabs(inputs->scale) : fabs(number);
    return status_fail(STATUS_DATA,
                       "%s, sample %" PRId64 " (counted from 0) is %g%s beyond 32-bit floats, which end at 3.4e38; "
                       "--scale %g would multiply all samples by that",
                       inputs_trace_name(inputs, e, t, name, sizeof name), s, number, scaled[0] == '\0' ? "," : scaled,
                       scale_for(unscaled));
}

void inputs_see_largest(InputsGather *gather, int64_t e, double largest)
{
    if (largest > gather->largest) gather->largest = largest;
    if (largest > 0 && largest < (double)FLT_MIN && gather->faint++ == 0) gather->first_faint = e;
}

Status inputs_check_range(const Comm *comm, const Inputs *inputs, const InputsGather *gather)
{
    int64_t first = gather->first_faint < 0 ? INT64_MIN : -gather->first_faint, faint = gather->faint;
    comm_sum(comm, &faint, 1);
    comm_max(comm, &first, 1);
    double largest = comm_spread(comm, gather->largest).max;
    if (faint == 0) return STATUS_OK;
    char source[SURVEY_SOURCE_MAX];
    if (inputs->layouts == NULL)
        inputs_npy_source(inputs, -first, source, sizeof source);
    else
        snprintf(source, sizeof source, "%s: gather #%" PRId64, text_base_name(inputs->paths[0]), -first);
    if (largest < (double)FLT_MIN)
        return status_fail(
            STATUS_DATA,
            "%s: its largest amplitude is below 1.2e-38, where 32-bit floats lose their digits and end at "
            "0, and so is all else (the largest is %g); --scale %g would multiply all samples by that",
            source, largest, scale_for(largest / fabs(inputs->scale)));
    log_warning("%" PRId64 " gather%s nothing but amplitudes below 1.2e-38, where 32-bit floats lose their digits "
                "and end at 0, the first: %s; the survey's largest is %g (--scale multiplies all samples)",
                faint, faint == 1 ? " holds" : "s hold", source, largest);
    return STATUS_OK;
}
