/* config_table: the one table of configuration keys; config reads, checks, explains and prints by it. */
#ifndef SEISDCN_CONFIG_TABLE_H
#define SEISDCN_CONFIG_TABLE_H

#include "seisdcn/config.h"

#include <stddef.h>
#include <stdint.h>

typedef enum { CONFIG_INT, CONFIG_NUMBER, CONFIG_FLAG, CONFIG_CHOICE } ConfigKind;

enum { CONFIG_CHOICES_MAX = 5, CONFIG_RANGE_MAX = 96 };

typedef struct {
    const char *section, *name;
    ConfigKind kind;
    size_t offset;                  /* of the value in Config: int64_t (CONFIG_INT, CONFIG_CHOICE), double, bool */
    const char *fallback;           /* the default, as a user would write it */
    int64_t least, most;            /* CONFIG_INT: allowed from .. to */
    double low, high;               /* CONFIG_NUMBER: allowed from .. to, high may be INFINITY */
    bool without_low, without_high; /* CONFIG_NUMBER: the end itself is not allowed */
    const char *choices[CONFIG_CHOICES_MAX + 1]; /* CONFIG_CHOICE: words in the order of the enum, ended by NULL */
    const char *unit;                            /* of the value, NULL where it is a plain number */
    const char *help;                            /* what it is for, in one or more sentences */
} ConfigEntry;

/* The entry of a key. Pure. */
const ConfigEntry *config_table_entry(ConfigKey key);

/* The key of section and name, CONFIG_KEYS where there is none. Pure. */
ConfigKey config_table_find(const char *section, const char *name);

/* Whether there is a section of this name. Pure. */
bool config_table_has(const char *section);

/* Writes what is allowed ("3 to 256", "0 <= value < 1", "true or false", "none | add") into text (CONFIG_RANGE_MAX
 * bytes) and returns it. Pure. */
char *config_table_range(const ConfigEntry *entry, char *text);

/* Takes text as the value of key into config, without marking it as set by the user. Local. STATUS_CONFIG says what is
 * wrong with the value and what is allowed. */
Status config_table_assign(Config *config, ConfigKey key, const char *text);

/* Records that section.name (name NULL: the section) is not known, with the nearest known one. Local. Returns
 * STATUS_CONFIG. */
Status config_table_unknown(const char *section, const char *name);

#endif
