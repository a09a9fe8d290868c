/* A model file, or a checkpoint: the input is what h5_edit() changes in a good one; its first byte chooses which. */
#include "base_files.h"
#include "fuzz.h"
#include "h5_edit.h"
#include "program.h"

#include "seisdcn/checkpoint.h"
#include "seisdcn/checksum.h"
#include "seisdcn/h5.h"
#include "seisdcn/model.h"
#include "seisdcn/vector.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void make_model(const char *name, const char *const *sets, int n_sets)
{
    Config config;
    Network network;
    char path[PROGRAM_PATH];
    ModelInfo info = {.deal = {.known = true, .rule = {.test = 0.2, .valid = 0.1}, .has_survey = true}};
    config_defaults(&config);
    for (int i = 0; i < n_sets; i++) FUZZ_CHECK(config_set(&config, sets[i]) == STATUS_OK);
    NetworkShape shape = model_shape(&config);
    FUZZ_CHECK(network_new(&shape, vector_of_level(1), &network) == STATUS_OK);
    network_initialise(&network, 1);
    FUZZ_CHECK(model_write(program_path(name, path), &network, &info, "- {command: none}\n") == STATUS_OK);
    network_free(&network);
}

/* The checkpoint of a training of one step. */
static void make_checkpoint(void)
{
    char survey[PROGRAM_PATH], output[PROGRAM_PATH];
    base_survey("survey.h5", 0);
    const char *words[] = {"--quiet",
                           "--force",
                           "train",
                           "--survey",
                           program_path("survey.h5", survey),
                           "--output",
                           program_path("run", output),
                           "--set",
                           "patch.size=5",
                           "--set",
                           "network.levels=2",
                           "--set",
                           "train.max_steps=1"};
    FUZZ_CHECK(program_run(13, words) == 0);
}

/* Puts the number and the checksum of a checkpoint's bytes into its head again, so that it is read and not refused. */
static void stamp_checkpoint(const char *path)
{
    char head[CHECKPOINT_HEAD] = "";
    uint64_t checksum;
    int64_t bytes;
    FUZZ_CHECK(checksum_file(path, CHECKPOINT_HEAD, &checksum, &bytes) == STATUS_OK);
    snprintf(head, sizeof head, "seisdcn checkpoint: %" PRId64 " bytes behind this block, XXH3_64bits %016" PRIx64 "\n",
             bytes, checksum);
    FILE *file = fopen(path, "r+b");
    FUZZ_CHECK(file != NULL && fwrite(head, 1, sizeof head, file) == sizeof head && fclose(file) == 0);
}

static void try_checkpoint(const char *path)
{
    Checkpoint checkpoint;
    stamp_checkpoint(path);
    if (fuzz_status(checkpoint_read(path, vector_of_level(1), &checkpoint)) == STATUS_OK) checkpoint_free(&checkpoint);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const char *const tree[] = {"patch.size=8", "network.levels=2"};
    static const char *const full[] = {"patch.size=12",           "network.levels=3",    "network.channels=2",
                                       "network.width=4",         "network.mixing=full", "network.skip=add",
                                       "train.target=blind_trace"};
    program_open(argc, argv);
    make_model("tree.h5", tree, 2);
    make_model("full.h5", full, 7);
    make_checkpoint();
    program_ready();
    return 0;
}

static void try_input(const uint8_t *data, size_t size)
{
    Network network;
    ModelInfo info;
    Config config;
    char path[PROGRAM_PATH];
    uint8_t flags = fuzz_byte(&data, &size);
    base_copy(flags % 3 == 2 ? "run/last.h5" : flags % 3 == 1 ? "full.h5" : "tree.h5", "input.h5");
    h5_edit(program_path("input.h5", path), data, size);
    if (flags % 3 == 2) try_checkpoint(path);
    program_run(3, (const char *[]){"info", "--verify", path});
    if (fuzz_status(model_load(program_comm(), path, vector_of_level(1), &network, &info)) != STATUS_OK) return;
    FUZZ_CHECK(strlen(info.channels) < sizeof info.channels);
    config_defaults(&config);
    fuzz_status(model_take_config(&network, path, &config));
    network_free(&network);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    try_input(data, size);
    program_done();
    return 0;
}
