/* fault_neighbour: does nothing wrong. One document a run, numbered by the run, so that a tick it loses shows. */
#include "kit.h"

static pga_status nothing(const pga_run* run, pga_error* error) {
  (void)error;
  return run != NULL ? emit_document(run, "") : PGA_OK;
}

static const named_misdeed kMisdeeds[] = {{"nothing", nothing}, {NULL, NULL}};

FAULT_PLUGIN(kMisdeeds);
