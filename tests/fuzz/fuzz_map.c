/* An index map, implicit or with its rows: the input is what h5_edit() changes in a good one; its first byte chooses
 * which. */
#include "base_files.h"
#include "fuzz.h"
#include "h5_edit.h"
#include "program.h"

#include "seisdcn/index_map.h"

#include <stdbool.h>

static Survey survey;

static void make_map(const char *name, bool rows)
{
    char input[PROGRAM_PATH], output[PROGRAM_PATH];
    const char *words[] = {"--force",      "index",
                           "--survey",     program_path("survey.h5", input),
                           "--output",     program_path(name, output),
                           "--set",        "patch.size=5",
                           "--set",        "network.levels=2",
                           "--set",        "split.valid=0.25",
                           "--materialize"};
    FUZZ_CHECK(program_run(rows ? 13 : 12, words) == 0);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    char path[PROGRAM_PATH];
    program_open(argc, argv);
    base_survey("survey.h5", 1);
    make_map("rule.h5", false);
    make_map("rows.h5", true);
    FUZZ_CHECK(survey_open(program_comm(), program_path("survey.h5", path), false, &survey) == STATUS_OK);
    program_ready();
    return 0;
}

/* Every row lies within its gather. */
static void check_rows(const IndexMap *map, IndexSplit split)
{
    IndexShare share = {0};
    int64_t cut[2] = {0, map->total[split]}, size = map->rule.patch_size;
    if (fuzz_status(index_scatter(program_comm(), map, split, cut, &share)) != STATUS_OK) return;
    for (int64_t i = 0; i < share.n_rows; i++) {
        IndexRow row = index_share_row(&share, i);
        FUZZ_CHECK(row.ensemble >= 0 && row.ensemble < survey.n_ensembles);
        FUZZ_CHECK(row.trace >= 0 && row.trace + size <= survey_fold(&survey, row.ensemble));
        FUZZ_CHECK(row.sample >= 0 && row.sample + size <= survey.n_samples);
    }
    index_share_free(&share);
}

static void try_input(const uint8_t *data, size_t size)
{
    IndexMap map;
    Config config;
    char path[PROGRAM_PATH];
    uint8_t flags = fuzz_byte(&data, &size);
    base_copy(flags & 1 ? "rows.h5" : "rule.h5", "input.h5");
    h5_edit(program_path("input.h5", path), data, size);
    program_run(2, (const char *[]){"info", path});
    config_defaults(&config);
    if (fuzz_status(index_load(program_comm(), &survey, path, &config, &map)) != STATUS_OK) return;
    (void)index_rows_checksum(&map);
    for (int s = 0; s < INDEX_SPLITS; s++) check_rows(&map, (IndexSplit)s);
    index_free(&map);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_input(data, size);
    program_done();
    return 0;
}
