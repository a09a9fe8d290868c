/* text: small helpers for names, paths and numbers in text. */
#ifndef SEISDCN_TEXT_H
#define SEISDCN_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compares as people sort: runs of digits by value, so that x_2 comes before x_10; ties by bytes. Pure. */
int text_compare_natural(const char *a, const char *b);

/* The part of a path behind its last '/'. Pure; points into path. */
const char *text_base_name(const char *path);

/* Whether text ends in `ending`, letters of either case. Pure. */
bool text_ends_with(const char *text, const char *ending);

/* Reads a whole text as a decimal integer (sign allowed) in 64 bits; false where it is anything else. Pure. */
bool text_to_int(const char *text, int64_t *value);

/* Reads a whole text as a finite decimal number; false where it is anything else (also "nan", "inf", hex). Pure. */
bool text_to_double(const char *text, double *value);

/* A copy to be freed with memory_free(). Local; NULL with a STATUS_MEMORY message where there is no memory. */
char *text_copy(const char *text);

/* printf into a new text, to be freed with memory_free(). Local; NULL with a STATUS_MEMORY message. */
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Makes each control character of text but newline and tab a '?', in place: what strangers' files hold is shown to
 * people, and must not steer their terminal. Returns text. Pure. */
char *text_printable(char *text);

/* text as one word of the shell, in quotes where it needs them; to be freed with memory_free(). Local; NULL with a
 * STATUS_MEMORY message. */
char *text_shell_word(const char *text);

/* The name out of names[0..n) nearest to word by edit distance (letters added, left
 * out, changed or swapped with the next), NULL where none is near (more than a third of the
 * letters differ). Pure; the answer is one of names. */
const char *text_nearest(const char *word, const char *const *names, size_t n);

#endif
