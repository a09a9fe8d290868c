/* Private to format: a YAML text as libyaml's document, whose nodes know their lines, and a configuration's value out
 * of a node. Anchors and aliases are libyaml's business: an alias is the node that it stands for. */
#ifndef SEISDCN_DOCUMENT_PRIVATE_H
#define SEISDCN_DOCUMENT_PRIVATE_H

#include "seisdcn/config.h"
#include "seisdcn/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <yaml.h>

typedef struct {
    const char *name; /* of the file */
    yaml_document_t yaml;
} Document;

/* Reads a text that holds one document, or none; `what` is what it is, for messages ("a configuration"). Local.
 * STATUS_CONFIG where it is no YAML or a second document stands behind the first, STATUS_MEMORY. On failure nothing is
 * left to be freed. */
Status document_load(const char *text, const char *name, const char *what, Document *document);

void document_free(Document *document);

/* The node of everything, NULL where the text is empty; and node number `index`. Pure. */
const yaml_node_t *document_root(Document *document);
const yaml_node_t *document_node(Document *document, int index);

/* Puts the node's place, file:line:column, before the recorded message; returns status. Local. */
Status document_at(const Document *document, const yaml_node_t *node, Status status);

/* The node's line, from 1. Pure. */
size_t document_line(const yaml_node_t *node);

/* The text of a scalar. Pure. */
const char *document_text(const yaml_node_t *node);

/* Whether a node is YAML's nothing: `key:` with no value, `~` or `null`. Pure. */
bool document_is_nothing(const yaml_node_t *node);

/* Takes a node as the value of key into config, without marking it as set. Local. STATUS_CONFIG, without the place. */
Status document_value(const yaml_node_t *node, ConfigKey key, Config *config);

/* Records that `name`, where a section is wanted, is none: somebody may have written a key's full name as in --set.
 * Local. Returns STATUS_CONFIG. */
Status document_unknown_section(const char *name);

#endif
