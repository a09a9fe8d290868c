/* Options: every row of every command's tables fills a member of its own; what is said, repeated, left to its default
 * or not said at all, as it comes out in the structure; and which tables are refused. */
#include "seisdcn/commands.h"
#include "seisdcn/options.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

typedef struct {
    const char *path;
    bool whole;
} Part;

typedef struct {
    Part part;
    const char *text, *fallen;
    int64_t count, limit;
    double share, absent;
    OptionTexts list, others;
    bool flag;
} Said;

static const Option shared[] = {{"--path", FILLS(OUTPUT, Part, path), "FILE", .required = true},
                                {"--whole", FILLS(FLAG, Part, whole), .help = ""},
                                {.name = NULL}};
static const Option own[] = {{"--text", FILLS(TEXT, Said, text), .argument = "WORD"},
                             {"--fallen", FILLS(TEXT, Said, fallen), "WORD", .fallback = "default"},
                             {"--count", FILLS(INT, Said, count), "N", "7", 0, 100, .help = ""},
                             {"--limit", FILLS(INT, Said, limit), "N", NULL, 1, 100, .help = ""},
                             {"--share", FILLS(NUMBER, Said, share), "X", "0.5", 0, 1, .help = ""},
                             {"--absent", FILLS(NUMBER, Said, absent), "X", NULL, 0, 1, .help = ""},
                             {"--list", FILLS(LIST, Said, list), .argument = "WORD"},
                             {"--others", FILLS(LIST, Said, others), .argument = "WORD"},
                             {"--flag", FILLS(FLAG, Said, flag), .help = ""},
                             {.name = NULL}};
static const Command command = {
    .name = "try", .tables = {{shared, offsetof(Said, part)}, {own, 0}}, .options_size = sizeof(Said)};

static void every_command_is_bound(void **state)
{
    (void)state;
    for (const Command *const *each = commands_all; *each != NULL; each++) {
        const char *wrong = options_check(*each);
        if (wrong != NULL) fail_msg("%s: %s", (*each)->name, wrong);
    }
    assert_null(options_check(&command));
}

static void bad_tables_are_found(void **state)
{
    (void)state;
    static const Option unbound[] = {{.name = "--text", .argument = "WORD"}, {.name = NULL}};
    static const Option twice[] = {{"--text", FILLS(TEXT, Said, text), .argument = "WORD"},
                                   {"--also", FILLS(INPUT, Said, text), .argument = "FILE"},
                                   {.name = NULL}};
    static const Option zero[] = {{"--count", FILLS(INT, Said, count), "N", NULL, 0, 9, .help = ""}, {.name = NULL}};
    const struct {
        Command command;
        const char *word;
    } cases[] = {{{.tables = {{unbound, 0}}, .options_size = sizeof(Said)}, "fills no member"},
                 {{.tables = {{twice, 0}}, .options_size = sizeof(Said)}, "one member"},
                 {{.tables = {{own, 0}, {own, 0}}, .options_size = sizeof(Said)}, "one member"},
                 {{.tables = {{own, 0}}, .options_size = sizeof(Part)}, "beyond"},
                 {{.tables = {{shared, sizeof(Said)}}, .options_size = sizeof(Said)}, "beyond"},
                 {{.tables = {{zero, 0}}, .options_size = sizeof(Said)}, "no default"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *wrong = options_check(&cases[i].command);
        assert_non_null(wrong);
        assert_non_null(strstr(wrong, cases[i].word));
    }
}

static Status parse(int n, const char *const *words, Job *job, Invocation *invocation)
{
    *job = (Job){.command = &command};
    *invocation = (Invocation){0};
    return options_parse(n, (char **)words, job, invocation);
}

static void what_is_said_fills_the_structure(void **state)
{
    (void)state;
    static const char *const words[] = {"--list",  "a",       "--path=out", "--count", "3", "--others", "b", "--whole",
                                        "--whole", "--share", "1",          "--list",  "c", "--text",   "x"};
    Job job;
    Invocation invocation;
    assert_int_equal(parse(sizeof words / sizeof *words, words, &job, &invocation), STATUS_OK);
    const Said *said = job.options;
    assert_string_equal(said->part.path, "out");
    assert_true(said->part.whole && !said->flag);
    assert_string_equal(said->text, "x");
    assert_string_equal(said->fallen, "default");
    assert_int_equal(said->count, 3);
    assert_int_equal(said->limit, 0);
    assert_true(said->share == 1 && isnan(said->absent));
    assert_int_equal(said->list.n, 2);
    assert_string_equal(said->list.text[0], "a");
    assert_string_equal(said->list.text[1], "c");
    assert_int_equal(said->others.n, 1);
    assert_string_equal(said->others.text[0], "b");
    /* in the tables' order, with defaults; a flag once */
    static const char *const given[] = {"--path",  "--whole", "--text", "--fallen", "--count",
                                        "--share", "--list",  "--list", "--others"};
    assert_int_equal(job.n_given, sizeof given / sizeof *given);
    for (int i = 0; i < job.n_given; i++) assert_string_equal(job.given[i].option->name, given[i]);
    options_free(&job, &invocation);
}

static void what_is_missing_or_wrong_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *words[4];
        const char *message;
    } cases[] = {{{"--text", "x"}, "--path FILE is missing"},
                 {{"--path", "x", "--path", "y"}, "--path is given twice"},
                 {{"--path", "x", "--count", "101"}, "from 0 to 100"},
                 {{"--path", "x", "--pth", "y"}, "did you mean --path"},
                 {{"--path", "x", "y"}, "one argument too many"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        Job job;
        Invocation invocation;
        int n = 0;
        while (n < 4 && cases[i].words[n] != NULL) n++;
        assert_int_equal(parse(n, cases[i].words, &job, &invocation), STATUS_USAGE);
        assert_non_null(strstr(status_message(), cases[i].message));
        options_free(&job, &invocation);
        status_clear();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_command_is_bound),
        cmocka_unit_test(bad_tables_are_found),
        cmocka_unit_test(what_is_said_fills_the_structure),
        cmocka_unit_test(what_is_missing_or_wrong_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
