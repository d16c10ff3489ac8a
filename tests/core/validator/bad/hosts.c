/* Wrong with a host that refuses, forgets, is older or newer, or takes its memory back. The define says how. */
#include "kit.h"

typedef struct guest {
  victim good; /* first, so that the good calls take it */
  pga_str lent;
} guest;

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
#if defined(WANTS_EQUAL_SIZES) /* E40 */
  if (host->struct_size != sizeof *host) return told(error, PGA_E_UNSUPPORTED, "this host is another");
#elif defined(WRITES_TO_TABLE) /* E41 */
  ((volatile pga_host*)host)->abi_minor = host->abi_minor;
#endif
  guest* made = calloc(1, sizeof *made);
  if (made == NULL) return told(error, PGA_E_FATAL, "out of memory");
  made->good.host = host;
  *self = made;
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  const pga_status status = good_configure(self, json, dry_run, error);
  if (status == PGA_OK && dry_run == 0) ((guest*)self)->lent = json;
  return status;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  guest* me = self;
#if defined(IGNORES_REFUSALS) /* E36 */
  for (int sample = 0; sample < me->good.samples; ++sample) (void)!emit_sample(&me->good, run, sample, 1, "");
  return PGA_OK;
#elif defined(TRUSTS_STATE) /* E37 */
  char text[24] = "0";
  size_t length = sizeof text - 1;
  const pga_status got = me->good.host->state_get(me->good.host, "documents", text, &length);
  if (got != PGA_OK && got != PGA_E_NOTFOUND) abort();
#elif defined(IGNORES_LOST_STATE)
  const pga_status status = good_collect(self, run, error);
  return status == PGA_E_LIMIT && strstr(error->message, "keep") != NULL ? PGA_OK : status;
#elif defined(KEEPS_ITS_OWN_CURSOR) /* E38 */
  static int told_already;
  long count;
  if (read_count(&me->good, &count) == PGA_OK && count == 0 && told_already) return PGA_OK;
  const pga_status status = good_collect(self, run, error);
  if (status == PGA_OK) told_already = 1;
  return status;
#elif defined(KEEPS_A_BORROW)       /* E42 */
  if (!text_of(me->lent, "label", me->good.label, sizeof me->good.label)) strcpy(me->good.label, "lost");
#endif
  (void)me;
  return good_collect(self, run, error);
}

TABLES(create, configure, collect, NULL, good_destroy, NULL)
