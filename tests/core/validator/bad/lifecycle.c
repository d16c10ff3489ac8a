/* Wrong in an instance's life: what it leaves behind, what it cannot bear. The define says how. */
#include "kit.h"

#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

typedef struct life {
  victim good; /* first, so that the good calls take it */
  void* configured;
  pthread_t thread;
} life;

static inline void* wait_for_ever(void* nothing) {
  for (;;) pause();
  return nothing;
}

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
  life* made = calloc(1, sizeof *made);
  if (made == NULL) return told(error, PGA_E_FATAL, "out of memory");
  made->good.host = host;
  made->thread = pthread_self();
  *self = made;
#if defined(LEAKS_MEMORY) /* E22 */
  if (malloc(64) == NULL) return PGA_E_FATAL;
#elif defined(LEAKS_DESCRIPTOR)
  (void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
#elif defined(LEAKS_THREAD)
  static int left = 3; /* a few of a thousand are enough */
  pthread_t thread;
  static int lives;
  if (++lives > 100 && left-- > 0) pthread_create(&thread, NULL, wait_for_ever, NULL);
#endif
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  life* me = self;
  const pga_status status = good_configure(self, json, dry_run, error);
#if defined(NEEDS_CONFIGURATION) /* E23 */
  if (status == PGA_OK) me->configured = me;
#elif defined(REFUSES_DEFAULTS) /* E24 */
  return told(error, PGA_E_CONFIG, "label: 'plain' is too plain");
#elif defined(REFUSES_EXAMPLE)
  if (strcmp(me->good.label, "other") == 0) return told(error, PGA_E_CONFIG, "label: no other");
#endif
  (void)me;
  return status;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
#if defined(WANTS_ITS_THREAD) /* E30 */
  const life* me = self;
  if (!pthread_equal(me->thread, pthread_self())) return told(error, PGA_E_FAIL, "this is not the thread of create()");
#endif
  return good_collect(self, run, error);
}

static void destroy(void* self) {
  life* me = self;
#if defined(NEEDS_CONFIGURATION)
  *(volatile char*)me->configured = 0;
#elif defined(ASKS_WHEN_LEAVING) /* E30 */
  long count;
  (void)!read_count(&me->good, &count);
#endif
  free(me);
}

static inline const void* offer(void* self, const char* id) {
  (void)self;
  return strncmp(id, "pga.connpool/1", 14) == 0 ? "a table" : NULL; /* E21: the end of the id is not looked at */
}

#if defined(OFFERS_TOO_MUCH)
TABLES(create, configure, collect, NULL, destroy, offer)
#else
TABLES(create, configure, collect, NULL, destroy, NULL)
#endif
