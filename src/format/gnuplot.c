#include "seisdcn/gnuplot.h"

#include "seisdcn/files.h"
#include "seisdcn/log.h"
#include "seisdcn/memory.h"
#include "seisdcn/text.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { SAID_MAX = 1024 };

/* What a picture of each ending is drawn with, and how its file ends when it is whole. */
typedef struct {
    const char *ending;
    const char *terminal; /* of a size in pixels, or in inches */
    bool inches;
    double font_scale; /* measured: letters come out as large as in a PNG */
    const char *last;  /* among the file's last bytes */
} Ending;

static const Ending endings[] = {
    {".png", "pngcairo", false, 1, "IEND"},
    {".pdf", "pdfcairo", true, 1.5, "%%EOF"},
    {".svg", "svg", false, 1.3, "</svg>"},
};

static const Ending *find_ending(const char *name)
{
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (text_ends_with(name, endings[i].ending)) return &endings[i];
    return NULL;
}

Status gnuplot_check_name(const char *output)
{
    if (find_ending(output) != NULL) return STATUS_OK;
    return status_fail(STATUS_USAGE, "%s: a picture's name ends in .png, .pdf or .svg", output);
}

char *gnuplot_data_name(const char *script)
{
    size_t length = strlen(script);
    if (text_ends_with(script, ".gp")) length -= 3;
    return text_format("%.*s.dat", (int)length, script);
}

char *gnuplot_quote(const char *text, char *quoted)
{
    size_t at = 0;
    quoted[at++] = '\'';
    for (size_t i = 0; text[i] != '\0' && at < 2 * GNUPLOT_TEXT_MAX - 4; i++) {
        if (text[i] == '\'') quoted[at++] = '\'';
        quoted[at++] = (unsigned char)text[i] < ' ' ? ' ' : text[i];
    }
    quoted[at++] = '\'';
    quoted[at] = '\0';
    return quoted;
}

/* ---- the script and its data ---- */

static Status open_file(const char *path, FILE **file)
{
    *file = fopen(path, "wb");
    return *file == NULL ? status_fail(STATUS_IO, "%s: cannot be created: %s", path, strerror(errno)) : STATUS_OK;
}

Status gnuplot_open(Gnuplot *plot, const char *output, const char *script, int64_t width, int64_t height, double points)
{
    memset(plot, 0, sizeof *plot);
    const Ending *ending = find_ending(output);
    if (ending == NULL) return gnuplot_check_name(output);
    plot->keep = script != NULL;
    plot->font_scale = ending->font_scale;
    plot->output = text_copy(output);
    plot->part = text_format("%s.part", output);
    plot->script = script != NULL ? text_copy(script) : text_format("%s.part.gp", output);
    plot->data = plot->script == NULL ? NULL : gnuplot_data_name(plot->script);
    if (plot->output == NULL || plot->part == NULL || plot->data == NULL) return STATUS_MEMORY;
    Status status = open_file(plot->script, &plot->script_file);
    if (status == STATUS_OK) status = open_file(plot->data, &plot->data_file);
    if (status != STATUS_OK) return status;
    char name[2 * GNUPLOT_TEXT_MAX], data[2 * GNUPLOT_TEXT_MAX];
    gnuplot_write(plot, "# drawn by seisdcn %s; gnuplot draws it again\n", SEISDCN_VERSION);
    gnuplot_write(plot, "if (!exists('output')) output = %s\nif (!exists('data')) data = %s\n",
                  gnuplot_quote(plot->output, name), gnuplot_quote(plot->data, data));
    gnuplot_write(plot, "set encoding utf8\n");
    if (ending->inches)
        gnuplot_write(plot, "set terminal %s size %.4gin,%.4gin", ending->terminal, (double)width / 96,
                      (double)height / 96);
    else
        gnuplot_write(plot, "set terminal %s size %" PRId64 ",%" PRId64, ending->terminal, width, height);
    gnuplot_write(plot, " font 'DejaVu Sans,%.3g' noenhanced background rgb 'white'\nset output output\n",
                  points * ending->font_scale);
    return STATUS_OK;
}

void gnuplot_write(Gnuplot *plot, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vfprintf(plot->script_file, format, arguments);
    va_end(arguments);
}

int64_t gnuplot_add_data(Gnuplot *plot, const float *values, int64_t n)
{
    int64_t at = plot->data_bytes;
    size_t written = fwrite(values, sizeof *values, (size_t)n, plot->data_file);
    plot->data_bytes += (int64_t)(written * sizeof *values);
    return at;
}

static Status end_file(const char *path, FILE **file)
{
    bool good = ferror(*file) == 0;
    if (fclose(*file) != 0) good = false;
    *file = NULL;
    if (good) return STATUS_OK;
    return status_fail(STATUS_IO, "%s: cannot be written: %s; is the disk full?", path, strerror(errno));
}

/* ---- running gnuplot ---- */

static Status missing(const Gnuplot *plot, int reason)
{
    if (reason != ENOENT) return status_fail(STATUS_IO, "gnuplot does not start: %s", strerror(reason));
    const char *stands =
        plot->keep ? "; the script stands, with its data, and draws the picture where gnuplot is: " : "";
    return status_fail(STATUS_IO,
                       "gnuplot, which draws the pictures, is not on the PATH: install it (Debian: apt-get install "
                       "gnuplot-nox fonts-dejavu-core) or load its module%s%s",
                       stands, plot->keep ? plot->script : "");
}

/* Everything that comes out of a pipe; the first SAID_MAX - 1 bytes are kept, as one line. */
static void listen_to(int pipe, char *said)
{
    char piece[512];
    size_t at = 0;
    ssize_t n;
    while ((n = read(pipe, piece, sizeof piece)) > 0 || (n < 0 && errno == EINTR))
        for (ssize_t i = 0; i < n; i++) {
            char letter = (unsigned char)piece[i] <= ' ' ? ' ' : piece[i];
            bool more = letter != ' ' || (at > 0 && said[at - 1] != ' ');
            if (more && at + 1 < SAID_MAX) said[at++] = letter;
        }
    while (at > 0 && said[at - 1] == ' ') at--;
    said[at] = '\0';
}

/* By posix_spawn: a fork of a process that holds MPI's memory may be refused or end badly. *state is wait's. */
static Status spawn(const Gnuplot *plot, char *said, int *state)
{
    int ends[2];
    if (pipe2(ends, O_CLOEXEC) != 0) return status_fail(STATUS_IO, "no pipe to gnuplot: %s", strerror(errno));
    char output[2 * GNUPLOT_TEXT_MAX];
    char *set = text_format("output=%s", gnuplot_quote(plot->part, output));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
    char program[] = "gnuplot", defaults[] = "-d", execute[] = "-e";
    char *words[] = {program, defaults, execute, set, plot->script, NULL};
    pid_t process;
    int reason = set == NULL ? ENOMEM : posix_spawnp(&process, program, &actions, NULL, words, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    if (reason == 0) {
        listen_to(ends[0], said);
        while (waitpid(process, state, 0) < 0 && errno == EINTR) continue;
    }
    close(ends[0]);
    memory_free(set);
    return reason == 0 ? STATUS_OK : missing(plot, reason);
}

/* Whether the file that gnuplot left is there and ends as a whole one does: gnuplot does not tell of a full disk. */
static Status check_picture(const Gnuplot *plot)
{
    char last[64] = "";
    FILE *file = fopen(plot->part, "rb");
    size_t n = 0;
    if (file != NULL) {
        if (fseek(file, -32, SEEK_END) == 0) n = fread(last, 1, 32, file);
        fclose(file);
    }
    const char *wanted = find_ending(plot->output)->last;
    if (n > 0 && memmem(last, n, wanted, strlen(wanted)) != NULL) return STATUS_OK;
    return status_fail(STATUS_IO, "%s: gnuplot ended without error, but the picture is not whole; is the disk full?",
                       plot->output);
}

Status gnuplot_draw(Gnuplot *plot)
{
    gnuplot_write(plot, "unset output\n");
    Status status = end_file(plot->script, &plot->script_file), data = end_file(plot->data, &plot->data_file);
    if (status == STATUS_OK) status = data;
    if (status != STATUS_OK) {
        plot->keep = false; /* they are not whole */
        return status;
    }
    char said[SAID_MAX] = "";
    int state = 0;
    status = spawn(plot, said, &state);
    if (status != STATUS_OK) return status;
    if (WIFSIGNALED(state)) return status_fail(STATUS_IO, "gnuplot was ended by signal %d; %s", WTERMSIG(state), said);
    if (WEXITSTATUS(state) != 0)
        return status_fail(STATUS_IO, "gnuplot failed (exit status %d): %s", WEXITSTATUS(state), said);
    status = check_picture(plot);
    if (status != STATUS_OK) return status;
    if (said[0] != '\0') log_warning("gnuplot says: %s", said);
    return files_publish(plot->part, plot->output);
}

void gnuplot_close(Gnuplot *plot)
{
    bool begun = plot->script_file != NULL || plot->data_file != NULL;
    if (plot->script_file != NULL) fclose(plot->script_file);
    if (plot->data_file != NULL) fclose(plot->data_file);
    if (plot->part != NULL) unlink(plot->part);
    if (plot->script != NULL && (begun || !plot->keep)) unlink(plot->script);
    if (plot->data != NULL && (begun || !plot->keep)) unlink(plot->data);
    memory_free(plot->output);
    memory_free(plot->part);
    memory_free(plot->script);
    memory_free(plot->data);
    memset(plot, 0, sizeof *plot);
}
