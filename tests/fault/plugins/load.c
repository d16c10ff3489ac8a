/* Misbehaves before anybody asked it to: in a constructor (CONSTRUCTOR) or in the entry function (ENTRY), by one of
 * SEGV, EXIT, HANG, FORK, or only shows that it ran: CANARY. */
#include "kit.h"

static void misbehave(void) {
#if defined(SEGV)
  *(volatile int*)8 = 1;
#elif defined(EXIT)
  _exit(0);
#elif defined(HANG)
  for (;;) pause();
#elif defined(CANARY)
  fprintf(stderr, "CANARY: the code of this file runs\n");
#elif defined(FORK)
  if (fork() == 0) {
    for (;;) pause();
  }
#endif
}

#if defined(CONSTRUCTOR)
__attribute__((constructor)) static void before_everything(void) { misbehave(); }
#endif

static pga_status nothing(const pga_run* run, pga_error* error) {
  (void)error;
  return run != NULL ? emit_document(run, "") : PGA_OK;
}

static const named_misdeed kMisdeeds[] = {{"nothing", nothing}, {"time_goes_back", nothing}, {NULL, NULL}};

#if defined(ENTRY)
#define pga_plugin_v1 hidden_entry
#undef PGA_EXPORT
#define PGA_EXPORT static
#endif
FAULT_PLUGIN(kMisdeeds);
#if defined(ENTRY)
#undef pga_plugin_v1
__attribute__((visibility("default"))) const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  misbehave();
  return hidden_entry(host_minor);
}
#endif
