#include "seisdcn/survey_sources.h"

#include "seisdcn/files.h"
#include "seisdcn/h5.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <stdio.h>
#include <string.h>

enum { HISTORY_MAX = 1 << 20, PATH_ROOM = 4096 };

/* Where consolidate was told to look: a file or folder that is there. */
typedef struct {
    char *path;
    bool is_folder;
} Word;

typedef struct {
    const char *path; /* the survey's */
    H5File file;
    char *history;
    Word *words; /* [n_words] */
    size_t n_words;
    SurveySourceVisit visit;
    void *context;
} Sources;

/* ---- what consolidate was given ---- */

/* Takes a text in double quotes out of YAML, in place: from behind its first quote to before its last; returns what
 * stands behind that. */
static char *unquote(char *text)
{
    char *to = text;
    for (; *text != '\0' && *text != '"'; text++) {
        if (text[0] == '\\' && text[1] != '\0') text++;
        *to++ = *text;
    }
    char *behind = *text == '"' ? text + 1 : text;
    *to = '\0';
    return behind;
}

/* The next word of a line of the shell, as text_shell_word() writes them, in place; NULL where there is none. */
static char *next_word(char **line)
{
    char *from = *line + strspn(*line, " "), *word = from, *to = from;
    if (*from == '\0') return NULL;
    bool quoted = false;
    for (; *from != '\0' && (quoted || *from != ' '); from++) {
        if (*from == '\'')
            quoted = !quoted;
        else if (!quoted && from[0] == '\\' && from[1] != '\0')
            *to++ = *++from;
        else
            *to++ = *from;
    }
    *line = *from == '\0' ? from : from + 1;
    *to = '\0';
    return word;
}

/* `name` in the survey's folder, into found [PATH_ROOM]. */
static void beside(const Sources *sources, const char *name, char *found)
{
    snprintf(found, PATH_ROOM, "%.*s%s", (int)(text_base_name(sources->path) - sources->path), sources->path, name);
}

/* Adds a word that names what is there. */
static Status add_word(Sources *sources, const char *word)
{
    char path[PATH_ROOM];
    snprintf(path, sizeof path, "%s", word);
    if (!files_exists(path) && word[0] != '/') beside(sources, word, path);
    if (!files_exists(path)) return STATUS_OK;
    void *block = sources->words;
    size_t n = sources->n_words, size = sizeof *sources->words;
    if (memory_grow(&block, n * size, n + 1, size, "the sources of a survey") != 0) return STATUS_MEMORY;
    sources->words = block;
    sources->words[n] = (Word){text_copy(path), files_is_folder(path)};
    if (sources->words[n].path == NULL) return STATUS_MEMORY;
    sources->n_words++;
    return STATUS_OK;
}

/* Reads the history's lines, see survey_history(): those of consolidate have the words. */
static Status read_words(Sources *sources)
{
    static const char begins[] = "{command: \"", command[] = "seisdcn consolidate ";
    Status status = STATUS_OK;
    char *at = sources->history;
    while (status == STATUS_OK && (at = strstr(at, begins)) != NULL) {
        char *line = at + strlen(begins), *word;
        at = unquote(line);
        if (strncmp(line, command, strlen(command)) != 0) continue;
        for (line += strlen(command); status == STATUS_OK && (word = next_word(&line)) != NULL;)
            if (word[0] != '-') status = add_word(sources, word);
    }
    return status;
}

/* ---- the files ---- */

/* Tells of the places of a source of this base name. */
static Status find(const Sources *sources, const char *name)
{
    Status status = STATUS_OK;
    bool found = false;
    for (size_t i = 0; status == STATUS_OK && i < sources->n_words; i++) {
        const Word *word = &sources->words[i];
        char path[PATH_ROOM];
        bool here = !word->is_folder && strcmp(text_base_name(word->path), name) == 0;
        if (word->is_folder) {
            snprintf(path, sizeof path, "%s/%s", word->path, name);
            here = files_exists(path);
        }
        if (here) status = sources->visit(word->is_folder ? path : word->path, true, sources->context);
        found = found || here;
    }
    if (status != STATUS_OK || found) return status;
    return sources->visit(name, false, sources->context);
}

/* Base names of dataset, which may have "[i]" behind them for the i-th gather of a file. */
static Status read_names(const Sources *sources, const char *dataset)
{
    int rank = 0;
    int64_t dims[4];
    size_t width = 1;
    Status status = h5_dims(&sources->file, dataset, &rank, dims);
    if (status == STATUS_OK) status = h5_string_width(&sources->file, dataset, dims[0], &width);
    if (status != STATUS_OK) return status;
    char *names = memory_new((size_t)dims[0], width, "the names of a survey's sources"), *last = NULL;
    status = names == NULL ? STATUS_MEMORY : h5_read_strings(&sources->file, dataset, dims[0], width, names);
    for (int64_t i = 0; status == STATUS_OK && i < dims[0]; i++) {
        char *name = names + (size_t)i * width;
        size_t length = strlen(name), end = length;
        if (end > 0 && name[end - 1] == ']')
            while (end > 0 && name[end - 1] != '[') end--;
        if (end > 1 && end < length) name[end - 1] = '\0';
        if (name[0] != '\0' && (last == NULL || strcmp(last, name) != 0)) status = find(sources, name);
        last = name;
    }
    memory_free(names);
    return status;
}

static Status read_path(const Sources *sources, const char *group, const char *attribute)
{
    char path[PATH_ROOM] = "", found[PATH_ROOM];
    if (!h5_has(&sources->file, group, attribute)) return STATUS_OK;
    Status status = h5_get_text(&sources->file, group, attribute, path, sizeof path);
    if (status != STATUS_OK) return status;
    snprintf(found, sizeof found, "%s", path);
    if (!files_exists(found)) beside(sources, path[0] == '/' ? text_base_name(path) : path, found);
    if (!files_exists(found)) beside(sources, text_base_name(path), found);
    return files_exists(found) ? sources->visit(found, true, sources->context) : STATUS_OK;
}

/* The survey and the model that a prediction was made from, as attributes of the group of its command. */
static Status read_prediction(const char *name, void *context)
{
    const Sources *sources = context;
    char group[PATH_ROOM];
    snprintf(group, sizeof group, "/%s", name);
    Status status = read_path(sources, group, "survey_path");
    return status == STATUS_OK ? read_path(sources, group, "model_path") : status;
}

static Status read_all(Sources *sources)
{
    const H5File *file = &sources->file;
    sources->history = memory_new(HISTORY_MAX, 1, "a file's history");
    Status status = sources->history == NULL ? STATUS_MEMORY : STATUS_OK;
    if (status == STATUS_OK && h5_has(file, "/", "history"))
        status = h5_get_text(file, "/", "history", sources->history, HISTORY_MAX);
    if (status == STATUS_OK) status = read_words(sources);
    if (status == STATUS_OK && h5_exists(file, "/segy/file"))
        status = read_names(sources, "/segy/file");
    else if (status == STATUS_OK && h5_exists(file, "/ensemble/source"))
        status = read_names(sources, "/ensemble/source");
    return status == STATUS_OK ? h5_each(file, "/", read_prediction, sources) : status;
}

Status survey_each_source(const char *path, SurveySourceVisit visit, void *context)
{
    Sources sources = {.path = path, .visit = visit, .context = context};
    Status status = h5_open(path, false, &sources.file);
    if (status != STATUS_OK) return status;
    status = read_all(&sources);
    Status closed = h5_close(&sources.file);
    for (size_t i = 0; i < sources.n_words; i++) memory_free(sources.words[i].path);
    memory_free(sources.words);
    memory_free(sources.history);
    return status != STATUS_OK ? status : closed;
}
