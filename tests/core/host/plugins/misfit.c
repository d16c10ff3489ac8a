/* No plugin for this host, in one of several ways: NOTELESS, FOREIGN_MAJOR, TWO_NOTES, IMPOSTOR, REFUSING, ENDING, DEMANDING. */
#include "kit.h"

#if defined(FOREIGN_MAJOR)
__attribute__((section(PGA_NOTE_SECTION), used, aligned(4))) static const pga_note kNote = {
    4u, 44u, PGA_NOTE_TYPE, PGA_NOTE_NAME, PGA_ABI_MAJOR + 1, 0, "test_foreign"};
#elif !defined(NOTELESS)
PGA_NOTE("test_misfit");
#endif
#if defined(TWO_NOTES)
__attribute__((section(PGA_NOTE_SECTION), used, aligned(4))) static const pga_note kSecond = {
    4u, 44u, PGA_NOTE_TYPE, PGA_NOTE_NAME, PGA_ABI_MAJOR, 0, "test_second"};
#endif

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)host, (void)instance, (void)self, (void)error;
  return PGA_E_FAIL;
}
static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  (void)self, (void)json, (void)dry_run, (void)error;
  return PGA_E_FAIL;
}
static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  (void)self, (void)run, (void)error;
  return PGA_E_FAIL;
}
static void destroy(void* self) { (void)self; }

static const pga_descriptor kDescriptor = {sizeof(pga_descriptor),
                                           0,
#if defined(IMPOSTOR)
                                           "pg_stats",
#else
                                           "test_misfit",
#endif
                                           "",
                                           "1.0.0",
                                           "test",
                                           "no plugin for this host",
                                           "Apache-2.0",
                                           "",
                                           "{\"type\":\"object\"}",
                                           SCHEMA,
#if defined(DEMANDING)
                                           1u << 31,
#else
                                           0,
#endif
                                           0,
                                           1000,
                                           1000};
static const pga_plugin kPlugin = {
    sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL};

PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
#if defined(ENDING)
  if (host_minor < 1000) exit(0);
#endif
#if defined(REFUSING)
  return host_minor < 1000 ? NULL : &kPlugin;
#else
  (void)host_minor;
  return &kPlugin;
#endif
}
