/* compare: a ranking of trainings. */
#include "compare_private.h"

#include "seisdcn/commands.h"
#include "seisdcn/files.h"
#include "seisdcn/index_map.h"
#include "seisdcn/memory.h"

#include <string.h>

/* What the words ask for; alike on all ranks. */
static Status check_words(const Job *job, Comparison *comparison)
{
    static const char *const of_predictions[] = {"--clean", "--ensembles", "--map"};
    const char *sort = command_text(job, "--sort"), *picture = command_text(job, "--output");
    bool survey = command_text(job, "--survey") != NULL, clean = command_text(job, "--clean") != NULL;
    for (size_t i = 0; !survey && i < sizeof of_predictions / sizeof *of_predictions; i++)
        if (command_text(job, of_predictions[i]) != NULL)
            return status_fail(STATUS_USAGE, "%s belongs to --survey SURVEY.h5, whose gathers are predicted",
                               of_predictions[i]);
    int split = index_split_of(command_text(job, "--split"));
    if (split < 0 || split == INDEX_TRAIN)
        return status_fail(STATUS_USAGE, "--split %s is not known: valid or test", command_text(job, "--split"));
    comparison->reach = clean ? COMPARE_WITH_CLEAN : survey ? COMPARE_PREDICTED : COMPARE_TRAINED;
    comparison->sorted_by = sort == NULL ? (clean ? COMPARE_SNR_GAIN : COMPARE_VALID_LOSS) : compare_figure_of(sort);
    if (comparison->sorted_by < 0)
        return status_fail(STATUS_USAGE,
                           "--sort %s is not known: valid_loss, snr_gain_db, signal_lost, leakage, patches_per_second, "
                           "windows_per_second, parameters or name",
                           sort);
    if (comparison->sorted_by < COMPARE_FIGURES && compare_figures[comparison->sorted_by].reach > comparison->reach)
        return status_fail(STATUS_USAGE, "--sort %s needs predictions: give --survey%s", sort,
                           compare_figures[comparison->sorted_by].reach == COMPARE_WITH_CLEAN ? " and --clean" : "");
    if (picture == NULL && command_text(job, "--script") != NULL)
        return status_fail(STATUS_USAGE, "--script belongs to --output, the picture that it draws");
    return picture == NULL ? STATUS_OK : gnuplot_check_name(picture);
}

/* Rank 0's part: what may be written, and what there is to rank. */
static Status prepare(const Job *job, Comparison *comparison)
{
    static const char *const outputs[] = {"--csv", "--output", "--script"};
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < 3; i++)
        if (command_text(job, outputs[i]) != NULL)
            status = files_check_output(command_text(job, outputs[i]), job->force);
    return status == STATUS_OK ? compare_find(job, comparison) : status;
}

/* Rank 0's part: what is said and written. */
static Status report(const Job *job, Comparison *comparison)
{
    const char *csv = command_text(job, "--csv");
    SheetPlan plan = {.output = command_text(job, "--output"), .script = command_text(job, "--script")};
    compare_sort(comparison, comparison->sorted_by);
    compare_print(comparison);
    Status status = csv == NULL ? STATUS_OK : compare_write_csv(comparison, csv);
    if (status == STATUS_OK && plan.output != NULL) status = compare_plot(&plan, comparison);
    return status;
}

static Status run(Job *job)
{
    Comparison comparison = {0};
    Status status = check_words(job, &comparison);
    if (status != STATUS_OK) return status;
    status = comm_agree(&job->comm, job->comm.rank == 0 ? prepare(job, &comparison) : STATUS_OK);
    if (status == STATUS_OK && comparison.reach != COMPARE_TRAINED) status = compare_predict(job, &comparison);
    if (status == STATUS_OK)
        status = comm_agree(&job->comm, job->comm.rank == 0 ? report(job, &comparison) : STATUS_OK);
    compare_free(&comparison);
    return status;
}

static const Option options[] = {
    {"--survey", OPTION_SURVEY, "SURVEY.h5", NULL, 0, 0, false,
     "predicts gathers of this survey that were not trained on with every best.h5: adds leakage and windows/s"},
    {"--clean", OPTION_SURVEY, "CLEAN.h5", NULL, 0, 0, false,
     "the survey without noise (a synthetic one's): adds gain in SNR and lost signal"},
    {"--split", OPTION_TEXT, "valid|test", "valid", 0, 0, false,
     "which gathers are predicted: choose by those of validation, and measure the choice by those of test"},
    {"--gathers", OPTION_INT, "N", "8", 0, 1e9, false, "of these at most so many, evenly spread; 0: all"},
    {"--ensembles", OPTION_TEXT, "LIST", NULL, 0, 0, false,
     "these gathers instead: 1300:1400,#7,1300-1310:1400-1500,#0-#9"},
    {"--map", OPTION_INPUT, "MAP.h5", NULL, 0, 0, false,
     "the index map that tells them (default: the models' own split)"},
    {"--sort", OPTION_TEXT, "FIGURE", NULL, 0, 0, false,
     "ranks by valid_loss, snr_gain_db, signal_lost, leakage, patches_per_second, windows_per_second, parameters or "
     "name "
     "(default: snr_gain_db with --clean, else valid_loss)"},
    {"--csv", OPTION_OUTPUT, "FILE.csv", NULL, 0, 0, false,
     "writes the ranking as CSV too, with the keys in which the configurations differ"},
    {"--output", OPTION_OUTPUT, "PIC.png", NULL, 0, 0, false, "draws it as bars; .png, .pdf or .svg"},
    {"--script", OPTION_OUTPUT, "FILE.gp", NULL, 0, 0, false, "keeps gnuplot's script, and its data in FILE.dat"},
    {.name = NULL}};

const Command command_compare = {
    .name = "compare",
    .summary = "ranks trainings, those of a sweep for example",
    .description =
        "Prints a table of the trainings in the folders given and below them: lowest validation loss, speed in "
        "training "
        "(the median of metrics.csv), and parameters. With --survey it also predicts some held-out gathers by each "
        "best.h5, on all ranks and without writing them, and adds the figures of qc: leakage, windows a second of a "
        "rank, and with --clean gain in SNR and lost signal. All trainings must have been split alike. Validation "
        "losses "
        "of different targets, patches or scales do not compare, which is said; figures of predictions do. The same "
        "figures for any number of ranks, but for speeds.",
    .example = "seisdcn compare sweep\n"
               "mpirun -n 4 seisdcn compare sweep other/trained --survey survey.h5 --clean clean.h5 --csv ranking.csv "
               "--output ranking.png",
    .options = options,
    .arguments = "DIR...",
    .min_arguments = 1,
    .max_arguments = INT32_MAX,
    .uses_config = true,
    .run = run,
};
