/* What compare says: the ranking, as a table and as CSV. */
#include "compare_private.h"
#include "csv.h"

#include "seisdcn/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the figures ---- */

static double valid_loss(const Training *training) { return training->valid_loss; }
static double snr_gain(const Training *training) { return training->snr_gain_db; }
static double signal_lost(const Training *training) { return training->signal_lost; }
static double leakage(const Training *training) { return training->leakage; }
static double speed(const Training *training) { return training->patches_per_second; }
static double windows(const Training *training) { return training->windows_per_second; }
static double parameters(const Training *training) { return training->parameters; }

const CompareFigure compare_figures[COMPARE_FIGURES] = {
    [COMPARE_VALID_LOSS] = {"valid_loss", "valid loss", valid_loss, -1, COMPARE_TRAINED},
    [COMPARE_SNR_GAIN] = {"snr_gain_db", "SNR gain, dB", snr_gain, 1, COMPARE_WITH_CLEAN},
    [COMPARE_SIGNAL_LOST] = {"signal_lost", "signal lost", signal_lost, -1, COMPARE_WITH_CLEAN},
    [COMPARE_LEAKAGE] = {"leakage", "leakage", leakage, -1, COMPARE_PREDICTED},
    [COMPARE_SPEED] = {"patches_per_second", "patches/s", speed, 1, COMPARE_TRAINED},
    [COMPARE_WINDOWS] = {"windows_per_second", "windows/s", windows, 1, COMPARE_PREDICTED},
    [COMPARE_PARAMETERS] = {"parameters", "parameters", parameters, -1, COMPARE_TRAINED},
};

int compare_figure_of(const char *name)
{
    for (int f = 0; f < COMPARE_FIGURES; f++)
        if (strcmp(compare_figures[f].name, name) == 0) return f;
    return strcmp(name, "name") == 0 ? COMPARE_FIGURES : -1;
}

/* ---- the order ---- */

/* Moves the best of training [n] that are left to place `at`; the others keep their order. */
static void select_best(Training *training, int64_t n, int64_t at, const CompareFigure *figure)
{
    int64_t best = at;
    for (int64_t i = at + 1; i < n; i++) {
        double mine = figure->of(&training[i]), held = figure->of(&training[best]);
        if (isnan(held) ? !isnan(mine) : figure->better * (mine - held) > 0) best = i;
    }
    Training chosen = training[best];
    memmove(&training[at + 1], &training[at], (size_t)(best - at) * sizeof *training);
    training[at] = chosen;
}

void compare_sort(Comparison *comparison, int key)
{
    comparison->sorted_by = key;
    for (int64_t at = 0; key < COMPARE_FIGURES && at < comparison->n; at++)
        select_best(comparison->training, comparison->n, at, &compare_figures[key]);
}

/* ---- the table ---- */

enum { COLUMN = 13, NAME_MOST = 60, ROW_MOST = 512 };

/* Letters of the longest name, as far as it is shown. */
static int name_width(const Comparison *comparison)
{
    size_t most = strlen("training");
    for (int64_t i = 0; i < comparison->n; i++) {
        size_t length = strlen(comparison->training[i].name);
        most = length > most ? length : most;
    }
    return most > NAME_MOST ? NAME_MOST : (int)most;
}

static void print_row(int64_t rank, const Training *training, int width, CompareReach reach)
{
    char row[ROW_MOST], text[48];
    const char *name = training->name;
    size_t length = strlen(name);
    if (length > NAME_MOST) name += length - NAME_MOST; /* a path's end tells more than its beginning */
    int at = snprintf(row, sizeof row, "%4" PRId64 "  %-*s", rank, width, name);
    snprintf(text, sizeof text, "%" PRId64 " of %" PRId64, training->epochs, training->config.train.max_epochs);
    at += snprintf(row + at, sizeof row - (size_t)at, "%*s", COLUMN, training->failed ? "failed" : text);
    for (int f = 0; f < COMPARE_FIGURES; f++) {
        if (compare_figures[f].reach > reach) continue;
        double value = compare_figures[f].of(training);
        snprintf(text, sizeof text, fabs(value) < 1e4 ? "%.4g" : "%.0f", value);
        at += snprintf(row + at, sizeof row - (size_t)at, "%*s", COLUMN, isnan(value) ? "-" : text);
    }
    log_result("%s", row);
}

/* Keys whose losses are of something else: what is predicted, and what it is divided by. */
static const ConfigKey loss_keys[] = {
    CONFIG_TRAIN_TARGET, CONFIG_PATCH_SIZE, CONFIG_PATCH_STRIDE, CONFIG_PATCH_SCALE, CONFIG_PATCH_SCALE_GRID,
    CONFIG_SPLIT_BY,     CONFIG_SPLIT_TEST, CONFIG_SPLIT_VALID,  CONFIG_SPLIT_SEED,  CONFIG_TRAIN_MAX_VALID_PATCHES};

static bool differs(const Comparison *comparison, ConfigKey key)
{
    for (int64_t i = 1; i < comparison->n; i++)
        if (!config_same(&comparison->training[0].config, &comparison->training[i].config, key)) return true;
    return false;
}

static void warn_of_losses(const Comparison *comparison)
{
    char keys[512] = "";
    for (size_t k = 0; k < sizeof loss_keys / sizeof *loss_keys; k++) {
        size_t at = strlen(keys);
        if (differs(comparison, loss_keys[k]))
            snprintf(keys + at, sizeof keys - at, "%s%s", at == 0 ? "" : ", ", config_name(loss_keys[k]));
    }
    if (*keys == '\0') return;
    log_warning("validation losses of different %s do not compare; %s", keys,
                comparison->reach == COMPARE_TRAINED ? "--survey, with --clean where there is one, measures predictions"
                                                     : "the figures of the predicted gathers do");
}

void compare_print(const Comparison *comparison)
{
    char row[ROW_MOST];
    int width = name_width(comparison);
    int at = snprintf(row, sizeof row, "%4s  %-*s%*s", "", width, "training", COLUMN, "epochs");
    for (int f = 0; f < COMPARE_FIGURES; f++)
        if (compare_figures[f].reach <= comparison->reach)
            at += snprintf(row + at, sizeof row - (size_t)at, "%*s", COLUMN, compare_figures[f].column);
    log_result("%s", row);
    for (int64_t i = 0; i < comparison->n; i++) print_row(i + 1, &comparison->training[i], width, comparison->reach);
    warn_of_losses(comparison);
}

/* ---- CSV ---- */

Status compare_write_csv(const Comparison *comparison, const char *path)
{
    Csv csv;
    char value[CONFIG_VALUE_MAX];
    Status status = csv_open(&csv);
    if (status != STATUS_OK) return status;
    fputs("rank,name,failed,epochs,best_epoch,train_loss", csv.stream);
    for (int f = 0; f < COMPARE_FIGURES; f++) fprintf(csv.stream, ",%s", compare_figures[f].name);
    for (int key = 0; key < CONFIG_KEYS; key++)
        if (differs(comparison, (ConfigKey)key)) fprintf(csv.stream, ",%s", config_name((ConfigKey)key));
    for (int64_t i = 0; i < comparison->n; i++) {
        const Training *training = &comparison->training[i];
        fprintf(csv.stream, "\n%" PRId64 ",", i + 1);
        csv_name(&csv, training->name);
        fprintf(csv.stream, ",%d,%" PRId64, training->failed, training->epochs);
        csv_number(&csv, training->best_epoch > 0 ? (double)training->best_epoch : NAN);
        csv_number(&csv, training->train_loss);
        for (int f = 0; f < COMPARE_FIGURES; f++) csv_number(&csv, compare_figures[f].of(training));
        for (int key = 0; key < CONFIG_KEYS; key++)
            if (differs(comparison, (ConfigKey)key))
                fprintf(csv.stream, ",%s", config_describe(&training->config, (ConfigKey)key, value));
    }
    fputc('\n', csv.stream);
    return csv_close(&csv, path);
}
