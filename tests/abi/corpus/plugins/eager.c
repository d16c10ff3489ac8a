/* PLUGIN_ID: a plugin of ABI 1.1, which uses what 1.1 added where PGA_HAS() finds it, and says in its document what it found.
 * MIN_HOST_MINOR and MORE_NEEDS make of it one that an older host must refuse. Its configuration: "busy" answers with a status
 * of 1.1. */
#include <pganalytics/plugin.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#ifndef MIN_HOST_MINOR
#define MIN_HOST_MINOR 0
#endif
#ifndef MORE_NEEDS
#define MORE_NEEDS 0
#endif

PGA_NOTE(PLUGIN_ID);

static struct {
  const pga_host* host;
  int busy;
} eager;

static pga_status create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance, (void)error;
  eager.host = host;
  *self = &eager;
  return PGA_OK;
}

static pga_status configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  (void)self, (void)error;
  if (!dry_run) eager.busy = json.len > 2;
  return PGA_OK;
}

static pga_status collect(void* self, const pga_run* run, pga_error* error) {
  static const char kLine[] = "a level of 1.1";
  const pga_str line = {kLine, sizeof kLine - 1};
  const pga_host* host = eager.host;
  const int host_grown = PGA_HAS(pga_host, host, trace), run_grown = PGA_HAS(pga_run, run, emit_many),
            error_grown = PGA_HAS(pga_error, error, subcategory);
  const time_t seconds = (time_t)(run->scheduled_unix_ns / 1000000000);
  char text[256], when[32];
  struct tm utc;
  int length = 0;
  (void)self;

  host->log(host, PGA_LOG_TRACE, line);
  if (host_grown && host->trace != NULL && host->trace(host, line) != PGA_OK) return PGA_E_FAIL;
  if (eager.busy) {
    if (error_grown) error->category = error->subcategory = 7;
    snprintf(error->message, sizeof error->message, "busy");
    return PGA_E_BUSY;
  }
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&seconds, &utc));
  length = snprintf(text, sizeof text,
                    "{\"type\":\"" PLUGIN_ID
                    "\",\"timestamp\":\"%s\",\"host_minor\":%u,\"host_grown\":%d,\"run_grown\":%d,\"error_grown\":%d}",
                    when, host->abi_minor, host_grown, run_grown, error_grown);
  {
    const pga_str document = {text, (size_t)length};
    if (run_grown && run->emit_many != NULL) return run->emit_many(run, &document, 1);
    return run->emit(run, document);
  }
}

static void destroy(void* self) { (void)self; }
static void pause_it(void* self) { (void)self; }

#define FOUND(name) "\"" name "\":{\"type\":\"integer\",\"x-kind\":\"gauge\",\"x-unit\":\"1\"}"
static const pga_descriptor kDescriptor = {
    sizeof(pga_descriptor),
    MIN_HOST_MINOR,
    PLUGIN_ID,
    "",
    "1.1.0",
    "test",
    "a plugin of ABI 1.1",
    "Apache-2.0",
    "",
    "{\"type\":\"object\"}",
    "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"type\":{\"type\":\"string\"},\"timestamp\":{\"type\":"
    "\"string\"}," FOUND("host_minor") "," FOUND("host_grown") "," FOUND("run_grown") "," FOUND("error_grown") "}}",
    PGA_NEED_PROC | MORE_NEEDS,
    PGA_F_BATCH,
    1000,
    1000,
    "eager.svg"};
static const pga_plugin kPlugin = {
    sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL, pause_it};

PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
