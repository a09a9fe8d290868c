#include "seisdcn/mute.h"

void mute_settle(int64_t n, const float *input, bool keep_mutes, float *prediction, MuteEnergy *energy)
{
    for (int64_t i = 0; i < n; i++) {
        double square = (double)prediction[i] * (double)prediction[i];
        energy->input += (double)input[i] * (double)input[i];
        energy->predicted += square;
        energy->leaked += input[i] == 0 ? square : 0;
        if (keep_mutes && input[i] == 0) prediction[i] = 0;
    }
}
