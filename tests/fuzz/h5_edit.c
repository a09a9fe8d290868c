#include "h5_edit.h"

#include "fuzz.h"

#include <hdf5.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OBJECTS_MAX = 128, NAME_MAX_BYTES = 64, EDITS_MAX = 24, TEXT_MAX_BYTES = 255, RANK = 6 };

/* The file's objects and the attributes of its root, as they were before the first change. */
typedef struct {
    hid_t file;
    int n_objects, n_attributes;
    char object[OBJECTS_MAX][NAME_MAX_BYTES]; /* with a '/' before it; [0] is the root */
    char attribute[OBJECTS_MAX][NAME_MAX_BYTES];
    const uint8_t *data;
    size_t size;
} Edit;

static uint8_t take(Edit *edit) { return fuzz_byte(&edit->data, &edit->size); }

/* ---- what there is ---- */

static herr_t add_object(hid_t group, const char *name, const H5O_info_t *about, void *context)
{
    Edit *edit = context;
    (void)group;
    (void)about;
    if (edit->n_objects == OBJECTS_MAX || strlen(name) + 2 > NAME_MAX_BYTES) return 0;
    snprintf(edit->object[edit->n_objects++], NAME_MAX_BYTES, "/%.*s", NAME_MAX_BYTES - 2,
             strcmp(name, ".") == 0 ? "" : name);
    return 0;
}

static herr_t add_attribute(hid_t object, const char *name, const H5A_info_t *about, void *context)
{
    Edit *edit = context;
    (void)object;
    (void)about;
    if (edit->n_attributes < OBJECTS_MAX)
        snprintf(edit->attribute[edit->n_attributes++], NAME_MAX_BYTES, "%.*s", NAME_MAX_BYTES - 1, name);
    return 0;
}

static const char *any_object(Edit *edit) { return edit->object[take(edit) % edit->n_objects]; }

/* ---- values, types, shapes ---- */

static int64_t any_number(Edit *edit)
{
    static const int64_t odd[] = {0,         1,         -1,        2,         3,         INT32_MAX,
                                  INT32_MIN, INT64_MAX, INT64_MIN, 1LL << 31, 1LL << 32, 1LL << 40,
                                  1LL << 53, 1LL << 62, 1000000,   240};
    uint8_t byte = take(edit);
    if (byte < 128) return byte;
    if (byte < 240) return odd[byte % (sizeof odd / sizeof *odd)];
    uint64_t number = 0;
    for (int i = 0; i < 8; i++) number = number << 8 | take(edit);
    return (int64_t)number;
}

static double any_double(Edit *edit)
{
    static const double odd[] = {0, -0.0, 1, -1, 0.5, 1e300, -1e300, 4e-320, 0x1p53, 0x1p63, 0x1p64, 1.5, 0.999};
    uint8_t byte = take(edit);
    if (byte % 16 == 13) return (double)NAN;
    if (byte % 16 == 14) return (double)INFINITY;
    return byte % 16 == 15 ? (double)any_number(edit) : odd[byte % 16 % (sizeof odd / sizeof *odd)];
}

static size_t any_text(Edit *edit, char text[TEXT_MAX_BYTES + 1])
{
    size_t n = take(edit);
    for (size_t i = 0; i < n; i++) text[i] = (char)take(edit);
    text[n] = '\0';
    return n;
}

/* A type as stored; to be closed. */
static hid_t any_type(Edit *edit)
{
    static const size_t widths[] = {1, 2, 8, 255};
    uint8_t byte = take(edit);
    hid_t type = H5I_INVALID_HID;
    switch (byte % 13) {
    case 0:
        return H5Tcopy(H5T_IEEE_F32LE);
    case 1:
        return H5Tcopy(H5T_IEEE_F64BE);
    case 2:
        return H5Tcopy(H5T_STD_I8LE);
    case 3:
        return H5Tcopy(H5T_STD_U8LE);
    case 4:
        return H5Tcopy(H5T_STD_I16BE);
    case 5:
        return H5Tcopy(H5T_STD_I32LE);
    case 6:
        return H5Tcopy(H5T_STD_I64LE);
    case 7:
        return H5Tcopy(H5T_STD_U64BE);
    case 8: /* fixed strings */
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, widths[byte / 13 % 4]);
        H5Tset_strpad(type, byte & 128 ? H5T_STR_SPACEPAD : H5T_STR_NULLPAD);
        return type;
    case 9: /* strings of variable length */
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, H5T_VARIABLE);
        H5Tset_cset(type, byte & 128 ? H5T_CSET_UTF8 : H5T_CSET_ASCII);
        return type;
    case 10:
        type = H5Tcreate(H5T_COMPOUND, 8);
        H5Tinsert(type, "a", 0, H5T_STD_I32LE);
        H5Tinsert(type, "b", 4, H5T_IEEE_F32LE);
        return type;
    case 11:
        return H5Tarray_create2(H5T_STD_I64LE, 1, (const hsize_t[]){1 + byte / 13});
    default:
        return H5Tcreate(H5T_OPAQUE, 1 + byte / 13);
    }
}

/* A shape of up to RANK dimensions; 0: a scalar, and RANK + 1: no element at all. Returns the elements, at most 2^63.
 */
static hid_t any_space(Edit *edit, double *elements)
{
    hsize_t dims[RANK];
    uint8_t rank = take(edit) % (RANK + 2);
    *elements = rank == RANK + 1 ? 0 : 1;
    if (rank == RANK + 1) return H5Screate(H5S_NULL);
    for (int i = 0; i < rank; i++) {
        dims[i] = (hsize_t)any_number(edit);
        *elements *= (double)dims[i];
    }
    return rank == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(rank, dims, NULL);
}

/* ---- changes ---- */

static void put_attribute(Edit *edit, const char *object, const char *name, hid_t type, hid_t memory, hid_t space,
                          const void *value)
{
    if (H5Aexists_by_name(edit->file, object, name, H5P_DEFAULT) > 0)
        H5Adelete_by_name(edit->file, object, name, H5P_DEFAULT);
    hid_t attribute = H5Acreate_by_name(edit->file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute >= 0 && value != NULL) H5Awrite(attribute, memory, value);
    if (attribute >= 0) H5Aclose(attribute);
}

static void edit_attribute(Edit *edit, uint8_t how)
{
    bool of_root = how < 192;
    const char *object = of_root ? "/" : any_object(edit);
    const char *name = of_root && edit->n_attributes > 0 ? edit->attribute[take(edit) % edit->n_attributes] : "scale";
    static const char *const others[] = {"scale", "checksum", "survey_checksum", "definition", "byte_order", "format"};
    if (!of_root) name = others[take(edit) % 6];
    hid_t scalar = H5Screate(H5S_SCALAR), type = H5I_INVALID_HID;
    char text[TEXT_MAX_BYTES + 1];
    const char *pointer = text;
    if (how % 6 == 0) {
        H5Adelete_by_name(edit->file, object, name, H5P_DEFAULT);
    } else if (how % 6 == 1) {
        int64_t value = any_number(edit);
        put_attribute(edit, object, name, H5T_STD_I64LE, H5T_NATIVE_INT64, scalar, &value);
    } else if (how % 6 == 2) {
        double value = any_double(edit);
        put_attribute(edit, object, name, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, scalar, &value);
    } else if (how % 6 == 3) {
        any_text(edit, text);
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, H5T_VARIABLE);
        put_attribute(edit, object, name, type, type, scalar, &pointer);
    } else if (how % 6 == 4) {
        size_t n = any_text(edit, text);
        type = H5Tcopy(H5T_C_S1);
        H5Tset_size(type, n == 0 ? 1 : n);
        H5Tset_strpad(type, how & 64 ? H5T_STR_NULLPAD : H5T_STR_SPACEPAD);
        put_attribute(edit, object, name, type, type, scalar, text);
    } else {
        double elements;
        type = any_type(edit);
        hid_t space = any_space(edit, &elements);
        if (elements <= 64) put_attribute(edit, object, name, type, type, space, NULL);
        if (space >= 0) H5Sclose(space);
    }
    if (type >= 0) H5Tclose(type);
    H5Sclose(scalar);
}

/* A dataset of any type and shape, whose storage may be none, in place of what stands at name. */
static void replace_dataset(Edit *edit, const char *name)
{
    double elements;
    uint8_t how = take(edit);
    hid_t type = any_type(edit), space = any_space(edit, &elements), creation = H5Pcreate(H5P_DATASET_CREATE);
    bool small = elements * (double)H5Tget_size(type) <= 1 << 16, simple = elements > 0 && elements < 1e18;
    if (how % 4 == 0) H5Pset_alloc_time(creation, small ? H5D_ALLOC_TIME_EARLY : H5D_ALLOC_TIME_LATE);
    if (how % 4 == 1 && small) H5Pset_layout(creation, H5D_COMPACT);
    if (how % 4 == 2 && simple && H5Sget_simple_extent_ndims(space) > 0) {
        hsize_t chunk[RANK] = {1, 1, 1, 1, 1, 1};
        H5Pset_chunk(creation, H5Sget_simple_extent_ndims(space), chunk);
    }
    H5Ldelete(edit->file, name, H5P_DEFAULT);
    hid_t set = H5Dcreate2(edit->file, name, type, space, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (set >= 0) H5Dclose(set);
    H5Pclose(creation);
    if (space >= 0) H5Sclose(space);
    if (type >= 0) H5Tclose(type);
}

/* Some numbers of a dataset become others. */
static void change_values(Edit *edit, const char *name)
{
    hid_t set = H5Dopen2(edit->file, name, H5P_DEFAULT);
    if (set < 0) return;
    hid_t type = H5Dget_type(set), space = H5Dget_space(set);
    H5T_class_t kind = H5Tget_class(type);
    hssize_t n = H5Sget_simple_extent_npoints(space);
    if ((kind == H5T_INTEGER || kind == H5T_FLOAT) && n > 0 && n <= 1 << 16) {
        double *values = calloc((size_t)n, sizeof *values);
        int64_t *numbers = calloc((size_t)n, sizeof *numbers);
        FUZZ_CHECK(values != NULL && numbers != NULL);
        bool whole = kind == H5T_INTEGER;
        hid_t memory = whole ? H5T_NATIVE_INT64 : H5T_NATIVE_DOUBLE;
        void *all = whole ? (void *)numbers : (void *)values;
        H5Dread(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
        for (int i = take(edit) % 4; i >= 0; i--) {
            int64_t at = (take(edit) | (int64_t)take(edit) << 8) % n;
            if (whole)
                numbers[at] = any_number(edit);
            else
                values[at] = any_double(edit);
        }
        H5Dwrite(set, memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, all);
        free(values);
        free(numbers);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(set);
}

static void edit_object(Edit *edit, uint8_t how)
{
    const char *name = any_object(edit);
    char path[NAME_MAX_BYTES + TEXT_MAX_BYTES + 2], text[TEXT_MAX_BYTES + 1];
    if (strcmp(name, "/") == 0) return;
    switch (how % 7) {
    case 0:
    case 1:
        change_values(edit, name);
        break;
    case 2:
        replace_dataset(edit, name);
        break;
    case 3:
        H5Ldelete(edit->file, name, H5P_DEFAULT);
        break;
    case 4: /* a group, or a link: to another object, to nothing, to itself */
        H5Ldelete(edit->file, name, H5P_DEFAULT);
        if (how & 64)
            H5Lcreate_soft(how & 128 ? name : any_object(edit), edit->file, name, H5P_DEFAULT, H5P_DEFAULT);
        else
            H5Gclose(H5Gcreate2(edit->file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
        break;
    case 5: /* a second name for an object, of which a group then is its own child */
        any_text(edit, text);
        snprintf(path, sizeof path, "%s/%s", name, text);
        H5Lcreate_hard(edit->file, any_object(edit), edit->file, path, H5P_DEFAULT, H5P_DEFAULT);
        break;
    default: /* something new beside it */
        any_text(edit, text);
        snprintf(path, sizeof path, "%s%s", name, text);
        replace_dataset(edit, path);
    }
}

void h5_edit(const char *path, const uint8_t *data, size_t size)
{
    Edit edit = {.data = data, .size = size};
    edit.file = H5Fopen(path, H5F_ACC_RDWR, H5P_DEFAULT);
    FUZZ_CHECK(edit.file >= 0);
    H5Ovisit(edit.file, H5_INDEX_NAME, H5_ITER_INC, add_object, &edit);
    H5Aiterate2(edit.file, H5_INDEX_NAME, H5_ITER_INC, NULL, add_attribute, &edit);
    for (int i = 0; i < EDITS_MAX && edit.size > 0; i++) {
        uint8_t what = take(&edit), how = take(&edit);
        if (what & 1)
            edit_object(&edit, how);
        else
            edit_attribute(&edit, how);
    }
    H5Fclose(edit.file);
}
