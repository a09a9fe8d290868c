#include "seisdcn/grid.h"

#include "document_private.h"

#include "seisdcn/config_table.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* ---- reading ---- */

static Status read_item(Document *document, const yaml_node_t *node, GridAxis *axis)
{
    char text[CONFIG_VALUE_MAX];
    Config *value = &axis->value[axis->n];
    config_defaults(value);
    Status status = document_value(node, axis->key, value);
    for (int64_t i = 0; status == STATUS_OK && i < axis->n; i++)
        if (config_same(value, &axis->value[i], axis->key))
            status = status_fail(STATUS_CONFIG, "%s has the value %s twice; remove one of them", config_name(axis->key),
                                 config_describe(value, axis->key, text));
    if (status != STATUS_OK) return document_at(document, node, status);
    axis->n++;
    return STATUS_OK;
}

static Status read_list(Document *document, const yaml_node_t *node, GridAxis *axis)
{
    if (node->type != YAML_SEQUENCE_NODE)
        return document_at(
            document, node,
            status_fail(STATUS_CONFIG,
                        "%s takes a list of values here, as in %s: [%s]; a value that all have in common "
                        "belongs into --config",
                        config_name(axis->key), config_name(axis->key), config_table_entry(axis->key)->fallback));
    const yaml_node_item_t *first = node->data.sequence.items.start, *end = node->data.sequence.items.top;
    if (first == end)
        return document_at(document, node,
                           status_fail(STATUS_CONFIG, "the list of %s is empty", config_name(axis->key)));
    if (end - first > GRID_COMBINATIONS_MAX) /* before each is compared with all others */
        return document_at(document, node,
                           status_fail(STATUS_CONFIG, "%s has %td values; a grid has at most %d combinations",
                                       config_name(axis->key), end - first, (int)GRID_COMBINATIONS_MAX));
    axis->value = memory_new((size_t)(end - first), sizeof *axis->value, "the grid");
    if (axis->value == NULL) return STATUS_MEMORY;
    Status status = STATUS_OK;
    for (const yaml_node_item_t *item = first; status == STATUS_OK && item < end; item++)
        status = read_item(document, document_node(document, *item), axis);
    return status;
}

/* A key, at node `at`, with its list. */
static Status read_axis(Document *document, const yaml_node_t *at, ConfigKey key, const yaml_node_t *list, Grid *grid)
{
    const GridAxis *before = grid_find(grid, key);
    if (before != NULL)
        return document_at(document, at,
                           status_fail(STATUS_CONFIG, "%s stands already on line %zu; make them one list",
                                       config_name(key), before->line));
    GridAxis *axis = &grid->axis[grid->n_axes++];
    *axis = (GridAxis){.key = key, .line = document_line(at)};
    Status status = read_list(document, list, axis);
    if (status != STATUS_OK) return status;
    if (axis->n > GRID_COMBINATIONS_MAX / grid->n)
        return document_at(document, at,
                           status_fail(STATUS_CONFIG, "with %s there are more than %d combinations", config_name(key),
                                       GRID_COMBINATIONS_MAX));
    grid->n *= axis->n;
    return STATUS_OK;
}

static Status read_section(Document *document, const yaml_node_t *name, const yaml_node_t *node, Grid *grid)
{
    const char *section = document_text(name);
    if (!config_table_has(section)) return document_at(document, name, document_unknown_section(section));
    if (node->type != YAML_MAPPING_NODE)
        return document_at(document, node,
                           status_fail(STATUS_CONFIG, "%s is a section and takes keys, as in %s: {key: [value, value]}",
                                       section, section));
    Status status = STATUS_OK;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         status == STATUS_OK && pair < node->data.mapping.pairs.top; pair++) {
        const yaml_node_t *at = document_node(document, pair->key);
        if (at->type != YAML_SCALAR_NODE)
            return document_at(document, at, status_fail(STATUS_CONFIG, "a key of %s is not a word", section));
        ConfigKey key = config_table_find(section, document_text(at));
        if (key == CONFIG_KEYS) return document_at(document, at, config_table_unknown(section, document_text(at)));
        status = read_axis(document, at, key, document_node(document, pair->value), grid);
    }
    return status;
}

/* A section with keys, or a key by its full name with a list. */
static Status read_pair(Document *document, const yaml_node_t *name, const yaml_node_t *node, Grid *grid)
{
    if (name->type != YAML_SCALAR_NODE)
        return document_at(document, name, status_fail(STATUS_CONFIG, "a key of a grid is not a word"));
    const char *word = document_text(name), *dot = strchr(word, '.');
    if (dot == NULL) return read_section(document, name, node, grid);
    char *section = text_format("%.*s", (int)(dot - word), word);
    if (section == NULL) return STATUS_MEMORY;
    ConfigKey key = config_table_find(section, dot + 1);
    Status status = key == CONFIG_KEYS ? document_at(document, name, config_table_unknown(section, dot + 1))
                                       : read_axis(document, name, key, node, grid);
    memory_free(section);
    return status;
}

static Status read_grid(Document *document, Grid *grid)
{
    const yaml_node_t *root = document_root(document);
    if (root == NULL || root->type != YAML_MAPPING_NODE ||
        root->data.mapping.pairs.start == root->data.mapping.pairs.top)
        return status_fail(STATUS_CONFIG,
                           "%s: a grid is made of keys with lists of values, as in network.width: [4, 8]",
                           document->name);
    Status status = STATUS_OK;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         status == STATUS_OK && pair < root->data.mapping.pairs.top; pair++)
        status = read_pair(document, document_node(document, pair->key), document_node(document, pair->value), grid);
    return status;
}

Status grid_parse(const char *text, const char *name, Grid *grid)
{
    *grid = (Grid){.n = 1};
    Document document;
    Status status = document_load(text, name, "a grid", &document);
    if (status != STATUS_OK) return status;
    status = read_grid(&document, grid);
    document_free(&document);
    return status;
}

void grid_free(Grid *grid)
{
    for (int a = 0; a < grid->n_axes; a++) memory_free(grid->axis[a].value);
    *grid = (Grid){0};
}

/* ---- combinations ---- */

const GridAxis *grid_find(const Grid *grid, ConfigKey key)
{
    for (int a = 0; a < grid->n_axes; a++)
        if (grid->axis[a].key == key) return &grid->axis[a];
    return NULL;
}

/* Which value of axis a combination i has. */
static int64_t value_of(const Grid *grid, int64_t i, int a)
{
    for (int later = grid->n_axes - 1; later > a; later--) i /= grid->axis[later].n;
    return i % grid->axis[a].n;
}

void grid_take(const Grid *grid, int64_t i, Config *config)
{
    for (int a = 0; a < grid->n_axes; a++) {
        const GridAxis *axis = &grid->axis[a];
        config_copy(config, &axis->value[value_of(grid, i, a)], axis->key);
        config->is_set[axis->key] = true;
    }
}

size_t grid_name(const Grid *grid, int64_t i, char *text, size_t size)
{
    char value[CONFIG_VALUE_MAX];
    size_t at = 0;
    if (size > 0) text[0] = '\0';
    for (int a = 0; a < grid->n_axes; a++) {
        const GridAxis *axis = &grid->axis[a];
        int n = snprintf(at < size ? text + at : NULL, at < size ? size - at : 0, "%s%s=%s", a == 0 ? "" : "_",
                         config_short_name(axis->key),
                         config_describe(&axis->value[value_of(grid, i, a)], axis->key, value));
        at += (size_t)n;
    }
    return at;
}
