/* A preloaded library in which memory runs out: the Nth allocation fails, and as many after it as are wanted. Of the program
 * "pganalytics" alone; its workers do not inherit it.
 *
 *   FAULT_ALLOCATION   N or N-M: these fail, counted from the start of the program
 *   FAULT_COUNTS       a file of two 64-bit numbers, mapped, so that it outlives an abort: allocations, and failures
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The C library's own, under the names that it keeps for this (malloc(3) may be replaced, and dlsym() allocates). */
void* __libc_malloc(size_t size);
void* __libc_calloc(size_t count, size_t size);
void* __libc_realloc(void* old, size_t size);
void* __libc_memalign(size_t alignment, size_t size);

enum { CALLS, FAILED, COUNTS };

static _Atomic uint64_t g_unshared_counts[COUNTS];
static _Atomic uint64_t* g_counts = g_unshared_counts;
static uint64_t g_first, g_last;
static int g_active;

__attribute__((constructor)) static void begin(void) {
  const char* const plan = getenv("FAULT_ALLOCATION");
  const char* const counts = getenv("FAULT_COUNTS");
  if (strcmp(program_invocation_short_name, "pganalytics") != 0) return;
  if (counts != NULL) {
    const int file = open(counts, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    void* const mapped = file >= 0 && ftruncate(file, sizeof g_unshared_counts) == 0
                             ? mmap(NULL, sizeof g_unshared_counts, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
                             : MAP_FAILED;
    if (mapped == MAP_FAILED) _exit(99);
    g_counts = mapped;
    close(file);
  }
  if (plan != NULL) {
    char* end = NULL;
    g_first = g_last = strtoull(plan, &end, 10);
    if (*end == '-') g_last = strtoull(end + 1, NULL, 10);
  }
  g_active = 1;
}

static int fails(void) {
  if (!g_active) return 0;
  const uint64_t call = ++g_counts[CALLS];
  if (call < g_first || call > g_last) return 0;
  ++g_counts[FAILED];
  errno = ENOMEM;
  return 1;
}

void* malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }
void* calloc(size_t count, size_t size) { return fails() ? NULL : __libc_calloc(count, size); }
void* realloc(void* old, size_t size) { return fails() ? NULL : __libc_realloc(old, size); }
void* memalign(size_t alignment, size_t size) { return fails() ? NULL : __libc_memalign(alignment, size); }
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void** out, size_t alignment, size_t size) {
  void* const got = memalign(alignment, size);
  if (got == NULL) return ENOMEM;
  *out = got;
  return 0;
}
