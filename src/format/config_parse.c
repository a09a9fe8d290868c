/* config_parse(): a YAML text into the configuration. */
#include "document_private.h"

#include "seisdcn/config.h"
#include "seisdcn/config_table.h"

#include <string.h>

typedef struct {
    Config *config;
    Document document;
    size_t first_line[CONFIG_KEYS]; /* where the file sets the key, from 1; 0: nowhere yet */
    struct {
        const char *name;
        size_t line;
    } section[CONFIG_KEYS]; /* the sections that stood already */
    size_t n_sections;
} Reader;

static Status read_pair(Reader *reader, const char *section, const yaml_node_t *name, const yaml_node_t *value)
{
    const Document *document = &reader->document;
    if (name->type != YAML_SCALAR_NODE)
        return document_at(document, name, status_fail(STATUS_CONFIG, "a key of %s is not a word", section));
    ConfigKey key = config_table_find(section, document_text(name));
    if (key == CONFIG_KEYS) return document_at(document, name, config_table_unknown(section, document_text(name)));
    if (reader->first_line[key] != 0)
        return document_at(document, name,
                           status_fail(STATUS_CONFIG, "%s stands already on line %zu; remove one of them",
                                       config_name(key), reader->first_line[key]));
    reader->first_line[key] = document_line(name);
    Status status = document_value(value, key, reader->config);
    if (status != STATUS_OK) return document_at(document, value, status);
    reader->config->is_set[key] = true;
    return STATUS_OK;
}

static Status read_section(Reader *reader, const yaml_node_t *name, const yaml_node_t *node)
{
    Document *document = &reader->document;
    if (name->type != YAML_SCALAR_NODE)
        return document_at(document, name, status_fail(STATUS_CONFIG, "the name of a section is not a word"));
    const char *section = document_text(name);
    if (!config_table_has(section)) return document_at(document, name, document_unknown_section(section));
    for (size_t i = 0; i < reader->n_sections; i++)
        if (strcmp(reader->section[i].name, section) == 0)
            return document_at(document, name,
                               status_fail(STATUS_CONFIG, "section %s stands already on line %zu; make them one",
                                           section, reader->section[i].line));
    reader->section[reader->n_sections].name = section;
    reader->section[reader->n_sections++].line = document_line(name);
    if (document_is_nothing(node)) return STATUS_OK; /* every key of it commented out */
    if (node->type != YAML_MAPPING_NODE)
        return document_at(
            document, node,
            status_fail(STATUS_CONFIG, "%s is a section and takes keys, as in %s: {key: value}", section, section));
    Status status = STATUS_OK;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         status == STATUS_OK && pair < node->data.mapping.pairs.top; pair++)
        status = read_pair(reader, section, document_node(document, pair->key), document_node(document, pair->value));
    return status;
}

static Status read_document(Reader *reader)
{
    Document *document = &reader->document;
    const yaml_node_t *root = document_root(document);
    if (root == NULL || document_is_nothing(root)) return STATUS_OK;
    if (root->type != YAML_MAPPING_NODE)
        return document_at(document, root,
                           status_fail(STATUS_CONFIG, "a configuration is made of sections, as in patch: {stride: "
                                                      "4}"));
    Status status = STATUS_OK;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         status == STATUS_OK && pair < root->data.mapping.pairs.top; pair++)
        status = read_section(reader, document_node(document, pair->key), document_node(document, pair->value));
    return status;
}

Status config_parse(Config *config, const char *text, const char *name)
{
    Reader reader = {.config = config};
    Status status = document_load(text, name, "a configuration", &reader.document);
    if (status != STATUS_OK) return status;
    status = read_document(&reader);
    document_free(&reader.document);
    return status;
}
