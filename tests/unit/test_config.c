/* The configuration: defaults, YAML in both styles, every refusal with its line, and text that reads back to the same
 * bits. */
#include "seisdcn/config.h"
#include "seisdcn/config_table.h"
#include "seisdcn/files.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void every_default_is_allowed(void **state)
{
    (void)state;
    Config config;
    config_defaults(&config);
    for (int key = 0; key < CONFIG_KEYS; key++) {
        const ConfigEntry *entry = config_table_entry((ConfigKey)key);
        assert_non_null(entry->section);
        assert_non_null(entry->help);
        assert_int_equal(config_table_assign(&config, (ConfigKey)key, entry->fallback), STATUS_OK);
        assert_int_equal(config_table_find(entry->section, entry->name), key);
        assert_false(config.is_set[key]);
    }
}

/* The contract's defaults, written out once more. */
static void defaults_are_the_contracts(void **state)
{
    (void)state;
    Config c;
    config_defaults(&c);
    assert_int_equal(c.patch.size, 32);
    assert_int_equal(c.patch.stride, 1);
    assert_int_equal(c.patch.scale, SCALE_MAX);
    assert_int_equal(c.patch.scale_grid, 0);
    assert_int_equal(c.split.by, SPLIT_BY_ENSEMBLE);
    assert_true(c.split.test == 0.2 && c.split.valid == 0.1);
    assert_int_equal(c.split.seed, 0);
    assert_int_equal(c.network.channels, 1);
    assert_int_equal(c.network.k_mult, 2);
    assert_int_equal(c.network.levels, 4);
    assert_true(c.network.dropout == 0.1);
    assert_int_equal(c.network.mixing, MIXING_DEPTHWISE);
    assert_int_equal(c.network.skip, SKIP_NONE);
    assert_int_equal(c.network.width, 0);
    assert_int_equal(c.network.out_channels, 0);
    assert_int_equal(c.network.output, OUTPUT_TANH);
    assert_true(c.network.dropout_last);
    assert_int_equal(c.train.batch_size, 128);
    assert_int_equal(c.train.max_epochs, 21);
    assert_true(c.train.learning_rate == 0.001);
    assert_int_equal(c.train.seed, 0);
    assert_true(c.train.shuffle);
    assert_int_equal(c.train.max_steps, 0);
    assert_int_equal(c.train.max_patches_per_epoch, 0);
    assert_int_equal(c.train.max_valid_patches, 0);
    assert_int_equal(c.train.checkpoint_every_steps, 0);
    assert_int_equal(c.train.log_every_steps, 50);
    assert_int_equal(c.train.early_stopping_patience, 0);
    assert_int_equal(c.train.shards, 1024);
    assert_int_equal(c.train.block_gathers, 0);
    assert_int_equal(c.train.memory_limit_mb, 0);
    assert_int_equal(c.apply.method, APPLY_SHARED);
    assert_true(c.apply.mute_threshold == 0.001);
    assert_false(c.apply.keep_mutes);
}

static void reads_both_styles(void **state)
{
    (void)state;
    const char *texts[] = {"patch: {stride: 4}\ntrain:\n  learning_rate: 1e-3\n  shuffle: No\nsplit: {by: patch}\n",
                           "{patch: {stride: 4}, train: {learning_rate: 0.001, shuffle: off}, split: {by: 'patch'}}",
                           "# a comment\n---\npatch:\n  stride: +4 # traces\ntrain: {shuffle: FALSE, learning_rate: "
                           "1.0e-03}\nnetwork:\nsplit: {by: \"patch\"}\n...\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Config config;
        config_defaults(&config);
        assert_int_equal(config_parse(&config, texts[i], "t.yaml"), STATUS_OK);
        assert_int_equal(config.patch.stride, 4);
        assert_true(config.train.learning_rate == 0.001);
        assert_false(config.train.shuffle);
        assert_int_equal(config.split.by, SPLIT_BY_PATCH);
        for (int key = 0; key < CONFIG_KEYS; key++)
            assert_int_equal(config.is_set[key], key == CONFIG_PATCH_STRIDE || key == CONFIG_TRAIN_LEARNING_RATE ||
                                                     key == CONFIG_TRAIN_SHUFFLE || key == CONFIG_SPLIT_BY);
    }
}

static void nothing_sets_nothing(void **state)
{
    (void)state;
    const char *texts[] = {"", "\n", "---\n", "# only a comment\n", "~", "null", "patch:\n", "patch: {}\n", "{}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        Config config;
        config_defaults(&config);
        assert_int_equal(config_parse(&config, texts[i], "t.yaml"), STATUS_OK);
        for (int key = 0; key < CONFIG_KEYS; key++) assert_false(config.is_set[key]);
    }
}

static void aliases_are_what_they_stand_for(void **state)
{
    (void)state;
    Config config;
    config_defaults(&config);
    assert_int_equal(config_parse(&config, "split: {seed: &s 5}\ntrain: {seed: *s}\n", "t.yaml"), STATUS_OK);
    assert_int_equal(config.split.seed, 5);
    assert_int_equal(config.train.seed, 5);
}

typedef struct {
    const char *text, *message; /* a part of the message */
} Refusal;

static void refuses_with_line_and_key(void **state)
{
    (void)state;
    const Refusal refusals[] = {
        {"patch: {size: 3.7}", "t.yaml:1:15: patch.size cannot be '3.7'; allowed: a whole number, 3 to 256"},
        {"\n\npatch:\n  size: 0x10", "t.yaml:4:9: patch.size cannot be '0x10'"},
        {"patch: {size: 2}", "3 to 256"},
        {"patch: {size: 257}", "3 to 256"},
        {"patch: {size: -32}", "patch.size"},
        {"patch: {size: 3e1}", "patch.size"},
        {"patch: {size: 32 traces}", "patch.size"},
        {"patch: {size: '32'}", "quotes"},
        {"patch: {size: [32]}", "list"},
        {"patch: {size: {a: 1}}", "section"},
        {"patch: {size: }", "no value"},
        {"patch: {size: ~}", "no value"},
        {"patch: {siz: 32}", "t.yaml:1:9: unknown key patch.siz; did you mean patch.size?"},
        {"patch: {learning_rate: 1}", "did you mean train.learning_rate?"},
        {"patch: {zebra: 1}", "patch has: size, stride"},
        {"pach: {size: 32}", "unknown section 'pach'; did you mean patch?"},
        {"zebra: {size: 32}", "known: patch, split, network, train, apply"},
        {"patch.size: 32", "write it as patch: {size: 32}"},
        {"batch_size: 32", "write it as train: {batch_size: 128}"},
        {"patch: 32", "patch is a section"},
        {"patch: [32]", "patch is a section"},
        {"- 32", "made of sections"},
        {"32", "made of sections"},
        {"patch:\n  size: 32\n  stride: 1\n  size: 32\n", "t.yaml:4:3: patch.size stands already on line 2"},
        {"patch: {size: 32}\nsplit: {seed: 1}\npatch: {stride: 4}",
         "t.yaml:3:1: section patch stands already on line 1"},
        {"patch: {size: 32}\n---\nsplit: {seed: 1}", "t.yaml:2: a second document"},
        {"patch: {size: 32", "t.yaml:2:1: this is no YAML"},
        {"patch:\n\tsize: 32", "never with tabs"},
        {"a\xff", "t.yaml:1:2: this is no YAML"},
        {"patch: {size: *nowhere}", "undefined alias"},
        {"? [a]\n: 3", "name of a section"},
        {"patch: {? [a] : 3}", "not a word"},
        {"<<: {a: 1}", "unknown section"},
        {"train: {shuffle: maybe}", "true or false"},
        {"train: {shuffle: 1}", "true or false"},
        {"train: {learning_rate: 0}", "more than 0"},
        {"train: {learning_rate: -0.1}", "more than 0"},
        {"train: {learning_rate: .nan}", "learning_rate"},
        {"train: {learning_rate: .inf}", "learning_rate"},
        {"train: {learning_rate: 1e999}", "learning_rate"},
        {"train: {learning_rate: 0.1abc}", "learning_rate"},
        {"train: {batch_size: 0}", "1 to 1073741824"},
        {"train: {shards: 1048577}", "1 to 1048576"},
        {"split: {test: 1}", "0 <= value < 1"},
        {"split: {test: -0.1}", "0 <= value < 1"},
        {"split: {seed: -1}", "split.seed"},
        {"split: {seed: 9223372036854775808}", "split.seed"},
        {"network: {mixing: Full}", "depthwise | full"},
        {"network: {dropout: 1}", "network.dropout"},
        {"apply: {mute_threshold: -1}", "0 or more"},
        {"patch: {\"size\\0x\": 32}", "t.yaml:1:9: 'size' goes on with a zero byte"},
        {"\"patch\\0\": {size: 32}", "t.yaml:1:1: 'patch' goes on with a zero byte"},
        {"split: {by: \"inline\\0\"}", "t.yaml:1:13: 'inline' goes on with a zero byte"},
        {"\"\\e[31m\": 1", "unknown section '?[31m'"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        Config config;
        config_defaults(&config);
        status_clear();
        if (config_parse(&config, refusals[i].text, "t.yaml") != STATUS_CONFIG)
            fail_msg("not refused: %s", refusals[i].text);
        if (strstr(status_message(), refusals[i].message) == NULL)
            fail_msg("for '%s' the message is '%s', without '%s'", refusals[i].text, status_message(),
                     refusals[i].message);
    }
}

static void prints_what_is_set(void **state)
{
    (void)state;
    Config config, again;
    config_defaults(&config);
    char *text = config_format_set(&config);
    assert_string_equal(text, "");
    memory_free(text);
    assert_int_equal(config_parse(&config, "train: {seed: 3, shuffle: no}\npatch: {stride: 1}", "t.yaml"), STATUS_OK);
    text = config_format_set(&config);
    assert_string_equal(text, "patch:\n  stride: 1\ntrain:\n  seed: 3\n  shuffle: false\n");
    config_defaults(&again);
    assert_int_equal(config_parse(&again, text, "t.yaml"), STATUS_OK);
    assert_memory_equal(&again, &config, sizeof config);
    memory_free(text);
    assert_string_equal(config_short_name(CONFIG_PATCH_STRIDE), "stride");
    assert_string_equal(config_short_name(CONFIG_TRAIN_SEED), "train.seed");
}

static void set_overrides(void **state)
{
    (void)state;
    Config config;
    config_defaults(&config);
    assert_int_equal(config_parse(&config, "patch: {stride: 4}", "t.yaml"), STATUS_OK);
    assert_int_equal(config_set(&config, "patch.stride=8"), STATUS_OK);
    assert_int_equal(config.patch.stride, 8);
    assert_int_equal(config_set(&config, " patch.stride = 2 "), STATUS_OK);
    assert_int_equal(config.patch.stride, 2);
    assert_int_equal(config_set(&config, "patch.stride"), STATUS_USAGE);
    assert_int_equal(config_set(&config, "patch.stride=0"), STATUS_CONFIG);
    assert_non_null(strstr(status_message(), "--set patch.stride=0: patch.stride cannot be '0'"));
    assert_int_equal(config_set(&config, "patch.strid=1"), STATUS_CONFIG);
    assert_non_null(strstr(status_message(), "did you mean patch.stride?"));
    assert_int_equal(config_set(&config, "stride=1"), STATUS_CONFIG);
    assert_non_null(strstr(status_message(), "did you mean patch.stride?"));
    assert_int_equal(config_set(&config, "patch.stride="), STATUS_CONFIG);
    assert_int_equal(config_set(&config, "=1"), STATUS_CONFIG);
    assert_int_equal(config.patch.stride, 2);
}

static void reads_back_to_the_same_bits(void **state)
{
    (void)state;
    Config config, again;
    config_defaults(&config);
    config.train.learning_rate = 1.0 / 3;
    config.split.test = 1e-5;
    config.split.valid = 0.1 + 0.2;
    config.apply.mute_threshold = 5e-324;
    config.split.seed = INT64_MAX;
    config.train.shuffle = false;
    config.network.mixing = MIXING_FULL;
    for (int explain = 0; explain < 2; explain++) {
        char *text = config_format(&config, explain != 0);
        assert_non_null(text);
        assert_non_null(strstr(text, "test: 1.0e-05\n")); /* YAML 1.1 reads 1e-05 as a text */
        config_defaults(&again);
        assert_int_equal(config_parse(&again, text, "t.yaml"), STATUS_OK);
        for (int key = 0; key < CONFIG_KEYS; key++) {
            assert_true(again.is_set[key]);
            again.is_set[key] = false;
        }
        assert_memory_equal(&again, &config, sizeof config);
        memory_free(text);
    }
}

static void takes_the_owners_values(void **state)
{
    (void)state;
    Config config;
    config_defaults(&config);
    assert_int_equal(config_take(&config, CONFIG_PATCH_SIZE, 16, "the model m.h5"), STATUS_OK);
    assert_int_equal(config.patch.size, 16);
    assert_int_equal(config_set(&config, "patch.size=16"), STATUS_OK);
    assert_int_equal(config_take(&config, CONFIG_PATCH_SIZE, 16, "the model m.h5"), STATUS_OK);
    assert_int_equal(config_take(&config, CONFIG_PATCH_SIZE, 32, "the model m.h5"), STATUS_CONFIG);
    assert_string_equal(status_message(),
                        "patch.size is set to 16, but the model m.h5 has 32; leave the key out, or set "
                        "it to that");
    assert_int_equal(config_set(&config, "network.mixing=full"), STATUS_OK);
    assert_int_equal(config_take(&config, CONFIG_NETWORK_MIXING, MIXING_DEPTHWISE, "the model m.h5"), STATUS_CONFIG);
    assert_non_null(strstr(status_message(), "has depthwise"));
    assert_int_equal(config_take(&config, CONFIG_SPLIT_TEST, 0.25, "the map"), STATUS_OK);
    assert_true(config.split.test == 0.25);
    assert_int_equal(config_take(&config, CONFIG_SPLIT_TEST, 7, "the map"), STATUS_DATA);
    assert_int_equal(config_take_int(&config, CONFIG_SPLIT_SEED, INT64_MAX, "the map"), STATUS_OK);
    assert_true(config.split.seed == INT64_MAX);
    assert_int_equal(config_take_int(&config, CONFIG_NETWORK_LEVELS, 99, "the model"), STATUS_DATA);
}

static void finds_keys_by_name(void **state)
{
    (void)state;
    assert_int_equal(config_find("train.learning_rate"), CONFIG_TRAIN_LEARNING_RATE);
    assert_int_equal(config_find("learning_rate"), CONFIG_TRAIN_LEARNING_RATE);
    assert_int_equal(config_find("train.seed"), CONFIG_TRAIN_SEED);
    assert_int_equal(config_find("seed"), CONFIG_KEYS); /* of two sections */
    assert_int_equal(config_find("train"), CONFIG_KEYS);
    assert_int_equal(config_find(""), CONFIG_KEYS);
}

static void compares_and_copies_key_by_key(void **state)
{
    (void)state;
    Config a, b;
    char text[CONFIG_VALUE_MAX];
    config_defaults(&a);
    config_defaults(&b);
    b.split.valid = -0.0;
    a.split.valid = 0.0;
    assert_true(config_same(&a, &b, CONFIG_SPLIT_VALID));
    b.train.shuffle = false;
    b.train.seed = INT64_MAX;
    b.network.mixing = MIXING_FULL;
    b.train.learning_rate = 0.1;
    int differing = 0;
    for (int key = 0; key < CONFIG_KEYS; key++) differing += !config_same(&a, &b, (ConfigKey)key);
    assert_int_equal(differing, 4);
    for (int key = 0; key < CONFIG_KEYS; key++) config_copy(&a, &b, (ConfigKey)key);
    for (int key = 0; key < CONFIG_KEYS; key++) assert_true(config_same(&a, &b, (ConfigKey)key));
    assert_string_equal(config_describe(&a, CONFIG_TRAIN_SEED, text), "9223372036854775807");
    assert_string_equal(config_describe(&a, CONFIG_NETWORK_MIXING, text), "full");
    assert_string_equal(config_describe(&a, CONFIG_TRAIN_SHUFFLE, text), "false");
    assert_string_equal(config_describe(&a, CONFIG_TRAIN_LEARNING_RATE, text), "0.1");
    assert_false(a.is_set[CONFIG_TRAIN_SEED]);
}

static void knows_words_and_names(void **state)
{
    (void)state;
    assert_string_equal(config_name(CONFIG_TRAIN_MAX_STEPS), "train.max_steps");
    assert_string_equal(config_word(CONFIG_SPLIT_BY, SPLIT_BY_INLINE), "inline");
    assert_string_equal(config_word(CONFIG_APPLY_METHOD, APPLY_DIRECT), "direct");
    assert_string_equal(config_word(CONFIG_NETWORK_SKIP, SKIP_ADD), "add");
    assert_null(config_word(CONFIG_SPLIT_BY, 3));
    assert_null(config_word(CONFIG_SPLIT_BY, -1));
    assert_null(config_word(CONFIG_PATCH_SIZE, 0));
    assert_int_equal(config_choice(CONFIG_SPLIT_BY, "patch"), SPLIT_BY_PATCH);
    assert_int_equal(config_choice(CONFIG_SPLIT_BY, "trace"), -1);
}

/* Whether two configurations are the same in every key. */
static bool same(const Config *a, const Config *b)
{
    char *x = config_format(a, false), *y = config_format(b, false);
    assert_true(x != NULL && y != NULL);
    bool equal = strcmp(x, y) == 0;
    memory_free(x);
    memory_free(y);
    return equal;
}

/* Every file in config/ is read, and the presets hold what they promise. */
static void files_of_the_project(void **state)
{
    (void)state;
    char **names = NULL;
    int64_t n = 0, found = 0;
    assert_int_equal(files_list("config", ".yaml", &names, &n), STATUS_OK);
    for (int64_t i = 0; i < n; i++) {
        char *path = text_format("config/%s", names[i]), *text = NULL;
        Config config, defaults;
        config_defaults(&config);
        config_defaults(&defaults);
        assert_int_equal(files_read_text(path, &text), STATUS_OK);
        if (config_parse(&config, text, path) != STATUS_OK) fail_msg("%s", status_message());
        found++;
        if (strcmp(names[i], "default.yaml") == 0) {
            assert_true(same(&config, &defaults));
        } else if (strcmp(names[i], "penobscot.yaml") == 0) { /* the defaults, but for the original's way to split */
            assert_int_equal(config.split.by, SPLIT_BY_PATCH);
            config.split.by = defaults.split.by;
            assert_true(same(&config, &defaults));
        } else if (strcmp(names[i], "laptop.yaml") == 0 || strcmp(names[i], "survey.yaml") == 0) {
            assert_true(config.apply.keep_mutes);
        } else if (strcmp(names[i], "denoise.yaml") == 0) {
            assert_true(config.apply.keep_mutes && config.train.target == TARGET_BLIND_GATHER);
        } else {
            found--;
        }
        memory_free(path);
        memory_free(text);
    }
    assert_int_equal(found, 5);
    memory_free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_default_is_allowed),
        cmocka_unit_test(defaults_are_the_contracts),
        cmocka_unit_test(reads_both_styles),
        cmocka_unit_test(nothing_sets_nothing),
        cmocka_unit_test(aliases_are_what_they_stand_for),
        cmocka_unit_test(refuses_with_line_and_key),
        cmocka_unit_test(prints_what_is_set),
        cmocka_unit_test(set_overrides),
        cmocka_unit_test(reads_back_to_the_same_bits),
        cmocka_unit_test(takes_the_owners_values),
        cmocka_unit_test(finds_keys_by_name),
        cmocka_unit_test(compares_and_copies_key_by_key),
        cmocka_unit_test(knows_words_and_names),
        cmocka_unit_test(files_of_the_project),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
