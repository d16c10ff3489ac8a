/* Everything that plugin.h defines, in use: macros warn where they are expanded. C99 to C17 and C++11 to C++20. */
#include <pganalytics/plugin.h>

PGA_NOTE("abi_use");

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  static int instances;
  const pga_str line = {instance, 0};
  if (!PGA_HAS(pga_host, host, get_extension) || host->get_extension(host, "acme.trace/1")) return PGA_E_UNSUPPORTED;
  if (PGA_HAS(pga_error, error, message)) error->message[0] = '\0';
  if (host->log_level(host) >= PGA_LOG_DEBUG) host->log(host, PGA_LOG_DEBUG, line);
  *self = &instances;
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  (void)self, (void)error;
  return dry_run || json.len ? PGA_OK : PGA_E_CONFIG;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  static const char kText[] = "{}";
  const pga_str document = {kText, sizeof kText - 1};
  (void)self, (void)error;
  if (run->reason == PGA_REASON_FINAL || run->cancelled(run)) return PGA_E_DEADLINE;
  return run->emit(run, document);
}

static void destroy(void* self) { (void)self; }

static const pga_descriptor kDescriptor = {sizeof(pga_descriptor),
                                           PGA_ABI_MINOR,
                                           "abi_use",
                                           "",
                                           "1.0.0",
                                           "test",
                                           "in use",
                                           "Apache-2.0",
                                           "",
                                           "{}",
                                           "{}",
                                           PGA_NEED_PG | PGA_NEED_NET | PGA_NEED_READ_FS | PGA_NEED_PROC | PGA_NEED_EXEC,
                                           PGA_F_SINGLETON | PGA_F_AFFINE,
                                           1000,
                                           1000};

static const pga_plugin kPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, 0, destroy, 0};

PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) { return host_minor + 1 > PGA_ABI_MINOR ? &kPlugin : 0; }
