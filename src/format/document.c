#include "document_private.h"

#include "seisdcn/config_table.h"

#include <string.h>
#include <strings.h>

/* What libyaml says about a text that is no YAML. */
static Status malformed(const yaml_parser_t *parser, const char *text, const char *name, const char *what)
{
    if (parser->error == YAML_MEMORY_ERROR)
        return status_fail(STATUS_MEMORY, "%s: out of memory while reading %s", name, what);
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

/* Behind the last document there is one without a root. */
static Status refuse_second(yaml_parser_t *parser, const char *text, const char *name, const char *what)
{
    yaml_document_t second;
    if (!yaml_parser_load(parser, &second)) return malformed(parser, text, name, what);
    Status status = STATUS_OK;
    if (yaml_document_get_root_node(&second) != NULL)
        status = status_fail(STATUS_CONFIG, "%s:%zu: a second document starts here; %s is one", name,
                             second.start_mark.line + 1, what);
    yaml_document_delete(&second);
    return status;
}

/* YAML can spell a zero byte ("\\0"), behind which nobody would see what stands in a word. */
static Status check_words(const Document *document)
{
    for (const yaml_node_t *node = document->yaml.nodes.start; node < document->yaml.nodes.top; node++)
        if (node->type == YAML_SCALAR_NODE && strlen(document_text(node)) != node->data.scalar.length)
            return document_at(
                document, node,
                status_fail(STATUS_CONFIG, "'%.80s' goes on with a zero byte, which no word has", document_text(node)));
    return STATUS_OK;
}

Status document_load(const char *text, const char *name, const char *what, Document *document)
{
    yaml_parser_t parser;
    document->name = name;
    if (!yaml_parser_initialize(&parser))
        return status_fail(STATUS_MEMORY, "%s: out of memory while reading %s", name, what);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, strlen(text));
    Status status = STATUS_OK;
    if (!yaml_parser_load(&parser, &document->yaml)) { /* which then leaves nothing */
        status = malformed(&parser, text, name, what);
    } else {
        status = refuse_second(&parser, text, name, what);
        if (status == STATUS_OK) status = check_words(document);
        if (status != STATUS_OK) yaml_document_delete(&document->yaml);
    }
    yaml_parser_delete(&parser);
    return status;
}

void document_free(Document *document) { yaml_document_delete(&document->yaml); }

const yaml_node_t *document_root(Document *document) { return yaml_document_get_root_node(&document->yaml); }

const yaml_node_t *document_node(Document *document, int index)
{
    return yaml_document_get_node(&document->yaml, index);
}

Status document_at(const Document *document, const yaml_node_t *node, Status status)
{
    return status_prefix(status, "%s:%zu:%zu", document->name, document_line(node), node->start_mark.column + 1);
}

size_t document_line(const yaml_node_t *node) { return node->start_mark.line + 1; }

const char *document_text(const yaml_node_t *node) { return (const char *)node->data.scalar.value; }

static bool is_plain(const yaml_node_t *node) { return node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE; }

bool document_is_nothing(const yaml_node_t *node)
{
    if (node->type != YAML_SCALAR_NODE || !is_plain(node)) return false;
    const char *text = document_text(node);
    return *text == '\0' || strcmp(text, "~") == 0 || strcasecmp(text, "null") == 0;
}

Status document_value(const yaml_node_t *node, ConfigKey key, Config *config)
{
    const ConfigEntry *entry = config_table_entry(key);
    char range[CONFIG_RANGE_MAX];
    config_table_range(entry, range);
    if (node->type != YAML_SCALAR_NODE)
        return status_fail(STATUS_CONFIG, "%s takes one value, not a %s; allowed: %s", config_name(key),
                           node->type == YAML_SEQUENCE_NODE ? "list" : "section", range);
    if (document_is_nothing(node))
        return status_fail(STATUS_CONFIG, "%s has no value; allowed: %s", config_name(key), range);
    if (entry->kind != CONFIG_CHOICE && !is_plain(node))
        return status_fail(STATUS_CONFIG, "%s is a text in quotes; write it without them (allowed: %s)",
                           config_name(key), range);
    return config_table_assign(config, key, document_text(node));
}

Status document_unknown_section(const char *name)
{
    for (int key = 0; key < CONFIG_KEYS; key++) {
        const ConfigEntry *entry = config_table_entry((ConfigKey)key);
        if (strcmp(config_name((ConfigKey)key), name) == 0 || strcmp(entry->name, name) == 0)
            return status_fail(STATUS_CONFIG, "'%s' is no section; write it as %s: {%s: %s}", name, entry->section,
                               entry->name, entry->fallback);
    }
    return config_table_unknown(name, NULL);
}
