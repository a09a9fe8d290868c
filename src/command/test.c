/* test: the loss of a model over one split of a survey. */
#include "aim.h"
#include "export_origin.h"

#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/evaluate.h"
#include "seisdcn/index_check.h"
#include "seisdcn/index_deal.h"
#include "seisdcn/log.h"
#include "seisdcn/model.h"
#include "seisdcn/survey.h"

#include <stdio.h>

/* What the options say; their table tells what each means. */
typedef struct {
    const char *survey, *model, *clean, *map, *split;
} TestOptions;

static const TestOptions *test_options(const Job *job) { return job->options; }

/* Without a map the split is the one that the model was trained with. */
static Status take_split(const ModelInfo *info, const Survey *survey, const char *path, Config *config)
{
    char owner[512], split[INDEX_DEAL_TEXT];
    snprintf(owner, sizeof owner, "the model %s", path);
    if (!info->deal.known) {
        log_note("%s does not say its split; taking split.* of the configuration", path);
        return STATUS_OK;
    }
    Status status = index_deal_take(&info->deal, owner, config);
    if (status == STATUS_OK) log_note("split of the model: %s", index_deal_text(&info->deal, split));
    if (status == STATUS_OK && info->deal.has_survey && info->deal.survey_checksum != survey->checksum)
        log_warning("%s was trained on another survey than %s: the split is by the same rule, but of other gathers",
                    path, survey->path);
    return status;
}

/* A map may deal otherwise than the model was trained with: then its patches may be ones that trained it. */
static void check_map(const Job *job, const IndexMap *map, const Survey *survey, const char *model,
                      const ModelInfo *info, IndexSplit split)
{
    const char *path = test_options(job)->map;
    char risk[96];
    if (path == NULL || job->comm.rank != 0) return;
    snprintf(risk, sizeof risk, "the model may have been trained on some of the patches of %s",
             index_split_name(split));
    IndexDeal deal = index_deal_of(map, survey);
    index_deal_warn(path, &deal, model, &info->deal, split == INDEX_TRAIN ? "its patches of train are others" : risk);
}

static Status evaluate(Job *job, const Survey *survey, const IndexMap *map, IndexSplit split, Network *network,
                       const Objective *objective)
{
    const char *map_path = test_options(job)->map;
    Evaluation evaluation;
    NetworkGroup group = {0};
    double loss = 0;
    if (map->total[split] == 0)
        return status_fail(STATUS_DATA, "the split %s of %s has no patches; choose another --split",
                           index_split_name(split), map_path == NULL ? "the model" : map_path);
    Status status = index_check_live(&job->comm, survey, map, split, 0);
    if (status != STATUS_OK) return status;
    status = evaluate_new(&job->comm, survey, map, split, 0, (int64_t)64 << 20, network, objective, &evaluation);
    if (status != STATUS_OK) return status;
    status = comm_agree(&job->comm, network_group_new(network, false, &group));
    if (status == STATUS_OK) {
        log_progress_start(index_split_name(split), evaluation.end - evaluation.first, "patch");
        status = evaluate_run(&evaluation, network, &group, &loss);
        log_progress_end();
    }
    if (status == STATUS_OK) log_result("%s_loss %.9g", index_split_name(split), loss);
    network_group_free(&group);
    evaluate_free(&evaluation);
    return status;
}

static Status run(Job *job)
{
    const char *model = test_options(job)->model, *map_path = test_options(job)->map;
    int split = index_split_of(test_options(job)->split);
    if (split < 0)
        return status_fail(STATUS_USAGE, "--split %s is not known: train, valid or test", test_options(job)->split);
    Survey survey = {0};
    Network network = {0};
    IndexMap map = {0};
    Aim aim = {0};
    ModelInfo info;
    const Vector *vector;
    Status status = model_choose_vector(&job->comm, &vector);
    if (status == STATUS_OK) status = model_load(&job->comm, model, vector, &network, &info);
    if (status == STATUS_OK) status = model_take_config(&network, model, &job->config);
    if (status == STATUS_OK) status = model_take_apply(&network, &info, model, &job->config);
    if (status == STATUS_OK) status = survey_open(&job->comm, test_options(job)->survey, false, &survey);
    if (status == STATUS_OK) status = export_origin_tell(&survey, "is tested on here");
    if (status == STATUS_OK) status = model_take_survey(&network, info.channels, &survey, STATUS_DATA);
    if (status == STATUS_OK) network.shape.objective = model_shape(&job->config).objective;
    if (status == STATUS_OK) status = aim_open(&job->comm, test_options(job)->clean, &survey, &network, &aim);
    if (status == STATUS_OK && map_path == NULL) status = take_split(&info, &survey, model, &job->config);
    if (status == STATUS_OK) status = index_load(&job->comm, &survey, map_path, &job->config, &map);
    if (status == STATUS_OK) status = model_check_map(&network, &map);
    if (status == STATUS_OK) check_map(job, &map, &survey, model, &info, (IndexSplit)split);
    if (status == STATUS_OK) status = evaluate(job, &survey, &map, (IndexSplit)split, &network, aim.used);
    index_free(&map);
    network_free(&network);
    Status closed = aim_close(&aim), also = survey_close(&survey);
    return status != STATUS_OK ? status : closed != STATUS_OK ? closed : also;
}

static const Option options[] = {
    {"--survey", FILLS(SURVEY, TestOptions, survey), .argument = "SURVEY.h5", .required = true,
     .help = "the survey file"},
    {"--model", FILLS(INPUT, TestOptions, model), .argument = "MODEL.h5", .required = true,
     .help = "the trained model"},
    {"--clean", FILLS(SURVEY, TestOptions, clean), .argument = "SURVEY.h5",
     .help = "the clean survey of the same gathers, for train.target=clean"},
    {"--map", FILLS(INPUT, TestOptions, map), .argument = "MAP.h5",
     .help = "the index map (default: the model's own split)"},
    {"--split", FILLS(TEXT, TestOptions, split), .argument = "train|valid|test", .fallback = "test",
     .help = "which patches"},
    {.name = NULL},
};

const Command command_test = {
    .name = "test",
    .summary = "prints the loss of a model over one split",
    .description =
        "Computes the mean squared error of the model's prediction over every patch of a split, and prints it "
        "as `test_loss V` (with the split's own name). The split is the one that the model was trained with, or a "
        "map's; "
        "where a map deals otherwise, or does not say how, a warning tells. What it is compared with is the model's "
        "train.target, or the "
        "one that is set.",
    .example = "mpirun -n 2 seisdcn test --survey survey.h5 --model run/best.h5 --split test",
    .tables = {{options, 0}},
    .options_size = sizeof(TestOptions),
    .uses_config = true,
    .run = run,
};
