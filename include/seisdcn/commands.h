/* commands: the commands themselves, one file each in src/command/; and the table of them that --help lists. */
#ifndef SEISDCN_COMMANDS_H
#define SEISDCN_COMMANDS_H

#include "seisdcn/command.h"

extern const Command command_synth, command_consolidate, command_attributes, command_index, command_train,
    command_sweep, command_compare, command_test, command_apply, command_fxdecon, command_mean, command_export,
    command_plot, command_qc, command_info, command_doctor;

extern const Command *const commands_all[]; /* ended by NULL */

#endif
