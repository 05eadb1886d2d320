#define _GNU_SOURCE
#include "CMPI.h"

#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

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

int32_t kuoci_mpi_start(int32_t *rank, int32_t *count, int32_t *place, int32_t *sharing, bool *takes_turns) {
    int provided = 0, own = 0, all = 1;
    int status = MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided);
    if (status != MPI_SUCCESS) return status;
    atexit(leave);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Comm_rank(MPI_COMM_WORLD, &own);
    MPI_Comm_size(MPI_COMM_WORLD, &all);
    *rank = own;
    *count = all;
    *takes_turns = provided >= MPI_THREAD_SERIALIZED;
    return look_around(place, sharing);
}

/// Waits for the others, who may come much later. MPI's own waiting takes the whole processor, which others of our threads
/// may need; and to yield it would put us behind everything else on the machine, where one who sleeps is woken at once.
///
/// Where all are known to be there, MPI waits: between the many parts of a large message a pause costs more than it saves.
static int end(int started, MPI_Request *request) {
    enum { patience = 1000, tests = 64, longest_pause = 1000000 };
    struct timespec pause = {.tv_nsec = 20000};
    for (int turn = 1; started == MPI_SUCCESS; turn++) {
        int is_done = 0;
        int status = MPI_Test(request, &is_done, MPI_STATUS_IGNORE);
        if (status != MPI_SUCCESS || is_done) return status;
        if (turn < patience || turn % tests != 0) continue;
        nanosleep(&pause, NULL);
        if (pause.tv_nsec < longest_pause) pause.tv_nsec *= 2;
    }
    return started;
}

int32_t kuoci_mpi_gather(const void *own, void *all, int32_t bytes) {
    MPI_Request request;
    return end(MPI_Iallgather(own, bytes, MPI_BYTE, all, bytes, MPI_BYTE, MPI_COMM_WORLD, &request), &request);
}

int32_t kuoci_mpi_broadcast(void *bytes, int32_t count) {
    MPI_Request request;
    return end(MPI_Ibcast(bytes, count, MPI_BYTE, 0, MPI_COMM_WORLD, &request), &request);
}

/// How an array is shared out: for each rank where its share begins and how much of it is left.
typedef struct {
    int ranks, own;
    int64_t most;
    int *starts, *counts, *places, *equal_counts;
} shares;

static int make_shares(const int64_t *cuts, shares *result) {
    MPI_Comm_size(MPI_COMM_WORLD, &result->ranks);
    MPI_Comm_rank(MPI_COMM_WORLD, &result->own);
    if (cuts[result->ranks] > INT_MAX) return MPI_ERR_COUNT;
    result->starts = malloc(4 * (size_t)result->ranks * sizeof *result->starts);
    if (result->starts == NULL) return MPI_ERR_NO_MEM;
    result->counts = result->starts + result->ranks;
    result->places = result->counts + result->ranks;
    result->equal_counts = result->places + result->ranks;
    result->most = 0;
    for (int rank = 0; rank < result->ranks; rank++) {
        int64_t length = cuts[rank + 1] - cuts[rank];
        if (length > result->most) result->most = length;
        result->starts[rank] = (int)cuts[rank];
        result->counts[rank] = (int)length;
    }
    return MPI_SUCCESS;
}

/// Values that a rank adds up at a time: small enough to stay in cache.
enum { round_size = 1 << 18 };

/// The part of each share that comes in a round.
static void take_round(const int64_t *cuts, int64_t first, shares *parts) {
    for (int rank = 0; rank < parts->ranks; rank++) {
        int64_t left = cuts[rank + 1] - cuts[rank] - first;
        parts->starts[rank] = (int)(cuts[rank] + (left > 0 ? first : 0));
        parts->counts[rank] = (int)(left < 0 ? 0 : left < round_size ? left : round_size);
        parts->places[rank] = rank * round_size;
    }
    for (int rank = 0; rank < parts->ranks; rank++) parts->equal_counts[rank] = parts->counts[parts->own];
}

/// Adds up one round of our share, in the order of ranks. MPI's own sum may add in any order.
static int sum_round(float *values, const shares *parts, float *incoming) {
    int status = MPI_Alltoallv(
        values, parts->counts, parts->starts, MPI_FLOAT, incoming, parts->equal_counts, parts->places, MPI_FLOAT,
        MPI_COMM_WORLD);
    if (status != MPI_SUCCESS) return status;
    size_t count = (size_t)parts->counts[parts->own];
    float *sums = values + parts->starts[parts->own];
    memcpy(sums, incoming, count * sizeof *sums);
    for (int rank = 1; rank < parts->ranks; rank++) {
        const float *theirs = incoming + (size_t)rank * round_size;
        for (size_t i = 0; i < count; i++) sums[i] += theirs[i];
    }
    return MPI_SUCCESS;
}

/// Gives everyone the shares, or what a round takes of them.
static int hand_out(float *values, const shares *parts) {
    return MPI_Allgatherv(
        MPI_IN_PLACE, 0, MPI_FLOAT, values, parts->counts, parts->starts, MPI_FLOAT, MPI_COMM_WORLD);
}

int32_t kuoci_mpi_sum(float *values, const int64_t *cuts, bool hands_out) {
    shares parts;
    int status = make_shares(cuts, &parts);
    if (status != MPI_SUCCESS) return status;
    float *incoming = malloc((size_t)parts.ranks * round_size * sizeof *incoming);
    if (incoming == NULL) status = MPI_ERR_NO_MEM;
    for (int64_t first = 0; first < parts.most && status == MPI_SUCCESS; first += round_size) {
        take_round(cuts, first, &parts);
        status = sum_round(values, &parts, incoming);
        if (status == MPI_SUCCESS && hands_out) status = hand_out(values, &parts);
    }
    free(incoming);
    free(parts.starts);
    return status;
}

int32_t kuoci_mpi_share(float *values, const int64_t *cuts) {
    shares parts;
    int status = make_shares(cuts, &parts);
    if (status != MPI_SUCCESS) return status;
    status = hand_out(values, &parts);
    free(parts.starts);
    return status;
}

int32_t kuoci_mpi_collect(const void *share, void *all, const int64_t *cuts, int32_t size) {
    shares parts;
    MPI_Datatype value;
    int status = MPI_Type_contiguous(size, MPI_BYTE, &value);
    if (status != MPI_SUCCESS) return status;
    status = MPI_Type_commit(&value);
    if (status == MPI_SUCCESS) status = make_shares(cuts, &parts);
    if (status == MPI_SUCCESS) {
        status = MPI_Gatherv(
            share, parts.counts[parts.own], value, all, parts.counts, parts.starts, value, 0, MPI_COMM_WORLD);
        free(parts.starts);
    }
    MPI_Type_free(&value);
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
int32_t kuoci_mpi_start(int32_t *rank, int32_t *count, int32_t *place, int32_t *sharing, bool *takes_turns) {
    return not_built;
}
int32_t kuoci_mpi_gather(const void *own, void *all, int32_t bytes) { return not_built; }
int32_t kuoci_mpi_broadcast(void *bytes, int32_t count) { return not_built; }
int32_t kuoci_mpi_sum(float *values, const int64_t *cuts, bool hands_out) { return not_built; }
int32_t kuoci_mpi_share(float *values, const int64_t *cuts) { return not_built; }
int32_t kuoci_mpi_collect(const void *share, void *all, const int64_t *cuts, int32_t size) { return not_built; }
void kuoci_mpi_error(int32_t status, char *text, int32_t capacity) {
    snprintf(text, (size_t)capacity, "this build has no MPI");
}

#endif
