#include "seisdcn/memory.h"

#include "seisdcn/fault.h"
#include "seisdcn/status.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, LARGE_BLOCK = 128 << 10 };

/* By itself the C library raises this limit to the largest block that was freed, and keeps what is below it. */
void memory_open(void) { mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK); }

void *memory_new(size_t count, size_t size, const char *what)
{
    if (size != 0 && count > (SIZE_MAX - ALIGNMENT) / size) {
        status_fail(STATUS_MEMORY, "out of memory: %s (%zu items of %zu bytes) is more than can be addressed", what,
                    count, size);
        return NULL;
    }
    size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    if (bytes == 0) bytes = ALIGNMENT;
    void *block = fault_strikes(FAULT_MEMORY) ? NULL : aligned_alloc(ALIGNMENT, bytes);
    if (block == NULL) {
        status_fail(STATUS_MEMORY, "out of memory: %s takes %.1f MB; use more nodes or fewer ranks a node", what,
                    (double)bytes / 1e6);
        return NULL;
    }
    memset(block, 0, bytes);
    return block;
}

int memory_grow(void **block, size_t kept, size_t count, size_t size, const char *what)
{
    void *larger = memory_new(count, size, what);
    if (larger == NULL) return STATUS_MEMORY;
    if (*block != NULL) memcpy(larger, *block, kept);
    free(*block);
    *block = larger;
    return STATUS_OK;
}

void memory_free(void *block) { free(block); }

/* What the kernel's account of this process says behind `name`, in bytes; 0 where it says nothing. */
static size_t account(const char *name)
{
    FILE *file = fopen("/proc/self/status", "r");
    if (file == NULL) return 0;
    char line[256];
    unsigned long kilobytes = 0;
    while (fgets(line, sizeof line, file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0 && sscanf(line + strlen(name), ": %lu", &kilobytes) == 1) break;
    fclose(file);
    return (size_t)kilobytes * 1024;
}

size_t memory_peak(void) { return account("VmHWM"); }

size_t memory_resident(void) { return account("VmRSS"); }
