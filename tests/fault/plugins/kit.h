/* What the misbehaving plugins share, so that each file is little more than its misdeeds.
 *
 * A family is one source: functions `pga_status misdeed(const pga_run *run, pga_error *error)`, a table that names them, and
 * FAULT_PLUGIN(table) at the end. The configuration's "do" chooses one, "at" when it is committed ("collect", "configure" or
 * "destroy"), "target" what it aims at. Written against the bare C ABI and built without sanitizers, as a third party's would be.
 */
#ifndef PGANALYTICS_TESTS_FAULT_KIT_H
#define PGANALYTICS_TESTS_FAULT_KIT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <inttypes.h>
#include <pganalytics/plugin.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

typedef pga_status (*misdeed)(const pga_run* run, pga_error* error); /* run: NULL outside collect() */

typedef struct named_misdeed {
  const char* name;
  misdeed commit;
} named_misdeed;

static const pga_host* g_host;
static misdeed g_misdeed;
static char g_do[64], g_at[16], g_target[512];

/* The text of a member of a flat JSON object, "" if it is not there. The tests' values have no escapes. */
static inline void read_text(const char* json, const char* key, char* value, size_t room) {
  char quoted[32];
  value[0] = '\0';
  snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
  const char* at = strstr(json, quoted);
  if (at == NULL) return;
  at += strlen(quoted);
  const size_t length = strcspn(at, "\"");
  snprintf(value, room, "%.*s", (int)length, at);
}

static inline void format_time(int64_t unix_ns, char* text, size_t room) {
  const time_t seconds = (time_t)(unix_ns / 1000000000);
  struct tm utc;
  char whole[64];
  gmtime_r(&seconds, &utc);
  strftime(whole, sizeof whole, "%Y-%m-%dT%H:%M:%S", &utc);
  snprintf(text, room, "%s.%03dZ", whole, (int)(unix_ns / 1000000 % 1000));
}

static inline pga_status emit_bytes(const pga_run* run, const char* bytes, size_t length) {
  const pga_str document = {bytes, length};
  return run->emit(run, document);
}

/* A good document, with `rest` (", ..." or "") at its end. */
static inline pga_status emit_document(const pga_run* run, const char* rest) {
  char when[96], text[2048];
  format_time(run->scheduled_unix_ns, when, sizeof when);
  const int length = snprintf(text, sizeof text, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"run\":%" PRIu64 "%s}", PLUGIN_ID, when,
                              run->sequence, rest);
  return emit_bytes(run, text, (size_t)length);
}

/* The misdeed came through. The judge looks for this word in every document and every line of the log. */
static inline pga_status escaped(const pga_run* run, const char* what) {
  char rest[1024];
  fprintf(stderr, "ESCAPED: %s\n", what);
  snprintf(rest, sizeof rest, ",\"text\":\"ESCAPED: %s\"", what);
  return run != NULL ? emit_document(run, rest) : PGA_OK;
}

/* It was stopped with errno: say so as an honest plugin would. */
static inline pga_status stopped(pga_error* error, const char* what) {
  const int why = errno;
  snprintf(error->code, sizeof error->code, "fault.stopped");
  snprintf(error->message, sizeof error->message, "unable to %.400s: %s", what, strerror(why));
  return why == EPERM || why == EACCES ? PGA_E_DENIED : PGA_E_FAIL;
}

static inline pga_status kit_create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance, (void)error;
  g_host = host;
  *self = g_do;
  return PGA_OK;
}

static inline pga_status kit_choose(const named_misdeed* all, pga_str json, uint32_t dry_run, pga_error* error) {
  char text[2048];
  if (json.len >= sizeof text) return PGA_E_CONFIG;
  memcpy(text, json.data, json.len);
  text[json.len] = '\0';
  read_text(text, "do", g_do, sizeof g_do);
  read_text(text, "at", g_at, sizeof g_at);
  read_text(text, "target", g_target, sizeof g_target);
  for (; all->name != NULL && strcmp(all->name, g_do) != 0;) ++all;
  if (all->name == NULL) {
    snprintf(error->message, sizeof error->message, "no misdeed is called '%s'", g_do);
    return PGA_E_CONFIG;
  }
  g_misdeed = all->commit;
  return strcmp(g_at, "configure") == 0 && dry_run == 0 ? g_misdeed(NULL, error) : PGA_OK;
}

static inline pga_status kit_collect(void* self, const pga_run* run, pga_error* error) {
  (void)self;
  return strcmp(g_at, "collect") == 0 ? g_misdeed(run, error) : emit_document(run, "");
}

static inline void kit_destroy(void* self) {
  (void)self;
  pga_error error;
  memset(&error, 0, sizeof error);
  if (strcmp(g_at, "destroy") == 0) g_misdeed(NULL, &error);
}

#define KIT_CONFIG_SCHEMA                                                                                  \
  "{\"type\":\"object\",\"properties\":{\"do\":{\"type\":\"string\",\"default\":\"nothing\"},"             \
  "\"at\":{\"type\":\"string\",\"enum\":[\"collect\",\"configure\",\"destroy\"],\"default\":\"collect\"}," \
  "\"target\":{\"type\":\"string\",\"default\":\"\"}},\"additionalProperties\":false}"

#define KIT_OUTPUT_SCHEMA                                                                                      \
  "{\"type\":\"object\",\"properties\":{\"type\":{\"type\":\"string\"},"                                       \
  "\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},"                                              \
  "\"run\":{\"type\":\"integer\",\"x-kind\":\"counter\",\"x-unit\":\"1\"},"                                    \
  "\"value\":{\"type\":\"number\",\"x-kind\":\"gauge\",\"x-unit\":\"1\"},"                                     \
  "\"text\":{\"type\":\"string\",\"x-kind\":\"info\"},"                                                        \
  "\"rows\":{\"type\":\"array\",\"x-family\":\"fault_row\",\"items\":{\"type\":\"object\",\"properties\":{"    \
  "\"name\":{\"type\":\"string\",\"x-kind\":\"label\"},"                                                       \
  "\"value\":{\"type\":\"integer\",\"x-kind\":\"gauge\",\"x-unit\":\"1\"}},\"additionalProperties\":false}}}," \
  "\"required\":[\"type\",\"timestamp\"],\"additionalProperties\":false}"

#ifndef PLUGIN_NEEDS
#define PLUGIN_NEEDS 0
#endif

#ifdef __cplusplus
#define KIT_C_LINKAGE extern "C"
#else
#define KIT_C_LINKAGE
#endif

#define FAULT_PLUGIN(misdeeds_)                                                                           \
  PGA_NOTE(PLUGIN_ID);                                                                                    \
  static const pga_descriptor kDescriptor = {sizeof(pga_descriptor),                                      \
                                             0,                                                           \
                                             PLUGIN_ID,                                                   \
                                             "",                                                          \
                                             "1.0.0",                                                     \
                                             "pgAnalytics tests",                                         \
                                             "misbehaves",                                                \
                                             "Apache-2.0",                                                \
                                             "",                                                          \
                                             KIT_CONFIG_SCHEMA,                                           \
                                             KIT_OUTPUT_SCHEMA,                                           \
                                             PLUGIN_NEEDS,                                                \
                                             0,                                                           \
                                             1000,                                                        \
                                             1000};                                                       \
  static pga_status choose(void* self, pga_str json, uint32_t dry_run, pga_error* error) {                \
    (void)self;                                                                                           \
    return kit_choose(misdeeds_, json, dry_run, error);                                                   \
  }                                                                                                       \
  static const pga_plugin kPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, kit_create, choose, \
                                     kit_collect,        NULL,          kit_destroy,  NULL};              \
  KIT_C_LINKAGE PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) {                         \
    (void)host_minor;                                                                                     \
    return &kPlugin;                                                                                      \
  }                                                                                                       \
  typedef int kit_end_of_plugin

#endif
