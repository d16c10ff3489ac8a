/* fault_neighbour: does nothing wrong. One document a run, numbered by the run, so that a tick it loses shows. Built a second time
 * (FIXED) as another build of a plugin that misbehaved. */
#include "kit.h"

#if defined(FIXED)
#define REST ",\"text\":\"fixed\""
#else
#define REST ""
#endif

static pga_status nothing(const pga_run* run, pga_error* error) {
  (void)error;
  return run != NULL ? emit_document(run, REST) : PGA_OK;
}

static const named_misdeed kMisdeeds[] = {{"nothing", nothing}, {"time_goes_back", nothing}, {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
