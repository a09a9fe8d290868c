/* A configuration: a YAML file, and what --set is given. */
#include "fuzz.h"

#include "seisdcn/config.h"
#include "seisdcn/memory.h"

#include <stdlib.h>
#include <string.h>

/* What was taken must be printed so that it reads back the same. */
static void check_printed(const Config *config)
{
    Config again;
    config_defaults(&again);
    char *printed = config_format(config, false);
    FUZZ_CHECK(printed != NULL && config_parse(&again, printed, "printed") == STATUS_OK);
    for (int key = 0; key < CONFIG_KEYS; key++) FUZZ_CHECK(config_same(config, &again, (ConfigKey)key));
    memory_free(printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    Config config;
    char *text = fuzz_text(data, size);
    config_defaults(&config);
    if (fuzz_status(config_parse(&config, text, "input.yaml")) == STATUS_OK) check_printed(&config);
    text[strcspn(text, "\n")] = '\0';
    config_defaults(&config);
    if (fuzz_status(config_set(&config, text)) == STATUS_OK) check_printed(&config);
    free(text);
    return 0;
}
