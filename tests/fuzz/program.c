#include "program.h"

#include "fuzz.h"

#include "seisdcn/commands.h"
#include "seisdcn/h5.h"

#include <stdio.h>

static const Command *const commands[] = {
    &command_consolidate, &command_index, &command_train, &command_export, &command_qc, &command_info, NULL};
static Comm comm;
static int64_t blocks;
static ssize_t objects;

int program_open(int *argc, char ***argv)
{
    comm_open(argc, argv, &comm);
    h5_open_library();
    program_ready();
    return 0;
}

void program_ready(void)
{
    blocks = fuzz_blocks();
    objects = H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL);
}

void program_done(void)
{
    FUZZ_CHECK(fuzz_blocks() == blocks);
    FUZZ_CHECK(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == objects);
}

const Comm *program_comm(void) { return &comm; }

char *program_path(const char *name, char *text)
{
    snprintf(text, PROGRAM_PATH, "%s", fuzz_path(name));
    return text;
}

int program_run(int n, const char *const *words)
{
    char *all[32] = {"seisdcn"};
    FUZZ_CHECK(n < 31);
    for (int i = 0; i < n; i++) all[i + 1] = (char *)(uintptr_t)words[i];
    Status status = (Status)command_main(&comm, commands, n + 1, all);
    return (int)fuzz_status(status);
}
