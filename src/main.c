/* seisdcn: learns seismic gathers with a small convolutional autoencoder, in parallel, and applies it to whole surveys.
 * Everything that it does is a command; see src/command/. */
#include "seisdcn/command.h"
#include "seisdcn/commands.h"
#include "seisdcn/h5.h"
#include "seisdcn/interrupt.h"
#include "seisdcn/memory.h"

int main(int argc, char **argv)
{
    Comm comm;
    interrupt_listen();
    memory_open();
    comm_open(&argc, &argv, &comm);
    h5_open_library();
    int status = command_main(&comm, commands_all, argc, argv);
    comm_close(&comm);
    return status;
}
