/* A preloaded library for pganalytics-server: it is killed at the commit of a push, or of another transaction, neither earlier
 * nor later.
 *
 * A push is a transaction that copies documents (its COPY carries the marker "documents_copy"); every statement of the server has
 * a marker. What libpq sends and receives over a socket tells when such a transaction commits; bytes are only looked at.
 *
 *   FAULT_COMMIT   N: at the Nth such commit
 *   FAULT_MARKER   of a statement of the transaction: "documents_copy" (default), "certificate_add" ...
 *   FAULT_WHEN     after (default): PostgreSQL has said COMMIT and nobody else knows; before: COMMIT is about to be sent
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

enum { DESCRIPTORS = 4096 };

static const char kCommit[] = "commit";
/* CommandComplete (PostgreSQL docs, "Message Formats"): 'C', the length with itself, the tag with its zero byte. */
static const char kCommitted[] = {'C', 0, 0, 0, 11, 'C', 'O', 'M', 'M', 'I', 'T', 0};

static ssize_t (*real_send)(int, const void*, size_t, int);
static ssize_t (*real_recv)(int, void*, size_t, int);
static const char* g_marker = "documents_copy";
static size_t g_marker_length;
static long g_nth;
static int g_before;
static atomic_long g_commits;
static atomic_char g_is_marked[DESCRIPTORS];

__attribute__((constructor)) static void begin(void) {
  *(void**)&real_send = dlsym(RTLD_NEXT, "send");
  *(void**)&real_recv = dlsym(RTLD_NEXT, "recv");
  const char* const nth = getenv("FAULT_COMMIT");
  const char* const when = getenv("FAULT_WHEN");
  const char* const marker = getenv("FAULT_MARKER");
  if (marker != NULL && *marker != '\0') g_marker = marker;
  g_marker_length = strlen(g_marker);
  g_nth = nth != NULL ? atol(nth) : 0;
  g_before = when != NULL && strcmp(when, "before") == 0;
}

static void count(int fd) {
  atomic_store(&g_is_marked[fd], 0);
  if (atomic_fetch_add(&g_commits, 1) + 1 == g_nth) kill(getpid(), SIGKILL);
}

static int watched(int fd) { return g_nth > 0 && fd >= 0 && fd < DESCRIPTORS; }

ssize_t send(int fd, const void* data, size_t size, int flags) {
  if (real_send == NULL) begin();
  if (watched(fd)) {
    if (memmem(data, size, g_marker, g_marker_length) != NULL) {
      atomic_store(&g_is_marked[fd], 1);
    } else if (g_before && atomic_load(&g_is_marked[fd]) && memmem(data, size, kCommit, sizeof kCommit - 1) != NULL) {
      count(fd);
    }
  }
  return real_send(fd, data, size, flags);
}

ssize_t recv(int fd, void* data, size_t size, int flags) {
  if (real_recv == NULL) begin();
  const ssize_t got = real_recv(fd, data, size, flags);
  if (got > 0 && watched(fd) && !g_before && atomic_load(&g_is_marked[fd]) &&
      memmem(data, (size_t)got, kCommitted, sizeof kCommitted) != NULL) {
    count(fd);
  }
  return got;
}
