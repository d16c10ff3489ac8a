/* Wrong with configurations: odd ones, tried ones, refused ones, later ones, another instance's. The define says how. */
#include "kit.h"

typedef struct configured {
  victim good; /* first, so that the good calls take it */
  char* extra;
} configured;

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
  configured* made = calloc(1, sizeof *made);
  if (made == NULL) return told(error, PGA_E_FATAL, "out of memory");
  made->good.host = host;
  *self = made;
  return PGA_OK;
}

#if defined(SHARES) /* E29 */
static char g_label[48];
#endif

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  configured* me = self;
#if defined(CRASHES_ON_EMPTY) /* E25 */
  char label[48];
  if (text_of(json, "label", label, sizeof label) && label[0] == '\0') abort();
#elif defined(REFUSES_SILENTLY)
  char label[48];
  if (text_of(json, "label", label, sizeof label) && label[0] == '\0') return PGA_E_CONFIG;
#elif defined(APPLIES_DRY_RUNS)   /* E26 */
  dry_run = 0;
#elif defined(FORGETS_ON_REFUSAL) /* E27 */
  if (dry_run == 0) me->good.label[0] = '\0';
#elif defined(LEAKS_PREVIOUS)     /* E28 */
  me->extra = malloc(1024);
  if (me->extra == NULL) return PGA_E_FATAL;
#endif
  const pga_status status = good_configure(self, json, dry_run, error);
#if defined(SHARES)
  if (status == PGA_OK && dry_run == 0) strcpy(g_label, me->good.label);
#endif
  (void)me;
  return status;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
#if defined(SHARES)
  strcpy(((configured*)self)->good.label, g_label);
#endif
  return good_collect(self, run, error);
}

static void destroy(void* self) {
  free(((configured*)self)->extra);
  free(self);
}

TABLES(create, configure, collect, NULL, destroy, NULL)
