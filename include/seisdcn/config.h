/* config: the configuration: one table of keys gives each its kind, range, default and help; a YAML file (libyaml) and
 * --set section.key=value fill it.
 *
 * Every key has a default. An unknown or repeated key, a value of the wrong kind or out of range is STATUS_CONFIG with
 * file, line, key, what is allowed, and the nearest known key for a misspelt one. Numbers are decimal and whole where
 * the key is whole: 3.7, 0x10, 0.1abc, .nan are refused. */
#ifndef SEISDCN_CONFIG_H
#define SEISDCN_CONFIG_H

#include "seisdcn/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum { SPLIT_BY_ENSEMBLE, SPLIT_BY_INLINE, SPLIT_BY_PATCH } SplitBy;
typedef enum { SCALE_MAX, SCALE_RMS } ScaleKind;
typedef enum { MIXING_DEPTHWISE, MIXING_FULL } Mixing;
typedef enum { SKIP_NONE, SKIP_ADD } Skip;
typedef enum { OUTPUT_TANH, OUTPUT_LINEAR } Output;
typedef enum { TARGET_SOURCE, TARGET_CLEAN, TARGET_NEIGHBOUR, TARGET_BLIND_GATHER, TARGET_BLIND_TRACE } Target;
typedef enum { FILL_OTHER, FILL_ZERO } Fill;
typedef enum { APPLY_SHARED, APPLY_DIRECT, APPLY_WHOLE } ApplyMethod;

/* The keys, in the order of the table and of the printed configuration. */
typedef enum {
    CONFIG_PATCH_SIZE,
    CONFIG_PATCH_STRIDE,
    CONFIG_PATCH_SCALE,
    CONFIG_PATCH_SCALE_GRID,
    CONFIG_PATCH_MIN_LIVE,
    CONFIG_SPLIT_BY,
    CONFIG_SPLIT_TEST,
    CONFIG_SPLIT_VALID,
    CONFIG_SPLIT_SEED,
    CONFIG_NETWORK_CHANNELS,
    CONFIG_NETWORK_K_MULT,
    CONFIG_NETWORK_LEVELS,
    CONFIG_NETWORK_DROPOUT,
    CONFIG_NETWORK_MIXING,
    CONFIG_NETWORK_SKIP,
    CONFIG_NETWORK_WIDTH,
    CONFIG_NETWORK_OUT_CHANNELS,
    CONFIG_NETWORK_OUTPUT,
    CONFIG_NETWORK_DROPOUT_LAST,
    CONFIG_TRAIN_TARGET,
    CONFIG_TRAIN_HIDE,
    CONFIG_TRAIN_BLOCK,
    CONFIG_TRAIN_FILL,
    CONFIG_TRAIN_BATCH_SIZE,
    CONFIG_TRAIN_MAX_EPOCHS,
    CONFIG_TRAIN_LEARNING_RATE,
    CONFIG_TRAIN_LEARNING_RATE_DECAY,
    CONFIG_TRAIN_SEED,
    CONFIG_TRAIN_SHUFFLE,
    CONFIG_TRAIN_MAX_STEPS,
    CONFIG_TRAIN_MAX_TIME_MINUTES,
    CONFIG_TRAIN_MAX_PATCHES_PER_EPOCH,
    CONFIG_TRAIN_MAX_VALID_PATCHES,
    CONFIG_TRAIN_CHECKPOINT_EVERY_STEPS,
    CONFIG_TRAIN_LOG_EVERY_STEPS,
    CONFIG_TRAIN_EARLY_STOPPING_PATIENCE,
    CONFIG_TRAIN_SHARDS,
    CONFIG_TRAIN_BLOCK_GATHERS,
    CONFIG_TRAIN_MEMORY_LIMIT_MB,
    CONFIG_APPLY_METHOD,
    CONFIG_APPLY_MUTE_THRESHOLD,
    CONFIG_APPLY_KEEP_MUTES,
    CONFIG_APPLY_MAX_TIME_MINUTES,
    CONFIG_KEYS /* how many */
} ConfigKey;

typedef struct {
    struct {
        int64_t size, stride;
        int64_t scale, scale_grid; /* scale: ScaleKind */
        double min_live;
    } patch;
    struct {
        int64_t by; /* SplitBy */
        double test, valid;
        int64_t seed;
    } split;
    struct {
        int64_t channels, k_mult, levels;
        double dropout;
        int64_t mixing, skip;                /* Mixing, Skip */
        int64_t width, out_channels, output; /* output: Output */
        bool dropout_last;
    } network;
    struct {
        int64_t target; /* Target */
        double hide;
        int64_t block, fill; /* fill: Fill */
        int64_t batch_size, max_epochs;
        double learning_rate, learning_rate_decay;
        int64_t seed;
        bool shuffle;
        int64_t max_steps, max_patches_per_epoch, max_valid_patches, checkpoint_every_steps, log_every_steps;
        double max_time_minutes;
        int64_t early_stopping_patience, shards, block_gathers, memory_limit_mb;
    } train;
    struct {
        int64_t method; /* ApplyMethod */
        double mute_threshold;
        bool keep_mutes;
        double max_time_minutes;
    } apply;
    bool is_set[CONFIG_KEYS]; /* the user set it explicitly */
} Config;

enum { CONFIG_VALUE_MAX = 64 };

/* Fills config with every key's default, none of them set. Pure. */
void config_defaults(Config *config);

/* Takes the keys of a YAML text into config; `name` is the file's name for messages. An empty text sets nothing. Local.
 * STATUS_CONFIG. */
Status config_parse(Config *config, const char *text, const char *name);

/* Takes one `section.key=value` of the command line. A key of the file is overridden; the same key twice on the command
 * line: the last one holds. Local. STATUS_CONFIG (STATUS_USAGE where there is no '='). */
Status config_set(Config *config, const char *assignment);

/* The whole configuration as YAML, in the table's order, numbers so that they read back to the same bits; to be freed
 * with memory_free(). With explain = true each key carries its meaning, range and default as a comment: that is
 * config/default.yaml. Local. NULL with a STATUS_MEMORY message. */
char *config_format(const Config *config, bool explain);

/* The same of the keys alone that are set, "" where none is. Local. NULL with a STATUS_MEMORY message. */
char *config_format_set(const Config *config);

/* "section.key" of a key. Pure. */
const char *config_name(ConfigKey key);

/* The key of "section.key", or of "key" alone where only one section has it; CONFIG_KEYS where there is none, or
 * several. Pure. */
ConfigKey config_find(const char *name);

/* The shortest name of a key that config_find() knows: "stride", "train.seed". Pure. */
const char *config_short_name(ConfigKey key);

/* Whether a key has the same value in both. Pure. */
bool config_same(const Config *a, const Config *b, ConfigKey key);

/* Gives a key the value that it has in `from`; what the user set stays marked so. Pure. */
void config_copy(Config *to, const Config *from, ConfigKey key);

/* Writes a key's value as the user would write it into text and returns it. Local. */
char *config_describe(const Config *config, ConfigKey key, char text[CONFIG_VALUE_MAX]);

/* The word for the value of a key that is a choice ("ensemble"), NULL for a value that has none. Pure. */
const char *config_word(ConfigKey key, int64_t value);

/* The value behind a choice's word, -1 where there is none. Pure. */
int64_t config_choice(ConfigKey key, const char *word);

/* Fails with STATUS_CONFIG where the user set key explicitly and its value in config is not `value` (choices and flags
 * as their number); owner says whose value holds ("the model m.h5"). Otherwise takes value into config. A value that
 * the key cannot have is STATUS_DATA. Local. */
Status config_take(Config *config, ConfigKey key, double value, const char *owner);

/* The same for keys that are no fractions: seeds pass what a double holds exactly. Local. */
Status config_take_int(Config *config, ConfigKey key, int64_t value, const char *owner);

#endif
