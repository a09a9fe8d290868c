/* Selectors of gathers. */
#include "fuzz.h"

#include "seisdcn/selector.h"

#include <stdlib.h>
#include <string.h>

enum { N = 9 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int32_t inlines[N] = {1300, 1300, 1301, 1301, 1302, -1, 0, INT32_MAX, INT32_MIN};
    static const int32_t crosslines[N] = {1400, 1401, 1400, 1401, -7, -1, 0, INT32_MAX, INT32_MIN};
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
    free(text);
    return 0;
}
