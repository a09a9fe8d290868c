#include "seisdcn/sgy_lines.h"

SgyLinesVerdict sgy_lines_judge(const SgyOverlap *overlap)
{
    if (overlap->n_gathers == 0 || overlap->single_offsets) return SGY_ONE_LINE;
    if (overlap->numbers_told && overlap->numbers_differ) return SGY_SEVERAL_LINES;
    if (overlap->n_met == 0) return SGY_ONE_LINE;
    if (overlap->numbers_told || !overlap->offsets_vary) return SGY_UNCLEAR;
    return 2 * overlap->n_met >= overlap->n_traces ? SGY_SEVERAL_LINES : SGY_UNCLEAR;
}

bool sgy_lines_told(const SgyLayout *layouts, int64_t n, bool *differ)
{
    *differ = false;
    for (int64_t f = 0; f < n; f++) {
        if (layouts[f].line_number == 0) return false;
        if (layouts[f].line_number != layouts[0].line_number) *differ = true;
    }
    return true;
}
