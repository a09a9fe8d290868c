/* fma_peak: how fast this core multiplies and adds right now, in single-precision GFLOP/s: the bound of every kernel.
 *
 *     fma_peak [SECONDS] [avx512|avx2|portable]
 *
 * Loops over independent fused multiply-adds that stay in registers, on the best instruction set of the machine or the
 * one named, for SECONDS (default 0.5), and prints one number: the rate of the fastest tenth of a second or less, since
 * what disturbs only ever slows. Two operations a multiply-add (portable on x86-64: SSE2, which has no fused one: a
 * multiply and an add). Build with -O2, no further flags. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Two units of four cycles need 8 chains; 12 leave slack and fit the 16 registers of AVX2 with the two factors. */
enum { CHAINS = 12, ROUNDS = 20000 };

typedef float (*Loop)(float a, float b); /* ROUNDS * CHAINS multiply-adds of a vector; the sum keeps them alive */

/* One loop as a text for each vector type: GCC's vectors, so that no intrinsics are needed. The chains are variables by
 * name, since an array would live in memory; the empty asm holds each in a register and keeps the loop as it stands. */
#define EACH_CHAIN(DO) DO(0) DO(1) DO(2) DO(3) DO(4) DO(5) DO(6) DO(7) DO(8) DO(9) DO(10) DO(11)
#define DECLARE(I)     Vector x##I = summand * (float)I;
#define STEP_v(I)      STEP(I, "+v")
#define STEP_x(I)      STEP(I, "+x")
#define STEP_w(I)      STEP(I, "+w")
#define STEP(I, CONSTRAINT)         \
    x##I = x##I * factor + summand; \
    __asm__ volatile("" : CONSTRAINT(x##I));
#define ADD(I) sum += x##I[0];
#define DEFINE_LOOP(NAME, TARGET, BYTES, STEP_KIND)                 \
    TARGET static float NAME(float a, float b)                      \
    {                                                               \
        typedef float Vector __attribute__((vector_size(BYTES)));   \
        Vector factor = (Vector){0} + a, summand = (Vector){0} + b; \
        EACH_CHAIN(DECLARE)                                         \
        for (int round = 0; round < ROUNDS; round++) {              \
            EACH_CHAIN(STEP_KIND)                                   \
        }                                                           \
        float sum = 0;                                              \
        EACH_CHAIN(ADD)                                             \
        return sum;                                                 \
    }

#if defined(__x86_64__)
DEFINE_LOOP(loop_avx512, __attribute__((target("avx512f,fma,prefer-vector-width=512"), optimize("fp-contract=fast"))),
            64, STEP_v)
DEFINE_LOOP(loop_avx2, __attribute__((target("avx2,fma"), optimize("fp-contract=fast"))), 32, STEP_x)
DEFINE_LOOP(loop_portable, , 16, STEP_x)
#else
DEFINE_LOOP(loop_portable, __attribute__((optimize("fp-contract=fast"))), 16, STEP_w)
#endif

typedef struct {
    const char *name;
    Loop loop;
    int lanes;
} Isa;

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int main(int argc, char **argv)
{
    Isa isas[3];
    int n_isas = 0;
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        isas[n_isas++] = (Isa){"avx512", loop_avx512, 16};
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
        isas[n_isas++] = (Isa){"avx2", loop_avx2, 8};
    }
#endif
    isas[n_isas++] = (Isa){"portable", loop_portable, 4};

    double seconds = argc > 1 ? atof(argv[1]) : 0.5;
    const Isa *isa = &isas[0];
    if (argc > 2) {
        isa = NULL;
        for (int i = 0; i < n_isas; i++) {
            if (strcmp(isas[i].name, argv[2]) == 0) {
                isa = &isas[i];
            }
        }
    }
    if (isa == NULL || !(seconds > 0)) {
        fprintf(stderr, "usage: fma_peak [SECONDS] [avx512|avx2|portable], of those that this machine has\n");
        return 2;
    }

    volatile float keep = 0;
    double best = 0, start = seconds_now();
    do {
        double piece = seconds_now();
        int calls = 0;
        do {
            keep = isa->loop(0.5F, 1.0F);
            calls++;
        } while (seconds_now() - piece < seconds / 10);
        double flops = 2.0 * isa->lanes * CHAINS * ROUNDS * calls / (seconds_now() - piece);
        best = flops > best ? flops : best;
    } while (seconds_now() - start < seconds);
    (void)keep;
    printf("%.1f\n", best * 1e-9);
    return 0;
}
