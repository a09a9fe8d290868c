/* similarity: local similarity of two gathers (Fomel 2007, "Local seismic attributes", Geophysics 72(3)): how much one
 * looks like the other around each sample. Between a prediction and what it left out it shows signal that leaked into
 * the noise (Chen and Fomel 2015, "Random noise attenuation using local signal-and-noise orthogonalization", Geophysics
 * 80(6)).
 *
 * The smooth ratio c of a to b minimises |a - b c|^2 under shaping regularisation with a smoothing T:
 *   c = [l^2 I + T (B^2 - l^2 I)]^-1 T B a,   B = diag(b), l^2 = mean of b^2,
 * and the similarity is sqrt(c1 c2), c1 the ratio of a to b, c2 that of b to a; 0 where their signs differ. T is a
 * triangle along samples and along traces, with even reflection at the edges. A triangle is a box twice, T = H H with H
 * symmetric, so conjugate gradients solve [l^2 I + H (B^2 - l^2 I) H] p = H B a, c = H p, whose matrix is symmetric and
 * positive definite. */
#ifndef SEISDCN_SIMILARITY_H
#define SEISDCN_SIMILARITY_H

#include <stdint.h>

/* The triangle of radius r weighs a sample d away by (2 r + 1 - d) / (2 r + 1)^2: about half at d = r, none beyond
 * 2 r; r = 0 smooths nothing. */
typedef struct {
    int64_t n_traces, n_samples;
    int64_t radius_traces, radius_samples;
} SimilarityShape;

/* Doubles of work that the functions below need. Pure. */
int64_t similarity_work(const SimilarityShape *shape);

/* Smooths x [n_traces][n_samples] in place by H, the mean over a box of 2 radius + 1 traces and samples; twice is the
 * triangle. work holds n_traces * n_samples + n_samples doubles. Pure. */
void similarity_smooth(const SimilarityShape *shape, double *x, double *work);

/* ratio [n_traces][n_samples] of a to b, as above; all zeros where b is. Returns the iterations that it took. Pure. */
int similarity_ratio(const SimilarityShape *shape, const float *a, const float *b, double *ratio, double *work);

/* The local similarity [n_traces][n_samples] of a and b, 0 to about 1. Pure. */
void similarity_local(const SimilarityShape *shape, const float *a, const float *b, float *similarity, double *work);

#endif
