/* A good plugin in pieces. Each bad plugin is this one with one piece replaced, so that it fails one check and passes the others.
 *
 * It reads a number from a file, counts its documents in durable state, asks for a secret and emits a document per sample. A
 * source file includes this, defines what it spoils, and ends with TABLES(...) or the macros that TABLES is made of.
 */
#ifndef PGANALYTICS_TESTS_BAD_PLUGIN_KIT_H
#define PGANALYTICS_TESTS_BAD_PLUGIN_KIT_H

#include <pganalytics/plugin.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define ID "test_victim"

#ifndef VERSION
#define VERSION "1.0.0"
#endif
#ifndef CONFIG_SCHEMA
#define CONFIG_SCHEMA                                                                                       \
  "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{"                                    \
  "\"label\":{\"type\":\"string\",\"maxLength\":40,\"default\":\"plain\",\"examples\":[\"other\"]},"        \
  "\"samples\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":4,\"default\":2},"                           \
  "\"path\":{\"type\":\"string\",\"format\":\"path-read\",\"maxLength\":60,\"default\":\"/proc/loadavg\"}," \
  "\"token\":{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"$secret\"],"               \
  "\"properties\":{\"$secret\":{\"type\":\"string\"}},\"default\":{\"$secret\":\"token\"}}}}"
#endif
#ifndef OUTPUT_SCHEMA
#define OUTPUT_SCHEMA                                                                                                    \
  "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"type\",\"timestamp\",\"label\"],\"properties\":{" \
  "\"type\":{\"type\":\"string\"},\"timestamp\":{\"type\":\"string\",\"format\":\"date-time\"},"                         \
  "\"label\":{\"type\":\"string\",\"x-label\":true},\"sample\":{\"type\":\"integer\",\"x-kind\":\"label\"},"             \
  "\"documents\":{\"type\":\"integer\",\"minimum\":0,\"x-kind\":\"counter\",\"x-unit\":\"1\"},"                          \
  "\"load\":{\"type\":[\"number\",\"null\"],\"x-kind\":\"gauge\",\"x-unit\":\"1\"}}}"
#endif
#ifndef NEEDS
#define NEEDS PGA_NEED_READ_FS
#endif
#ifndef FLAGS
#define FLAGS 0
#endif

typedef struct victim {
  const pga_host* host;
  char label[48], path[64];
  int samples;
} victim;

static inline pga_status told(pga_error* error, pga_status status, const char* why) {
  snprintf(error->message, sizeof error->message, "%s", why);
  return status;
}

static inline pga_status good_create(const pga_host* host, const char* instance, void** self, pga_error* error) {
  (void)instance;
  victim* made = (victim*)calloc(1, sizeof *made);
  if (made == NULL) return told(error, PGA_E_FATAL, "out of memory");
  made->host = host;
  *self = made;
  return PGA_OK;
}

/* The text of member `key` of flat JSON; 0: there is none, or none that could be used. */
static inline int text_of(pga_str json, const char* key, char* to, size_t room) {
  char quoted[32];
  const size_t length = (size_t)snprintf(quoted, sizeof quoted, "\"%s\":\"", key);
  for (size_t at = 0; at + length <= json.len; ++at) {
    if (memcmp(json.data + at, quoted, length) != 0) continue;
    size_t used = 0;
    for (at += length; at < json.len && json.data[at] != '"'; ++at) {
      if (json.data[at] == '\\' || (unsigned char)json.data[at] < 0x20 || used + 1 >= room) return 0;
      to[used++] = json.data[at];
    }
    to[used] = '\0';
    return 1;
  }
  return 0;
}

static inline int number_of(pga_str json, const char* key) {
  char quoted[32];
  const size_t length = (size_t)snprintf(quoted, sizeof quoted, "\"%s\":", key);
  for (size_t at = 0; at + length < json.len; ++at) {
    if (memcmp(json.data + at, quoted, length) == 0) return json.data[at + length] - '0';
  }
  return 1;
}

static inline pga_status parse_config(victim* me, pga_str json, victim* parsed, pga_error* error) {
  *parsed = *me;
  if (!text_of(json, "label", parsed->label, sizeof parsed->label)) {
    return told(error, PGA_E_CONFIG, "label: quotes, backslashes and long texts are not taken");
  }
  if (!text_of(json, "path", parsed->path, sizeof parsed->path)) return told(error, PGA_E_CONFIG, "path: not taken");
  parsed->samples = number_of(json, "samples");
  return PGA_OK;
}

static inline pga_status good_configure(void* self, pga_str json, uint32_t dry_run, pga_error* error) {
  victim *me = (victim*)self, parsed;
  const pga_status status = parse_config(me, json, &parsed, error);
  if (status == PGA_OK && dry_run == 0) *me = parsed;
  return status;
}

/* How many documents were emitted so far, kept over restarts. */
static inline pga_status read_count(const victim* me, long* count) {
  char text[24];
  size_t length = sizeof text - 1;
  *count = 0;
  const pga_status status = me->host->state_get(me->host, "documents", text, &length);
  if (status == PGA_E_NOTFOUND || status == PGA_E_TOOSMALL) return PGA_OK; /* none of ours is so long: begin anew */
  if (status != PGA_OK) return status;
  text[length] = '\0';
  *count = strtol(text, NULL, 10);
  if (*count < 0) *count = 0;
  return PGA_OK;
}

static inline pga_status keep_count(const victim* me, long count) {
  char text[24];
  const pga_str value = {text, (size_t)snprintf(text, sizeof text, "%ld", count)};
  return me->host->state_set(me->host, "documents", value);
}

/* The first number of the file; "null" if there is none. */
static inline void read_number(const char* path, char* to, size_t room) {
  double number = 0;
  FILE* file = fopen(path, "re");
  snprintf(to, room, "null");
  if (file == NULL) return;
  if (fscanf(file, "%lf", &number) == 1 && number >= 0 && number < 1e9) snprintf(to, room, "%.2f", number);
  fclose(file);
}

static inline void stamp_of(const pga_run* run, char* to, size_t room) {
  const time_t seconds = (time_t)(run->scheduled_unix_ns / 1000000000);
  struct tm utc;
  gmtime_r(&seconds, &utc);
  strftime(to, room, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* One document; `more` is added inside of it: ",\"key\":value". */
static inline pga_status emit_sample(const victim* me, const pga_run* run, int sample, long count, const char* more) {
  char text[1024], stamp[32], load[32];
  stamp_of(run, stamp, sizeof stamp);
  read_number(me->path, load, sizeof load);
  const int length = snprintf(text, sizeof text,
                              "{\"type\":\"" ID
                              "\",\"timestamp\":\"%s\",\"label\":\"%s\",\"sample\":%d,\"documents\":%ld,"
                              "\"load\":%s%s}",
                              stamp, me->label, sample, count, load, more);
  const pga_str document = {text, (size_t)length};
  return run->emit(run, document);
}

static inline pga_status good_collect(void* self, const pga_run* run, pga_error* error) {
  victim* me = (victim*)self;
  long count;
  pga_status status = read_count(me, &count);
  if (status != PGA_OK) return told(error, status, "cannot read the state");
  for (int sample = 0; sample < me->samples; ++sample) {
    if (run->cancelled(run) != 0) return told(error, PGA_E_DEADLINE, "cancelled");
    status = emit_sample(me, run, sample, ++count, "");
    if (status != PGA_OK) return told(error, status, "the host refused a document");
  }
  status = keep_count(me, count);
  return status == PGA_OK ? PGA_OK : told(error, status, "cannot keep the state");
}

static inline void good_destroy(void* self) { free(self); }

#define DESCRIPTOR                                                         \
  static const pga_descriptor kDescriptor = {sizeof(pga_descriptor),       \
                                             0,                            \
                                             ID,                           \
                                             "",                           \
                                             VERSION,                      \
                                             "test",                       \
                                             "a plugin for the validator", \
                                             "Apache-2.0",                 \
                                             "",                           \
                                             CONFIG_SCHEMA,                \
                                             OUTPUT_SCHEMA,                \
                                             NEEDS,                        \
                                             FLAGS,                        \
                                             1000,                         \
                                             1000}
#define PLUGIN(create_, configure_, collect_, cancel_, destroy_, extension_)                                 \
  static const pga_plugin kPlugin = {sizeof(pga_plugin), PGA_ABI_MINOR, &kDescriptor, create_,   configure_, \
                                     collect_,           cancel_,       destroy_,     extension_}
#define ENTRY                                                       \
  PGA_EXPORT const pga_plugin* pga_plugin_v1(uint32_t host_minor) { \
    (void)host_minor;                                               \
    return &kPlugin;                                                \
  }

#define TABLES(create_, configure_, collect_, cancel_, destroy_, extension_) \
  PGA_NOTE(ID);                                                              \
  DESCRIPTOR;                                                                \
  PLUGIN(create_, configure_, collect_, cancel_, destroy_, extension_);      \
  ENTRY

#endif
