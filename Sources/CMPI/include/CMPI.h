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
/// same processors.
int32_t kuoci_mpi_start(int32_t *rank, int32_t *count, int32_t *place, int32_t *sharing);

/// Every rank's `bytes` bytes, in the order of ranks, into `all`.
int32_t kuoci_mpi_gather(const void *own, void *all, int32_t bytes);

/// Replaces bytes by those of rank 0.
int32_t kuoci_mpi_broadcast(void *bytes, int32_t count);

/// Replaces each value by its sum over all ranks, added in the order of ranks: the same bits on each of them, every time.
int32_t kuoci_mpi_sum(float *values, int64_t count);

/// What an error's number means.
void kuoci_mpi_error(int32_t status, char *text, int32_t capacity);

#endif
