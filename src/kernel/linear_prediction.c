#include "seisdcn/linear_prediction.h"

#include <cblas.h>
#include <float.h>
#include <stddef.h>

/* LAPACK as Fortran has it, in OpenBLAS; the last argument is the length of the text `uplo`. */
void zposv_(const char *uplo, const blasint *n, const blasint *n_right, double complex *a, const blasint *lda,
            double complex *b, const blasint *ldb, blasint *info, size_t uplo_length);

int64_t linear_prediction_length(int64_t n, int64_t length) { return length < n / 2 ? length : n / 2; }

static int64_t rows_of(int64_t n, int64_t length) { return 2 * (n - length); }

int64_t linear_prediction_work(int64_t n, int64_t length)
{
    int64_t l = linear_prediction_length(n, length);
    return 2 * n * (l + 2) + l * (l + 1); /* never less than what a shorter series takes */
}

/* The equations A a = b, columns one after the other: item t of the series from those before it, then the conjugate of
 * item t from the conjugates of those behind it. */
static void fill(int64_t n, int64_t length, const double complex *x, double complex *a, double complex *b)
{
    int64_t half = n - length;
    for (int64_t k = 1; k <= length; k++)
        for (int64_t i = 0; i < half; i++) {
            a[(2 * k - 2) * half + i] = x[length - k + i];
            a[(2 * k - 1) * half + i] = conj(x[k + i]);
        }
    for (int64_t i = 0; i < half; i++) {
        b[i] = x[length + i];
        b[half + i] = conj(x[i]);
    }
}

/* The damping of an L x L matrix of products of m rows in double precision, at least: (A^H A and its factors are off by
 * (m + L) rounding errors of its trace, which is L times the mean of the diagonal). */
static double least_damping(int64_t rows, int64_t length)
{
    return DBL_EPSILON * (double)(length * (rows + length + 1));
}

/* The damped filter, in place of the right side; matrix [L][L], its lower triangle by columns. */
static bool solve(int64_t rows, int64_t length, double damping, double complex *matrix, double complex *right)
{
    double mean = 0, least = least_damping(rows, length);
    for (int64_t k = 0; k < length; k++) mean += creal(matrix[k * (length + 1)]) / (double)length;
    for (int64_t k = 0; k < length; k++) matrix[k * (length + 1)] += mean * (damping > least ? damping : least);
    const blasint order = (blasint)length, one = 1;
    blasint info = 0;
    zposv_("L", &order, &one, matrix, &order, right, &order, &info, 1);
    return info == 0;
}

/* The mean of what is predicted from both sides; forward [n - L] of the items L .. n - 1, backward of the first ones.
 */
static void join(int64_t n, int64_t length, const double complex *forward, const double complex *backward,
                 double complex *predicted)
{
    for (int64_t t = 0; t < n; t++) {
        bool behind = t >= length, before = t < n - length;
        double complex sum = (behind ? forward[t - length] : 0) + (before ? conj(backward[t]) : 0);
        predicted[t] = behind && before ? sum / 2 : sum;
    }
}

bool linear_prediction_run(int64_t n, int64_t wanted, double damping, const double complex *x,
                           double complex *predicted, double complex *work)
{
    static const double complex ONE = 1, ZERO = 0;
    int64_t length = linear_prediction_length(n, wanted), rows = rows_of(n, length);
    bool zeros = true;
    for (int64_t t = 0; t < n; t++) zeros = zeros && creal(x[t]) == 0 && cimag(x[t]) == 0;
    if (length == 0 || zeros) {
        for (int64_t t = 0; t < n; t++) predicted[t] = x[t];
        return true;
    }
    double complex *a = work, *b = a + rows * length, *sum = b + rows, *matrix = sum + rows,
                   *filter = matrix + length * length;
    fill(n, length, x, a, b);
    cblas_zherk(CblasColMajor, CblasLower, CblasConjTrans, (blasint)length, (blasint)rows, 1, a, (blasint)rows, 0,
                matrix, (blasint)length);
    cblas_zgemv(CblasColMajor, CblasConjTrans, (blasint)rows, (blasint)length, &ONE, a, (blasint)rows, b, 1, &ZERO,
                filter, 1);
    if (!solve(rows, length, damping, matrix, filter)) return false;
    cblas_zgemv(CblasColMajor, CblasNoTrans, (blasint)rows, (blasint)length, &ONE, a, (blasint)rows, filter, 1, &ZERO,
                sum, 1);
    join(n, length, sum, sum + rows / 2, predicted);
    return true;
}
