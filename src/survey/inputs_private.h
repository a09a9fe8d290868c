/* inputs_private: what the files of inputs share. */
#ifndef SEISDCN_INPUTS_PRIVATE_H
#define SEISDCN_INPUTS_PRIVATE_H

#include "seisdcn/inputs.h"

/* What a name says of a file's kind. Pure. */
bool inputs_is_npy(const char *name);
bool inputs_is_segy(const char *name);

/* Each rank has filled its share (comm_share()) of records [n] of size bytes; all get all. Collective. STATUS_MEMORY.
 */
Status inputs_share_records(const Comm *comm, void *records, int64_t n, size_t size);

/* The files are known: reads their headers, checks them, makes the list of gathers. Collective. */
Status inputs_open_npy(const Comm *comm, const InputsOptions *options, Inputs *inputs);
Status inputs_open_segy(const Comm *comm, const InputsOptions *options, Inputs *inputs);

/* Position of a .npy file's name by inputs->names, POSITION_UNKNOWN each where it has none. Pure. */
void inputs_name_place(const Inputs *inputs, const char *path, int32_t *line, int32_t *crossline);

/* Says on the log which positions the names of .npy files have, and which have none. Local: rank 0's. STATUS_USAGE
 * where the user's pattern is in no name, or in one more than once. */
Status inputs_check_names(const Inputs *inputs);

/* The layouts of SEG-Y files, and their traces as one row. Collective. */
Status inputs_segy_layouts(const Comm *comm, const SgyForce *force, Inputs *inputs);

/* The error for a number of gather e (one of this rank's) that is beyond float32's range: sample s of trace t is
 * `number`, and largest the largest in sight, both scaled. */
Status inputs_fail_beyond(const Inputs *inputs, int64_t e, int64_t t, int64_t s, double number, double largest);

/* A gather's largest number is so: the sums of inputs_check_range(). Pure. */
void inputs_see_largest(InputsGather *gather, int64_t e, double largest);

/* The functions of inputs.h for one kind. */
int64_t inputs_npy_fold(const Inputs *inputs, int64_t e);
int64_t inputs_npy_file(const Inputs *inputs, int64_t e);
char *inputs_npy_source(const Inputs *inputs, int64_t e, char *text, size_t size);
void inputs_npy_place(const Inputs *inputs, int64_t e, int32_t *line, int32_t *crossline);
Status inputs_npy_read(const Inputs *inputs, int64_t e, InputsGather *gather);
Status inputs_segy_read(Inputs *inputs, int64_t e, InputsGather *gather);

#endif
