/* temporary: a folder of its own for a test, removed at its end; and whole files written as bytes. */
#ifndef SEISDCN_TESTS_TEMPORARY_H
#define SEISDCN_TESTS_TEMPORARY_H

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEMPORARY_PATH = 512 };

/* Makes a new folder under $TMPDIR (or /tmp); its path goes into folder. Ends the test program where that fails. */
static inline void temporary_make(char folder[TEMPORARY_PATH])
{
    const char *above = getenv("TMPDIR");
    snprintf(folder, TEMPORARY_PATH, "%s/seisdcn-test-XXXXXX", above == NULL ? "/tmp" : above);
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        exit(1);
    }
}

static inline int temporary_remove_one(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about;
    (void)kind;
    (void)where;
    return remove(path);
}

/* Removes the folder with all in it. */
static inline void temporary_remove(const char *folder)
{
    nftw(folder, temporary_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Writes bytes to folder/name, whose path goes into path; 0 where all was written. */
static inline int temporary_write(const char *folder, const char *name, const void *data, size_t bytes,
                                  char path[TEMPORARY_PATH])
{
    if (snprintf(path, TEMPORARY_PATH, "%s/%s", folder, name) >= TEMPORARY_PATH) return 1;
    FILE *file = fopen(path, "wb");
    if (file == NULL) return 1;
    size_t written = fwrite(data, 1, bytes, file);
    return fclose(file) != 0 || written != bytes;
}

#endif
