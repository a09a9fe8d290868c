#include "seisdcn/config_table.h"

#include "seisdcn/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* What an entry starts with: its names and its place in Config are one thing. */
#define KEY(s, n)       .section = #s, .name = #n, .offset = offsetof(Config, s.n)
#define WHOLE(from, to) .kind = CONFIG_INT, .least = from, .most = to
#define FRACTION        .kind = CONFIG_NUMBER, .low = 0, .high = 1, .without_high = true
#define FLAG            .kind = CONFIG_FLAG
#define CHOICE(...)     .kind = CONFIG_CHOICE, .choices = {__VA_ARGS__}

#define COUNT_MOST 1000000000000000 /* 10^15: a count that stays exact in a double */
#define INT_MOST   1073741824       /* 2^30: a count that stays in an int */

static const ConfigEntry table[CONFIG_KEYS] = {
    [CONFIG_PATCH_SIZE] = {KEY(patch, size), WHOLE(3, 256), .fallback = "32", .unit = "traces and samples",
                           .help =
                               "Width and length of a patch. Each level of the network takes two off it, so it must "
                               "be more than 2 * network.levels."},
    [CONFIG_PATCH_STRIDE] = {KEY(patch, stride), WHOLE(1, INT_MOST), .fallback = "1", .unit = "traces and samples",
                             .help = "Step from one patch to the next, in both directions."},
    [CONFIG_PATCH_SCALE] = {KEY(patch, scale), CHOICE("max", "rms"), .fallback = "max",
                            .help = "What a patch is divided by: its largest absolute value, or its root mean square."},
    [CONFIG_PATCH_SCALE_GRID] = {KEY(patch, scale_grid), WHOLE(0, 64), .fallback = "0",
                                 .help = "Rounds what a patch is divided by up to the next 2^(k / scale_grid), in "
                                         "training and apply alike, so that more windows share a scale and apply is "
                                         "faster; 0: off."},
    [CONFIG_PATCH_MIN_LIVE] = {KEY(patch, min_live), .kind = CONFIG_NUMBER, .low = 0, .high = 1, .fallback = "0",
                               .help = "Patches where a smaller share of the samples is other than exactly zero are "
                                       "dead: none is trained on, validates or tests; 0: every patch counts."},

    [CONFIG_SPLIT_BY] = {KEY(split, by), CHOICE("ensemble", "inline", "patch"), .fallback = "ensemble",
                         .help = "What is dealt to training, validation and test as a whole: gathers; whole inlines "
                                 "(neighbouring gathers look alike too); or single patches, the original's rule, where "
                                 "overlapping neighbours make the validation loss look better than it is."},
    [CONFIG_SPLIT_TEST] = {KEY(split, test), FRACTION, .fallback = "0.2", .help = "Share that is kept for the test."},
    [CONFIG_SPLIT_VALID] = {KEY(split, valid), FRACTION, .fallback = "0.1", .help = "Share that validates each epoch."},
    [CONFIG_SPLIT_SEED] = {KEY(split, seed), WHOLE(0, INT64_MAX), .fallback = "0", .help = "Seed of the split."},

    [CONFIG_NETWORK_CHANNELS] = {KEY(network, channels), WHOLE(1, 256), .fallback = "1",
                                 .help = "Input channels: the amplitude, then the survey's attributes in alphabetical "
                                         "order."},
    [CONFIG_NETWORK_K_MULT] = {KEY(network, k_mult), WHOLE(1, 64), .fallback = "2",
                               .help = "Each level has this many times the channels of the one above."},
    [CONFIG_NETWORK_LEVELS] = {KEY(network, levels), WHOLE(1, 16), .fallback = "4",
                               .help = "Convolutions on the way down, and as many on the way up."},
    [CONFIG_NETWORK_DROPOUT] = {KEY(network, dropout), FRACTION, .fallback = "0.1",
                                .help = "Probability that a channel of a patch is dropped in training."},
    [CONFIG_NETWORK_MIXING] = {KEY(network, mixing), CHOICE("depthwise", "full"), .fallback = "depthwise",
                               .help = "depthwise: each channel feeds only its own children; full: every channel feeds "
                                       "every channel of the next level."},
    [CONFIG_NETWORK_SKIP] = {KEY(network, skip), CHOICE("none", "add"), .fallback = "none",
                             .help = "add: the way up adds what the way down had at the same size."},
    [CONFIG_NETWORK_WIDTH] = {KEY(network, width), WHOLE(0, 1024), .fallback = "0",
                              .help = "Channels of every level; 0: k_mult times as many at each level as at the one "
                                      "above, the original's tree."},
    [CONFIG_NETWORK_OUT_CHANNELS] = {KEY(network, out_channels), WHOLE(0, 256), .fallback = "0",
                                     .help = "Channels that the network predicts, the first ones of the target; 0: as "
                                             "many as it is given."},
    [CONFIG_NETWORK_OUTPUT] = {KEY(network, output), CHOICE("tanh", "linear"), .fallback = "tanh",
                               .help = "What the last layer ends with; linear: nothing, so that its range has no end."},
    [CONFIG_NETWORK_DROPOUT_LAST] = {KEY(network, dropout_last), FLAG, .fallback = "true",
                                     .help = "Whether the last layer has dropout too, as the original's has."},

    [CONFIG_TRAIN_TARGET] = {KEY(train, target), CHOICE("source", "clean", "neighbour", "blind_gather", "blind_trace"),
                             .fallback = "source",
                             .help =
                                 "What the prediction is compared with: the input itself, the original's; the same "
                                 "patch of a clean survey (--clean); that of a neighbouring gather on the line; the "
                                 "gather itself, where its two neighbours are the input; or the patch itself on "
                                 "traces that the input hides. But for source, muted samples do not count."},
    [CONFIG_TRAIN_HIDE] = {KEY(train, hide), .kind = CONFIG_NUMBER, .low = 0, .high = 1, .without_low = true,
                           .fallback = "0.125", .help = "blind_trace: share of a patch's traces that are hidden."},
    [CONFIG_TRAIN_BLOCK] = {KEY(train, block), WHOLE(1, 256), .fallback = "1", .unit = "traces",
                            .help = "blind_trace: so many hidden traces side by side."},
    [CONFIG_TRAIN_FILL] = {KEY(train, fill), CHOICE("other", "zero"), .fallback = "other",
                           .help = "blind_trace: what stands in the place of hidden traces: traces of another patch of "
                                   "the gather, so that the network cannot tell them, or zeros."},
    [CONFIG_TRAIN_BATCH_SIZE] = {KEY(train, batch_size), WHOLE(1, INT_MOST), .fallback = "128", .unit = "patches",
                                 .help = "Patches of a training step, all ranks together."},
    [CONFIG_TRAIN_MAX_EPOCHS] = {KEY(train, max_epochs), WHOLE(1, INT_MOST), .fallback = "21",
                                 .help = "Passes over the training patches."},
    [CONFIG_TRAIN_LEARNING_RATE] = {KEY(train, learning_rate), .kind = CONFIG_NUMBER, .low = 0, .high = INFINITY,
                                    .without_low = true, .fallback = "0.001", .help = "Adam's learning rate."},
    [CONFIG_TRAIN_LEARNING_RATE_DECAY] = {KEY(train, learning_rate_decay), .kind = CONFIG_NUMBER, .low = 0, .high = 1,
                                          .without_low = true, .fallback = "1",
                                          .help = "Each epoch's learning rate is so many times that of the epoch "
                                                  "before; 1: it stays as it is."},
    [CONFIG_TRAIN_SEED] = {KEY(train, seed), WHOLE(0, INT64_MAX), .fallback = "0",
                           .help = "Seed of the first weights, of the order of the patches and of dropout."},
    [CONFIG_TRAIN_SHUFFLE] = {KEY(train, shuffle), FLAG, .fallback = "true",
                              .help = "Another order of the patches in each epoch; false: the map's own order."},
    [CONFIG_TRAIN_MAX_STEPS] = {KEY(train, max_steps), WHOLE(0, COUNT_MOST), .fallback = "0", .unit = "steps",
                                .help = "Stops after this many steps; 0: no limit."},
    [CONFIG_TRAIN_MAX_TIME_MINUTES] = {KEY(train, max_time_minutes), .kind = CONFIG_NUMBER, .low = 0, .high = INFINITY,
                                       .fallback = "0", .unit = "minutes",
                                       .help =
                                           "Once the program has run this long, it writes a checkpoint and ends with "
                                           "status 75, to be resumed; 0: no limit."},
    [CONFIG_TRAIN_MAX_PATCHES_PER_EPOCH] = {KEY(train, max_patches_per_epoch), WHOLE(0, COUNT_MOST), .fallback = "0",
                                            .unit = "patches",
                                            .help = "An epoch ends after this many patches; 0: all of them."},
    [CONFIG_TRAIN_MAX_VALID_PATCHES] = {KEY(train, max_valid_patches), WHOLE(0, COUNT_MOST), .fallback = "0",
                                        .unit = "patches",
                                        .help = "Validation takes at most this many patches; 0: all of them."},
    [CONFIG_TRAIN_CHECKPOINT_EVERY_STEPS] = {KEY(train, checkpoint_every_steps), WHOLE(0, COUNT_MOST), .fallback = "0",
                                             .unit = "steps",
                                             .help = "A checkpoint every so many steps; 0: at the end of each epoch "
                                                     "only."},
    [CONFIG_TRAIN_LOG_EVERY_STEPS] = {KEY(train, log_every_steps), WHOLE(0, COUNT_MOST), .fallback = "50",
                                      .unit = "steps",
                                      .help = "A row of metrics.csv every so many steps; 0: one an epoch only."},
    [CONFIG_TRAIN_EARLY_STOPPING_PATIENCE] = {KEY(train, early_stopping_patience), WHOLE(0, INT_MOST), .fallback = "0",
                                              .unit = "epochs",
                                              .help = "Stops when the validation loss has not fallen for this many "
                                                      "epochs; 0: never."},
    [CONFIG_TRAIN_SHARDS] = {KEY(train, shards), WHOLE(1, 1048576), .fallback = "1024",
                             .help = "Shards that the gathers are dealt to, more than there will be ranks; it shapes "
                                     "the order of the patches, so results are the same for any number of ranks."},
    [CONFIG_TRAIN_BLOCK_GATHERS] = {KEY(train, block_gathers), WHOLE(0, INT_MOST), .fallback = "0", .unit = "gathers",
                                    .help = "Gathers that a shard keeps in play at a time, for surveys larger than "
                                            "memory; 0: all of them. It shapes the order of the patches too."},
    [CONFIG_TRAIN_MEMORY_LIMIT_MB] = {KEY(train, memory_limit_mb), WHOLE(0, COUNT_MOST), .fallback = "0", .unit = "MB",
                                      .help = "A rank that will need more memory than this stops before it trains and "
                                              "names a train.block_gathers that fits; 0: no limit."},

    [CONFIG_APPLY_METHOD] =
        {KEY(apply, method), CHOICE("shared", "direct", "whole"), .fallback = "shared",
         .help = "shared computes once what windows of one scale have in common; direct computes "
                 "each window by itself, with the same result to rounding, several times slower; "
                 "whole is another prediction, tens of times faster than shared: one pass over "
                 "the gather, mirrored at its edges, each sample divided by a smooth scale of its own."},
    [CONFIG_APPLY_MUTE_THRESHOLD] = {KEY(apply, mute_threshold), .kind = CONFIG_NUMBER, .low = 0, .high = INFINITY,
                                     .fallback = "0.001", .unit = "the data's unit",
                                     .help = "A window whose largest absolute amplitude is below this passes as it "
                                             "is."},
    [CONFIG_APPLY_KEEP_MUTES] = {KEY(apply, keep_mutes), FLAG, .fallback = "false",
                                 .help = "Samples that are exactly zero in the input stay zero."},
    [CONFIG_APPLY_MAX_TIME_MINUTES] = {KEY(apply, max_time_minutes), .kind = CONFIG_NUMBER, .low = 0, .high = INFINITY,
                                       .fallback = "0", .unit = "minutes",
                                       .help = "Once the program has run this long, it ends with status 75, to be "
                                               "resumed; 0: no limit."},
};

const ConfigEntry *config_table_entry(ConfigKey key) { return &table[key]; }

ConfigKey config_table_find(const char *section, const char *name)
{
    for (int key = 0; key < CONFIG_KEYS; key++)
        if (strcmp(table[key].section, section) == 0 && strcmp(table[key].name, name) == 0) return (ConfigKey)key;
    return CONFIG_KEYS;
}

static void range_of_number(const ConfigEntry *entry, char *text)
{
    if (isinf(entry->high))
        snprintf(text, CONFIG_RANGE_MAX, entry->without_low ? "more than %g" : "%g or more", entry->low);
    else
        snprintf(text, CONFIG_RANGE_MAX, "%g %s value %s %g", entry->low,
                 entry->without_low ? "<" : "<=", entry->without_high ? "<" : "<=", entry->high);
}

char *config_table_range(const ConfigEntry *entry, char *text)
{
    int at = 0;
    text[0] = '\0';
    switch (entry->kind) {
    case CONFIG_INT:
        snprintf(text, CONFIG_RANGE_MAX, "%" PRId64 " to %" PRId64, entry->least, entry->most);
        break;
    case CONFIG_NUMBER:
        range_of_number(entry, text);
        break;
    case CONFIG_FLAG:
        snprintf(text, CONFIG_RANGE_MAX, "true or false");
        break;
    case CONFIG_CHOICE:
        for (int i = 0; entry->choices[i] != NULL && at < CONFIG_RANGE_MAX; i++)
            at += snprintf(text + at, (size_t)(CONFIG_RANGE_MAX - at), "%s%s", i == 0 ? "" : " | ", entry->choices[i]);
        break;
    }
    return text;
}

static bool to_int(const ConfigEntry *entry, const char *text, int64_t *value)
{
    return text_to_int(text, value) && *value >= entry->least && *value <= entry->most;
}

static bool to_number(const ConfigEntry *entry, const char *text, double *value)
{
    if (!text_to_double(text, value) || *value < entry->low || *value > entry->high) return false;
    return !(entry->without_low && *value <= entry->low) && !(entry->without_high && *value >= entry->high);
}

/* YAML 1.1's words. */
static bool to_flag(const char *text, bool *value)
{
    *value = strcasecmp(text, "true") == 0 || strcasecmp(text, "yes") == 0 || strcasecmp(text, "on") == 0;
    return *value || strcasecmp(text, "false") == 0 || strcasecmp(text, "no") == 0 || strcasecmp(text, "off") == 0;
}

static bool to_choice(const ConfigEntry *entry, const char *text, int64_t *value)
{
    for (*value = 0; entry->choices[*value] != NULL; ++*value)
        if (strcmp(entry->choices[*value], text) == 0) return true;
    return false;
}

Status config_table_assign(Config *config, ConfigKey key, const char *text)
{
    const ConfigEntry *entry = &table[key];
    char *place = (char *)config + entry->offset;
    int64_t whole;
    double number;
    bool flag;
    switch (entry->kind) {
    case CONFIG_INT:
        if (!to_int(entry, text, &whole)) break;
        memcpy(place, &whole, sizeof whole);
        return STATUS_OK;
    case CONFIG_CHOICE:
        if (!to_choice(entry, text, &whole)) break;
        memcpy(place, &whole, sizeof whole);
        return STATUS_OK;
    case CONFIG_NUMBER:
        if (!to_number(entry, text, &number)) break;
        memcpy(place, &number, sizeof number);
        return STATUS_OK;
    case CONFIG_FLAG:
        if (!to_flag(text, &flag)) break;
        memcpy(place, &flag, sizeof flag);
        return STATUS_OK;
    }
    static const char *const kind[] = {"a whole number, ", "a number, ", "", ""};
    char range[CONFIG_RANGE_MAX];
    return status_fail(STATUS_CONFIG, "%s.%s cannot be '%.80s'; allowed: %s%s", entry->section, entry->name, text,
                       kind[entry->kind], config_table_range(entry, range));
}

/* The different sections in the table's order; returns how many. */
static size_t list_sections(const char *names[CONFIG_KEYS])
{
    size_t n = 0;
    const char *last = "";
    for (int key = 0; key < CONFIG_KEYS; key++) {
        if (strcmp(last, table[key].section) == 0) continue;
        last = table[key].section;
        names[n++] = last;
    }
    return n;
}

bool config_table_has(const char *section)
{
    for (int key = 0; key < CONFIG_KEYS; key++)
        if (strcmp(table[key].section, section) == 0) return true;
    return false;
}

static void join(char *text, size_t size, const char *const *names, size_t n)
{
    size_t at = 0;
    for (size_t i = 0; i < n && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s", i == 0 ? "" : ", ", names[i]);
}

static Status unknown_section(const char *section)
{
    const char *names[CONFIG_KEYS];
    size_t n = list_sections(names);
    const char *nearest = text_nearest(section, names, n);
    if (nearest != NULL)
        return status_fail(STATUS_CONFIG, "unknown section '%.80s'; did you mean %s?", section, nearest);
    char known[256];
    join(known, sizeof known, names, n);
    return status_fail(STATUS_CONFIG, "unknown section '%.80s'; known: %s", section, known);
}

Status config_table_unknown(const char *section, const char *name)
{
    const char *names[CONFIG_KEYS];
    size_t n = 0;
    const char *elsewhere = NULL;
    for (int key = 0; key < CONFIG_KEYS; key++) {
        if (strcmp(table[key].section, section) == 0)
            names[n++] = table[key].name;
        else if (name != NULL && strcmp(table[key].name, name) == 0 && elsewhere == NULL)
            elsewhere = table[key].section;
    }
    if (name == NULL || n == 0) return unknown_section(section);
    if (elsewhere != NULL)
        return status_fail(STATUS_CONFIG, "unknown key %s.%.80s; did you mean %s.%s?", section, name, elsewhere, name);
    const char *nearest = text_nearest(name, names, n);
    if (nearest != NULL)
        return status_fail(STATUS_CONFIG, "unknown key %s.%.80s; did you mean %s.%s?", section, name, section, nearest);
    char known[512];
    join(known, sizeof known, names, n);
    return status_fail(STATUS_CONFIG, "unknown key %s.%.80s; %s has: %s", section, name, section, known);
}
