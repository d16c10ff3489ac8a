/* A preloaded library that spoils what a program does with the files of one folder: the disk of the delivery fault suite.
 *
 * Here: counting every call, and at the calls that a plan names a kill, a torn or short write, an error, or a pause. What is done to the
 * file is real, so whatever is left behind is what a program that died there leaves. Not here: which calls, and what is expected
 * (../scenarios). Only the program FAULT_PROGRAM ("pganalytics") is touched, not its workers.
 *
 *   FAULT_BELOW    the folder: calls on paths below it count, all others pass
 *   FAULT_FILE     only those whose path contains this text
 *   FAULT_PLAN     rules, separated by ';', each operations:when:what
 *                    operations  open (to read) edit (opened to write) read write sync rename unlink truncate, several with ',', or "any"
 *                    when        N: the Nth call of these; N+: it and all later; N-M: those; pPER_MILLE: at random
 *                    what        kill: instead of the call; after: behind it; torn: a random prefix is written, then it is killed; short: a random
 *                                prefix is written; slowMS; an error: EIO ENOSPC EROFS EINTR EMFILE ENFILE ENOMEM EACCES EDQUOT
 *   FAULT_SEED     of everything random
 *   FAULT_COUNTS   a file of eleven 64-bit numbers, mapped, so that it outlives a kill: calls of each operation in the order above, then
 *                  of any, faults, and torn writes
 *   FAULT_SWITCH   rules hold only while this file exists
 *   FAULT_RECORD   a file to which every change is appended (see record()), for ../power_cut.py
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

enum operation { OPEN, EDIT, READ, WRITE, SYNC, RENAME, UNLINK, TRUNCATE, OPERATIONS };
static const char* const kOperations[OPERATIONS] = {"open", "edit", "read", "write", "sync", "rename", "unlink", "truncate"};
enum { ANY = OPERATIONS, FAULTS, TORN, COUNTS };

enum effect { PASS, FAIL, KILL, AFTER, TEAR, SHORTEN, SLOW };

struct rule {
  uint32_t operations; /* bits */
  uint64_t first, last;
  unsigned per_mille;
  enum effect effect;
  int number; /* errno, or milliseconds */
  _Atomic uint64_t calls;
};

static struct rule g_rules[16];
static int g_rule_count;
static int g_active;
static char g_below[4096];
static size_t g_below_length;
static const char *g_file, *g_switch;
static uint64_t g_seed;
static _Atomic uint64_t* g_counts;
static _Atomic uint64_t g_unshared_counts[COUNTS];
static int g_record = -1;
static pthread_mutex_t g_record_lock = PTHREAD_MUTEX_INITIALIZER;
static __thread int g_inside; /* our own calls are not anybody's */

#define REAL(type, name, ...)                                       \
  static type (*real)(__VA_ARGS__);                                 \
  if (real == NULL) *(void**)&real = dlsym(RTLD_NEXT, name)

/* The plan ------------------------------------------------------------------------------------------------------------------- */

static int error_number(const char* name) {
  static const struct {
    const char* name;
    int number;
  } kErrors[] = {{"EIO", EIO},       {"ENOSPC", ENOSPC}, {"EROFS", EROFS},   {"EINTR", EINTR}, {"EMFILE", EMFILE},
                 {"ENFILE", ENFILE}, {"ENOMEM", ENOMEM}, {"EACCES", EACCES}, {"EDQUOT", EDQUOT}};
  for (size_t i = 0; i < sizeof kErrors / sizeof *kErrors; ++i) {
    if (strcmp(kErrors[i].name, name) == 0) return kErrors[i].number;
  }
  return 0;
}

static void refuse(const char* rule) {
  fprintf(stderr, "fault_files: no such rule: %s\n", rule);
  _exit(99);
}

static uint32_t operations_of(char* names, const char* rule) {
  uint32_t bits = 0;
  char* rest = NULL;
  for (char* name = strtok_r(names, ",", &rest); name != NULL; name = strtok_r(NULL, ",", &rest)) {
    uint32_t bit = strcmp(name, "any") == 0 ? (1u << OPERATIONS) - 1 : 0;
    for (int i = 0; i < OPERATIONS; ++i) bit |= strcmp(name, kOperations[i]) == 0 ? 1u << i : 0;
    if (bit == 0) refuse(rule);
    bits |= bit;
  }
  return bits;
}

static void read_when(struct rule* rule, const char* when) {
  char* end = NULL;
  if (*when == 'p') {
    rule->per_mille = (unsigned)strtoul(when + 1, NULL, 10);
    return;
  }
  rule->first = rule->last = strtoull(when, &end, 10);
  if (*end == '+') rule->last = UINT64_MAX;
  if (*end == '-') rule->last = strtoull(end + 1, NULL, 10);
}

static void read_what(struct rule* rule, const char* what, const char* text) {
  rule->effect = strcmp(what, "kill") == 0    ? KILL
                 : strcmp(what, "after") == 0 ? AFTER
                 : strcmp(what, "torn") == 0  ? TEAR
                 : strcmp(what, "short") == 0 ? SHORTEN
                 : strncmp(what, "slow", 4) == 0 ? SLOW
                                                 : FAIL;
  rule->number = rule->effect == SLOW ? atoi(what + 4) : error_number(what);
  if (rule->effect == FAIL && rule->number == 0) refuse(text);
}

static void read_plan(const char* plan) {
  char copy[2048], text[256];
  char *rest = NULL, *inner = NULL;
  snprintf(copy, sizeof copy, "%s", plan);
  for (char* one = strtok_r(copy, ";", &rest); one != NULL && g_rule_count < 16; one = strtok_r(NULL, ";", &rest)) {
    snprintf(text, sizeof text, "%s", one);
    char* names = strtok_r(one, ":", &inner);
    const char* when = strtok_r(NULL, ":", &inner);
    const char* what = strtok_r(NULL, ":", &inner);
    if (names == NULL || when == NULL || what == NULL) refuse(text);
    struct rule* rule = &g_rules[g_rule_count++];
    rule->operations = operations_of(names, text);
    read_when(rule, when);
    read_what(rule, what, text);
  }
}

static void map_counts(const char* path) {
  g_counts = g_unshared_counts;
  if (path == NULL) return;
  const int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ftruncate(file, COUNTS * sizeof(uint64_t)) != 0) refuse("FAULT_COUNTS");
  void* mapped = mmap(NULL, COUNTS * sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  if (mapped == MAP_FAILED) refuse("FAULT_COUNTS");
  g_counts = mapped;
  close(file);
}

__attribute__((constructor)) static void begin(void) {
  const char* program = getenv("FAULT_PROGRAM");
  const char* below = getenv("FAULT_BELOW");
  const char* seed = getenv("FAULT_SEED");
  if (below == NULL || strcmp(program_invocation_short_name, program != NULL ? program : "pganalytics") != 0) return;
  g_inside = 1;
  snprintf(g_below, sizeof g_below, "%s", below);
  g_below_length = strlen(g_below);
  g_file = getenv("FAULT_FILE");
  g_switch = getenv("FAULT_SWITCH");
  g_seed = seed != NULL ? strtoull(seed, NULL, 10) : 1;
  map_counts(getenv("FAULT_COUNTS"));
  if (getenv("FAULT_PLAN") != NULL) read_plan(getenv("FAULT_PLAN"));
  if (getenv("FAULT_RECORD") != NULL) g_record = open(getenv("FAULT_RECORD"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  g_active = 1;
  g_inside = 0;
}

/* Deciding ------------------------------------------------------------------------------------------------------------------- */

/* splitmix64: the same numbers for the same seed, whatever the threads do in between. */
static uint64_t random_of(uint64_t n) {
  uint64_t x = g_seed + n * 0x9E3779B97F4A7C15ull;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ull;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBull;
  return x ^ (x >> 31);
}

static int concerns_path(const char* path) {
  char whole[4096];
  if (path == NULL) return 0;
  if (path[0] != '/') {
    if (getcwd(whole, sizeof whole) == NULL) return 0;
    const size_t length = strlen(whole);
    snprintf(whole + length, sizeof whole - length, "/%s", path);
    path = whole;
  }
  if (strncmp(path, g_below, g_below_length) != 0 || (path[g_below_length] != '/' && path[g_below_length] != '\0')) return 0;
  return g_file == NULL || strstr(path, g_file) != NULL;
}

static int path_of(int fd, char* path, size_t room) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, path, room - 1);
  if (length < 0) return 0;
  path[length] = '\0';
  return 1;
}

static int concerns_fd(int fd) {
  char path[4096];
  const int kept = errno;
  const int concerns = path_of(fd, path, sizeof path) && concerns_path(path);
  errno = kept;
  return concerns;
}

static void die(void) {
  kill(getpid(), SIGKILL);
  for (;;) pause();
}

static void wait_ms(int ms) {
  struct timespec left = {ms / 1000, ms % 1000 * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

/* Counts the call, and says what becomes of it. PASS: it goes on (after a pause, where that was the fault); FAIL: errno is set. Never comes back from KILL. */
static enum effect decide(enum operation operation, uint64_t* number) {
  *number = ++g_counts[ANY];
  ++g_counts[operation];
  enum effect effect = PASS;
  for (int i = 0; i < g_rule_count && effect == PASS; ++i) {
    struct rule* rule = &g_rules[i];
    if ((rule->operations & 1u << operation) == 0) continue;
    const uint64_t call = ++rule->calls;
    const int hit = rule->per_mille > 0 ? random_of(*number) % 1000 < rule->per_mille : call >= rule->first && call <= rule->last;
    if (!hit || (g_switch != NULL && access(g_switch, F_OK) != 0)) continue;
    ++g_counts[FAULTS];
    if (rule->effect == KILL || (rule->effect == TEAR && operation != WRITE)) die();
    if (rule->effect == SLOW) {
      wait_ms(rule->number);
      continue;
    }
    effect = rule->effect;
    if (effect == FAIL) errno = rule->number;
  }
  return effect;
}

/* Of a write of `size` bytes: less than all. */
static size_t prefix_of(size_t size, uint64_t number) { return size == 0 ? 0 : (size_t)(random_of(number ^ 0x7072656669780000ull) % size); }

/* One change, as ../power_cut.py reads it: operation, path, second path or data, offset. Lengths first, native order. */
static void record(enum operation operation, const char* path, const void* data, size_t size, int64_t offset) {
  if (g_record < 0) return;
  const int kept = errno;
  REAL(ssize_t, "write", int, const void*, size_t);
  const struct {
    uint32_t operation, path;
    uint64_t size;
    int64_t offset;
  } head = {(uint32_t)operation, (uint32_t)strlen(path), size, offset};
  pthread_mutex_lock(&g_record_lock);
  if (real(g_record, &head, sizeof head) < 0 || real(g_record, path, head.path) < 0 || (size > 0 && real(g_record, data, size) < 0)) die();
  pthread_mutex_unlock(&g_record_lock);
  errno = kept;
}

static void record_fd(enum operation operation, int fd, const void* data, size_t size, int64_t offset) {
  char path[4096];
  if (g_record >= 0 && path_of(fd, path, sizeof path)) record(operation, path, data, size, offset);
}

/* The calls ------------------------------------------------------------------------------------------------------------------ */

#define TOUCHED(concerns) (g_active && !g_inside && concerns)

static int opened(int (*real)(int, const char*, int, mode_t), int folder, const char* path, int flags, mode_t mode) {
  if (!TOUCHED(concerns_path(path))) return real(folder, path, flags, mode);
  uint64_t number = 0;
  const enum effect effect = decide((flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0 ? EDIT : OPEN, &number);
  if (effect == FAIL) return -1;
  const int is_new = g_record >= 0 && (flags & O_CREAT) != 0 && access(path, F_OK) != 0;
  const int fd = real(folder, path, flags, mode);
  if (fd >= 0 && is_new) record(EDIT, path, NULL, 0, 0);
  if (effect == AFTER) die();
  return fd;
}

static int real_open(int folder, const char* path, int flags, mode_t mode) {
  REAL(int, "openat", int, const char*, int, ...);
  return real(folder, path, flags, mode);
}

static mode_t mode_of(int flags, va_list more) {
  const int makes = (flags & O_CREAT) != 0 || (flags & O_TMPFILE) == O_TMPFILE;
  return makes ? va_arg(more, mode_t) : 0;
}

#define DEFINE_OPEN(name)                                    \
  int name(const char* path, int flags, ...) {               \
    va_list more;                                            \
    va_start(more, flags);                                   \
    const mode_t mode = mode_of(flags, more);                \
    va_end(more);                                            \
    return opened(real_open, AT_FDCWD, path, flags, mode);   \
  }
DEFINE_OPEN(open)
DEFINE_OPEN(open64)

#define DEFINE_OPENAT(name)                                  \
  int name(int folder, const char* path, int flags, ...) {   \
    va_list more;                                            \
    va_start(more, flags);                                   \
    const mode_t mode = mode_of(flags, more);                \
    va_end(more);                                            \
    return opened(real_open, folder, path, flags, mode);     \
  }
DEFINE_OPENAT(openat)
DEFINE_OPENAT(openat64)

/* offset -1: at the file's own position. */
static ssize_t written(int fd, const void* data, size_t size, int64_t offset) {
  REAL(ssize_t, "pwrite64", int, const void*, size_t, off64_t);
  static ssize_t (*real_write)(int, const void*, size_t);
  if (real_write == NULL) *(void**)&real_write = dlsym(RTLD_NEXT, "write");
  enum effect effect = PASS;
  uint64_t number = 0;
  const int touched = TOUCHED(concerns_fd(fd));
  if (touched) effect = decide(WRITE, &number);
  if (effect == FAIL) return -1;
  if (effect == TEAR || effect == SHORTEN) size = prefix_of(size, number);
  if (effect == TEAR) ++g_counts[TORN];
  const int64_t begin = touched && g_record >= 0 && offset < 0 ? lseek64(fd, 0, SEEK_CUR) : offset;
  const ssize_t done = offset < 0 ? real_write(fd, data, size) : real(fd, data, size, offset);
  if (touched && done > 0) record_fd(WRITE, fd, data, (size_t)done, begin);
  if (effect == TEAR || effect == AFTER) die();
  return done;
}

ssize_t write(int fd, const void* data, size_t size) { return written(fd, data, size, -1); }
ssize_t pwrite(int fd, const void* data, size_t size, off_t offset) { return written(fd, data, size, offset); }
ssize_t pwrite64(int fd, const void* data, size_t size, off64_t offset) { return written(fd, data, size, offset); }

static ssize_t got(int fd, void* data, size_t size, int64_t offset) {
  REAL(ssize_t, "pread64", int, void*, size_t, off64_t);
  static ssize_t (*real_read)(int, void*, size_t);
  if (real_read == NULL) *(void**)&real_read = dlsym(RTLD_NEXT, "read");
  enum effect effect = PASS;
  uint64_t number = 0;
  if (TOUCHED(concerns_fd(fd))) effect = decide(READ, &number);
  if (effect == FAIL) return -1;
  const ssize_t done = offset < 0 ? real_read(fd, data, size) : real(fd, data, size, offset);
  if (effect == AFTER) die();
  return done;
}

ssize_t read(int fd, void* data, size_t size) { return got(fd, data, size, -1); }
ssize_t pread(int fd, void* data, size_t size, off_t offset) { return got(fd, data, size, offset); }
ssize_t pread64(int fd, void* data, size_t size, off64_t offset) { return got(fd, data, size, offset); }

static int synced(int (*real)(int), int fd) {
  if (!TOUCHED(concerns_fd(fd))) return real(fd);
  uint64_t number = 0;
  const enum effect effect = decide(SYNC, &number);
  if (effect == FAIL) return -1;
  const int done = real(fd);
  if (done == 0) record_fd(SYNC, fd, NULL, 0, 0);
  if (effect == AFTER) die();
  return done;
}

int fsync(int fd) {
  REAL(int, "fsync", int);
  return synced(real, fd);
}

int fdatasync(int fd) {
  REAL(int, "fdatasync", int);
  return synced(real, fd);
}

static int truncated(int fd, int64_t size) {
  REAL(int, "ftruncate64", int, off64_t);
  if (!TOUCHED(concerns_fd(fd))) return real(fd, size);
  uint64_t number = 0;
  const enum effect effect = decide(TRUNCATE, &number);
  if (effect == FAIL) return -1;
  const int done = real(fd, size);
  if (done == 0) record_fd(TRUNCATE, fd, NULL, 0, size);
  if (effect == AFTER) die();
  return done;
}

int ftruncate(int fd, off_t size) { return truncated(fd, size); }
int ftruncate64(int fd, off64_t size) { return truncated(fd, size); }

int rename(const char* from, const char* to) {
  REAL(int, "rename", const char*, const char*);
  if (!TOUCHED(concerns_path(to))) return real(from, to);
  uint64_t number = 0;
  const enum effect effect = decide(RENAME, &number);
  if (effect == FAIL) return -1;
  const int done = real(from, to);
  if (done == 0) record(RENAME, from, to, strlen(to), 0);
  if (effect == AFTER) die();
  return done;
}

int unlink(const char* path) {
  REAL(int, "unlink", const char*);
  if (!TOUCHED(concerns_path(path))) return real(path);
  uint64_t number = 0;
  const enum effect effect = decide(UNLINK, &number);
  if (effect == FAIL) return -1;
  const int done = real(path);
  if (done == 0) record(UNLINK, path, NULL, 0, 0);
  if (effect == AFTER) die();
  return done;
}
