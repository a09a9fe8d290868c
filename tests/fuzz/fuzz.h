/* fuzz: what the fuzzers share. Each is one LLVMFuzzerTestOneInput() that hands its bytes to a reader of strangers'
 * files, and calls fuzz_status() on what the reader returns. Besides what the sanitizers find it is a fault when a
 * reader calls the input a fault of the program, fails without a message, or writes control characters of the input
 * into one. */
#ifndef SEISDCN_FUZZ_H
#define SEISDCN_FUZZ_H

#include "seisdcn/status.h"

#include <stddef.h>
#include <stdint.h>

/* What libFuzzer calls: at its start (only where a fuzzer has one), and with each input. Both return 0. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the process with a report where a check of the fuzzer's own does not hold. */
#define FUZZ_CHECK(condition) ((condition) ? (void)0 : fuzz_fault(__FILE__, __LINE__, #condition))

_Noreturn void fuzz_fault(const char *file, int line, const char *condition);

/* Checks what a reader returned, with its message, which is then forgotten. Returns status. */
Status fuzz_status(Status status);

/* Blocks of memory.h that are in use. */
int64_t fuzz_blocks(void);

/* The path of `name` in this process's own folder, which is made at the first call and removed at the end. The text
 * stays until the next call. */
const char *fuzz_path(const char *name);

/* Writes the bytes as `name` there and returns its path, as above. */
const char *fuzz_file(const char *name, const uint8_t *data, size_t size);

/* The input as a text with a final zero, to be freed with free(). */
char *fuzz_text(const uint8_t *data, size_t size);

/* Takes the next byte of an input, 0 behind its end. */
uint8_t fuzz_byte(const uint8_t **data, size_t *size);

#endif
