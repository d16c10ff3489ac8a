/* abi_plain: a plugin of ABI 1.0, which uses all that 1.0 has. Its configuration says what a run does: {} works, "fail" and
 * "wait". */
#include <pganalytics/plugin.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

PGA_NOTE("abi_plain");

static struct {
  const pga_host* host;
  char mode[64];
} plain;

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
  if (!PGA_HAS(pga_host, host, get_extension) || error->struct_size < sizeof *error) return PGA_E_UNSUPPORTED;
  if (host->get_extension(host, "acme.trace/1") != NULL) return PGA_E_UNSUPPORTED;
  plain.host = host;
  *self = &plain;
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  (void)self;
  if (json.len >= sizeof plain.mode) {
    snprintf(error->code, sizeof error->code, "config.long");
    return PGA_E_CONFIG;
  }
  if (dry_run) return PGA_OK;
  memcpy(plain.mode, json.data, json.len);
  plain.mode[json.len] = '\0';
  return PGA_OK;
}

static pga_status wait_for_cancel(const pga_run* run) {
  struct pollfd cancel = {run->cancel_fd, POLLIN, 0};
  poll(&cancel, 1, 10000);
  return run->cancelled(run) ? PGA_E_DEADLINE : PGA_E_FAIL;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  static const char kLine[] = "a run of 1.0";
  const pga_host* host = plain.host;
  const pga_str line = {kLine, sizeof kLine - 1};
  char text[256], when[32], secret[64], name[64], count[16] = "0";
  size_t secret_len = 1, name_len = sizeof name, count_len = sizeof count;
  const time_t seconds = (time_t)(run->scheduled_unix_ns / 1000000000);
  struct tm utc;
  int number = 0, length = 0;
  (void)self;

  if (strstr(plain.mode, "fail") != NULL) {
    error->retry_after_ms = 1;
    snprintf(error->code, sizeof error->code, "plain.told");
    snprintf(error->message, sizeof error->message, "told to fail");
    return PGA_E_TRANSIENT;
  }
  if (strstr(plain.mode, "wait") != NULL) return wait_for_cancel(run);

  if (host->log_level(host) >= PGA_LOG_INFO) host->log(host, PGA_LOG_INFO, line);
  if (host->secret_get(host, "password", secret, &secret_len) != PGA_E_TOOSMALL || secret_len > sizeof secret)
    return PGA_E_DENIED;
  if (host->secret_get(host, "password", secret, &secret_len) != PGA_OK) return PGA_E_DENIED;
  if (host->info_get(host, "host.name", name, &name_len) != PGA_OK) return PGA_E_FAIL;
  if (host->info_get(host, "no.such", text, &count_len) != PGA_E_NOTFOUND) return PGA_E_FAIL;
  count_len = sizeof count - 1;
  if (host->state_get(host, "count", count, &count_len) == PGA_OK) sscanf(count, "%d", &number);
  length = snprintf(count, sizeof count, "%d", number + 1);
  {
    const pga_str value = {count, (size_t)length};
    if (host->state_set(host, "count", value) != PGA_OK) return PGA_E_FAIL;
  }
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
  length = snprintf(text, sizeof text, "{\"type\":\"abi_plain\",\"timestamp\":\"%s\",\"count\":%d,\"secret_bytes\":%d}", when,
                    number + 1, (int)secret_len);
  {
    const pga_str document = {text, (size_t)length};
    return run->emit(run, document);
  }
}

static void cancel(void* self) { (void)self; }
static void destroy(void* self) { (void)self; }

static const pga_descriptor kDescriptor = {sizeof(pga_descriptor),
                                           0,
                                           "abi_plain",
                                           "",
                                           "1.0.0",
                                           "test",
                                           "a plugin of ABI 1.0",
                                           "Apache-2.0",
                                           "",
                                           "{\"type\":\"object\"}",
                                           "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"type\":{"
                                           "\"type\":\"string\"},\"timestamp\":{\"type\":\"string\"},"
                                           "\"count\":{\"type\":\"integer\",\"x-kind\":\"counter\",\"x-unit\":\"1\"},"
                                           "\"secret_bytes\":{\"type\":\"integer\",\"x-kind\":\"gauge\",\"x-unit\":\"By\"}}}",
                                           PGA_NEED_PROC,
                                           0,
                                           1000,
                                           1000};
static const pga_plugin kPlugin = {
    sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, cancel, destroy, NULL};

PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
