/* The manual page, in the man macros of roff, out of the tables of commands, options and configuration keys. */
#include "help_private.h"

#include "seisdcn/config_table.h"
#include "seisdcn/help.h"
#include "seisdcn/log.h"
#include "seisdcn/options.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 4096 };

/* What roff reads as this letter itself, NULL where that is the letter. */
static const char *escape_of(char letter)
{
    switch (letter) {
    case '\\':
        return "\\e";
    case '-':
        return "\\-";
    case '\'':
        return "\\(aq";
    case '`':
        return "\\(ga";
    case '^':
        return "\\(ha";
    case '~':
        return "\\(ti";
    case '\n':
        return "\n.br\n";
    default:
        return NULL;
    }
}

/* text so that roff takes no letter of it for its own, into out (TEXT_MAX bytes), which is returned. */
static const char *escaped(const char *text, char *out)
{
    size_t at = 0;
    for (const char *c = text; *c != '\0' && at + 16 < TEXT_MAX; c++) {
        bool first = c == text || c[-1] == '\n';
        const char *escape = escape_of(*c);
        if (first && (*c == '.' || *c == '\'')) at += (size_t)snprintf(out + at, TEXT_MAX - at, "\\&"); /* no request */
        if (escape != NULL)
            at += (size_t)snprintf(out + at, TEXT_MAX - at, "%s", escape);
        else
            out[at++] = *c;
    }
    out[at] = '\0';
    return out;
}

static void paragraph(const char *text)
{
    char out[TEXT_MAX];
    log_result("%s", escaped(text, out));
}

/* A name in bold, its argument in italics, and what it is for. */
static void entry(const char *name, const char *argument, const char *text)
{
    char bold[TEXT_MAX], italic[TEXT_MAX];
    log_result(".TP\n\\fB%s\\fR%s\\fI%s\\fR", escaped(name, bold), argument == NULL ? "" : " ",
               argument == NULL ? "" : escaped(argument, italic));
    paragraph(text);
}

static void put_option(const Option *option)
{
    char text[512];
    entry(option->name, option->argument, help_option_text(option, text, sizeof text));
}

static void put_examples(const char *example)
{
    log_result(".PP\nExample:\n.PP\n.EX");
    while (*example != '\0') {
        size_t length = strcspn(example, "\n");
        char line[TEXT_MAX];
        snprintf(line, sizeof line, "%.*s", (int)length, example);
        paragraph(line);
        example += length + (example[length] == '\n');
    }
    log_result(".EE");
}

static void put_command(const Command *command)
{
    char usage[512], out[TEXT_MAX];
    log_result(".SS seisdcn %s", command->name);
    log_result(".B %s\n.PP", escaped(help_usage(command, usage, sizeof usage), out));
    paragraph(command->description == NULL ? command->summary : command->description);
    const Option *option;
    for (int i = 0; (option = options_at(command, i, NULL)) != NULL; i++) put_option(option);
    if (command->example != NULL) put_examples(command->example);
}

static void put_keys(void)
{
    for (int key = 0; key < CONFIG_KEYS; key++) {
        const ConfigEntry *known = config_table_entry((ConfigKey)key);
        char range[CONFIG_RANGE_MAX], text[1024];
        config_table_range(known, range);
        snprintf(text, sizeof text, "%s Allowed: %s%s%s; default: %s.", known->help, range,
                 known->unit == NULL ? "" : " ", known->unit == NULL ? "" : known->unit, known->fallback);
        entry(config_name((ConfigKey)key), NULL, text);
    }
}

void help_man(const Command *const *commands)
{
    log_result(".\\\" Written by `seisdcn help man`.\n.TH SEISDCN 1 \"\" \"seisdcn %s\" \"User Commands\"\n.ad l\n.nh",
               SEISDCN_VERSION);
    log_result(".SH NAME");
    paragraph("seisdcn - " HELP_PURPOSE);
    log_result(".SH SYNOPSIS\n.B seisdcn\n.I COMMAND\n[options]\n.br\n.B mpirun \\-n\n.I N\n.B seisdcn\n.I "
               "COMMAND\n[options]");
    log_result(".SH DESCRIPTION");
    paragraph("Every command runs alone and under mpirun with any number of ranks, with the same results to the bit.");
    log_result(".PP");
    paragraph("A first road: synth or your own files, consolidate, train, apply, then plot, qc and export.");
    log_result(".SH COMMANDS");
    for (const Command *const *command = commands; *command != NULL; command++)
        entry((*command)->name, NULL, (*command)->summary);
    log_result(".SH OPTIONS");
    paragraph("Every command takes these, those with a configuration also the first two:");
    for (const Option *option = options_common(); option->name != NULL; option++) put_option(option);
    for (; *commands != NULL; commands++) put_command(*commands);
    log_result(".SH CONFIGURATION");
    paragraph("A YAML file (--config) or --set section.key=value sets these keys. Allowed: what a key may be.");
    put_keys();
    log_result(".SH ENVIRONMENT");
    entry("SEISDCN_ISA", NULL,
          "The instruction set to use, where all ranks have it: avx512, avx2 or portable. "
          "Results are the same bits only on one of them.");
    log_result(".SH EXIT STATUS");
    for (const HelpStatus *s = help_statuses; s->meaning != NULL; s++) {
        char number[16];
        snprintf(number, sizeof number, "%d", s->status);
        entry(number, NULL, s->meaning);
    }
}
