#include "seisdcn/config.h"

#include "seisdcn/config_table.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void config_defaults(Config *config)
{
    memset(config, 0, sizeof *config);
    for (int key = 0; key < CONFIG_KEYS; key++) /* the unit tests see to it that no default is refused */
        (void)config_table_assign(config, (ConfigKey)key, config_table_entry((ConfigKey)key)->fallback);
}

/* Cuts blanks off both ends, in place; returns the new start. */
static char *trim(char *text)
{
    while (isspace((unsigned char)*text)) text++;
    size_t n = strlen(text);
    while (n > 0 && isspace((unsigned char)text[n - 1])) text[--n] = '\0';
    return text;
}

/* text is `section.key=value`, and is cut into its parts. */
static Status set_parts(Config *config, char *text)
{
    char *equals = strchr(text, '=');
    if (equals == NULL) return status_fail(STATUS_USAGE, "wanted: section.key=value, as in patch.stride=4");
    *equals = '\0';
    char *name = trim(text), *value = trim(equals + 1), *dot = strchr(name, '.');
    if (dot == NULL) {
        for (int key = 0; key < CONFIG_KEYS; key++)
            if (strcmp(config_table_entry((ConfigKey)key)->name, name) == 0)
                return status_fail(STATUS_CONFIG, "'%.80s' is no section.key; did you mean %s?", name,
                                   config_name((ConfigKey)key));
        return status_fail(STATUS_CONFIG, "'%.80s' is no section.key, as in patch.stride=4", name);
    }
    *dot = '\0';
    ConfigKey key = config_table_find(name, dot + 1);
    if (key == CONFIG_KEYS) return config_table_unknown(name, dot + 1);
    Status status = config_table_assign(config, key, value);
    if (status == STATUS_OK) config->is_set[key] = true;
    return status;
}

Status config_set(Config *config, const char *assignment)
{
    char *text = text_copy(assignment);
    if (text == NULL) return STATUS_MEMORY;
    Status status = set_parts(config, text);
    memory_free(text);
    return status == STATUS_OK ? status : status_prefix(status, "--set %.160s", assignment);
}

/* A text that grows; once out of memory it stays so. */
typedef struct {
    char *text; /* [room], ended by a zero */
    size_t used, room;
    bool failed;
} Writer;

__attribute__((format(printf, 2, 3))) static void write_text(Writer *writer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (writer->failed || length < 0) return;
    size_t needed = writer->used + (size_t)length + 1;
    if (needed > writer->room) {
        void *block = writer->text;
        if (memory_grow(&block, writer->used, 2 * needed, 1, "the configuration's text") != 0) {
            writer->failed = true;
            return;
        }
        writer->text = block;
        writer->room = 2 * needed;
    }
    va_start(arguments, format);
    vsnprintf(writer->text + writer->used, writer->room - writer->used, format, arguments);
    va_end(arguments);
    writer->used += (size_t)length;
}

/* The shortest decimal that reads back to the same bits, as YAML 1.1 knows a number: with a point before an exponent.
 */
static void format_number(double value, char text[40])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, 32, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    char *exponent = strchr(text, 'e');
    if (exponent != NULL && strchr(text, '.') == NULL) {
        memmove(exponent + 2, exponent, strlen(exponent) + 1);
        exponent[0] = '.';
        exponent[1] = '0';
    }
}

static void write_value(Writer *writer, const Config *config, const ConfigEntry *entry)
{
    const char *place = (const char *)config + entry->offset;
    int64_t whole = 0;
    double number = 0;
    bool flag = false;
    char text[40];
    switch (entry->kind) {
    case CONFIG_INT:
        memcpy(&whole, place, sizeof whole);
        write_text(writer, "%" PRId64, whole);
        break;
    case CONFIG_CHOICE:
        memcpy(&whole, place, sizeof whole);
        write_text(writer, "%s", entry->choices[whole]);
        break;
    case CONFIG_NUMBER:
        memcpy(&number, place, sizeof number);
        format_number(number, text);
        write_text(writer, "%s", text);
        break;
    case CONFIG_FLAG:
        memcpy(&flag, place, sizeof flag);
        write_text(writer, flag ? "true" : "false");
        break;
    }
}

enum { COMMENT_WIDTH = 100 };

/* The words of text as comment lines of at most COMMENT_WIDTH columns. */
static void write_comment(Writer *writer, const char *text)
{
    int column = 0;
    while (*text != '\0') {
        int length = (int)strcspn(text, " ");
        if (column > 0 && column + 1 + length > COMMENT_WIDTH) {
            write_text(writer, "\n");
            column = 0;
        }
        if (column == 0) column = 3;
        write_text(writer, "%s%.*s", column == 3 ? "  # " : " ", length, text);
        column += 1 + length;
        text += length + (text[length] == ' ');
    }
    write_text(writer, "\n");
}

static void explain_entry(Writer *writer, const ConfigEntry *entry)
{
    char range[CONFIG_RANGE_MAX], line[1024];
    snprintf(line, sizeof line, "%s Allowed: %s%s%s; default: %s.", entry->help, config_table_range(entry, range),
             entry->unit == NULL ? "" : " ", entry->unit == NULL ? "" : entry->unit, entry->fallback);
    write_comment(writer, line);
}

/* The keys that count; a section's name goes before the first of them. */
static char *format_keys(const Config *config, bool explain, bool only_set)
{
    Writer writer = {0};
    const char *section = "";
    write_text(&writer, "%s",
               !explain ? ""
                        : "# seisdcn's configuration: every key with its meaning, range and default. A file needs only "
                          "the keys that it changes.\n# Written by `seisdcn help config`.\n");
    for (int key = 0; key < CONFIG_KEYS; key++) {
        const ConfigEntry *entry = config_table_entry((ConfigKey)key);
        if (only_set && !config->is_set[key]) continue;
        if (strcmp(entry->section, section) != 0) write_text(&writer, "%s%s:\n", explain ? "\n" : "", entry->section);
        section = entry->section;
        if (explain) explain_entry(&writer, entry);
        write_text(&writer, "  %s: ", entry->name);
        write_value(&writer, config, entry);
        write_text(&writer, "\n");
    }
    if (!writer.failed) return writer.text;
    memory_free(writer.text);
    return NULL;
}

char *config_format(const Config *config, bool explain) { return format_keys(config, explain, false); }

char *config_format_set(const Config *config) { return format_keys(config, false, true); }

const char *config_name(ConfigKey key)
{
    static char names[CONFIG_KEYS][64]; /* filled once and then only read: the program has one thread */
    const ConfigEntry *entry = config_table_entry(key);
    if (names[key][0] == '\0') snprintf(names[key], sizeof names[key], "%s.%s", entry->section, entry->name);
    return names[key];
}

const char *config_word(ConfigKey key, int64_t value)
{
    const ConfigEntry *entry = config_table_entry(key);
    if (entry->kind != CONFIG_CHOICE || value < 0) return NULL;
    for (int64_t i = 0; entry->choices[i] != NULL; i++)
        if (i == value) return entry->choices[i];
    return NULL;
}

int64_t config_choice(ConfigKey key, const char *word)
{
    const ConfigEntry *entry = config_table_entry(key);
    if (entry->kind != CONFIG_CHOICE) return -1;
    for (int64_t i = 0; entry->choices[i] != NULL; i++)
        if (strcmp(entry->choices[i], word) == 0) return i;
    return -1;
}

ConfigKey config_find(const char *name)
{
    ConfigKey found = CONFIG_KEYS;
    for (int key = 0; key < CONFIG_KEYS; key++) {
        if (strcmp(config_name((ConfigKey)key), name) == 0) return (ConfigKey)key;
        if (strcmp(config_table_entry((ConfigKey)key)->name, name) != 0) continue;
        if (found != CONFIG_KEYS) return CONFIG_KEYS; /* of two sections */
        found = (ConfigKey)key;
    }
    return found;
}

const char *config_short_name(ConfigKey key)
{
    const char *name = config_table_entry(key)->name;
    return config_find(name) == key ? name : config_name(key);
}

char *config_describe(const Config *config, ConfigKey key, char text[CONFIG_VALUE_MAX])
{
    Writer writer = {0};
    write_value(&writer, config, config_table_entry(key));
    snprintf(text, CONFIG_VALUE_MAX, "%s", writer.failed || writer.text == NULL ? "?" : writer.text);
    memory_free(writer.text);
    return text;
}

static size_t value_bytes(const ConfigEntry *entry)
{
    return entry->kind == CONFIG_FLAG ? sizeof(bool) : sizeof(int64_t);
}

bool config_same(const Config *a, const Config *b, ConfigKey key)
{
    const ConfigEntry *entry = config_table_entry(key);
    const char *x = (const char *)a + entry->offset, *y = (const char *)b + entry->offset;
    if (entry->kind != CONFIG_NUMBER) return memcmp(x, y, value_bytes(entry)) == 0;
    double p, q; /* 0 and -0 are the same number, not the same bits */
    memcpy(&p, x, sizeof p);
    memcpy(&q, y, sizeof q);
    return p == q;
}

void config_copy(Config *to, const Config *from, ConfigKey key)
{
    const ConfigEntry *entry = config_table_entry(key);
    memcpy((char *)to + entry->offset, (const char *)from + entry->offset, value_bytes(entry));
}

/* The user's explicit value stands in config, the owner's in other. */
static Status take_from(Config *config, ConfigKey key, const Config *other, const char *owner)
{
    if (config->is_set[key] && !config_same(config, other, key)) {
        char wanted[CONFIG_VALUE_MAX], held[CONFIG_VALUE_MAX];
        return status_fail(STATUS_CONFIG, "%s is set to %s, but %s has %s; leave the key out, or set it to that",
                           config_name(key), config_describe(config, key, wanted), owner,
                           config_describe(other, key, held));
    }
    config_copy(config, other, key);
    return STATUS_OK;
}

/* An owner's value that the key cannot have at all. */
static Status impossible(ConfigKey key, double value, const char *owner)
{
    char range[CONFIG_RANGE_MAX];
    return status_fail(STATUS_DATA, "%s: %s is %g; allowed: %s", owner, config_name(key), value,
                       config_table_range(config_table_entry(key), range));
}

Status config_take_int(Config *config, ConfigKey key, int64_t value, const char *owner)
{
    const ConfigEntry *entry = config_table_entry(key);
    char text[32];
    if (entry->kind == CONFIG_FLAG)
        snprintf(text, sizeof text, value == 0 ? "false" : "true");
    else if (entry->kind == CONFIG_CHOICE)
        snprintf(text, sizeof text, "%s", config_word(key, value) == NULL ? "" : config_word(key, value));
    else
        snprintf(text, sizeof text, "%" PRId64, value);
    Config other = *config;
    if (config_table_assign(&other, key, text) != STATUS_OK) return impossible(key, (double)value, owner);
    return take_from(config, key, &other, owner);
}

Status config_take(Config *config, ConfigKey key, double value, const char *owner)
{
    if (config_table_entry(key)->kind != CONFIG_NUMBER) {
        if (!(fabs(value) < 9e18)) return impossible(key, value, owner);
        return config_take_int(config, key, (int64_t)value, owner);
    }
    char text[40];
    snprintf(text, sizeof text, "%.17g", value); /* reads back to the same bits; nan and inf are refused */
    Config other = *config;
    if (config_table_assign(&other, key, text) != STATUS_OK) return impossible(key, value, owner);
    return take_from(config, key, &other, owner);
}
