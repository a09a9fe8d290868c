/* index: builds the patch index map of a survey and writes it. */
#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/index_check.h"
#include "seisdcn/index_map.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/survey.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <unistd.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *output;
    bool materialize;
} IndexOptions;

static const IndexOptions *index_options(const Job *job) { return job->options; }

static void print_counts(const IndexMap *map)
{
    for (int s = 0; s < INDEX_SPLITS; s++)
        log_result("n_%-5s %" PRId64, index_split_name((IndexSplit)s), map->total[s]);
}

static Status write_map(Job *job, const Survey *survey, const IndexMap *map, const char *output)
{
    char *part = text_format("%s.part", output), *history = survey_history(survey->history, job->line);
    Status status = comm_agree(&job->comm, part == NULL || history == NULL ? STATUS_MEMORY : STATUS_OK);
    if (status == STATUS_OK) {
        status = index_write(&job->comm, map, survey, history, index_options(job)->materialize, part);
        Status published = STATUS_OK;
        if (job->comm.rank == 0 && status == STATUS_OK) published = files_publish(part, output);
        if (status == STATUS_OK) status = comm_agree(&job->comm, published);
        if (job->comm.rank == 0 && status != STATUS_OK) unlink(part);
    }
    memory_free(part);
    memory_free(history);
    return status;
}

static Status run(Job *job)
{
    const char *output = index_options(job)->output;
    Survey survey = {0};
    IndexMap map = {0};
    Status status = STATUS_OK;
    if (job->comm.rank == 0) status = files_check_output(output, job->force);
    status = comm_agree(&job->comm, status);
    if (status == STATUS_OK) status = survey_open(&job->comm, index_options(job)->survey, false, &survey);
    if (status == STATUS_OK) status = index_load(&job->comm, &survey, NULL, &job->config, &map);
    for (int s = 0; status == STATUS_OK && s < INDEX_SPLITS; s++)
        status = index_check_live(&job->comm, &survey, &map, (IndexSplit)s, 0);
    if (status == STATUS_OK) {
        index_report(&map);
        status = write_map(job, &survey, &map, output);
    }
    if (status == STATUS_OK) print_counts(&map);
    index_free(&map);
    Status closed = survey_close(&survey);
    return status != STATUS_OK ? status : closed;
}

static const Option options[] = {
    {"--survey", FILLS(SURVEY, IndexOptions, survey), .argument = "SURVEY.h5", .required = true,
     .help = "the survey file"},
    {"--output", FILLS(OUTPUT, IndexOptions, output), .argument = "MAP.h5", .required = true,
     .help = "the index map to write"},
    {"--materialize", FILLS(FLAG, IndexOptions, materialize),
     .help = "also write every row (24 bytes a patch) as /train, /valid, /test"},
    {.name = NULL},
};

const Command command_index = {
    .name = "index",
    .summary = "builds the patch index map of a survey",
    .description =
        "Splits the patches of a survey in train, valid and test (configuration: patch.*, split.*) and prints "
        "the counts. The map holds the rule and the counts; with --materialize also the list of patches, as "
        "rows (ensemble, first trace, first sample).",
    .example = "seisdcn index --survey survey.h5 --output map.h5 --set split.by=inline",
    .tables = {{options, 0}},
    .options_size = sizeof(IndexOptions),
    .uses_config = true,
    .run = run,
};
