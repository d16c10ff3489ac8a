/* test_serial: emits documents numbered 1, 2, 3, ... by a counter kept in plugin state, each with the name of its instance. If
 * delivery and state ever part ways, a number is missing or twice. Written against the bare C ABI, as a third party would. */
#include <pganalytics/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct serial {
  const pga_host *host;
};

PGA_NOTE("test_serial");

static pga_status create(const pga_host *host, const char *instance, void **self, pga_error *error) {
  struct serial *made = malloc(sizeof *made);
  (void)instance;
  (void)error;
  if (made == NULL) return PGA_E_FAIL;
  made->host = host;
  *self = made;
  return PGA_OK;
}

static pga_status configure(void *self, pga_str json, uint32_t dry_run, pga_error *error) {
  (void)self;
  (void)json;
  (void)dry_run;
  (void)error;
  return PGA_OK;
}

static pga_status collect(void *self, const pga_run *run, pga_error *error) {
  const struct serial *me = self;
  char text[32] = "", instance[40] = "";
  size_t length = sizeof text - 1, instance_length = sizeof instance - 1;
  long serial = 0;
  (void)error;
  const pga_status told = me->host->info_get(me->host, "plugin.instance", instance, &instance_length);
  if (told != PGA_OK) return told;
  if (me->host->state_get(me->host, "serial", text, &length) == PGA_OK) {
    text[length] = '\0';
    serial = strtol(text, NULL, 10);
  }
  const time_t seconds = (time_t)(run->scheduled_unix_ns / 1000000000);
  struct tm utc;
  gmtime_r(&seconds, &utc);
  for (int i = 0; i < 3; ++i) {
    char document[256];
    char time_text[32];
    strftime(time_text, sizeof time_text, "%Y-%m-%dT%H:%M:%S", &utc);
    const int size = snprintf(document, sizeof document, "{\"type\":\"test_serial\",\"timestamp\":\"%s.%03dZ\",\"instance\":%s,\"serial\":%ld}",
                              time_text, (int)(run->scheduled_unix_ns / 1000000 % 1000), instance, ++serial);
    const pga_str borrowed = {document, (size_t)size};
    const pga_status status = run->emit(run, borrowed);
    if (status != PGA_OK) return status;
  }
  const int size = snprintf(text, sizeof text, "%ld", serial);
  const pga_str value = {text, (size_t)size};
  return me->host->state_set(me->host, "serial", value);
}

static void destroy(void *self) { free(self); }

static const pga_descriptor kDescriptor = {
    sizeof(pga_descriptor), 0, "test_serial", "", "1.0.0", "pgAnalytics tests", "numbers its documents", "Apache-2.0", "",
    "{\"type\":\"object\",\"properties\":{},\"additionalProperties\":false}",
    "{\"type\":\"object\",\"required\":[\"type\",\"timestamp\",\"serial\"],\"properties\":{\"type\":{\"type\":\"string\"},"
    "\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},\"instance\":{\"type\":\"string\",\"x-kind\":\"info\"},"
    "\"serial\":{\"type\":\"integer\",\"x-kind\":\"counter\",\"x-unit\":\"1\"}},\"additionalProperties\":false}",
    0, 0, 1000, 1000};

static const pga_plugin kPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create, configure, collect, NULL, destroy, NULL};

PGA_EXPORT const pga_plugin *pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &kPlugin;
}
