/* linear_prediction: a complex series from its own neighbours, as f-x prediction filtering does at each frequency over
 * the traces (Canales 1984, "Random noise reduction", SEG Expanded Abstracts). K plane waves are K complex exponentials
 * there, which a filter of K numbers or more predicts exactly; white noise is not predicted.
 *
 * One filter a_1 .. a_L predicts forward, x_t = sum a_k x_(t-k), and its conjugate backward, x_t = sum conj(a_k)
 * x_(t+k). It minimises the squared errors of both over all items that have the L neighbours which they need (the
 * modified covariance method: nothing is assumed beyond the ends) plus damping * m * |a|^2, m the mean diagonal of the
 * normal equations' matrix. The prediction is the mean of forward and backward where there are both. */
#ifndef SEISDCN_LINEAR_PREDICTION_H
#define SEISDCN_LINEAR_PREDICTION_H

#include <complex.h>
#include <stdbool.h>
#include <stdint.h>

/* The filter's length for a series of n items: the one that is asked for, or n / 2, so that each item has the
 * neighbours it needs on one side at least; 0 for a single item. Pure. */
int64_t linear_prediction_length(int64_t n, int64_t length);

/* Complex numbers of work that a series of up to n items needs. Pure. */
int64_t linear_prediction_work(int64_t n, int64_t length);

/* Predicts x [n] by a filter of linear_prediction_length(n, length) items: predicted [n], which may be x. A single item
 * and a series of zeros are their own prediction. The damping is raised to what rounding needs for a positive definite
 * matrix. The same shape gives the same calls of LAPACK (OpenBLAS with one thread, see blas_one_thread()). False where
 * the matrix was not positive definite, which finite numbers cannot cause: nothing was predicted then. Pure. */
bool linear_prediction_run(int64_t n, int64_t length, double damping, const double complex *x,
                           double complex *predicted, double complex *work);

#endif
