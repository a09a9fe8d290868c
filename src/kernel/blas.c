#include "seisdcn/blas.h"

#include <cblas.h>

void blas_one_thread(void) { openblas_set_num_threads(1); }

const char *blas_kernels(void) { return openblas_get_corename(); }
