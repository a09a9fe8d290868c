/* base_files: small good files, made by the program itself, for h5_edit() to change. */
#ifndef SEISDCN_FUZZ_BASE_FILES_H
#define SEISDCN_FUZZ_BASE_FILES_H

#include <stdint.h>

enum { BASE_SAMPLES = 12 };

/* A survey of four gathers, as `name`: with SEG-Y headers of two files, or out of .npy files. */
void base_survey(const char *name, int from_segy);

/* The same with SEG-Y headers, out of which the last two traces of each gather were left, being dead. */
void base_survey_dead(const char *name);

/* A fresh copy of file `from` as file `to`, both in the fuzzer's folder. */
void base_copy(const char *from, const char *to);

#endif
