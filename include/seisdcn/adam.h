/* adam: the optimizer. */
#ifndef SEISDCN_ADAM_H
#define SEISDCN_ADAM_H

#include <stdint.h>

/* One step of Adam (Kingma and Ba 2015) as torch.optim.Adam defines it, betas 0.9 and 0.999, eps 1e-8, no weight decay:
 * step t >= 1 with gradient [n]; parameter, mean (exp_avg) and square (exp_avg_sq) [n] are updated. Pure; the same bits
 * on every instruction set. */
void adam_step(int64_t n, int64_t t, double learning_rate, const float *gradient, float *parameter, float *mean,
               float *square);

#endif
