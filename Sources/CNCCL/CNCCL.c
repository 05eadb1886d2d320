#include "CNCCL.h"

#include <dlfcn.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

// As nccl.h has them; they are the same in all of NCCL 2.
typedef struct {
    char bytes[kuoci_nccl_id_size];
} unique_id;
enum { nccl_float32 = 7, nccl_sum = 0 };

/// An error of ours; NCCL's are above 0.
enum { not_opened = -1 };

static struct {
    int (*version)(int *version);
    int (*make_id)(unique_id *id);
    int (*join)(void **communicator, int count, unique_id id, int rank);
    int (*all_reduce)(
        const void *values, void *sums, size_t count, int type, int operation, void *communicator, void *stream);
    const char *(*error)(int status);
} nccl;
static void *communicator;
static char reason[256];

static void *symbol(void *library, const char *name) {
    void *found = dlsym(library, name);
    if (found == NULL && reason[0] == 0) snprintf(reason, sizeof reason, "it has no %s", name);
    return found;
}

int32_t kuoci_nccl_open(const char *library) {
    if (nccl.join != NULL) return 0;
    reason[0] = 0;
    void *opened = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    if (opened == NULL) {
        snprintf(reason, sizeof reason, "%s", dlerror());
        return not_opened;
    }
    nccl.version = (int (*)(int *))symbol(opened, "ncclGetVersion");
    nccl.make_id = (int (*)(unique_id *))symbol(opened, "ncclGetUniqueId");
    nccl.all_reduce =
        (int (*)(const void *, void *, size_t, int, int, void *, void *))symbol(opened, "ncclAllReduce");
    nccl.error = (const char *(*)(int))symbol(opened, "ncclGetErrorString");
    void *join = symbol(opened, "ncclCommInitRank");
    if (reason[0] != 0) return not_opened;
    nccl.join = (int (*)(void **, int, unique_id, int))join;
    return 0;
}

int32_t kuoci_nccl_version(void) {
    int version = 0;
    if (nccl.join != NULL) nccl.version(&version);
    return version;
}

int32_t kuoci_nccl_make_id(void *id) {
    unique_id made;
    if (nccl.join == NULL) return not_opened;
    int status = nccl.make_id(&made);
    memcpy(id, &made, sizeof made);
    return status;
}

int32_t kuoci_nccl_join(const void *id, int32_t rank, int32_t count) {
    unique_id made;
    if (nccl.join == NULL) return not_opened;
    memcpy(&made, id, sizeof made);
    return nccl.join(&communicator, count, made, rank);
}

int32_t kuoci_nccl_sum(float *values, int64_t count) {
    if (communicator == NULL) return not_opened;
    // NULL is the stream on which libtorch computes unless told otherwise, and nobody tells it otherwise.
    return nccl.all_reduce(values, values, (size_t)count, nccl_float32, nccl_sum, communicator, NULL);
}

void kuoci_nccl_error(int32_t status, char *text, int32_t capacity) {
    snprintf(text, (size_t)capacity, "%s", status < 0 || nccl.join == NULL ? reason : nccl.error(status));
}
