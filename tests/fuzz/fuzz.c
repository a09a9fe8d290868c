#include "fuzz.h"

#include "temporary.h"

#include <stdbool.h>
#include <string.h>

static char folder[TEMPORARY_PATH], path[TEMPORARY_PATH + 64];
static bool has_folder = false;

/* libFuzzer may close stderr to what it runs (-close_fd_mask): a report goes where stderr went at the start. */
static int report = 2;

__attribute__((constructor)) static void keep_stderr(void) { report = dup(2); }

_Noreturn void fuzz_fault(const char *file, int line, const char *condition)
{
    dprintf(report, "==fuzz== ERROR: %s:%d: not so: %s\nstatus message: %s\n", file, line, condition, status_message());
    abort(); /* libFuzzer then keeps the input */
}

Status fuzz_status(Status status)
{
    const char *message = status_message();
    FUZZ_CHECK(status != STATUS_BUG);
    FUZZ_CHECK(status == STATUS_OK || message[0] != '\0');
    for (const char *c = message; status != STATUS_OK && *c != '\0'; c++)
        FUZZ_CHECK((unsigned char)*c >= ' ' || *c == '\n' || *c == '\t');
    status_clear();
    return status;
}

/* ---- the program's memory: calls of memory.h come by here (ld --wrap) ---- */

static int64_t blocks = 0;

void *__real_memory_new(size_t count, size_t size, const char *what);
int __real_memory_grow(void **block, size_t kept, size_t count, size_t size, const char *what);
void __real_memory_free(void *block);
void *__wrap_memory_new(size_t count, size_t size, const char *what);
int __wrap_memory_grow(void **block, size_t kept, size_t count, size_t size, const char *what);
void __wrap_memory_free(void *block);

void *__wrap_memory_new(size_t count, size_t size, const char *what)
{
    void *block = __real_memory_new(count, size, what);
    blocks += block != NULL;
    return block;
}

int __wrap_memory_grow(void **block, size_t kept, size_t count, size_t size, const char *what)
{
    bool had = *block != NULL;
    int status = __real_memory_grow(block, kept, count, size, what);
    blocks += (*block != NULL) - had;
    return status;
}

void __wrap_memory_free(void *block)
{
    blocks -= block != NULL;
    __real_memory_free(block);
}

int64_t fuzz_blocks(void) { return blocks; }

/* ---- files ---- */

static void remove_folder(void) { temporary_remove(folder); }

const char *fuzz_path(const char *name)
{
    if (!has_folder) {
        temporary_make(folder);
        atexit(remove_folder);
        has_folder = true;
    }
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

const char *fuzz_file(const char *name, const uint8_t *data, size_t size)
{
    FILE *file = fopen(fuzz_path(name), "wb");
    FUZZ_CHECK(file != NULL && fwrite(data, 1, size, file) == size && fclose(file) == 0);
    return path;
}

char *fuzz_text(const uint8_t *data, size_t size)
{
    char *text = malloc(size + 1);
    FUZZ_CHECK(text != NULL);
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    return text;
}

uint8_t fuzz_byte(const uint8_t **data, size_t *size)
{
    if (*size == 0) return 0;
    --*size;
    return *(*data)++;
}
