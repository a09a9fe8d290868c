/* The attributes of h5. */
#include "h5_private.h"

#include "seisdcn/config_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { PLACE_MAX = 512 };

/* "attribute NAME of OBJECT", for messages */
static const char *place(const char *object, const char *name, char text[PLACE_MAX])
{
    if (strcmp(object, "/") == 0)
        snprintf(text, PLACE_MAX, "root attribute %s", name);
    else
        snprintf(text, PLACE_MAX, "attribute %s of %s", name, object);
    return text;
}

/* ---- writing ---- */

/* Writes over the value of an attribute that has this very type: the bytes change where they stand, so that a kill
 * meanwhile leaves the file's structure as it was. False where it has another type. */
static bool put_in_place(hid_t owner, const char *name, hid_t type, const void *value)
{
    hid_t attribute = H5Aopen(owner, name, H5P_DEFAULT);
    if (attribute < 0) return false;
    hid_t have = H5Aget_type(attribute), space = H5Aget_space(attribute);
    bool good = have >= 0 && space >= 0 && H5Tget_class(type) != H5T_STRING && H5Tequal(have, type) > 0 &&
                H5Sget_simple_extent_type(space) == H5S_SCALAR && H5Awrite(attribute, type, value) >= 0;
    if (have >= 0) H5Tclose(have);
    if (space >= 0) H5Sclose(space);
    return H5Aclose(attribute) >= 0 && good;
}

static Status put(const H5File *file, const char *object, const char *name, hid_t type, const void *value)
{
    char text[PLACE_MAX];
    place(object, name, text);
    hid_t owner = H5Oopen(file->id, object, H5P_DEFAULT);
    if (owner < 0) return h5_fail(file, STATUS_IO, text, "cannot be written");
    if (h5_struck(FAULT_H5_WRITE)) {
        Status status = h5_fail(file, STATUS_IO, text, "cannot be written");
        H5Oclose(owner);
        return status;
    }
    if (H5Aexists(owner, name) > 0 && put_in_place(owner, name, type, value))
        return h5_closed(file, STATUS_OK, H5Oclose(owner), object);
    hid_t space = H5Screate(H5S_SCALAR), attribute = H5I_INVALID_HID;
    bool good = space >= 0;
    if (good && H5Aexists(owner, name) > 0) good = H5Adelete(owner, name) >= 0;
    if (good) attribute = H5Acreate2(owner, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    good = good && attribute >= 0 && H5Awrite(attribute, type, value) >= 0;
    Status status = good ? STATUS_OK : h5_fail(file, STATUS_IO, text, "cannot be written");
    if (attribute >= 0) status = h5_closed(file, status, H5Aclose(attribute), text);
    if (space >= 0) H5Sclose(space);
    return h5_closed(file, status, H5Oclose(owner), object);
}

Status h5_put_int(const H5File *file, const char *object, const char *name, int64_t value)
{
    return put(file, object, name, H5T_STD_I64LE, &value);
}

Status h5_put_uint(const H5File *file, const char *object, const char *name, uint64_t value)
{
    return put(file, object, name, H5T_STD_U64LE, &value);
}

Status h5_put_double(const H5File *file, const char *object, const char *name, double value)
{
    return put(file, object, name, H5T_IEEE_F64LE, &value);
}

Status h5_put_text(const H5File *file, const char *object, const char *name, const char *value)
{
    /* Variable length: h5py gives it back as str, and a long history passes the 64 kB of a fixed attribute. */
    hid_t type = H5Tcopy(H5T_C_S1);
    Status status;
    if (type < 0 || H5Tset_size(type, H5T_VARIABLE) < 0 || H5Tset_cset(type, H5T_CSET_UTF8) < 0)
        status = h5_fail(file, STATUS_BUG, name, "has no string type");
    else
        status = put(file, object, name, type, &value);
    if (type >= 0) H5Tclose(type);
    return status;
}

/* ---- reading ---- */

bool h5_has(const H5File *file, const char *object, const char *name)
{
    if (strcmp(object, "/") != 0 && !h5_exists(file, object)) return false;
    return H5Aexists_by_name(file->id, object, name, H5P_DEFAULT) > 0;
}

typedef struct {
    hid_t attribute, type;
    H5T_class_t class;
} Scalar;

static void close_scalar(Scalar *scalar)
{
    if (scalar->type >= 0) H5Tclose(scalar->type);
    if (scalar->attribute >= 0) H5Aclose(scalar->attribute);
}

/* Opens one value: a scalar, or an array of just one element. */
static Status open_scalar(const H5File *file, const char *object, const char *name, Scalar *scalar)
{
    char text[PLACE_MAX];
    place(object, name, text);
    *scalar = (Scalar){H5I_INVALID_HID, H5I_INVALID_HID, H5T_NO_CLASS};
    if (!h5_has(file, object, name)) return status_fail(STATUS_DATA, "%s: %s is missing", file->path, text);
    scalar->attribute = H5Aopen_by_name(file->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
    hid_t space = scalar->attribute < 0 ? H5I_INVALID_HID : H5Aget_space(scalar->attribute);
    if (space >= 0) scalar->type = H5Aget_type(scalar->attribute);
    Status status = STATUS_OK;
    if (scalar->type < 0)
        status = h5_fail(file, STATUS_DATA, text, "cannot be read");
    else if (H5Sget_simple_extent_npoints(space) != 1)
        status = status_fail(STATUS_DATA, "%s: %s is not one value", file->path, text);
    else
        scalar->class = H5Tget_class(scalar->type);
    if (space >= 0) H5Sclose(space);
    if (status != STATUS_OK) close_scalar(scalar);
    return status;
}

static Status read_value(const H5File *file, const char *object, const char *name, hid_t attribute, hid_t type,
                         void *value)
{
    if (!h5_struck(FAULT_H5_READ) && H5Aread(attribute, type, value) >= 0) return STATUS_OK;
    char text[PLACE_MAX];
    return h5_fail(file, STATUS_DATA, place(object, name, text), "cannot be read");
}

static Status fail_kind(const H5File *file, const char *object, const char *name, const char *wanted)
{
    char text[PLACE_MAX];
    return status_fail(STATUS_DATA, "%s: %s is not %s", file->path, place(object, name, text), wanted);
}

/* A whole number as sign and magnitude, from whatever kind of number holds it. */
static Status get_whole(const H5File *file, const char *object, const char *name, bool *negative, uint64_t *magnitude)
{
    Scalar scalar;
    Status status = open_scalar(file, object, name, &scalar);
    if (status != STATUS_OK) return status;
    *negative = false;
    if (scalar.class == H5T_FLOAT) {
        double number;
        status = read_value(file, object, name, scalar.attribute, H5T_NATIVE_DOUBLE, &number);
        if (status == STATUS_OK && !(fabs(number) <= 0x1p53 && number == floor(number)))
            status = fail_kind(file, object, name, "a whole number");
        if (status == STATUS_OK) {
            *negative = number < 0;
            *magnitude = (uint64_t)fabs(number);
        }
    } else if (scalar.class == H5T_INTEGER && H5Tget_sign(scalar.type) == H5T_SGN_NONE) {
        status = read_value(file, object, name, scalar.attribute, H5T_NATIVE_UINT64, magnitude);
    } else if (scalar.class == H5T_INTEGER) {
        int64_t number;
        status = read_value(file, object, name, scalar.attribute, H5T_NATIVE_INT64, &number);
        if (status == STATUS_OK) {
            *negative = number < 0;
            *magnitude = number < 0 ? -(uint64_t)number : (uint64_t)number;
        }
    } else {
        status = fail_kind(file, object, name, "a whole number");
    }
    close_scalar(&scalar);
    return status;
}

Status h5_get_int(const H5File *file, const char *object, const char *name, int64_t *value)
{
    bool negative;
    uint64_t magnitude;
    Status status = get_whole(file, object, name, &negative, &magnitude);
    if (status != STATUS_OK) return status;
    if (magnitude > INT64_MAX) return fail_kind(file, object, name, "in the range of 64-bit integers");
    *value = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return STATUS_OK;
}

Status h5_get_uint(const H5File *file, const char *object, const char *name, uint64_t *value)
{
    bool negative;
    uint64_t magnitude;
    Status status = get_whole(file, object, name, &negative, &magnitude);
    if (status != STATUS_OK) return status;
    if (negative) return fail_kind(file, object, name, "zero or more");
    *value = magnitude;
    return STATUS_OK;
}

Status h5_get_double(const H5File *file, const char *object, const char *name, double *value)
{
    Scalar scalar;
    Status status = open_scalar(file, object, name, &scalar);
    if (status != STATUS_OK) return status;
    if (scalar.class == H5T_FLOAT || scalar.class == H5T_INTEGER)
        status = read_value(file, object, name, scalar.attribute, H5T_NATIVE_DOUBLE, value);
    else
        status = fail_kind(file, object, name, "a number");
    close_scalar(&scalar);
    return status;
}

Status h5_get_text(const H5File *file, const char *object, const char *name, char *value, size_t size)
{
    Scalar scalar;
    value[0] = '\0';
    Status status = open_scalar(file, object, name, &scalar);
    if (status != STATUS_OK) return status;
    if (scalar.class != H5T_STRING) {
        close_scalar(&scalar);
        return fail_kind(file, object, name, "a text");
    }
    bool variable = H5Tis_variable_str(scalar.type) > 0;
    hid_t type = H5Tcopy(H5T_C_S1);
    if (type < 0 || H5Tset_cset(type, H5Tget_cset(scalar.type)) < 0 ||
        H5Tset_size(type, variable ? H5T_VARIABLE : size) < 0 || H5Tset_strpad(type, H5T_STR_NULLTERM) < 0)
        status = h5_fail(file, STATUS_BUG, name, "has no string type");
    if (status == STATUS_OK && variable) {
        char *text = NULL;
        status = read_value(file, object, name, scalar.attribute, type, &text);
        if (status == STATUS_OK && text != NULL) snprintf(value, size, "%s", text);
        if (text != NULL) H5free_memory(text);
    } else if (status == STATUS_OK) {
        status = read_value(file, object, name, scalar.attribute, type, value);
    }
    if (type >= 0) H5Tclose(type);
    close_scalar(&scalar);
    return status;
}

Status h5_get_choice(const H5File *file, const char *name, ConfigKey key, int *value)
{
    if (!h5_has(file, "/", name)) return STATUS_OK;
    char word[32], known[CONFIG_RANGE_MAX];
    Status status = h5_get_text(file, "/", name, word, sizeof word);
    if (status != STATUS_OK) return status;
    int64_t choice = config_choice(key, word);
    if (choice < 0)
        return status_fail(STATUS_DATA, "%s: attribute %s is \"%s\"; this program knows %s", file->path, name, word,
                           config_table_range(config_table_entry(key), known));
    *value = (int)choice;
    return STATUS_OK;
}

Status h5_attribute_text(const H5File *file, const char *object, const char *name, char *text, size_t size)
{
    Scalar scalar;
    Status status = open_scalar(file, object, name, &scalar);
    if (status != STATUS_OK) return status;
    H5T_class_t class = scalar.class;
    bool without_sign = class == H5T_INTEGER && H5Tget_sign(scalar.type) == H5T_SGN_NONE;
    close_scalar(&scalar);
    if (class == H5T_STRING) return h5_get_text(file, object, name, text, size);
    if (without_sign) {
        uint64_t number = 0;
        status = h5_get_uint(file, object, name, &number);
        snprintf(text, size, "%" PRIu64, number);
    } else if (class == H5T_INTEGER) {
        int64_t number = 0;
        status = h5_get_int(file, object, name, &number);
        snprintf(text, size, "%" PRId64, number);
    } else {
        double number = 0;
        status = h5_get_double(file, object, name, &number);
        snprintf(text, size, "%.9g", number);
    }
    return status;
}

Status h5_each_attribute(const H5File *file, const char *object, Status (*visit)(const char *name, void *context),
                         void *context)
{
    Status status = STATUS_OK;
    char name[256];
    /* Asked for one by one: past the last one HDF5 fails, and a damaged object has none. */
    for (hsize_t i = 0; status == STATUS_OK; i++) {
        ssize_t length =
            H5Aget_name_by_idx(file->id, object, H5_INDEX_NAME, H5_ITER_INC, i, name, sizeof name, H5P_DEFAULT);
        if (length < 0) break;
        if (length < (ssize_t)sizeof name) status = visit(name, context);
    }
    return status;
}

Status h5_check_format(const H5File *file, const char *format, const char *what, int64_t newest, int64_t *version)
{
    char have[128];
    if (!h5_has(file, "/", "format"))
        return status_fail(STATUS_DATA, "%s: has no root attribute 'format'; %s (format \"%s\") was wanted", file->path,
                           what, format);
    Status status = h5_get_text(file, "/", "format", have, sizeof have);
    if (status != STATUS_OK) return status;
    if (strcmp(have, format) != 0)
        return status_fail(STATUS_DATA, "%s: its format is \"%s\"; %s (format \"%s\") was wanted", file->path, have,
                           what, format);
    int64_t number = 0;
    status = h5_get_int(file, "/", "version", &number);
    if (status != STATUS_OK) return status;
    if (version != NULL) *version = number;
    if (number >= 1 && number <= newest) return STATUS_OK;
    char versions[48] = "version 1";
    if (newest > 1) snprintf(versions, sizeof versions, "versions 1 to %" PRId64, newest);
    return status_fail(STATUS_DATA, "%s: is of version %" PRId64 "; this program reads %s", file->path, number,
                       versions);
}
