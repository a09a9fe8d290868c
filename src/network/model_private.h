/* Private to model*.c: the attributes that say what network a file holds. */
#ifndef SEISDCN_MODEL_PRIVATE_H
#define SEISDCN_MODEL_PRIVATE_H

#include "seisdcn/h5.h"
#include "seisdcn/model.h"

/* Reads the network's shape; attributes that are absent are the original's. Local. STATUS_DATA, STATUS_IO. */
Status model_read_shape(const H5File *file, NetworkShape *shape);

/* Writes it. Local. STATUS_IO. */
Status model_write_shape(const H5File *file, const NetworkShape *shape);

#endif
