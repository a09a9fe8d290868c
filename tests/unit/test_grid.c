/* Grids: their combinations and names, and what they refuse. */
#include "seisdcn/grid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void combines_everything(void **state)
{
    (void)state;
    static const char *const wanted[] = {
        "width=4_mixing=depthwise_train.seed=1", "width=4_mixing=depthwise_train.seed=2",
        "width=4_mixing=full_train.seed=1",      "width=4_mixing=full_train.seed=2",
        "width=8_mixing=depthwise_train.seed=1", "width=8_mixing=depthwise_train.seed=2",
        "width=8_mixing=full_train.seed=1",      "width=8_mixing=full_train.seed=2",
    };
    static const char *const texts[] = {
        "network.width: [4, 8]\nnetwork.mixing: [depthwise, full]\ntrain.seed: [1, 2]\n",
        "network:\n  width: [4, 8]\n  mixing: [depthwise, full]\ntrain: {seed: [1, 2]}\n",
        "network: {width: [4, 8]}\nnetwork.mixing:\n- depthwise\n- full\ntrain.seed: [1, 2]\n",
    };
    for (size_t t = 0; t < sizeof texts / sizeof *texts; t++) {
        Grid grid;
        assert_int_equal(grid_parse(texts[t], "g.yaml", &grid), STATUS_OK);
        assert_int_equal(grid.n, 8);
        for (int64_t i = 0; i < grid.n; i++) {
            char name[128];
            assert_int_equal(grid_name(&grid, i, name, sizeof name), strlen(wanted[i]));
            assert_string_equal(name, wanted[i]);
            Config config;
            config_defaults(&config);
            grid_take(&grid, i, &config);
            assert_int_equal(config.network.width, i < 4 ? 4 : 8);
            assert_int_equal(config.network.mixing, i / 2 % 2 == 0 ? MIXING_DEPTHWISE : MIXING_FULL);
            assert_int_equal(config.train.seed, 1 + i % 2);
            for (int key = 0; key < CONFIG_KEYS; key++)
                assert_int_equal(config.is_set[key], key == CONFIG_NETWORK_WIDTH || key == CONFIG_NETWORK_MIXING ||
                                                         key == CONFIG_TRAIN_SEED);
        }
        grid_free(&grid);
    }
}

/* Whatever way a number is written, its name is the one that reads back. */
static void names_by_value(void **state)
{
    (void)state;
    Grid grid;
    char name[64], small[8];
    assert_int_equal(grid_parse("train.learning_rate: [1.0e-3, 0.0003, 1e-05]\ntrain.shuffle: [no]\n", "g.yaml", &grid),
                     STATUS_OK);
    assert_int_equal(grid.n, 3);
    static const char *const wanted[] = {"learning_rate=0.001_shuffle=false", "learning_rate=0.0003_shuffle=false",
                                         "learning_rate=1.0e-05_shuffle=false"};
    for (int64_t i = 0; i < 3; i++) {
        grid_name(&grid, i, name, sizeof name);
        assert_string_equal(name, wanted[i]);
    }
    assert_int_equal(grid_name(&grid, 0, small, sizeof small), strlen(wanted[0]));
    assert_string_equal(small, "learnin");
    assert_non_null(grid_find(&grid, CONFIG_TRAIN_SHUFFLE));
    assert_int_equal(grid_find(&grid, CONFIG_TRAIN_SHUFFLE)->line, 2);
    assert_null(grid_find(&grid, CONFIG_TRAIN_SEED));
    grid_free(&grid);
}

static void refuses_with_line_and_key(void **state)
{
    (void)state;
    static const struct {
        const char *text, *message;
    } refusals[] = {
        {"", "g.yaml: a grid is made of keys with lists"},
        {"{}", "a grid is made of keys"},
        {"- network.width", "a grid is made of keys"},
        {"network.width: [4, 8]\ntrain.sed: [1]", "g.yaml:2:1: unknown key train.sed; did you mean train.seed?"},
        {"nework.width: [4]", "g.yaml:1:1: unknown section 'nework'; did you mean network?"},
        {"network: {wide: [4]}", "g.yaml:1:11: unknown key network.wide"},
        {"nework: {width: [4]}", "g.yaml:1:1: unknown section 'nework'"},
        {"width: [4]", "g.yaml:1:1: 'width' is no section; write it as network: {width: 0}"},
        {"network: [4]", "g.yaml:1:10: network is a section and takes keys"},
        {"\nnetwork.width: 8", "g.yaml:2:16: network.width takes a list of values here, as in network.width: [0]"},
        {"network.width: []", "g.yaml:1:16: the list of network.width is empty"},
        {"network.width: [4, 8.5]", "g.yaml:1:20: network.width cannot be '8.5'; allowed: a whole number"},
        {"network.width: [4, ]\nnetwork.mixing: [dense]", "g.yaml:2:18: network.mixing cannot be 'dense'"},
        {"network.width: [4, [8]]", "g.yaml:1:20: network.width takes one value, not a list"},
        {"network.width: [4, '8']", "quotes"},
        {"network.width: [4, 8, 4]", "g.yaml:1:23: network.width has the value 4 twice"},
        {"train.learning_rate: [1e-3, 0.001]", "has the value 0.001 twice"},
        {"network.width: [4]\nnetwork: {width: [8]}", "g.yaml:2:11: network.width stands already on line 1"},
        {"network.width: [4\n", "this is no YAML"},
        {"network.width: [4]\n---\ntrain.seed: [1]\n", "a second document starts here; a grid is one"},
        {"? [a]\n: [3]", "a key of a grid is not a word"},
        {"network: {? [a] : [3]}", "a key of network is not a word"},
        {"train.seed: [1]\n\"split.seed\\0\": [2]", "g.yaml:2:1: 'split.seed' goes on with a zero byte"},
    };
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        Grid grid;
        status_clear();
        if (grid_parse(refusals[i].text, "g.yaml", &grid) != STATUS_CONFIG)
            fail_msg("not refused: %s", refusals[i].text);
        if (strstr(status_message(), refusals[i].message) == NULL)
            fail_msg("for '%s' the message is '%s', without '%s'", refusals[i].text, status_message(),
                     refusals[i].message);
        grid_free(&grid);
    }
}

static void refuses_too_many(void **state)
{
    (void)state;
    char text[4096] = "";
    static const char *const keys[] = {"train.seed",       "split.seed",      "train.max_epochs",
                                       "train.batch_size", "train.max_steps", "train.shards"};
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        strcat(strcat(text, keys[k]), ": [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]\n");
        Grid grid;
        Status status = grid_parse(text, "g.yaml", &grid);
        assert_int_equal(status, k < 5 ? STATUS_OK : STATUS_CONFIG);
        if (k == 5)
            assert_non_null(strstr(status_message(), "g.yaml:6:1: with train.shards there are more than 100000"));
        grid_free(&grid);
    }
}

/* Before the values are compared, each with all others. */
static void refuses_a_list_too_long(void **state)
{
    (void)state;
    static const char head[] = "train.seed: [";
    char *text = malloc(sizeof head + 2 * (GRID_COMBINATIONS_MAX + 2));
    assert_non_null(text);
    char *at = stpcpy(text, head);
    for (int i = 0; i <= GRID_COMBINATIONS_MAX; i++) at = stpcpy(at, "1,");
    strcpy(at, "]");
    Grid grid;
    assert_int_equal(grid_parse(text, "g.yaml", &grid), STATUS_CONFIG);
    assert_non_null(strstr(status_message(), "g.yaml:1:13: train.seed has 100001 values; a grid has at most 100000"));
    grid_free(&grid);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(combines_everything),       cmocka_unit_test(names_by_value),
        cmocka_unit_test(refuses_with_line_and_key), cmocka_unit_test(refuses_too_many),
        cmocka_unit_test(refuses_a_list_too_long),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
