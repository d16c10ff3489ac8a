/* example_loadavg: a whole collector in C. One document per run from /proc/loadavg. See plugin.h for what each call promises. */
#include <pganalytics/plugin.h>
#include <stdio.h>
#include <time.h>

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

static pga_status fail(pga_error *error, const char *code, const char *message) {
  snprintf(error->code, sizeof error->code, "%s", code);
  snprintf(error->message, sizeof error->message, "%s", message);
  return PGA_E_FAIL;
}

static pga_status collect(void *self, const pga_run *run, pga_error *error) {
  double load1, load5, load15;
  unsigned running, tasks;
  char when[32], text[256];
  struct tm utc;
  const time_t seconds = (time_t)(run->scheduled_unix_ns / 1000000000);
  (void)self;

  FILE *file = fopen("/proc/loadavg", "re"); /* "e": programs that others start do not inherit it */
  if (file == NULL) return fail(error, "proc.unreadable", "cannot open /proc/loadavg");
  const int found = fscanf(file, "%lf %lf %lf %u/%u", &load1, &load5, &load15, &running, &tasks);
  fclose(file);
  if (found != 5) return fail(error, "proc.malformed", "/proc/loadavg does not begin with five numbers");

  strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
  const int length = snprintf(text, sizeof text,
      "{\"type\":\"example_loadavg\",\"timestamp\":\"%s.%03dZ\",\"load1\":%.2f,\"load5\":%.2f,\"load15\":%.2f,\"running\":%u,\"tasks\":%u}",
      when, (int)(run->scheduled_unix_ns / 1000000 % 1000), load1, load5, load15, running, tasks);
  const pga_str document = {text, (size_t)length};
  return run->emit(run, document);
}

static void destroy(void *self) { (void)self; }

#define LOAD "{\"type\":\"number\",\"minimum\":0,\"x-kind\":\"gauge\",\"x-unit\":\"1\"}"
#define TASKS "{\"type\":\"integer\",\"minimum\":0,\"x-kind\":\"gauge\",\"x-unit\":\"{task}\"}"
static const pga_descriptor kDescriptor = {
    sizeof(pga_descriptor), 0, "example_loadavg", "", "1.0.0", "pgAnalytics examples", "Load averages, from /proc/loadavg", "Apache-2.0",
    "https://github.com/pganalytics/pganalytics", "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}",
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"type\",\"timestamp\",\"load1\",\"load5\",\"load15\",\"running\",\"tasks\"],\"properties\":{"
    "\"type\":{\"type\":\"string\",\"enum\":[\"example_loadavg\"],\"x-kind\":\"info\"},"
    "\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\",\"x-kind\":\"info\"},"
    "\"load1\":" LOAD ",\"load5\":" LOAD ",\"load15\":" LOAD ",\"running\":" TASKS ",\"tasks\":" TASKS "}}",
    PGA_NEED_PROC, 0, 10000, 2000};

static const pga_plugin kPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL};

PGA_EXPORT const pga_plugin *pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
