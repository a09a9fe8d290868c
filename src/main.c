/* seisdcn: learns seismic gathers with a small convolutional autoencoder, in parallel, and applies it to whole surveys.
 * Everything that it does is a command; see src/command/. */
#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/h5.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/memory.h"

static const Command *const commands[] = {
    &command_synth,   &command_consolidate, &command_attributes, &command_index,   &command_train, &command_sweep,
    &command_compare, &command_test,        &command_apply,      &command_fxdecon, &command_mean,  &command_export,
    &command_plot,    &command_qc,          &command_info,       &command_doctor,  NULL,
};

int main(int argc, char **argv)
{
    Comm comm;
    interrupt_listen();
    memory_open();
    comm_open(&argc, &argv, &comm);
    h5_open_library();
    int status = command_main(&comm, commands, argc, argv);
    comm_close(&comm);
    return status;
}
