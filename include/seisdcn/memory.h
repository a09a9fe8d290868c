/* memory: allocation that reports what it was for. Blocks start on a 64-byte boundary (a cache line, a vector). */
#ifndef SEISDCN_MEMORY_H
#define SEISDCN_MEMORY_H

#include <stddef.h>

/* Has the C library give blocks of 128 kB or more back to the system as soon as they are freed: gathers that come and
 * go leave no holes, and a process is as large as what it holds. Local; call once, first in main. */
void memory_open(void);

/* Returns count * size zeroed bytes aligned to 64, to be freed with memory_free(). Local. NULL, with a STATUS_MEMORY
 * message that names `what`, where there is not enough or the product overflows; count 0 gives a block all the same. */
void *memory_new(size_t count, size_t size, const char *what);

/* Grows *block (from memory_new, or NULL) to count * size bytes, keeping the first `kept` bytes; new bytes are zero.
 * Local. Returns 0, or STATUS_MEMORY with *block as it was. */
int memory_grow(void **block, size_t kept, size_t count, size_t size, const char *what);

/* Frees a block of memory_new(); NULL is nothing. Local. */
void memory_free(void *block);

/* The process's peak resident memory in bytes (VmHWM); 0 where the system does not tell. Local. */
size_t memory_peak(void);

/* The process's resident memory now in bytes (VmRSS); 0 where the system does not tell. Local. */
size_t memory_resident(void);

#endif
