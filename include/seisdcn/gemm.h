/* gemm: the convolutions of vector.h by im2col and OpenBLAS's sgemm: any shape; it serves dense layers.
 *
 * One product a lane, of one fixed shape whatever the batch: OpenBLAS gives a column other bits in a product of another
 * width, and a patch's bits must not depend on its neighbours. */
#ifndef SEISDCN_GEMM_H
#define SEISDCN_GEMM_H

#include "seisdcn/vector.h"

#include <stddef.h>

/* Keeps OpenBLAS to one thread: one rank a core, and the library starts its own threads when it is loaded, before any
 * environment variable of ours could stop it. Local; call once before the first product. */
void gemm_one_thread(void);

/* The name of the kernels that OpenBLAS chose for this processor ("SkylakeX"): others give other bits. Local; the
 * library's text. */
const char *gemm_kernels(void);

/* Floats of scratch that the functions below need for a shape with this many lanes. Pure. */
size_t gemm_scratch(const ConvShape *shape, int lanes);

/* As ConvContract, ConvExpand and ConvGradient, with the table whose lanes and finish are used. Pure. */
void gemm_contract(const Vector *vector, const ConvShape *shape, const float *weight, const float *big, float *small,
                   const ConvFinish *finish, float *scratch);
void gemm_expand(const Vector *vector, const ConvShape *shape, const float *weight, const float *small, float *big,
                 const ConvFinish *finish, float *scratch);
void gemm_gradient(const Vector *vector, const ConvShape *shape, const float *big, const float *small, float *gradient,
                   float *scratch);

#endif
