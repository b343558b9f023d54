/* Stands before the C library (LD_PRELOAD) and fails, tears or kills at the n-th call that changes something below a
   folder. A process that has loaded it arms it with fault_arm; until then it only passes calls on. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OFF, KILL, TEAR, FAIL, FULL };

static char folder[PATH_MAX];
static int mode = OFF;
static long point, count;
static char last[PATH_MAX + 32];

void fault_arm(const char *below, int how, long at) {
    snprintf(folder, sizeof folder, "%s", below);
    mode = how, point = at, count = 0, last[0] = 0;
}

long fault_count(void) { return count; }

const char *fault_place(void) { return last; }

static void end(void) {
    dprintf(2, "%s\n", last);
    kill(getpid(), SIGKILL);
}

/* Whether a call is to fail; `grows` tells that it takes room on the disk. Does not return where it kills. */
static int hit(const char *name, const char *path, int grows) {
    if (mode == OFF || path == NULL || strncmp(path, folder, strlen(folder)) != 0) return 0;
    if ((mode == TEAR && strcmp(name, "write") != 0) || (mode == FULL && !grows)) return 0;
    count++;
    if (count < point || (count > point && mode != FULL)) return 0;
    if (count == point) snprintf(last, sizeof last, "%s %s", name, path + strlen(folder));
    if (mode == KILL) end();
    if (mode == FULL) return errno = ENOSPC, 1;
    return mode == FAIL ? (errno = EIO, 1) : 0;
}

static int hit_file(const char *name, int file, int grows) {
    char link[64], path[PATH_MAX];
    if (mode == OFF) return 0;
    int kept = errno;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t size = readlink(link, path, sizeof path - 1);
    errno = kept;
    if (size < 0) return 0;
    path[size] = 0;
    return hit(name, path, grows);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPENS(name)                                                                    \
    int name(const char *path, int flags, ...) {                                       \
        va_list rest;                                                                  \
        va_start(rest, flags);                                                         \
        mode_t rights = va_arg(rest, mode_t);                                          \
        va_end(rest);                                                                  \
        if ((flags & (O_CREAT | O_TRUNC)) && hit("open", path, 1)) return -1;          \
        return REAL(name)(path, flags, rights);                                        \
    }
#define OPENS_AT(name)                                                                 \
    int name(int at, const char *path, int flags, ...) {                               \
        va_list rest;                                                                  \
        va_start(rest, flags);                                                         \
        mode_t rights = va_arg(rest, mode_t);                                          \
        va_end(rest);                                                                  \
        if ((flags & (O_CREAT | O_TRUNC)) && hit("open", path, 1)) return -1;          \
        return REAL(name)(at, path, flags, rights);                                    \
    }
#define CHANGES(label, grows, path, name, parameters, arguments)                       \
    int name parameters { return hit(label, path, grows) ? -1 : REAL(name) arguments; }
#define CHANGES_FILE(label, grows, name, parameters, arguments)                        \
    int name parameters { return hit_file(label, file, grows) ? -1 : REAL(name) arguments; }

OPENS(open)
OPENS(open64)
OPENS_AT(openat)
OPENS_AT(openat64)
CHANGES("mkdir", 1, path, mkdir, (const char *path, mode_t rights), (path, rights))
CHANGES("mkdir", 1, path, mkdirat, (int at, const char *path, mode_t rights), (at, path, rights))
CHANGES("rename", 1, to, rename, (const char *from, const char *to), (from, to))
CHANGES("rename", 1, to, renameat, (int at, const char *from, int there, const char *to), (at, from, there, to))
CHANGES("link", 1, to, link, (const char *from, const char *to), (from, to))
CHANGES("link", 1, to, linkat, (int at, const char *from, int there, const char *to, int flags),
        (at, from, there, to, flags))
CHANGES("unlink", 0, path, unlink, (const char *path), (path))
CHANGES("unlink", 0, path, unlinkat, (int at, const char *path, int flags), (at, path, flags))
CHANGES_FILE("fsync", 0, fsync, (int file), (file))
CHANGES_FILE("truncate", 0, ftruncate, (int file, off_t size), (file, size))
CHANGES_FILE("truncate", 0, ftruncate64, (int file, off64_t size), (file, size))

ssize_t write(int file, const void *from, size_t size) {
    if (hit_file("write", file, 1)) return -1;
    if (mode == TEAR && count == point) {
        REAL(write)(file, from, size / 2);
        end();
    }
    return REAL(write)(file, from, size);
}

ssize_t pwrite64(int file, const void *from, size_t size, off64_t at) {
    return hit_file("pwrite", file, 1) ? -1 : REAL(pwrite64)(file, from, size, at);
}

ssize_t sendfile64(int file, int from, off64_t *at, size_t size) {
    ssize_t sendfile64_(int, int, off64_t *, size_t);
    return hit_file("sendfile", file, 1)
               ? -1
               : ((__typeof__(&sendfile64_))dlsym(RTLD_NEXT, "sendfile64"))(file, from, at, size);
}
