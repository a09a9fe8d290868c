/* Selectors of gathers, those of surveys of several lines too. */
#include "fuzz.h"

#include "seisdcn/selector.h"
#include "seisdcn/survey_lines.h"

#include <stdlib.h>
#include <string.h>

enum { N = 9 };

/* The same gathers on three lines. */
static void check_lines(const char *text, int32_t *inlines, int32_t *crosslines)
{
    int32_t lines[N] = {1, 1, 2, 2, 2, -3, -3, -3, -3};
    char path[] = "survey.h5";
    Survey survey = {.n_ensembles = N, .inlines = inlines, .crosslines = crosslines, .lines = lines, .path = path};
    uint8_t selected[N];
    int64_t one = -1;
    int n = 0;
    Status status = fuzz_status(survey_select(&survey, text, selected));
    for (int e = 0; status == STATUS_OK && e < N; e++) n += selected[e];
    FUZZ_CHECK(status != STATUS_OK || n > 0);
    bool single = fuzz_status(survey_select_one(&survey, text, &one)) == STATUS_OK;
    FUZZ_CHECK(single == (n == 1) && (!single || selected[one] == 1));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int32_t inlines[N] = {1300, 1300, 1301, 1301, 1302, -1, 0, INT32_MAX, INT32_MIN};
    static int32_t crosslines[N] = {1400, 1401, 1400, 1401, -7, -1, 0, INT32_MAX, INT32_MIN};
    uint8_t selected[N];
    int64_t one = -1;
    char *text = fuzz_text(data, size);
    if (fuzz_status(selector_list(text, N, inlines, crosslines, selected)) == STATUS_OK) {
        int n = 0;
        for (int e = 0; e < N; e++) n += selected[e];
        FUZZ_CHECK(n > 0);
        FUZZ_CHECK(selected[N - 1] == 0 || strchr(text, '#') != NULL); /* its position is unknown */
    }
    if (fuzz_status(selector_one(text, N, inlines, crosslines, &one)) == STATUS_OK)
        FUZZ_CHECK(one >= 0 && one < N && selected[one] == 1);
    check_lines(text, inlines, crosslines);
    free(text);
    return 0;
}
