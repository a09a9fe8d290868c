#include "seisdcn/adam.h"

#include <math.h>

static const double BETA1 = 0.9, BETA2 = 0.999, EPSILON = 1e-8;

void adam_step(int64_t n, int64_t t, double learning_rate, const float *gradient, float *parameter, float *mean,
               float *square)
{
    double size = learning_rate / (1 - pow(BETA1, (double)t));
    double root = sqrt(1 - pow(BETA2, (double)t));
    for (int64_t i = 0; i < n; i++) {
        double g = (double)gradient[i];
        mean[i] = (float)(BETA1 * (double)mean[i] + (1 - BETA1) * g);
        square[i] = (float)(BETA2 * (double)square[i] + (1 - BETA2) * g * g);
        double denominator = sqrt((double)square[i]) / root + EPSILON;
        parameter[i] = (float)((double)parameter[i] - size * (double)mean[i] / denominator);
    }
}
