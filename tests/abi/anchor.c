/* A shared object whose debug information reaches every struct of plugin.h, for abidiff: what is only behind a void pointer, or
 * in a macro, it would not see. */
#include <pganalytics/plugin.h>

PGA_EXPORT void pga_anchor(const pga_str* str, const pga_error* error, const pga_host* host, const pga_run* run,
                           const pga_descriptor* descriptor, const pga_plugin* plugin, const pga_note* note, pga_status status);
void pga_anchor(const pga_str* str, const pga_error* error, const pga_host* host, const pga_run* run,
                const pga_descriptor* descriptor, const pga_plugin* plugin, const pga_note* note, pga_status status) {
  (void)str, (void)error, (void)host, (void)run, (void)descriptor, (void)plugin, (void)note, (void)status;
}

const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return NULL;
}
