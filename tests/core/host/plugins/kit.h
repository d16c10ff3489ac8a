/* What the test plugins share: a descriptor and the calls they do not care about. */
#ifndef PGANALYTICS_TESTS_PLUGIN_KIT_H
#define PGANALYTICS_TESTS_PLUGIN_KIT_H

#include <inttypes.h>
#include <pganalytics/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SCHEMA                                                                \
  "{\"type\":\"object\",\"properties\":{"                                     \
  "\"type\":{\"type\":\"string\"},\"timestamp\":{\"type\":\"string\"},"       \
  "\"count\":{\"type\":\"integer\",\"x-kind\":\"counter\",\"x-unit\":\"1\"}," \
  "\"run\":{\"type\":\"integer\",\"x-kind\":\"gauge\",\"x-unit\":\"1\"},"     \
  "\"text\":{\"type\":\"string\",\"x-kind\":\"info\"}},\"additionalProperties\":false}"

#ifndef PLUGIN_FLAGS
#define PLUGIN_FLAGS 0
#endif

#define DESCRIPTOR(id_)                                                                                         \
  static const pga_descriptor kDescriptor = {                                                                   \
      sizeof(pga_descriptor),  0,      id_, "",           "1.0.0", "test", "a test's plugin", "Apache-2.0", "", \
      "{\"type\":\"object\"}", SCHEMA, 0,   PLUGIN_FLAGS, 1000,    1000}

/* The document {"type", "timestamp", <rest>}; `rest` may be "". */
static inline pga_status emit_document(const pga_run* run, const char* type, const char* rest) {
  char stamp[32], text[512];
  const time_t seconds = (time_t)(run->scheduled_unix_ns / 1000000000);
  struct tm utc;
  gmtime_r(&seconds, &utc);
  strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%SZ", &utc);
  const int length = snprintf(text, sizeof text, "{\"type\":\"%s\",\"timestamp\":\"%s\"%s}", type, stamp, rest);
  const pga_str document = {text, (size_t)length};
  return run->emit(run, document);
}

#endif
