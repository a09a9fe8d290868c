#include "seisdcn/commands.h"

const Command *const commands_all[] = {
    &command_synth,   &command_consolidate, &command_attributes, &command_index,   &command_train, &command_sweep,
    &command_compare, &command_test,        &command_apply,      &command_fxdecon, &command_mean,  &command_export,
    &command_plot,    &command_qc,          &command_info,       &command_doctor,  NULL,
};
