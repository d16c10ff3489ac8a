/* @id@ - how many processes this machine starts: the whole plugin, and a place to begin yours.
 *
 * PostgreSQL forks for each connection, so many forks per second often mean that a connection pooler is missing. Each run reads
 * the kernel's counter twice, sample_ms apart, and remembers the highest rate it has seen.
 * The contract is pganalytics/plugin.h: who calls what, on which thread, and who owns which memory.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <inttypes.h>
#include <pganalytics/plugin.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "@id@_embedded.h" /* config.schema.json and output.schema.json, by CMakeLists.txt */

/* One instance, made by create() and handed back in each later call. Nothing is global: there may be several. */
typedef struct collector {
  const pga_host *host;
  int sample_ms;
} collector;

/* The code is for machines and stays the same; the message says what was tried, on what, and why it failed. */
static pga_status fail(pga_error *error, pga_status status, const char *code, const char *message, ...) {
  va_list arguments;
  snprintf(error->code, sizeof error->code, "%s", code);
  va_start(arguments, message);
  vsnprintf(error->message, sizeof error->message, message, arguments);
  va_end(arguments);
  return status;
}

static int64_t monotonic_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static pga_status read_forks(uint64_t *forks, pga_error *error) {
  FILE *file = fopen("/proc/stat", "re");
  char *line = NULL;
  size_t room = 0;
  int found = 0;
  if (file == NULL) {
    return fail(error, errno == EACCES ? PGA_E_DENIED : PGA_E_FAIL, "proc.open", "opening /proc/stat failed: %s", strerror(errno));
  }
  while (!found && getline(&line, &room, file) >= 0) found = sscanf(line, "processes %" SCNu64, forks) == 1;
  free(line);
  fclose(file);
  return found ? PGA_OK : fail(error, PGA_E_UNSUPPORTED, "proc.format", "/proc/stat has no line 'processes'");
}

/* Waits, but not beyond the deadline and not after a cancel: beside a socket, poll() that and cancel_fd together. */
static pga_status wait_sample(const collector *me, const pga_run *run, pga_error *error) {
  struct pollfd cancel = {run->cancel_fd, POLLIN, 0}; /* -1: this host has none, and poll() skips it */
  const int64_t end_ns = monotonic_ns() + (int64_t)me->sample_ms * 1000000;
  if (end_ns >= run->deadline_mono_ns) {
    return fail(error, PGA_E_DEADLINE, "run.deadline", "a sample of %d ms does not end before the deadline", me->sample_ms);
  }
  for (int left_ms = me->sample_ms; left_ms > 0 && !run->cancelled(run);) {
    poll(&cancel, 1, run->cancel_fd >= 0 || left_ms < 50 ? left_ms : 50);
    left_ms = (int)((end_ns - monotonic_ns() + 999999) / 1000000);
  }
  if (run->cancelled(run)) return fail(error, PGA_E_DEADLINE, "run.cancelled", "cancelled while sampling");
  return PGA_OK;
}

/* State outlives the process. It is committed with the documents of this run, or not at all. */
static pga_status keep_peak(const pga_host *host, double rate, double *peak, pga_error *error) {
  char text[64];
  size_t length = sizeof text - 1;
  pga_status status = host->state_get(host, "peak", text, &length);
  if (status != PGA_OK && status != PGA_E_NOTFOUND) return fail(error, status, "state.read", "reading the state 'peak' failed");
  text[status == PGA_OK ? length : 0] = '\0';
  *peak = strtod(text, NULL);
  if (!(*peak >= rate && *peak < 1e9)) *peak = rate; /* what was kept is bytes from outside: it may be anything */
  length = (size_t)snprintf(text, sizeof text, "%.3f", *peak);
  status = host->state_set(host, "peak", (pga_str){text, length});
  return status == PGA_OK ? PGA_OK : fail(error, status, "state.write", "writing the state 'peak' failed");
}

static pga_status emit(const pga_run *run, uint64_t forks, double rate, double peak, pga_error *error) {
  const time_t seconds = (time_t)(run->scheduled_unix_ns / 1000000000);
  char timestamp[32], document[512];
  struct tm utc;
  strftime(timestamp, sizeof timestamp, "%Y-%m-%dT%H:%M:%S", gmtime_r(&seconds, &utc));
  const int length = snprintf(document, sizeof document,
                              "{\"type\":\"@id@\",\"timestamp\":\"%s.%03dZ\",\"forks\":%" PRIu64
                              ",\"forks_per_second\":%.3f,\"forks_per_second_peak\":%.3f}",
                              timestamp, (int)(run->scheduled_unix_ns / 1000000 % 1000), forks, rate, peak);
  const pga_status status = run->emit(run, (pga_str){document, (size_t)length});
  return status == PGA_OK ? PGA_OK : fail(error, status, "emit", "the host refused the document");
}

static pga_status collect(void *self, const pga_run *run, pga_error *error) {
  const collector *me = self;
  uint64_t before = 0, after = 0;
  double peak = 0;
  const int64_t begin_ns = monotonic_ns();
  pga_status status = read_forks(&before, error);
  if (status == PGA_OK) status = wait_sample(me, run, error);
  if (status == PGA_OK) status = read_forks(&after, error);
  if (status != PGA_OK) return status;
  const double rate = (double)(after - before) * 1e9 / (double)(monotonic_ns() - begin_ns);
  status = keep_peak(me->host, rate, &peak, error);
  return status == PGA_OK ? emit(run, after, rate, peak, error) : status;
}

/* The host has checked it against config.schema.json and filled in the defaults, so the one key is there and in range. With
 * text values or nested objects use a JSON library (cJSON, json-c, jansson). */
static pga_status configure(void *self, pga_str json, uint32_t dry_run, pga_error *error) {
  static const char key[] = "\"sample_ms\"";
  char text[256];
  if (json.len >= sizeof text) return fail(error, PGA_E_CONFIG, "config.size", "a configuration of %zu bytes is too long", json.len);
  memcpy(text, json.data, json.len);
  text[json.len] = '\0';
  const char *at = strstr(text, key);
  int sample_ms = 0;
  if (at == NULL || sscanf(at + sizeof key - 1, " : %d", &sample_ms) != 1 || sample_ms < 1) {
    return fail(error, PGA_E_CONFIG, "config.sample_ms", "sample_ms is not a number of milliseconds above 0");
  }
  if (!dry_run) ((collector *)self)->sample_ms = sample_ms;
  return PGA_OK;
}

static pga_status create(const pga_host *host, const char *instance, void **self, pga_error *error) {
  collector *me = calloc(1, sizeof *me);
  if (me == NULL) return fail(error, PGA_E_FATAL, "memory", "out of memory for instance '%s'", instance);
  me->host = host;
  *self = me;
  return PGA_OK;
}

static void destroy(void *self) { free(self); }

static const pga_descriptor descriptor = {
    .struct_size = sizeof(pga_descriptor),
    .id = "@id@",
    .aliases = "",
    .version = PLUGIN_VERSION, /* of project() in CMakeLists.txt */
    .vendor = "@vendor@",
    .description = "How many processes this machine starts, from /proc/stat",
    .license = "Apache-2.0",
    .url = "",
    .config_schema = embedded_config_schema_json,
    .output_schema = embedded_output_schema_json,
    .needs = PGA_NEED_PROC, /* what is not declared here, the sandbox refuses */
    .default_interval_ms = 60000,
    .default_timeout_ms = 10000,
};

static const pga_plugin plugin = {
    .struct_size = sizeof(pga_plugin),
    .abi_minor = PGA_ABI_MINOR,
    .descriptor = &descriptor,
    .create = create,
    .configure = configure,
    .collect = collect,
    .destroy = destroy,
};

PGA_NOTE("@id@");

const pga_plugin *pga_plugin_v1(uint32_t host_minor) {
  (void)host_minor;
  return &plugin;
}
