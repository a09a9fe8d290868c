/* h5_edit: changes what an HDF5 file says, by the bytes of a fuzzer's input.
 *
 * HDF5 itself is not ours, is not built with sanitizers, and before 1.14.4 is known to overrun on files whose own
 * structure is damaged. So the files stay whole as HDF5 files, and what they hold becomes anything: attributes and
 * datasets that are missing, of other types, kinds of strings, shapes and values, groups in place of datasets, links
 * that lead nowhere or in circles, datasets without storage. */
#ifndef SEISDCN_FUZZ_H5_EDIT_H
#define SEISDCN_FUZZ_H5_EDIT_H

#include <stddef.h>
#include <stdint.h>

/* Carries out the changes that the input spells, in the file at path, which must be a whole HDF5 file. */
void h5_edit(const char *path, const uint8_t *data, size_t size);

#endif
