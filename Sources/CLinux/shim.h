#ifndef KUOCI_CLINUX_H
#define KUOCI_CLINUX_H

#include <stddef.h>
#include <stdint.h>

// glibc declares these only to programs that ask for GNU extensions, which Swift's own view of glibc does not.

extern intptr_t copy_file_range(
    int input, int64_t *input_offset, int output, int64_t *output_offset, size_t count, unsigned int flags);
extern int fallocate(int descriptor, int mode, int64_t offset, int64_t count);
extern int sync_file_range(int descriptor, int64_t offset, int64_t count, unsigned int flags);

// SYNC_FILE_RANGE_WRITE: begin to write what is dirty, wait for nothing.
static const unsigned int kuoci_begin_writing = 2;

#endif
