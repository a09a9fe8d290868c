/* Copies of groups: their links, which lead to the same objects, and their attributes. */
#include "h5_change_private.h"
#include "h5_private.h"

#include "seisdcn/memory.h"

#include <stdio.h>
#include <string.h>

/* ---- attributes ---- */

typedef struct {
    const H5File *file;
    const char *object;
    H5KeptList *list;
} Visit;

static Status read_values(const H5File *file, hid_t attribute, H5Kept *kept)
{
    /* a copy: a type that has a name belongs to its file */
    hid_t type = H5Aget_type(attribute);
    kept->type = type < 0 ? type : H5Tcopy(type);
    kept->space = H5Aget_space(attribute);
    if (type >= 0) H5Tclose(type);
    hssize_t n = kept->space < 0 ? -1 : H5Sget_simple_extent_npoints(kept->space);
    if (kept->type < 0 || n < 0) return h5_fail(file, STATUS_DATA, kept->name, "cannot be read");
    kept->bytes = (size_t)n * H5Tget_size(kept->type);
    void *data = memory_new(kept->bytes, 1, "an attribute of a file");
    if (data == NULL) return STATUS_MEMORY;
    if (n > 0 && (h5_struck(FAULT_H5_READ) || H5Aread(attribute, kept->type, data) < 0)) {
        memory_free(data);
        return h5_fail(file, STATUS_DATA, kept->name, "cannot be read");
    }
    kept->data = data;
    return STATUS_OK;
}

static Status keep(const char *name, void *context)
{
    const Visit *visit = context;
    H5KeptList *list = visit->list;
    size_t n = (size_t)list->n;
    void *block = list->kept;
    int grown = memory_grow(&block, n * sizeof *list->kept, n + 1, sizeof *list->kept, "the attributes of a file");
    if (grown != STATUS_OK) return STATUS_MEMORY;
    list->kept = block;
    H5Kept *kept = &list->kept[list->n++];
    *kept = (H5Kept){.type = H5I_INVALID_HID, .space = H5I_INVALID_HID};
    snprintf(kept->object, sizeof kept->object, "%s", visit->object);
    snprintf(kept->name, sizeof kept->name, "%s", name);
    hid_t attribute = H5Aopen_by_name(visit->file->id, visit->object, name, H5P_DEFAULT, H5P_DEFAULT);
    if (attribute < 0) return h5_fail(visit->file, STATUS_DATA, name, "cannot be opened");
    Status status = read_values(visit->file, attribute, kept);
    return h5_closed(visit->file, status, H5Aclose(attribute), name);
}

Status h5_kept_read(const H5File *file, const char *const *groups, H5KeptList *list)
{
    *list = (H5KeptList){0};
    Visit visit = {file, "/", list};
    Status status = h5_each_attribute(file, "/", keep, &visit);
    for (int i = 0; status == STATUS_OK && groups[i] != NULL; i++) {
        visit.object = groups[i];
        if (h5_exists(file, groups[i])) status = h5_each_attribute(file, groups[i], keep, &visit);
    }
    if (status != STATUS_OK) h5_kept_free(list);
    return status;
}

void h5_kept_free(H5KeptList *list)
{
    for (int64_t i = 0; i < list->n; i++) {
        H5Kept *kept = &list->kept[i];
        if (kept->data != NULL && kept->bytes > 0) H5Dvlen_reclaim(kept->type, kept->space, H5P_DEFAULT, kept->data);
        memory_free(kept->data);
        if (kept->type >= 0) H5Tclose(kept->type);
        if (kept->space >= 0) H5Sclose(kept->space);
    }
    memory_free(list->kept);
    *list = (H5KeptList){0};
}

static bool same_values(const H5Kept *a, const H5Kept *b)
{
    if (a->bytes != b->bytes || H5Tequal(a->type, b->type) <= 0) return false;
    if (H5Tis_variable_str(a->type) <= 0)
        return H5Tdetect_class(a->type, H5T_VLEN) > 0 || a->bytes == 0 || memcmp(a->data, b->data, a->bytes) == 0;
    for (size_t i = 0; i < a->bytes / sizeof(char *); i++) {
        const char *mine = ((char **)a->data)[i], *other = ((char **)b->data)[i];
        if ((mine == NULL) != (other == NULL) || (mine != NULL && strcmp(mine, other) != 0)) return false;
    }
    return true;
}

bool h5_kept_same(const H5KeptList *a, const H5KeptList *b)
{
    bool same = a->n == b->n;
    for (int64_t i = 0; same && i < a->n; i++)
        same = strcmp(a->kept[i].object, b->kept[i].object) == 0 && strcmp(a->kept[i].name, b->kept[i].name) == 0 &&
               same_values(&a->kept[i], &b->kept[i]);
    return same;
}

static Status write_kept(const H5File *file, hid_t group, const char *object, const H5KeptList *list)
{
    Status status = STATUS_OK;
    for (int64_t i = 0; status == STATUS_OK && i < list->n; i++) {
        const H5Kept *kept = &list->kept[i];
        if (strcmp(kept->object, object) != 0) continue;
        hid_t attribute = h5_struck(FAULT_H5_WRITE)
                              ? H5I_INVALID_HID
                              : H5Acreate2(group, kept->name, kept->type, kept->space, H5P_DEFAULT, H5P_DEFAULT);
        if (attribute < 0 || (kept->bytes > 0 && H5Awrite(attribute, kept->type, kept->data) < 0))
            status = h5_fail(file, STATUS_IO, kept->name, "cannot be copied");
        if (attribute >= 0) status = h5_closed(file, status, H5Aclose(attribute), kept->name);
    }
    return status;
}

/* ---- links ---- */

typedef struct {
    const H5File *file;
    const char *object;         /* "/", "/attribute" */
    hid_t to;                   /* its copy */
    const char *const *left[2]; /* names that are left out, ended by NULL */
} Links;

static Status copy_link(const char *name, void *context)
{
    const Links *links = context;
    char path[2 * H5_CHANGE_NAME_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", strcmp(links->object, "/") == 0 ? "" : links->object, name);
    if (length >= (int)sizeof path)
        return status_fail(STATUS_DATA, "%s: the name %.40s... is too long", links->file->path, path);
    for (int k = 0; k < 2; k++)
        for (const char *const *left = links->left[k]; *left != NULL; left++)
            if (strcmp(path, *left) == 0) return STATUS_OK;
    if (h5_struck(FAULT_H5_WRITE) || H5Lcopy(links->file->id, path, links->to, name, H5P_DEFAULT, H5P_DEFAULT) < 0)
        return h5_fail(links->file, STATUS_IO, path, "cannot be copied");
    return STATUS_OK;
}

/* The creation of a group, of the kind that this program's files have; or for the root of HDF5's newer kind (which an
 * order of creation brings about) that keeps its links in its header: of the older kind the superblock tells more than
 * the place. */
static hid_t new_group_creation(bool root)
{
    hid_t creation = H5Pcreate(H5P_GROUP_CREATE);
    bool good = creation >= 0 && H5Pset_obj_track_times(creation, false) >= 0;
    if (good && root)
        good = H5Pset_link_creation_order(creation, H5P_CRT_ORDER_TRACKED) >= 0 &&
               H5Pset_link_phase_change(creation, 64, 32) >= 0;
    if (good) return creation;
    if (creation >= 0) H5Pclose(creation);
    return H5I_INVALID_HID;
}

static Status fill_group(const Links *links, const H5KeptList *list)
{
    Links context = *links;
    Status status = write_kept(links->file, links->to, links->object, list);
    bool there = strcmp(links->object, "/") == 0 || h5_exists(links->file, links->object);
    return status == STATUS_OK && there ? h5_each(links->file, links->object, copy_link, &context) : status;
}

static Status copy_group(const H5File *file, hid_t root, hid_t creation, const char *group, const char *const *without,
                         const H5KeptList *list)
{
    static const char *const none[] = {NULL};
    hid_t copy =
        h5_struck(FAULT_H5_WRITE) ? H5I_INVALID_HID : H5Gcreate2(root, group + 1, H5P_DEFAULT, creation, H5P_DEFAULT);
    if (copy < 0) return h5_fail(file, STATUS_IO, group, "cannot be copied");
    Links links = {file, group, copy, {without, none}};
    Status status = fill_group(&links, list); /* before it is closed */
    return h5_closed(file, status, H5Gclose(copy), group);
}

Status h5_copy_groups(const H5File *file, const char *const *groups, const char *const *without, const H5KeptList *list,
                      uint64_t *address)
{
    hid_t of_root = new_group_creation(true), creation = new_group_creation(false), root = H5I_INVALID_HID;
    if (of_root >= 0 && creation >= 0 && !h5_struck(FAULT_H5_WRITE))
        root = H5Gcreate_anon(file->id, of_root, H5P_DEFAULT);
    hobj_ref_t place = 0; /* a reference to an object is its address */
    Status status = STATUS_OK;
    /* without a name, but counted as if it had one: so it stays, and the old root is not touched for it */
    if (root < 0 || H5Oincr_refcount(root) < 0 || H5Rcreate(&place, root, ".", H5R_OBJECT, -1) < 0)
        status = h5_fail(file, STATUS_IO, "/", "cannot be copied");
    Links links = {file, "/", root, {groups, without}};
    if (status == STATUS_OK) status = fill_group(&links, list);
    for (int i = 0; status == STATUS_OK && groups[i] != NULL; i++)
        status = copy_group(file, root, creation, groups[i], without, list);
    if (root >= 0) status = h5_closed(file, status, H5Gclose(root), "/");
    if (of_root >= 0) H5Pclose(of_root);
    if (creation >= 0) H5Pclose(creation);
    *address = (uint64_t)place;
    return status;
}
