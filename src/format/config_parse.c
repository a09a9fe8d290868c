/* config_parse(): a YAML text into the configuration, by libyaml's document API, whose nodes know their lines. Anchors
 * and aliases are libyaml's business: an alias is the node that it stands for. */
#include "seisdcn/config.h"
#include "seisdcn/config_table.h"
#include "seisdcn/text.h"

#include <string.h>
#include <strings.h>
#include <yaml.h>

typedef struct {
    Config *config;
    const char *name; /* of the file */
    yaml_document_t *document;
    size_t first_line[CONFIG_KEYS]; /* where the file sets the key, from 1; 0: nowhere yet */
    struct {
        const char *name;
        size_t line;
    } section[CONFIG_KEYS]; /* the sections that stood already */
    size_t n_sections;
} Reader;

/* Puts the node's place before the recorded message. */
static Status at_node(const Reader *reader, const yaml_node_t *node, Status status)
{
    return status_prefix(status, "%s:%zu:%zu", reader->name, node->start_mark.line + 1, node->start_mark.column + 1);
}

static const char *scalar_text(const yaml_node_t *node) { return (const char *)node->data.scalar.value; }

static bool is_plain(const yaml_node_t *node) { return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE; }

/* Whether a node is YAML's nothing: `key:` with no value, `~` or `null`. */
static bool is_nothing(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || !is_plain(node)) return false;
    const char *text = scalar_text(node);
    return *text == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

static Status read_value(Reader *reader, ConfigKey key, const yaml_node_t *node)
{
    const ConfigEntry *entry = config_table_entry(key);
    char range[CONFIG_RANGE_MAX];
    config_table_range(entry, range);
    if (node->type != YAML_SCALAR_NODE)
        return status_fail(STATUS_CONFIG, "%s takes one value, not a %s; allowed: %s", config_name(key),
                           node->type == YAML_SEQUENCE_NODE ? "list" : "section", range);
    if (is_nothing(node)) return status_fail(STATUS_CONFIG, "%s has no value; allowed: %s", config_name(key), range);
    if (entry->kind != CONFIG_CHOICE && !is_plain(node))
        return status_fail(STATUS_CONFIG, "%s is a text in quotes; write it without them (allowed: %s)",
                           config_name(key), range);
    if (strlen(scalar_text(node)) != node->data.scalar.length)
        return status_fail(STATUS_CONFIG, "%s holds a zero byte; allowed: %s", config_name(key), range);
    return config_table_assign(reader->config, key, scalar_text(node));
}

static Status read_pair(Reader *reader, const char *section, const yaml_node_t *name, const yaml_node_t *value)
{
    if (name->type != YAML_SCALAR_NODE)
        return at_node(reader, name, status_fail(STATUS_CONFIG, "a key of %s is not a word", section));
    ConfigKey key = config_table_find(section, scalar_text(name));
    if (key == CONFIG_KEYS) return at_node(reader, name, config_table_unknown(section, scalar_text(name)));
    size_t line = name->start_mark.line + 1;
    if (reader->first_line[key] != 0)
        return at_node(reader, name,
                       status_fail(STATUS_CONFIG, "%s stands already on line %zu; remove one of them", config_name(key),
                                   reader->first_line[key]));
    reader->first_line[key] = line;
    Status status = read_value(reader, key, value);
    if (status != STATUS_OK) return at_node(reader, value, status);
    reader->config->is_set[key] = true;
    return STATUS_OK;
}

/* An unknown section; somebody may have written the key's full name as in --set. */
static Status unknown_section(const char *name)
{
    for (int key = 0; key < CONFIG_KEYS; key++) {
        const ConfigEntry *entry = config_table_entry((ConfigKey)key);
        if (strcmp(config_name((ConfigKey)key), name) == 0 || strcmp(entry->name, name) == 0)
            return status_fail(STATUS_CONFIG, "'%s' is no section; write it as %s: {%s: %s}", name, entry->section,
                               entry->name, entry->fallback);
    }
    return config_table_unknown(name, NULL);
}

static Status read_section(Reader *reader, const yaml_node_t *name, const yaml_node_t *node)
{
    if (name->type != YAML_SCALAR_NODE)
        return at_node(reader, name, status_fail(STATUS_CONFIG, "the name of a section is not a word"));
    const char *section = scalar_text(name);
    bool known = false;
    for (int key = 0; key < CONFIG_KEYS; key++)
        if (strcmp(config_table_entry((ConfigKey)key)->section, section) == 0) known = true;
    if (!known) return at_node(reader, name, unknown_section(section));
    for (size_t i = 0; i < reader->n_sections; i++)
        if (strcmp(reader->section[i].name, section) == 0)
            return at_node(reader, name,
                           status_fail(STATUS_CONFIG, "section %s stands already on line %zu; make them one", section,
                                       reader->section[i].line));
    reader->section[reader->n_sections].name = section;
    reader->section[reader->n_sections++].line = name->start_mark.line + 1;
    if (is_nothing(node)) return STATUS_OK; /* every key of it commented out */
    if (node->type != YAML_MAPPING_NODE)
        return at_node(
            reader, node,
            status_fail(STATUS_CONFIG, "%s is a section and takes keys, as in %s: {key: value}", section, section));
    Status status = STATUS_OK;
    for (yaml_node_pair_t *pair = node->data.mapping.pairs.start;
         status == STATUS_OK && pair < node->data.mapping.pairs.top; pair++)
        status = read_pair(reader, section, yaml_document_get_node(reader->document, pair->key),
                           yaml_document_get_node(reader->document, pair->value));
    return status;
}

static Status read_document(Reader *reader, const yaml_node_t *root)
{
    if (root == NULL || is_nothing(root)) return STATUS_OK;
    if (root->type != YAML_MAPPING_NODE)
        return at_node(reader, root,
                       status_fail(STATUS_CONFIG, "a configuration is made of sections, as in patch: {stride: "
                                                  "4}"));
    Status status = STATUS_OK;
    for (yaml_node_pair_t *pair = root->data.mapping.pairs.start;
         status == STATUS_OK && pair < root->data.mapping.pairs.top; pair++)
        status = read_section(reader, yaml_document_get_node(reader->document, pair->key),
                              yaml_document_get_node(reader->document, pair->value));
    return status;
}

/* What libyaml says about a text that is no YAML. */
static Status malformed(const yaml_parser_t *parser, const char *text, const char *name)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return status_fail(STATUS_MEMORY, "%s: out of memory while reading the configuration", name);
    size_t line = parser->problem_mark.line + 1, column = parser->problem_mark.column + 1;
    if (parser->error == YAML_READER_ERROR) { /* bytes that are no text have only an offset */
        line = column = 1;
        for (size_t i = 0; i < parser->problem_offset && text[i] != '\0'; i++) {
            column = text[i] == '\n' ? 1 : column + 1;
            line += text[i] == '\n';
        }
    }
    bool tab = parser->problem != NULL && strstr(parser->problem, "cannot start any token") != NULL;
    return status_fail(STATUS_CONFIG, "%s:%zu:%zu: this is no YAML: %s%s%s%s", name, line, column,
                       parser->context == NULL ? "" : parser->context, parser->context == NULL ? "" : ", ",
                       parser->problem == NULL ? "unknown problem" : parser->problem,
                       tab ? " (YAML indents with blanks, never with tabs)" : "");
}

/* Reads the next document, of which there is one without a root behind the last. */
static Status load(yaml_parser_t *parser, yaml_document_t *document, const char *text, const char *name)
{
    return yaml_parser_load(parser, document) ? STATUS_OK : malformed(parser, text, name);
}

static Status refuse_second(const yaml_document_t *document, const yaml_node_t *root, const char *name)
{
    if (root == NULL) return STATUS_OK;
    return status_fail(STATUS_CONFIG, "%s:%zu: a second document starts here; a configuration is one", name,
                       document->start_mark.line + 1);
}

Status config_parse(Config *config, const char *text, const char *name)
{
    yaml_parser_t parser;
    if (!yaml_parser_initialize(&parser))
        return status_fail(STATUS_MEMORY, "%s: out of memory while reading the configuration", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    yaml_document_t document;
    Reader reader = {.config = config, .name = name, .document = &document};
    Status status = load(&parser, &document, text, name);
    if (status == STATUS_OK) {
        status = read_document(&reader, yaml_document_get_root_node(&document));
        yaml_document_delete(&document);
        if (status == STATUS_OK) status = load(&parser, &document, text, name); /* a failed load leaves nothing */
        if (status == STATUS_OK) {
            status = refuse_second(&document, yaml_document_get_root_node(&document), name);
            yaml_document_delete(&document);
        }
    }
    yaml_parser_delete(&parser);
    return status;
}
