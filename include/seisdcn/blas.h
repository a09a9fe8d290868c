/* blas: OpenBLAS as a library, whose LAPACK solves the normal equations of linear_prediction.h. */
#ifndef SEISDCN_BLAS_H
#define SEISDCN_BLAS_H

/* Keeps OpenBLAS to one thread: one rank a core, and the library starts its own threads when it is loaded, before any
 * environment variable of ours could stop it. Local; call once before the first use. */
void blas_one_thread(void);

/* The name of the kernels that OpenBLAS chose for this processor ("SkylakeX"): others give other bits. Local; the
 * library's text. */
const char *blas_kernels(void);

#endif
