#define _GNU_SOURCE
#include "CMPI.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef KUOCI_MPI

#include <mpi.h>

bool kuoci_mpi_is_built(void) { return true; }

/// Our place among the ranks of this machine, and how many of them may run on the same processors as we do.
static int look_around(int32_t *place, int32_t *sharing) {
    MPI_Comm local;
    int status = MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &local);
    if (status != MPI_SUCCESS) return status;
    int size = 1, rank = 0;
    MPI_Comm_size(local, &size);
    MPI_Comm_rank(local, &rank);
    *place = rank;
    cpu_set_t own;
    CPU_ZERO(&own);
    sched_getaffinity(0, sizeof own, &own);
    cpu_set_t *all = calloc((size_t)size, sizeof own);
    if (all == NULL) return MPI_ERR_NO_MEM;
    status = MPI_Allgather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, local);
    *sharing = 0;
    for (int other = 0; other < size; other++) *sharing += CPU_EQUAL(&own, &all[other]) != 0;
    free(all);
    MPI_Comm_free(&local);
    return status;
}

/// Runs after all that the program has to say: it waits for a launcher which may be busy ending us.
static void leave(void) { MPI_Finalize(); }

int32_t kuoci_mpi_start(int32_t *rank, int32_t *count, int32_t *place, int32_t *sharing) {
    int provided = 0, own = 0, all = 1;
    int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided);
    if (status != MPI_SUCCESS) return status;
    atexit(leave);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &own);
    MPI_Comm_size(MPI_COMM_WORLD, &all);
    *rank = own;
    *count = all;
    return look_around(place, sharing);
}

int32_t kuoci_mpi_gather(const void *own, void *all, int32_t bytes) {
    return MPI_Allgather(own, bytes, MPI_BYTE, all, bytes, MPI_BYTE, MPI_COMM_WORLD);
}

int32_t kuoci_mpi_broadcast(void *bytes, int32_t count) {
    return MPI_Bcast(bytes, count, MPI_BYTE, 0, MPI_COMM_WORLD);
}

/// Values that a rank adds up at a time: small enough to stay in cache.
enum { share = 1 << 16 };

/// Each rank adds up one share of the values and hands the sums out. MPI's own sum may add in any order.
static int sum_part(float *values, size_t count, size_t ranks, float *outgoing, float *incoming) {
    memcpy(outgoing, values, count * sizeof *values);
    memset(outgoing + count, 0, (ranks * share - count) * sizeof *values);
    int status = MPI_Alltoall(outgoing, share, MPI_FLOAT, incoming, share, MPI_FLOAT, MPI_COMM_WORLD);
    if (status != MPI_SUCCESS) return status;
    memcpy(outgoing, incoming, share * sizeof *values);
    for (size_t rank = 1; rank < ranks; rank++) {
        const float *theirs = incoming + rank * share;
        for (size_t i = 0; i < share; i++) outgoing[i] += theirs[i];
    }
    status = MPI_Allgather(outgoing, share, MPI_FLOAT, incoming, share, MPI_FLOAT, MPI_COMM_WORLD);
    if (status == MPI_SUCCESS) memcpy(values, incoming, count * sizeof *values);
    return status;
}

int32_t kuoci_mpi_sum(float *values, int64_t count) {
    int size = 1;
    MPI_Comm_size(MPI_COMM_WORLD, &size);
    size_t part = (size_t)size * share;
    float *buffers = malloc(2 * part * sizeof *values);
    if (buffers == NULL) return MPI_ERR_NO_MEM;
    int status = MPI_SUCCESS;
    for (size_t start = 0; start < (size_t)count && status == MPI_SUCCESS; start += part) {
        size_t left = (size_t)count - start;
        status = sum_part(values + start, left < part ? left : part, (size_t)size, buffers, buffers + part);
    }
    free(buffers);
    return status;
}

void kuoci_mpi_error(int32_t status, char *text, int32_t capacity) {
    char message[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(status, message, &length);
    snprintf(text, (size_t)capacity, "%s", message);
}

#else

enum { not_built = 1 };

bool kuoci_mpi_is_built(void) { return false; }
int32_t kuoci_mpi_start(int32_t *rank, int32_t *count, int32_t *place, int32_t *sharing) { return not_built; }
int32_t kuoci_mpi_gather(const void *own, void *all, int32_t bytes) { return not_built; }
int32_t kuoci_mpi_broadcast(void *bytes, int32_t count) { return not_built; }
int32_t kuoci_mpi_sum(float *values, int64_t count) { return not_built; }
void kuoci_mpi_error(int32_t status, char *text, int32_t capacity) {
    snprintf(text, (size_t)capacity, "this build has no MPI");
}

#endif
