/* Wrong with deadlines, cancels, clocks and servers that do not answer. The define says how. */
#if defined(TRUSTS_SERVER)
#define CONFIG_SCHEMA                                                                                \
  "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"                             \
  "\"label\":{\"type\":\"string\",\"default\":\"plain\",\"examples\":[\"other\"],\"maxLength\":40}," \
  "\"path\":{\"type\":\"string\",\"maxLength\":60,\"default\":\"/proc/loadavg\"},"                   \
  "\"server\":{\"type\":\"string\",\"format\":\"host-port\",\"maxLength\":40,\"default\":\"127.0.0.1:1\"}}}"
#define NEEDS (PGA_NEED_NET | PGA_NEED_READ_FS)
#endif
#include "kit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

typedef struct timed {
  victim good; /* first, so that the good calls take it */
  char server[48];
  int cancels;
} timed;

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
  timed* made = calloc(1, sizeof *made);
  if (made == NULL) return told(error, PGA_E_FATAL, "out of memory");
  made->good.host = host;
  *self = made;
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
#if defined(TRUSTS_SERVER)
  char server[48];
  if (!text_of(json, "server", server, sizeof server)) return told(error, PGA_E_CONFIG, "server: not taken");
  if (dry_run == 0) strcpy(((timed*)self)->server, server);
#endif
  return good_configure(self, json, dry_run, error);
}

static inline int64_t monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Waits for a word of the server, as long as it takes. */
static inline void ask(const char* server) {
  char answer[16];
  const char* port = strrchr(server, ':');
  struct sockaddr_in address = {.sin_family = AF_INET};
  address.sin_port = htons((uint16_t)(port == NULL ? 1 : atoi(port + 1)));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int connection = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connection < 0) return;
  if (connect(connection, (struct sockaddr*)&address, sizeof address) == 0) (void)!read(connection, answer, sizeof answer);
  close(connection);
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  timed* me = self;
#if defined(MISREADS_DEADLINE) /* E43 */
  const int64_t left_ms = (run->deadline_mono_ns - monotonic_ns()) / 1000000;
  if (left_ms <= 0) usleep(2300000); /* "no time left" taken for "no limit" */
#elif defined(READS_CANCEL_FD)       /* E44 */
  char eight[8];
  struct pollfd cancelled = {run->cancel_fd, POLLIN, 0};
  if (poll(&cancelled, 1, 1) > 0) (void)!read(run->cancel_fd, eight, sizeof eight);
#elif defined(TRUSTS_SERVER)         /* E45 */
  ask(me->server);
#elif defined(TRUSTS_CLOCK)          /* E46 */
  const int64_t span_s = (run->scheduled_unix_ns - run->previous_unix_ns) / 1000;
  if (run->previous_unix_ns != 0 && span_s <= 0) return told(error, PGA_E_FAIL, "time stands still");
#endif
  me->cancels = 0;
  return good_collect(self, run, error);
}

#if defined(CANCELS_ONCE) /* E44 */
static void cancel(void* self) {
  timed* me = self;
  if (++me->cancels > 1) abort();
}
#define CANCEL cancel
#else
#define CANCEL NULL
#endif

TABLES(create, configure, collect, CANCEL, good_destroy, NULL)
