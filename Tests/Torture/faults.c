// Loaded into the program by LD_PRELOAD: counts the calls that change the file system, writes each to a log, and at one of
// them does what a full disk, a failing one or a sudden end would do. Made and used by crashes.py, which says what for.
//
// KUOCI_FAULT_AT    which call, counted from 1; 0 or absent: none
// KUOCI_FAULT_KIND  kill (before the call), torn (half of a write, then kill), short (half of a write), term, int (SIGTERM
//                   or SIGINT, and the call goes on), enospc, eio (this call fails), enospc-on, eio-on (it and all later ones fail)
// KUOCI_FAULT_LOG   where to write a line for each call: its number, its name, the path, of a rename both, of a failing
//                   call what became of it; and the line `fault` before it does something
// KUOCI_FAULT_NO_EXCHANGE  1: renameat2 fails as on a file system that does not know it
//
// Calls on standard streams and on what is no regular file or directory are passed on unseen.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define SHARE_BLOCKS 0x40049409UL  // FICLONE

static atomic_long calls;
static long fault_at;
static const char *kind = "";
static const char *victim = "";
static int log_descriptor = -1;
static int has_exchange = 1;

__attribute__((constructor)) static void begin(void) {
    const char *at = getenv("KUOCI_FAULT_AT"), *what = getenv("KUOCI_FAULT_KIND"), *log = getenv("KUOCI_FAULT_LOG");
    if (at) fault_at = atol(at);
    if (what) kind = what;
    if (getenv("KUOCI_FAULT_FILE")) victim = getenv("KUOCI_FAULT_FILE");
    has_exchange = getenv("KUOCI_FAULT_NO_EXCHANGE") == NULL;
    if (log) log_descriptor = (int)syscall(SYS_openat, AT_FDCWD, log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

static void note(long number, const char *call, const char *first, const char *second) {
    if (log_descriptor < 0) return;
    char line[9000];
    int length = snprintf(line, sizeof line, "%ld\t%s\t%s\t%s\n", number, call, first, second);
    if (length > 0 && length < (int)sizeof line) syscall(SYS_write, log_descriptor, line, (size_t)length);
}

static void path_of(int descriptor, char *path, size_t size) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, size - 1);
    path[length < 0 ? 0 : length] = 0;
}

static int is_watched(int descriptor) {
    struct stat information;
    return descriptor > 2 && descriptor != log_descriptor && fstat(descriptor, &information) == 0
        && (S_ISREG(information.st_mode) || S_ISDIR(information.st_mode));
}

// What somebody else might do to an input.
static void harm(void) {
    if (strcmp(kind, "remove") == 0) syscall(SYS_unlink, victim);
    if (strcmp(kind, "shorten") == 0) syscall(SYS_truncate, victim, 0);
    if (strcmp(kind, "change") != 0) return;
    int descriptor = (int)syscall(SYS_openat, AT_FDCWD, victim, O_RDWR | O_CLOEXEC);
    off_t last = (off_t)syscall(SYS_lseek, descriptor, -1L, SEEK_END);
    char byte = 0;
    if (descriptor < 0 || last < 0 || syscall(SYS_pread64, descriptor, &byte, 1, last) != 1) _exit(99);
    byte ^= 1;
    syscall(SYS_pwrite64, descriptor, &byte, 1, last);
    syscall(SYS_close, descriptor);
}

enum fate { GOES_ON, FAILS, HALVED, HALVED_AND_KILLED };

// Counts a call and says what becomes of it; errno is set where it fails.
static enum fate count(const char *call, const char *first, const char *second) {
    long number = atomic_fetch_add(&calls, 1) + 1;
    note(number, call, first, second);
    size_t length = strlen(kind);
    int lasts = length > 3 && strcmp(kind + length - 3, "-on") == 0;
    if (fault_at == 0 || number < fault_at || (number > fault_at && !lasts)) return GOES_ON;
    if (number == fault_at) note(number, "fault", kind, "");
    if (number == fault_at) harm();
    if (strcmp(kind, "kill") == 0) kill(getpid(), SIGKILL);
    if (strcmp(kind, "term") == 0) kill(getpid(), SIGTERM);
    if (strcmp(kind, "int") == 0) kill(getpid(), SIGINT);
    if (strcmp(kind, "torn") == 0) return HALVED_AND_KILLED;
    if (strcmp(kind, "short") == 0) return HALVED;
    if (strncmp(kind, "enospc", 6) != 0 && strncmp(kind, "eio", 3) != 0) return GOES_ON;
    errno = kind[1] == 'n' ? ENOSPC : EIO;
    return FAILS;
}

static enum fate count_descriptor(const char *call, int descriptor) {
    char path[4096];
    path_of(descriptor, path, sizeof path);
    return count(call, path, "");
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define WRITING(name, size, call)                                     \
    REAL(name);                                                       \
    if (!is_watched(descriptor)) return call(size);                   \
    enum fate fate = count_descriptor(#name, descriptor);             \
    if (fate == FAILS) return -1;                                     \
    ssize_t written = call(fate == GOES_ON || size < 2 ? size : size / 2); \
    if (fate == HALVED_AND_KILLED) kill(getpid(), SIGKILL);           \
    return written

ssize_t write(int descriptor, const void *bytes, size_t size) {
#define CALL(n) real(descriptor, bytes, n)
    WRITING(write, size, CALL);
#undef CALL
}

ssize_t pwrite(int descriptor, const void *bytes, size_t size, off_t offset) {
#define CALL(n) real(descriptor, bytes, n, offset)
    WRITING(pwrite, size, CALL);
#undef CALL
}

ssize_t pwrite64(int descriptor, const void *bytes, size_t size, off64_t offset) {
#define CALL(n) real(descriptor, bytes, n, offset)
    WRITING(pwrite64, size, CALL);
#undef CALL
}

ssize_t copy_file_range(int input, off64_t *from, int descriptor, off64_t *to, size_t size, unsigned flags) {
#define CALL(n) real(input, from, descriptor, to, n, flags)
    WRITING(copy_file_range, size, CALL);
#undef CALL
}

ssize_t sendfile(int descriptor, int input, off_t *from, size_t size) {
#define CALL(n) real(descriptor, input, from, n)
    WRITING(sendfile, size, CALL);
#undef CALL
}

ssize_t sendfile64(int descriptor, int input, off64_t *from, size_t size) {
#define CALL(n) real(descriptor, input, from, n)
    WRITING(sendfile64, size, CALL);
#undef CALL
}

ssize_t writev(int descriptor, const struct iovec *parts, int number) {
    REAL(writev);
    if (!is_watched(descriptor)) return real(descriptor, parts, number);
    enum fate fate = count_descriptor("writev", descriptor);
    if (fate == FAILS) return -1;
    ssize_t written = real(descriptor, parts, fate == GOES_ON || number < 2 ? number : number / 2);
    if (fate == HALVED_AND_KILLED) kill(getpid(), SIGKILL);
    return written;
}

#define ON_DESCRIPTOR(name, ...)                                      \
    REAL(name);                                                       \
    if (is_watched(descriptor) && count_descriptor(#name, descriptor) == FAILS) return -1; \
    return real(__VA_ARGS__)

int fsync(int descriptor) { ON_DESCRIPTOR(fsync, descriptor); }
int fdatasync(int descriptor) { ON_DESCRIPTOR(fdatasync, descriptor); }
int ftruncate(int descriptor, off_t size) { ON_DESCRIPTOR(ftruncate, descriptor, size); }
int ftruncate64(int descriptor, off64_t size) { ON_DESCRIPTOR(ftruncate64, descriptor, size); }

int ioctl(int descriptor, unsigned long request, ...) {
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    int (*real)(int, unsigned long, ...) = dlsym(RTLD_NEXT, "ioctl");
    if (request == SHARE_BLOCKS && count_descriptor("ficlone", descriptor) == FAILS) return -1;
    return real(descriptor, request, argument);
}

#define ON_PATHS(name, first, second, ...)                            \
    REAL(name);                                                       \
    if (count(#name, first, second) == FAILS) return -1;              \
    return real(__VA_ARGS__)

int rename(const char *old, const char *new) { ON_PATHS(rename, old, new, old, new); }
int renameat(int from, const char *old, int to, const char *new) { ON_PATHS(renameat, old, new, from, old, to, new); }
int link(const char *old, const char *new) { ON_PATHS(link, old, new, old, new); }
int linkat(int from, const char *old, int to, const char *new, int flags) {
    ON_PATHS(linkat, old, new, from, old, to, new, flags);
}
int symlink(const char *target, const char *path) { ON_PATHS(symlink, target, path, target, path); }
int unlink(const char *path) { ON_PATHS(unlink, path, "", path); }
int unlinkat(int directory, const char *path, int flags) { ON_PATHS(unlinkat, path, "", directory, path, flags); }
int mkdir(const char *path, mode_t mode) { ON_PATHS(mkdir, path, "", path, mode); }
int mkdirat(int directory, const char *path, mode_t mode) { ON_PATHS(mkdirat, path, "", directory, path, mode); }
int rmdir(const char *path) { ON_PATHS(rmdir, path, "", path); }

int renameat2(int from, const char *old, int to, const char *new, unsigned flags) {
    REAL(renameat2);
    if (!has_exchange && flags != 0) {
        errno = EINVAL;
        return -1;
    }
    if (count(flags == 2 ? "exchange" : "rename", old, new) == FAILS) return -1;
    return real(from, old, to, new, flags);
}

// Opening a file that may have to be made.
#define OPENING(name, ...)                                            \
    va_list rest;                                                     \
    va_start(rest, flags);                                            \
    mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; \
    va_end(rest);                                                     \
    REAL(name);                                                       \
    if (flags & O_CREAT && count("create", path, "") == FAILS) return -1; \
    return real(__VA_ARGS__, mode)

int open(const char *path, int flags, ...) { OPENING(open, path, flags); }
int open64(const char *path, int flags, ...) { OPENING(open64, path, flags); }
int openat(int directory, const char *path, int flags, ...) { OPENING(openat, directory, path, flags); }
int openat64(int directory, const char *path, int flags, ...) { OPENING(openat64, directory, path, flags); }
