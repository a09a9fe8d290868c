/* gnuplot: pictures drawn by the program gnuplot, as PNG, PDF or SVG by the output's ending.
 *
 * A picture is a script and a file of data. Both are written under temporary names beside the picture, or kept where
 * the user asks for them; the kept script draws the picture again by itself (`gnuplot FILE.gp`). The picture appears
 * under its name only when gnuplot ended well and the file is whole. All functions are rank 0's work. */
#ifndef SEISDCN_GNUPLOT_H
#define SEISDCN_GNUPLOT_H

#include "seisdcn/status.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { GNUPLOT_TEXT_MAX = 4096 };

typedef struct {
    char *output, *part;           /* the picture, and its name while it is drawn */
    char *script, *data;           /* the files' names */
    bool keep;                     /* script and data stay */
    FILE *script_file, *data_file; /* open until gnuplot_draw() */
    int64_t data_bytes;
    double font_scale; /* of every size of letters in the script: formats differ in what a point is */
} Gnuplot;

/* Checks the ending of a picture's name: STATUS_USAGE where it is none of .png, .pdf, .svg. Local. */
Status gnuplot_check_name(const char *output);

/* The script's file of data: FILE.dat beside FILE.gp; to be freed with memory_free(). Local; NULL: STATUS_MEMORY. */
char *gnuplot_data_name(const char *script);

/* Starts a picture of width x height pixels (96 of them an inch in PDF and SVG) with a font of `points`; script is
 * NULL, or the name under which it is kept. Local. STATUS_IO, STATUS_MEMORY. */
Status gnuplot_open(Gnuplot *plot, const char *output, const char *script, int64_t width, int64_t height,
                    double points);

/* Adds to the script. The variable `data` holds the name of the file of data there. Local; a failure shows in
 * gnuplot_draw(). */
void gnuplot_write(Gnuplot *plot, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Adds n floats to the file of data; returns the byte where they start. Local; a failure shows in gnuplot_draw(). */
int64_t gnuplot_add_data(Gnuplot *plot, const float *values, int64_t n);

/* text as one of gnuplot's strings, in quotes, into `quoted` (2 * GNUPLOT_TEXT_MAX bytes), which is returned; longer
 * texts are cut, control characters become spaces. Pure. */
char *gnuplot_quote(const char *text, char *quoted);

/* Ends script and data, runs gnuplot and gives the picture its name. Local. STATUS_IO with gnuplot's own message, or
 * with what to install where there is no gnuplot. */
Status gnuplot_draw(Gnuplot *plot);

/* Removes what is temporary and frees the rest. Local. A picture of zeros is nothing. */
void gnuplot_close(Gnuplot *plot);

#endif
