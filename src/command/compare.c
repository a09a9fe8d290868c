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
    const CompareOptions *said = compare_options(job);
    const struct {
        const char *name, *text;
    } of_predictions[] = {{"--clean", said->clean}, {"--ensembles", said->ensembles}, {"--map", said->map}};
    const char *sort = said->sort, *picture = said->output;
    bool survey = said->survey != NULL, clean = said->clean != NULL;
    for (size_t i = 0; !survey && i < sizeof of_predictions / sizeof *of_predictions; i++)
        if (of_predictions[i].text != NULL)
            return status_fail(STATUS_USAGE, "%s belongs to --survey SURVEY.h5, whose gathers are predicted",
                               of_predictions[i].name);
    int split = index_split_of(compare_options(job)->split);
    if (split < 0 || split == INDEX_TRAIN)
        return status_fail(STATUS_USAGE, "--split %s is not known: valid or test", compare_options(job)->split);
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
    if (picture == NULL && compare_options(job)->script != NULL)
        return status_fail(STATUS_USAGE, "--script belongs to --output, the picture that it draws");
    return picture == NULL ? STATUS_OK : gnuplot_check_name(picture);
}

/* Rank 0's part: what may be written, and what there is to rank. */
static Status prepare(const Job *job, Comparison *comparison)
{
    const CompareOptions *said = compare_options(job);
    const char *const outputs[] = {said->csv, said->output, said->script};
    Status status = STATUS_OK;
    for (int i = 0; status == STATUS_OK && i < 3; i++)
        if (outputs[i] != NULL) status = files_check_output(outputs[i], job->force);
    return status == STATUS_OK ? compare_find(job, comparison) : status;
}

/* Rank 0's part: what is said and written. */
static Status report(const Job *job, Comparison *comparison)
{
    const char *csv = compare_options(job)->csv;
    SheetPlan plan = {.output = compare_options(job)->output, .script = compare_options(job)->script};
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
    {"--survey", FILLS(SURVEY, CompareOptions, survey), "SURVEY.h5", NULL, 0, 0, false,
     "predicts gathers of this survey that were not trained on with every best.h5: adds leakage and windows/s"},
    {"--clean", FILLS(SURVEY, CompareOptions, clean), "CLEAN.h5", NULL, 0, 0, false,
     "the survey without noise (a synthetic one's): adds gain in SNR and lost signal"},
    {"--split", FILLS(TEXT, CompareOptions, split), "valid|test", "valid", 0, 0, false,
     "which gathers are predicted: choose by those of validation, and measure the choice by those of test"},
    {"--gathers", FILLS(INT, CompareOptions, gathers), "N", "8", 0, 1e9, false,
     "of these at most so many, evenly spread; 0: all"},
    {"--ensembles", FILLS(TEXT, CompareOptions, ensembles), "LIST", NULL, 0, 0, false,
     "these gathers instead: 1300:1400,#7,1300-1310:1400-1500,#0-#9"},
    {"--map", FILLS(INPUT, CompareOptions, map), "MAP.h5", NULL, 0, 0, false,
     "the index map that tells them (default: the models' own split)"},
    {"--sort", FILLS(TEXT, CompareOptions, sort), "FIGURE", NULL, 0, 0, false,
     "ranks by valid_loss, snr_gain_db, signal_lost, leakage, patches_per_second, windows_per_second, parameters or "
     "name "
     "(default: snr_gain_db with --clean, else valid_loss)"},
    {"--csv", FILLS(OUTPUT, CompareOptions, csv), "FILE.csv", NULL, 0, 0, false,
     "writes the ranking as CSV too, with the keys in which the configurations differ"},
    {"--output", FILLS(OUTPUT, CompareOptions, output), "PIC.png", NULL, 0, 0, false,
     "draws it as bars; .png, .pdf or .svg"},
    {"--script", FILLS(OUTPUT, CompareOptions, script), "FILE.gp", NULL, 0, 0, false,
     "keeps gnuplot's script, and its data in FILE.dat"},
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
    .tables = {{options, 0}},
    .options_size = sizeof(CompareOptions),
    .arguments = "DIR...",
    .min_arguments = 1,
    .max_arguments = INT32_MAX,
    .uses_config = true,
    .run = run,
};
