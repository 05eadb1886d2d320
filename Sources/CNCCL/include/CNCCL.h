// What data parallel training on GPUs needs of NCCL, which is opened when a program asks for it: no build needs it. A status
// is 0, or an error's number for `kuoci_nccl_error`.
#ifndef KUOCI_CNCCL_H
#define KUOCI_CNCCL_H

#include <stdint.h>

/// Opens the library of this path, or of this name where the loader looks; once in a process.
int32_t kuoci_nccl_open(const char *library);

/// Of NCCL 2.21.5 it is 22105.
int32_t kuoci_nccl_version(void);

enum { kuoci_nccl_id_size = 128 };

/// Makes what the processes find one another by: one process makes it and hands it to the others.
int32_t kuoci_nccl_make_id(void *id);

/// Joins the processes, each with its own rank and on the thread's current CUDA device, until the process ends.
int32_t kuoci_nccl_join(const void *id, int32_t rank, int32_t count);

/// Replaces float32 numbers on the device by their sums over all processes, after what libtorch has begun there.
int32_t kuoci_nccl_sum(float *values, int64_t count);

/// What an error's number means.
void kuoci_nccl_error(int32_t status, char *text, int32_t capacity);

#endif
