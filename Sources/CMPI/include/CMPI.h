// What data parallel training needs of MPI. A status is 0, or an error's number for `kuoci_mpi_error`.
#ifndef KUOCI_CMPI_H
#define KUOCI_CMPI_H

#include <stdbool.h>
#include <stdint.h>

/// Whether this build found MPI; without it all other functions fail.
bool kuoci_mpi_is_built(void);

/// Joins the processes that a launcher started together, until the process exits.
///
/// `place`: this one among those of the same machine, from 0 on; `sharing`: how many of these, itself included, run on the
/// same processors; `takes_turns`: whether threads may call what follows one after another, or only the one that called this.
int32_t kuoci_mpi_start(int32_t *rank, int32_t *count, int32_t *place, int32_t *sharing, bool *takes_turns);

/// Every rank's `bytes` bytes, in the order of ranks, into `all`.
int32_t kuoci_mpi_gather(const void *own, void *all, int32_t bytes);

/// Replaces bytes by those of rank 0.
int32_t kuoci_mpi_broadcast(void *bytes, int32_t count);

// An array is shared out by `cuts`, one more than there are ranks: rank r has values cuts[r] to below cuts[r + 1].

/// Replaces each value of our share by its sum over all ranks, added in the order of ranks; with `hands_out` each rank then
/// gets the others' sums too: the same bits on each of them, every time.
int32_t kuoci_mpi_sum(float *values, const int64_t *cuts, bool hands_out);

/// Replaces the values of the others' shares by theirs.
int32_t kuoci_mpi_share(float *values, const int64_t *cuts);

/// Every rank's share, one after another, into rank 0's `all`, which the others may leave out. A value has `size` bytes.
int32_t kuoci_mpi_collect(const void *share, void *all, const int64_t *cuts, int32_t size);

/// What an error's number means.
void kuoci_mpi_error(int32_t status, char *text, int32_t capacity);

#endif
