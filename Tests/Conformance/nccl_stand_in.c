// A library with NCCL's names that adds up numbers in the memory of processes of one machine, in the order of ranks, so that
// the way to NCCL can be gone without a GPU: cc -shared -fPIC -o libnccl.so.2 nccl_stand_in.c -lpthread
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { most_ranks = 8, round_size = 1 << 16, float32 = 7, sum = 0 };
enum { success = 0, system_error = 2, invalid_argument = 4 };

typedef struct {
    char name[128];
} ncclUniqueId;

/// What the processes share. Memory that is new is zero.
struct room {
    atomic_int is_ready;
    pthread_barrier_t meeting;
    float values[most_ranks][round_size];
};

struct communicator {
    struct room *room;
    int count, rank;
};

int ncclGetVersion(int *version) {
    *version = 10203;
    return success;
}

const char *ncclGetErrorString(int status) { return status == success ? "success" : "the stand-in refused"; }

int ncclGetUniqueId(ncclUniqueId *id) {
    memset(id, 0, sizeof *id);
    snprintf(id->name, sizeof id->name, "/kuoci-stand-in-%d", (int)getpid());
    int file = shm_open(id->name, O_CREAT | O_EXCL | O_RDWR, 0600);
    if (file < 0 || ftruncate(file, sizeof(struct room)) != 0) return system_error;
    close(file);
    return success;
}

int ncclCommInitRank(struct communicator **result, int count, ncclUniqueId id, int rank) {
    int file = shm_open(id.name, O_RDWR, 0600);
    if (file < 0 || count > most_ranks) return invalid_argument;
    struct room *room = mmap(NULL, sizeof *room, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (room == MAP_FAILED) return system_error;
    if (rank == 0) {
        pthread_barrierattr_t shared;
        pthread_barrierattr_init(&shared);
        pthread_barrierattr_setpshared(&shared, PTHREAD_PROCESS_SHARED);
        pthread_barrier_init(&room->meeting, &shared, (unsigned)count);
        atomic_store(&room->is_ready, 1);
    }
    while (!atomic_load(&room->is_ready)) sched_yield();
    pthread_barrier_wait(&room->meeting);
    if (rank == 0) shm_unlink(id.name);
    *result = malloc(sizeof **result);
    **result = (struct communicator){room, count, rank};
    return success;
}

int ncclAllReduce(
    const float *values, float *sums, size_t count, int type, int operation, struct communicator *all, void *stream) {
    if (type != float32 || operation != sum || stream != NULL) return invalid_argument;
    struct room *room = all->room;
    for (size_t first = 0; first < count; first += round_size) {
        size_t length = count - first < round_size ? count - first : round_size;
        memcpy(room->values[all->rank], values + first, length * sizeof *values);
        pthread_barrier_wait(&room->meeting);
        for (size_t i = 0; i < length; i++) {
            float total = room->values[0][i];
            for (int rank = 1; rank < all->count; rank++) total += room->values[rank][i];
            sums[first + i] = total;
        }
        pthread_barrier_wait(&room->meeting);
    }
    return success;
}
