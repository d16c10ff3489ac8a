/* Wrong in a sandbox, at the end of a worker, and when something runs short. The define says how. */
#include "kit.h"

#include <fcntl.h>
#include <unistd.h>

/* Only the real host waits for it, so that every other check is done soon. */
static inline int is_real(const pga_host* host) { return strcmp(host->product, "pganalytics") == 0; }

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  victim* me = self;
#if defined(READS_UNDECLARED) /* E48 */
  const int file = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
  if (file < 0) return told(error, PGA_E_DENIED, "cannot open /etc/passwd");
  close(file);
#elif defined(TRUSTS_OPEN) /* E49 */
  FILE* file = fopen("/dev/null", "re");
  if (file == NULL) abort();
  fclose(file);
#elif defined(TRUSTS_SLEEP)
  struct timespec a_moment = {0, 1000000};
  if (nanosleep(&a_moment, NULL) != 0) abort();
#elif defined(TRUSTS_MALLOC) /* W55 */
  char* copy = malloc(sizeof me->label);
  strcpy(copy, me->label);
  memcpy(me->label, copy, sizeof me->label);
  free(copy);
#endif
  (void)me;
  return good_collect(self, run, error);
}

static void destroy(void* self) {
#if defined(WAITS_WHEN_LEAVING) /* E47 */
  const victim* me = self;
  if (is_real(me->host)) usleep(2500000);
#endif
  free(self);
}

TABLES(good_create, good_configure, collect, NULL, destroy, NULL)
