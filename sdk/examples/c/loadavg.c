/* example_loadavg: a whole collector in C. One document per run from /proc/loadavg. plugin.h says what each call promises. */
#define _POSIX_C_SOURCE 200809L
#include <pganalytics/plugin.h>
#include <stdio.h>
#include <time.h>

#include "example_loadavg_embedded.h" /* the two schemas, by CMakeLists.txt */

PGA_NOTE("example_loadavg");

static pga_status create(const pga_host *host, const char *instance, void **self, pga_error *error) {
  (void)host, (void)instance, (void)error;
  *self = NULL; /* nothing to keep between runs */
  return PGA_OK;
}

static pga_status configure(void *self, pga_str json, uint32_t dry_run, pga_error *error) {
  (void)self, (void)json, (void)dry_run, (void)error; /* no keys: the schema admits only {} */
  return PGA_OK;
}

static pga_status collect(void *self, const pga_run *run, pga_error *error) {
  double load1, load5, load15;
  unsigned running, tasks;
  char when[32], text[256];
  struct tm utc;
  const time_t seconds = (time_t)(run->scheduled_unix_ns / 1000000000);
  FILE *file = fopen("/proc/loadavg", "re");
  const int found = file == NULL ? 0 : fscanf(file, "%lf %lf %lf %u/%u", &load1, &load5, &load15, &running, &tasks);
  (void)self;
  if (file != NULL) fclose(file);
  if (found != 5) {
    snprintf(error->message, sizeof error->message, "cannot read five numbers from /proc/loadavg");
    return PGA_E_FAIL;
  }
  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
  const int length = snprintf(text, sizeof text,
      "{\"type\":\"example_loadavg\",\"timestamp\":\"%s.%03dZ\",\"load1\":%.2f,\"load5\":%.2f,\"load15\":%.2f,\"running\":%u,\"tasks\":%u}",
      when, (int)(run->scheduled_unix_ns / 1000000 % 1000), load1, load5, load15, running, tasks);
  return run->emit(run, (pga_str){text, (size_t)length});
}

static void destroy(void *self) { (void)self; }

static const pga_descriptor kDescriptor = {
    sizeof(pga_descriptor), 0, "example_loadavg", "", "1.0.0", "pgAnalytics examples", "Load averages, from /proc/loadavg", "Apache-2.0",
    "https://github.com/pganalytics/pganalytics", embedded_config_schema_json, embedded_output_schema_json, PGA_NEED_PROC, 0, 10000, 2000};

static const pga_plugin kPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL};

PGA_EXPORT const pga_plugin *pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
