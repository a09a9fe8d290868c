/* program: the whole program within a fuzzer: its commands, on one rank. */
#ifndef SEISDCN_FUZZ_PROGRAM_H
#define SEISDCN_FUZZ_PROGRAM_H

#include "seisdcn/comm.h"

enum { PROGRAM_PATH = 640 };

/* Starts MPI and HDF5: for LLVMFuzzerInitialize(). Returns 0. */
int program_open(int *argc, char ***argv);

/* This process, as a job of one rank. */
const Comm *program_comm(void);

/* The path of `name` in the fuzzer's folder (fuzz_path()), in text [PROGRAM_PATH], which is returned. */
char *program_path(const char *name, char *text);

/* Remembers what is in use before the first input: blocks of memory.h, and objects of HDF5. For the end of
 * LLVMFuzzerInitialize(). */
void program_ready(void);

/* At the end of an input: checks that no more is in use. MPI and HDF5 keep memory of their own to the end, so that
 * LeakSanitizer could tell theirs from ours only slowly. */
void program_done(void);

/* Runs `seisdcn WORDS`, of which there are n, and returns its exit status, which must be one of the documented ones. */
int program_run(int n, const char *const *words);

#endif
